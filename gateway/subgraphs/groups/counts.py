"""Counts of groups and members, by facet."""

from collections.abc import Iterable
from typing import Self

import strawberry
from chaupal.groups.v1 import groups_pb2 as pb

from gateway.graph.fields import list_of
from gateway.graph.scalars import BigInt
from gateway.subgraphs.groups.enums import GroupFlag, flags

field = strawberry.field
# What a blueprint may have.
KINDS, CATEGORIES = list_of(64), list_of(256)


@strawberry.type(description="Groups that share a kind or a category.")
class FacetCount:
    """The groups and members of one key."""

    key: str = field(description="The kind's or the category's key.")
    group_count: int = field(description="Groups.")
    member_count: BigInt = field(description="Their members, a person counted once per group.")


@strawberry.type(description="Groups that share a flag.")
class FlagCount:
    """The groups of one flag."""

    flag: GroupFlag = field(description="The flag.")
    group_count: int = field(description="Groups.")


@strawberry.type(description="Counts over a unit's subtree, without retired groups.")
class GroupCounts:
    """How many groups and members, in all and by facet."""

    group_count: int = field(description="Groups.")
    member_count: BigInt = field(description="Their members, a person counted once per group.")
    by_kind: list[FacetCount] = field(
        description="By kind; only kinds that occur, by key.", directives=KINDS
    )
    by_category: list[FacetCount] = field(
        description="By category; only categories that occur, by key.", directives=CATEGORIES
    )
    by_flag: list[FlagCount] = field(
        description="By flag; only flags that occur.", directives=list_of(len(GroupFlag))
    )

    @classmethod
    def from_proto(cls, message: pb.GroupCounts) -> Self:
        """The counts on the wire as the graph shows them."""
        return cls(
            group_count=message.group_count,
            member_count=BigInt(message.member_count),
            by_kind=facet_counts(message.by_kind),
            by_category=facet_counts(message.by_category),
            by_flag=[
                FlagCount(flag=flag, group_count=each.group_count)
                for each in message.by_flag
                for flag in flags([each.flag])
            ],
        )


def facet_counts(messages: Iterable[pb.FacetCount]) -> list[FacetCount]:
    """Counts by key on the wire as the graph shows them."""
    return [
        FacetCount(
            key=each.key,
            group_count=each.group_count,
            member_count=BigInt(each.member_count),
        )
        for each in messages
    ]
