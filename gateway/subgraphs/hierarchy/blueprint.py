"""The tenant's own definition of its levels, offices, kinds and categories."""

from typing import Self

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.graph.fields import list_of
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.texts import localized

field = strawberry.field
_CAPABILITY = "One of view, compose, approve, administer, relay, monitor."
_CATEGORIES = "Only for groups of these categories; empty for all."
_GROUP_KINDS = "Only for groups of these kinds; empty for all."


@strawberry.type(description="One level of the tree.")
class Level:
    """A level as the tenant defines it."""

    key: str = field(description='Stable key, such as "shakti_kendra".')
    name: LocalizedText = field(description="What people call it.")


@strawberry.type(description="A kind of group.")
class GroupKind:
    """A kind as the tenant defines it."""

    key: str = field(description='Stable key, such as "booth_voters".')
    name: LocalizedText = field(description="What people call it.")
    has_category: bool = field(description="Whether groups of this kind carry a category.")


@strawberry.type(description="A category of groups, across the tree.")
class Category:
    """A category as the tenant defines it."""

    key: str = field(description='Stable key, such as "farmers".')
    name: LocalizedText = field(description="What people call it.")


@strawberry.type(description="What somebody may do over the subtree of a unit.")
class Grant:
    """A capability, narrowed or not."""

    capability: str = field(description=_CAPABILITY)
    categories: list[str] = field(description=_CATEGORIES)
    group_kinds: list[str] = field(description=_GROUP_KINDS)

    @classmethod
    def from_proto(cls, message: pb.Grant) -> Self:
        """The grant on the wire as the graph shows it."""
        return cls(
            capability=message.capability,
            categories=list(message.categories),
            group_kinds=list(message.group_kinds),
        )


@strawberry.type(description="An office that units of some levels have.")
class Position:
    """A position as the tenant defines it."""

    key: str = field(description='Stable key, such as "district_convenor".')
    name: LocalizedText = field(description="What people call it.")
    levels: list[str] = field(description="Keys of the levels whose units have it.")
    seats: int = field(description="How many may hold it in one unit at a time; 0 is no limit.")
    roles: list[str] = field(
        description="What it means to the platform: any of head, state_executive, monitor,"
        " convenor."
    )
    grants: list[Grant] = field(
        description="What whoever holds it may do over the unit's subtree.",
        directives=list_of(16),
    )

    @classmethod
    def from_proto(cls, message: pb.Position) -> Self:
        """The position on the wire as the graph shows it."""
        return cls(
            key=message.key,
            name=localized(message.names),
            levels=list(message.levels),
            seats=message.seats,
            roles=list(message.roles),
            grants=[Grant.from_proto(each) for each in message.grants],
        )


@strawberry.type(description="A kind of team.")
class TeamKind:
    """A kind of team as the tenant defines it."""

    key: str = field(description='Stable key, such as "monitoring".')
    name: LocalizedText = field(description="What people call it.")
    levels: list[str] = field(description="Keys of the levels whose units may have such a team.")
    max_members: int = field(description="How many members it may have; 0 is no limit.")


@strawberry.type(
    description="The tenant's own definition of its levels, offices, kinds and categories."
)
class Blueprint:
    """The blueprint as last put."""

    version: int = field(description="Counts its changes, from 1.")
    style: str = field(description='The lens that suits: "party" (a tree) or "category".')
    name: LocalizedText = field(description="The organisation's own name.")
    levels: list[Level] = field(description="From the top down.", directives=list_of(16))
    group_kinds: list[GroupKind] = field(
        description="Kinds of group, in the tenant's order.", directives=list_of(64)
    )
    categories: list[Category] = field(
        description="Categories, in the tenant's order.", directives=list_of(256)
    )
    positions: list[Position] = field(
        description="Offices, in the tenant's order.", directives=list_of(256)
    )
    team_kinds: list[TeamKind] = field(
        description="Kinds of team, in the tenant's order.", directives=list_of(64)
    )
    centre_level: str | None = field(
        description="Key of the level whose only unit is the centre; null without one."
    )
    verification_days: int = field(
        description="For how many days a verified appointment counts as verified."
    )

    @classmethod
    def from_proto(cls, message: pb.Blueprint) -> Self:
        """The blueprint on the wire as the graph shows it."""
        return cls(
            version=message.version,
            style=message.style,
            name=localized(message.names),
            levels=[Level(key=each.key, name=localized(each.names)) for each in message.levels],
            group_kinds=[
                GroupKind(key=each.key, name=localized(each.names), has_category=each.has_category)
                for each in message.group_kinds
            ],
            categories=[
                Category(key=each.key, name=localized(each.names)) for each in message.categories
            ],
            positions=[Position.from_proto(each) for each in message.positions],
            team_kinds=[
                TeamKind(
                    key=each.key,
                    name=localized(each.names),
                    levels=list(each.levels),
                    max_members=each.max_members,
                )
                for each in message.team_kinds
            ],
            centre_level=message.centre_level or None,
            verification_days=message.verification_days,
        )
