"""Rows of files: what a page of them creates and changes, or everything that is wrong with it."""

from services.hierarchy.domain.transfers.appointment_rows import decide_appointment_rows
from services.hierarchy.domain.transfers.area_rows import decide_area_rows
from services.hierarchy.domain.transfers.numbers import Numbers
from services.hierarchy.domain.transfers.person_rows import decide_person_rows
from services.hierarchy.domain.transfers.rows import (
    MAX_PAGE_ROWS,
    MAX_PAGE_UNITS,
    MAX_TEAM_PAGE_ROWS,
    NOBODY,
    AppointmentRow,
    AreaRow,
    ExportedRow,
    PageReport,
    PersonRef,
    PersonRow,
    Row,
    RowKind,
    TeamRow,
    person_of,
    phones_of,
)
from services.hierarchy.domain.transfers.tally import ImportTally, RowsReport
from services.hierarchy.domain.transfers.team_rows import decide_team_rows
from services.hierarchy.domain.transfers.units import Rights

__all__ = [
    "MAX_PAGE_ROWS",
    "MAX_PAGE_UNITS",
    "MAX_TEAM_PAGE_ROWS",
    "NOBODY",
    "AppointmentRow",
    "AreaRow",
    "ExportedRow",
    "ImportTally",
    "Numbers",
    "PageReport",
    "PersonRef",
    "PersonRow",
    "Rights",
    "Row",
    "RowKind",
    "RowsReport",
    "TeamRow",
    "decide_appointment_rows",
    "decide_area_rows",
    "decide_person_rows",
    "decide_team_rows",
    "person_of",
    "phones_of",
]
