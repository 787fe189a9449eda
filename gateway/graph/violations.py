"""The faults of an input as a client is told of them, and how many."""

from collections.abc import Sequence

import strawberry

from kit.errors import FieldViolation as Violation

MAX_VIOLATIONS = 100
# The services' own word, where theirs are too many for the trailers of a call.
MORE_VIOLATIONS = "MORE_VIOLATIONS"


def bounded(violations: Sequence[Violation]) -> Sequence[Violation]:
    """The first hundred; a last one without a field says when there are more."""
    if len(violations) <= MAX_VIOLATIONS:
        return violations
    said = f"these are the first {MAX_VIOLATIONS}; there are more"
    return (*violations[:MAX_VIOLATIONS], Violation("", MORE_VIOLATIONS, said))


@strawberry.federation.type(shareable=True, description="What is wrong with one field of an input.")
class FieldViolation:
    """One fault at its path."""

    field: str = strawberry.field(description="Path, such as `audience.include[0].unitIds[2]`.")
    reason: str = strawberry.field(description="Stable reason, UPPER_SNAKE.")
    description: str = strawberry.field(description="What is wrong, for people.")

    @classmethod
    def of(cls, violation: Violation, path: str) -> "FieldViolation":
        """A service's violation at a path of the input."""
        return cls(field=path, reason=violation.reason, description=violation.description)
