"""What the register answers when it is asked how many, which, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.groups.domain.audience import Exclusion
from services.groups.domain.model import GroupFlag, GroupState, UnitId


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """Narrows a list; an empty field does not narrow.

    A key that nobody uses selects nothing: a list is no place to learn the blueprint.
    """

    own_only: bool = False
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    flags: tuple[GroupFlag, ...] = ()
    states: tuple[GroupState, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group stands in tree order, also after the tree or the register has changed."""

    unit_id: UnitId
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some groups by their place in the register, in tree order, then by code."""

    ordinals: Sequence[int]
    has_more: bool
    total_count: int


@dataclass(frozen=True, slots=True)
class FacetCount:
    """Groups that share a key, and their members; a person counts once per group."""

    key: str
    group_count: int
    member_count: int


@dataclass(frozen=True, slots=True)
class FlagCount:
    """Groups that share a flag."""

    flag: GroupFlag
    group_count: int


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Counts over one subtree, without retired groups; only what occurs, by key or number."""

    group_count: int
    member_count: int
    by_kind: tuple[FacetCount, ...]
    by_category: tuple[FacetCount, ...]
    by_flag: tuple[FlagCount, ...]


@dataclass(frozen=True, slots=True)
class UnitCount:
    """Groups under one unit, and their members."""

    unit_id: UnitId
    group_count: int
    member_count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an audience means: counts, who is left out and why, and where the groups lie.

    `by_unit` has only units of the split level that have groups, in tree order.
    """

    group_count: int
    member_count: int
    exclusions: tuple[Exclusion, ...]
    by_unit: tuple[UnitCount, ...]
    by_kind: tuple[FacetCount, ...]
    by_category: tuple[FacetCount, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The units that have targets in their subtree, in pre-order, as parallel sequences.

    Attributes:
        unit_ids: 16 bytes a unit, one after the other.
        parents: position in the frame, -1 at a root.
        levels: index into the levels of the tree.
        starts, ends: the targets of the subtree, `ends` exclusive.
    """

    unit_ids: bytes
    parents: Sequence[int]
    levels: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The groups that an audience means, in tree order, then by code.

    Attributes:
        group_ids: 16 bytes a group, one after the other.
        levels: keys of the levels from the top down.
    """

    group_ids: bytes
    exclusions: tuple[Exclusion, ...]
    levels: tuple[str, ...]
    frame: Frame
