"""The audience as clients write it: input of the register's preview and of a new broadcast."""

from collections.abc import Iterator, Sequence

import strawberry
from chaupal.groups.v1 import audience_pb2

from gateway.graph.ids import parse_id
from kit.errors import Violations


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
        InvalidInput: BAD_ID for every unit id that is none, below the path `argument`.
    """
    violations = Violations()
    message = audience_pb2.Audience(
        include=_terms(audience.include, f"{argument}.include", violations),
        exclude=_terms(audience.exclude or (), f"{argument}.exclude", violations),
    )
    violations.raise_if_any()
    return message


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
        parsed = parse_id(each)
        if parsed is None or parsed.type_name != "Unit":
            violations.add(f"{path}[{index}]", "BAD_ID", "must be the id of a Unit")
        else:
            yield parsed.uuid
