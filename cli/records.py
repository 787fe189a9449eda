"""The rows of the project's files, as values: what a file names, before any service sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One row of units.csv; the fields are its columns, in order."""

    level: str
    code: str
    name: str
    name_hi: str
    parent_level: str
    parent_code: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """One row of groups.csv; the fields are its columns, in order."""

    code: str
    name: str
    name_hi: str
    kind: str
    category: str
    unit_level: str
    unit_code: str
    language: str
    member_count: int
    capacity: int
    state: str
    owner: str
    admins: tuple[str, ...]
    backup: str
    state_executive: str


@dataclass(frozen=True, slots=True)
class Term:
    """A level or category of a blueprint: its key and what people call it, by language."""

    key: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KindTerm:
    """A kind of group of a blueprint."""

    key: str
    names: Mapping[str, str]
    has_category: bool


@dataclass(frozen=True, slots=True)
class BlueprintRecord:
    """What blueprint.toml says."""

    style: str
    names: Mapping[str, str]
    levels: Sequence[Term]
    group_kinds: Sequence[KindTerm]
    categories: Sequence[Term]


UNIT_COLUMNS = tuple(field.name for field in fields(UnitRecord))
GROUP_COLUMNS = tuple(field.name for field in fields(GroupRecord))
# What the column `state` may say; empty means unverified.
GROUP_STATES = ("planned", "unverified", "active", "retired")
