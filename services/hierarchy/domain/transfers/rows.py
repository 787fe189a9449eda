"""Rows of files as they arrive, unchecked: what is empty in a file is empty or None here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.hierarchy.domain.model import LocalizedText, RowError, UnitKey, UnitRow

MAX_PAGE_ROWS = 5_000
# As many as the largest team may have: all rows of a team are in one page.
MAX_TEAM_PAGE_ROWS = 10_000
# The units of all areas of a page.
MAX_PAGE_UNITS = 50_000


class RowKind(StrEnum):
    """What rows are about."""

    UNITS = "units"
    AREAS = "areas"
    PERSONS = "persons"
    APPOINTMENTS = "appointments"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True)
class PersonRef:
    """Whom a row is about. The number is not in the repr: a fingerprint takes its hash."""

    id: str
    phone: str = field(repr=False)
    names: LocalizedText | None

    @property
    def is_given(self) -> bool:
        """Whether it says anything."""
        return bool(self.id or self.phone or self.names)


NOBODY = PersonRef("", "", None)


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area; `units` are those that lie in it, None to leave that as it is."""

    row: int
    kind: str
    code: str
    names: LocalizedText
    units: tuple[UnitKey, ...] | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person, with the login that they have."""

    row: int
    person: PersonRef
    subject: str


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """A person holding a position of a unit."""

    row: int
    unit: UnitKey
    position: str
    person: PersonRef
    valid_from: datetime | None
    valid_to: datetime | None
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A member of a team; `person` is `NOBODY` for a team without members."""

    row: int
    unit: UnitKey
    kind: str
    names: LocalizedText
    person: PersonRef
    role: str


Row = AreaRow | PersonRow | AppointmentRow | TeamRow
ExportedRow = UnitRow | Row


@dataclass(frozen=True, slots=True)
class PageReport:
    """What became of a page, or would become: either no errors, or nothing did."""

    row_count: int
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    error_count: int = 0
    errors: tuple[RowError, ...] = ()


def person_of(row: Row) -> PersonRef:
    """Whom a row is about; `NOBODY` for an area."""
    return NOBODY if isinstance(row, AreaRow) else row.person


def phones_of(rows: Sequence[Row]) -> list[str]:
    """The numbers that rows name, as they were typed, each once."""
    return list(dict.fromkeys(phone for row in rows if (phone := person_of(row).phone)))
