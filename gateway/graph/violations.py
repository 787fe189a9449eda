"""How many faults of a request a client is told of."""

from collections.abc import Sequence

from kit.errors import FieldViolation

MAX_VIOLATIONS = 100
# The services' own word, where theirs are too many for the trailers of a call.
MORE_VIOLATIONS = "MORE_VIOLATIONS"


def bounded(violations: Sequence[FieldViolation]) -> Sequence[FieldViolation]:
    """The first hundred; a last one without a field says when there are more."""
    if len(violations) <= MAX_VIOLATIONS:
        return violations
    said = f"these are the first {MAX_VIOLATIONS}; there are more"
    return (*violations[:MAX_VIOLATIONS], FieldViolation("", MORE_VIOLATIONS, said))
