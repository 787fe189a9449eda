"""The audience as clients write it: input of the register's preview and of a new broadcast."""

from collections.abc import Iterator, Sequence

import strawberry
from chaupal.groups.v1 import audience_pb2

from gateway.graph.ids import parse_id
from gateway.graph.violations import MAX_VIOLATIONS
from kit.errors import Violations

# The contract's own bounds.
MAX_TERMS = 50
MAX_UNITS = 1_000
MAX_KINDS = 64
MAX_CATEGORIES = 256


@strawberry.input(
    description="Groups in any of the units' subtrees, of any of the kinds and categories."
)
class AudienceTermInput:
    """One term; an empty list of kinds or categories does not narrow."""

    unit_ids: list[strawberry.ID] = strawberry.field(
        description="Units whose subtrees are meant: 1 to 1,000 in an included term."
    )
    kinds: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Keys of kinds; none means every kind."
    )
    categories: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Keys of categories; none means with and without a category.",
    )


@strawberry.input(description="A rule that selects groups: what is included without the excluded.")
class AudienceInput:
    """The union of `include` without the union of `exclude`."""

    include: list[AudienceTermInput] = strawberry.field(
        description="1 to 50 terms; a group is in when any selects it."
    )
    exclude: list[AudienceTermInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 50 terms; a group is out when any selects it."
    )


def audience_to_proto(audience: AudienceInput, argument: str) -> audience_pb2.Audience:
    """The rule on the wire.

    Raises:
        InvalidInput: below the path `argument`, TOO_MANY for every list that is too long, or
            BAD_ID for every unit id that is none, up to one more than a client is told of.
    """
    include, exclude = audience.include, audience.exclude or ()
    violations = Violations()
    _check_lengths(include, f"{argument}.include", violations)
    _check_lengths(exclude, f"{argument}.exclude", violations)
    violations.raise_if_any()
    message = audience_pb2.Audience(
        include=_terms(include, f"{argument}.include", violations),
        exclude=_terms(exclude, f"{argument}.exclude", violations),
    )
    violations.raise_if_any()
    return message


def _check_lengths(terms: Sequence[AudienceTermInput], path: str, violations: Violations) -> None:
    if len(terms) > MAX_TERMS:
        violations.add(path, "TOO_MANY", f"at most {MAX_TERMS} terms")
        return
    for index, term in enumerate(terms):
        for name, found, most in (
            ("unitIds", term.unit_ids, MAX_UNITS),
            ("kinds", term.kinds or (), MAX_KINDS),
            ("categories", term.categories or (), MAX_CATEGORIES),
        ):
            if len(found) > most:
                violations.add(f"{path}[{index}].{name}", "TOO_MANY", f"at most {most:,}")


def _terms(
    terms: Sequence[AudienceTermInput], path: str, violations: Violations
) -> Iterator[audience_pb2.AudienceTerm]:
    for index, term in enumerate(terms):
        yield audience_pb2.AudienceTerm(
            unit_ids=_unit_ids(term.unit_ids, f"{path}[{index}].unitIds", violations),
            kinds=term.kinds or (),
            categories=term.categories or (),
        )


def _unit_ids(ids: Sequence[str], path: str, violations: Violations) -> Iterator[str]:
    for index, each in enumerate(ids):
        if len(violations.found) > MAX_VIOLATIONS:
            return  # refused already, and nobody is told of more
        parsed = parse_id(each)
        if parsed is None or parsed.type_name != "Unit":
            violations.add(f"{path}[{index}]", "BAD_ID", "must be the id of a Unit")
        else:
            yield parsed.uuid
