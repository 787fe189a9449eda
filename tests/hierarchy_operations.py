"""Writes as the use cases ask a store for them, without a caller."""

from dataclasses import replace
from functools import partial

from services.hierarchy.domain.blueprints import BlueprintPut, decide_blueprint
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.imports import decide_import, import_fingerprint
from services.hierarchy.domain.model import Blueprint, ImportReport, UnitImport
from services.hierarchy.domain.operations import Decision, Moment, Operation, Steps, Want
from services.hierarchy.domain.records import UNITS_BY_ID, Record
from services.hierarchy.domain.unit_changes import UnitEdit, change_units
from tests.builders_hierarchy import a_request_id


def importing(request: UnitImport) -> Operation[ImportReport]:
    """An import of units."""
    return Operation(
        "import units",
        request.request_id,
        "",
        import_fingerprint(request),
        ImportReport,
        partial(decide_import, request),
        request.validate_only,
    )


def putting(draft: Blueprint) -> Operation[BlueprintPut]:
    """A blueprint in the place of one from which it takes no position that somebody may hold."""
    decide = partial(decide_blueprint, draft)
    return Operation("put blueprint", a_request_id(), "", fingerprint(draft), BlueprintPut, decide)


def closing(unit_id: str) -> Operation[None]:
    """The end of a unit without children."""

    def decide(moment: Moment) -> Steps[None]:
        found = yield Want({UNITS_BY_ID: [unit_id]})
        edit = UnitEdit(found.one(UNITS_BY_ID, unit_id), None)
        changed = change_units(moment.header, [edit], moment.now)
        return Decision(None, changed.puts, changed.drops, changed.header, changed.changes)

    return Operation("close unit", a_request_id(), "", unit_id, type(None), decide)


def keeping(*records: Record) -> Operation[None]:
    """A write of records as they are, which may change who may do what."""

    def decide(moment: Moment) -> Steps[None]:
        yield Want({})
        header = moment.header
        after = replace(header, access_version=header.access_version + 1)
        return Decision(None, puts=records, header=after)

    return Operation("keep records", a_request_id(), "", fingerprint(*records), type(None), decide)
