"""What an audience means: the answer of a preview."""

from typing import Self

import strawberry
from chaupal.groups.v1 import groups_pb2 as pb

from gateway.graph.fields import SPLIT, list_of
from gateway.graph.scalars import BigInt
from gateway.subgraphs.groups.counts import CATEGORIES, KINDS, FacetCount, facet_counts
from gateway.subgraphs.groups.types import Unit

field = strawberry.field


@strawberry.type(description="Groups that a rule selects but nothing is sent to.")
class Exclusion:
    """The groups left out for one reason."""

    reason: str = field(description="INCOMPLETE, ORPHANED, PLANNED or RETIRED.")
    group_count: int = field(description="Groups.")


@strawberry.type(description="Groups and members under one unit.")
class UnitCount:
    """The share of one unit."""

    unit: Unit | None = field(description="The unit.")
    group_count: int = field(description="Groups.")
    member_count: BigInt = field(description="Their members, a person counted once per group.")


@strawberry.type(description="What an audience means now.")
class AudiencePreview:
    """How many a broadcast to the audience would reach, and who is left out."""

    group_count: int = field(description="Groups that would get a message.")
    member_count: BigInt = field(
        description="Their members, a person counted once per group: at most so many people."
    )
    snapshot_id: str = field(description="The state of register and tree that was read.")
    exclusions: list[Exclusion] = field(
        description="What is left out, by reason.", directives=list_of(4)
    )
    by_unit: list[UnitCount] = field(
        description="By unit of the split level, in tree order; only units with groups.",
        directives=SPLIT,
    )
    by_kind: list[FacetCount] = field(description="By kind, by key.", directives=KINDS)
    by_category: list[FacetCount] = field(description="By category, by key.", directives=CATEGORIES)

    @classmethod
    def from_proto(cls, message: pb.PreviewAudienceResponse) -> Self:
        """The preview on the wire as the graph shows it."""
        return cls(
            group_count=message.group_count,
            member_count=BigInt(message.member_count),
            snapshot_id=message.snapshot_id,
            exclusions=[
                Exclusion(reason=each.reason, group_count=each.group_count)
                for each in message.exclusions
            ],
            by_unit=[
                UnitCount(
                    unit=Unit.of(each.unit_id),
                    group_count=each.group_count,
                    member_count=BigInt(each.member_count),
                )
                for each in message.by_unit
            ],
            by_kind=facet_counts(message.by_kind),
            by_category=facet_counts(message.by_category),
        )
