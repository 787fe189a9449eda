"""The values of the organisational graph."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, NewType, Self

TenantId = NewType("TenantId", str)
UnitId = NewType("UnitId", str)
RequestId = NewType("RequestId", str)


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """One text in several languages, as pairs of BCP 47 tag and text, ordered by tag."""

    texts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, by_language: Mapping[str, str]) -> Self:
        """The texts of a mapping from tag to text."""
        return cls(tuple(sorted(by_language.items())))

    @property
    def by_language(self) -> dict[str, str]:
        """The texts by tag."""
        return dict(self.texts)


@dataclass(frozen=True, slots=True)
class Place:
    """A point in degrees (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the tree, as the tenant names it."""

    key: str
    names: LocalizedText


@dataclass(frozen=True, slots=True)
class GroupKind:
    """A kind of group that the tenant uses; `has_category` says that its groups carry one."""

    key: str
    names: LocalizedText
    has_category: bool


@dataclass(frozen=True, slots=True)
class Category:
    """A category of groups that cuts across the tree."""

    key: str
    names: LocalizedText


CAPABILITIES = ("view", "compose", "approve", "administer", "relay", "monitor")
# What a position means to the platform, beside its capabilities.
ROLES = ("head", "state_executive", "monitor", "convenor")


@dataclass(frozen=True, slots=True)
class Grant:
    """A capability over a unit's subtree; empty `categories` or `group_kinds` narrow nothing."""

    capability: str
    categories: tuple[str, ...] = ()
    group_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """An office that units of some levels have.

    Attributes:
        levels: keys of the levels whose units have it.
        seats: how many may hold it in one unit at a time; 0 is no limit.
        roles: what it means to the platform, of `ROLES`.
        grants: what whoever holds it may do over the unit's subtree.
    """

    key: str
    names: LocalizedText
    levels: tuple[str, ...]
    seats: int = 1
    roles: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamKind:
    """A kind of team that units of some levels may have; `max_members` 0 is no limit."""

    key: str
    names: LocalizedText
    levels: tuple[str, ...]
    max_members: int = 0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A tenant's own definition of itself: levels from the top down, offices, kinds, categories.

    Attributes:
        centre_level: key of the level whose only unit is the centre; empty without a centre.
        verification_days: for how many days a verified appointment counts as verified.
        version: counts the changes from 1; 0 in a draft that was not put yet.
    """

    style: str
    names: LocalizedText
    levels: tuple[Level, ...]
    group_kinds: tuple[GroupKind, ...]
    categories: tuple[Category, ...]
    positions: tuple[Position, ...] = ()
    team_kinds: tuple[TeamKind, ...] = ()
    centre_level: str = ""
    verification_days: int = 180
    version: int = 0

    @property
    def level_keys(self) -> tuple[str, ...]:
        """The keys of the levels from the top down."""
        return tuple(level.key for level in self.levels)

    def says_the_same_as(self, other: "Blueprint") -> bool:
        """Whether the two differ in nothing but their versions."""
        return replace(self, version=0) == replace(other, version=0)


class UnitKey(NamedTuple):
    """How people name a unit: its level and its code within the level."""

    level: str
    code: str


NO_KEY = UnitKey("", "")


@dataclass(frozen=True, slots=True)
class Unit:
    """A node of the tree.

    `valid_from` is when it came into being, `since` when it became what it is now; `revision` is
    the tree version that made it so.
    """

    id: UnitId
    level: str
    code: str
    names: LocalizedText
    parent_id: UnitId | None
    place: Place | None
    valid_from: datetime
    since: datetime
    revision: int

    @property
    def key(self) -> UnitKey:
        """Its level and code."""
        return UnitKey(self.level, self.code)

    @property
    def etag(self) -> str:
        """Changes whenever the unit does."""
        return f"{self.revision}"


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit as a file names it, unchecked; empty strings and `None` where the file is empty."""

    row: int
    key: UnitKey
    names: LocalizedText
    parent: UnitKey
    place: Place | None

    @property
    def has_parent(self) -> bool:
        """Whether the row names anything above it."""
        return self.parent != NO_KEY


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one field of one row; row 0 means the file as a whole."""

    row: int
    field: str
    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did or would do: either no errors and all applied, or nothing was."""

    row_count: int
    tree_version: int
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    error_count: int = 0
    errors: tuple[RowError, ...] = ()
    applied: bool = False


@dataclass(frozen=True, slots=True)
class UnitImport:
    """A request to create and update units, all or none.

    `effective_at` is from when the rows are true; None for from now.
    """

    request_id: RequestId
    rows: Sequence[UnitRow] = field(repr=False)
    validate_only: bool
    effective_at: datetime | None = None


class UnitWithCounts(NamedTuple):
    """A unit and what the tree says of it: its children, and its subtree with itself.

    `until` is when it ceased to be so; None while it still is.
    """

    unit: Unit
    child_count: int
    subtree_count: int
    until: datetime | None = None


def level_index(level_keys: Iterable[str]) -> dict[str, int]:
    """The place of each level from the top, 0 being the highest."""
    return {key: index for index, key in enumerate(level_keys)}
