"""A blueprint as clients write it, for `putBlueprint`."""

from collections.abc import Sequence

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.subgraphs.hierarchy.texts import NameInput, names_to_proto

field, UNSET = strawberry.field, strawberry.UNSET
_KEY = "Stable key in lower snake case."
_NAMES = "What people call it."
_LEVELS = "Keys of the levels whose units have it; 1 to 16."


@strawberry.input(description="One level of the tree.")
class LevelInput:
    """A level."""

    key: str = field(description=_KEY)
    names: list[NameInput] = field(description=_NAMES)


@strawberry.input(description="A kind of group.")
class GroupKindInput:
    """A kind of group."""

    key: str = field(description=_KEY)
    names: list[NameInput] = field(description=_NAMES)
    has_category: bool = field(
        default=False, description="Whether groups of this kind must carry a category."
    )


@strawberry.input(description="A category of groups, across the tree.")
class CategoryInput:
    """A category."""

    key: str = field(description=_KEY)
    names: list[NameInput] = field(description=_NAMES)


@strawberry.input(description="What somebody may do over the subtree of a unit.")
class GrantInput:
    """A capability, narrowed or not."""

    capability: str = field(
        description="One of view, compose, approve, administer, relay, monitor."
    )
    categories: list[str] | None = field(
        default=UNSET, description="Only for groups of these categories; none for all."
    )
    group_kinds: list[str] | None = field(
        default=UNSET, description="Only for groups of these kinds; none for all."
    )


@strawberry.input(description="An office that units of some levels have.")
class PositionInput:
    """A position."""

    key: str = field(description=_KEY)
    names: list[NameInput] = field(description=_NAMES)
    levels: list[str] = field(description=_LEVELS)
    seats: int = field(
        default=1, description="How many may hold it in one unit at a time; 0 is no limit."
    )
    roles: list[str] | None = field(
        default=UNSET,
        description="What it means to the platform: any of head, state_executive, monitor,"
        " convenor.",
    )
    grants: list[GrantInput] | None = field(
        default=UNSET,
        description="What whoever holds it may do over the unit's subtree; up to 16.",
    )


@strawberry.input(description="A kind of team.")
class TeamKindInput:
    """A kind of team."""

    key: str = field(description=_KEY)
    names: list[NameInput] = field(description=_NAMES)
    levels: list[str] = field(description=_LEVELS)
    max_members: int = field(
        default=0, description="How many members it may have, up to 10,000; 0 is no limit."
    )


@strawberry.input(
    description="The tenant's own definition of its levels, offices, kinds and categories."
)
class BlueprintInput:
    """A blueprint as it shall be."""

    style: str = field(description='The lens that suits: "party" (a tree) or "category".')
    names: list[NameInput] = field(description="The organisation's own name.")
    levels: list[LevelInput] = field(description="From the top down; 1 to 16.")
    group_kinds: list[GroupKindInput] = field(description="The kinds of group; 1 to 64.")
    categories: list[CategoryInput] | None = field(
        default=UNSET, description="The categories of groups; up to 256."
    )
    positions: list[PositionInput] | None = field(
        default=UNSET, description="The offices; up to 256."
    )
    team_kinds: list[TeamKindInput] | None = field(
        default=UNSET, description="The kinds of team; up to 64."
    )
    centre_level: str | None = field(
        default=UNSET, description="Key of the level whose only unit is the centre."
    )
    verification_days: int | None = field(
        default=UNSET,
        description="For how many days a verified appointment counts as verified: 1 to 3,650;"
        " none for 180.",
    )


def blueprint_to_proto(given: BlueprintInput, path: str) -> pb.Blueprint:
    """The blueprint on the wire. Raises `InvalidInput` (DUPLICATE_LANGUAGE)."""
    return pb.Blueprint(
        style=given.style,
        names=names_to_proto(given.names, f"{path}.names"),
        levels=[
            pb.Level(key=each.key, names=_names(each.names, f"{path}.levels", at))
            for at, each in enumerate(given.levels)
        ],
        group_kinds=[
            pb.GroupKind(
                key=each.key,
                names=_names(each.names, f"{path}.groupKinds", at),
                has_category=each.has_category,
            )
            for at, each in enumerate(given.group_kinds)
        ],
        categories=[
            pb.Category(key=each.key, names=_names(each.names, f"{path}.categories", at))
            for at, each in enumerate(given.categories or ())
        ],
        positions=[
            _position(each, f"{path}.positions", at)
            for at, each in enumerate(given.positions or ())
        ],
        team_kinds=[
            pb.TeamKind(
                key=each.key,
                names=_names(each.names, f"{path}.teamKinds", at),
                levels=each.levels,
                max_members=each.max_members,
            )
            for at, each in enumerate(given.team_kinds or ())
        ],
        centre_level=given.centre_level or "",
        verification_days=given.verification_days or 0,
    )


def _position(given: PositionInput, path: str, index: int) -> pb.Position:
    return pb.Position(
        key=given.key,
        names=_names(given.names, path, index),
        levels=given.levels,
        seats=given.seats,
        roles=given.roles or (),
        grants=[
            pb.Grant(
                capability=each.capability,
                categories=each.categories or (),
                group_kinds=each.group_kinds or (),
            )
            for each in given.grants or ()
        ],
    )


def _names(names: Sequence[NameInput], path: str, index: int) -> pb.LocalizedText:
    return names_to_proto(names, f"{path}[{index}].names")
