"""The rows of the project's files, as values: what a file names, before any service sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One row of units.csv; the fields are its columns, in order.

    `other_names` are those in other languages, a column that need not be there.
    """

    level: str
    code: str
    name: str
    name_hi: str
    parent_level: str
    parent_code: str
    latitude: float | None
    longitude: float | None
    other_names: Mapping[str, str] = field(default_factory=dict)


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
class AreaRecord:
    """One row of areas.csv; `units` as the cell has them, "district:JPR;district:AJM"."""

    kind: str
    code: str
    name: str
    name_hi: str
    units: str


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One row of persons.csv."""

    id: str
    phone: str
    name: str
    name_hi: str
    subject: str


@dataclass(frozen=True, slots=True)
class AppointmentRecord:
    """One row of appointments.csv; dates as the cells have them, empty for none."""

    unit_level: str
    unit_code: str
    position: str
    person_id: str
    valid_from: str
    valid_to: str
    verified_at: str


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """One row of teams.csv: a member, or a team without any where `person_id` is empty."""

    unit_level: str
    unit_code: str
    kind: str
    team_name: str
    team_name_hi: str
    person_id: str
    role: str


# What is moved as rows of its own columns, page by page.
TransferRecord = AreaRecord | PersonRecord | AppointmentRecord | TeamRecord


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """A monitor who answers for a unit's subtree; no file has them."""

    unit_level: str
    unit_code: str
    person_id: str


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
class GrantTerm:
    """What a position gives; empty lists narrow nothing."""

    capability: str
    categories: Sequence[str] = ()
    group_kinds: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PositionTerm:
    """An office; `seats` 0 is no limit."""

    key: str
    names: Mapping[str, str]
    levels: Sequence[str]
    seats: int = 1
    roles: Sequence[str] = ()
    grants: Sequence[GrantTerm] = ()


@dataclass(frozen=True, slots=True)
class TeamTerm:
    """A kind of team; `max_members` 0 is no limit."""

    key: str
    names: Mapping[str, str]
    levels: Sequence[str]
    max_members: int = 0


@dataclass(frozen=True, slots=True)
class BlueprintRecord:
    """What blueprint.yaml says.

    Attributes:
        verification_days: 0 where the file leaves it to the platform.
        lines: In which line of the file each thing stands, by its path.
    """

    style: str
    names: Mapping[str, str]
    levels: Sequence[Term]
    group_kinds: Sequence[KindTerm]
    categories: Sequence[Term] = ()
    positions: Sequence[PositionTerm] = ()
    team_kinds: Sequence[TeamTerm] = ()
    centre_level: str = ""
    verification_days: int = 0
    lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a blueprint differs from the one before; empty texts where it is not."""

    path: str
    before: str
    after: str
    affected_count: int


UNIT_COLUMNS = tuple(each.name for each in fields(UnitRecord) if each.name != "other_names")
GROUP_COLUMNS = tuple(each.name for each in fields(GroupRecord))
# What the column `state` may say; empty means unverified.
GROUP_STATES = ("planned", "unverified", "active", "retired")
