"""What a page of areas creates and changes."""

from collections.abc import Sequence

from services.hierarchy.domain.area_changes import (
    AreaEntry,
    AreasOutcome,
    area_faults,
    standing_area,
    wanted_for_areas,
)
from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.records import AREA_LINKS_BY_AREA
from services.hierarchy.domain.text import Fault
from services.hierarchy.domain.transfers.notes import RowNotes
from services.hierarchy.domain.transfers.rows import AreaRow, PageReport


def decide_area_rows(rows: Sequence[AreaRow], moment: Moment) -> Steps[PageReport]:
    """Create and change areas as the rows say, or answer with all that is wrong with them.

    Raises:
        TooManyAreas: the tenant would have more than it may.
    """
    entries = [AreaEntry(row.kind, row.code, row.names, row.units) for row in rows]
    found = yield wanted_for_areas(entries)
    notes = RowNotes()
    for index, fault in area_faults(entries, found, lambda at: f"row {rows[at].row}"):
        notes.wrong(rows[index], [_of_row(fault)])
    if notes.any_wrong:
        return Decision(notes.report(len(rows)))
    standing = [standing_area(each, found) for each in entries]
    links = yield Want({AREA_LINKS_BY_AREA: [area.id for area in standing if area]})
    outcome = AreasOutcome(moment, moment.now)
    for entry, area in zip(entries, standing, strict=True):
        before = outcome.change_count
        outcome.put(entry, area, links.all(AREA_LINKS_BY_AREA, area.id) if area else (), found)
        if area is None:
            notes.created()
        elif outcome.change_count > before:
            notes.updated()
        else:
            notes.unchanged()
    report = notes.report(len(rows))
    return Decision(report, outcome.puts, outcome.drops, header=outcome.header())


def _of_row(fault: Fault) -> Fault:
    """The fault, with the names that a row's fields have."""
    field = fault.field.removeprefix("area.").replace("names.by_language", "names")
    return fault._replace(field=field)
