"""From rows of a file to what to create and change, or to everything that is wrong."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.hierarchy.domain.errors import BlueprintNotFound
from services.hierarchy.domain.fingerprints import fingerprint_of_all
from services.hierarchy.domain.model import (
    ImportReport,
    RowError,
    Unit,
    UnitId,
    UnitImport,
    UnitKey,
    UnitRow,
)
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.records import UNITS_BY_KEY, joined_key
from services.hierarchy.domain.row_checks import Standing, row_errors
from services.hierarchy.domain.unit_changes import UnitEdit, change_units, effective_time

MAX_IMPORT_ROWS = 200_000
MAX_PAGE_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to change, and what to answer once it is written.

    Attributes:
        edits: of units that begin or change, in the order of the rows: a parent may follow its
            child.
        report: the answer; its `tree_version` is the one that the changed units carry.
    """

    edits: tuple[UnitEdit, ...]
    report: ImportReport

    def preview(self, standing: Standing) -> ImportReport:
        """The answer when the plan is not to be written."""
        return replace(self.report, applied=False, tree_version=standing.tree_version)


def decide_import(request: UnitImport, moment: Moment) -> Steps[ImportReport]:
    """Create and change units as the rows say, or answer with all that is wrong with them.

    Raises:
        BlueprintNotFound: the tenant has no levels yet.
        InvalidInput: see `effective_time`.
        QuotaExceeded: there would be more units than the tenant may have.
    """
    header = moment.header
    if header.blueprint is None:
        raise BlueprintNotFound
    effective_at = effective_time(moment, request.effective_at, "header.effective_at")
    keys = row_keys(request.rows)
    # Where nothing stands, 60,000 keys are looked for in vain.
    sought = {joined_key(*key) for key in keys} if header.counts.units else set()
    found = yield Want({UNITS_BY_KEY: sought})
    standing = Standing(
        header.blueprint, header.tree_version, _standing_units(keys, found), header.used_levels
    )
    plan = plan_import(request.rows, standing, new_id=moment.new_id, effective_at=effective_at)
    if not plan.edits:
        return Decision(plan.report)
    changed = change_units(header, plan.edits, effective_at)
    return Decision(
        plan.preview(standing) if request.validate_only else plan.report,
        puts=changed.puts,
        header=changed.header,
        changes=changed.changes,
    )


def row_keys(rows: Sequence[UnitRow]) -> set[UnitKey]:
    """Every key that the rows speak of, their own and their parents'."""
    return {row.key for row in rows} | {row.parent for row in rows if row.has_parent}


def import_fingerprint(request: UnitImport) -> str:
    """A digest of the rows and their time."""
    return fingerprint_of_all((request.effective_at, *map(_told, request.rows)))


def plan_import(
    rows: Sequence[UnitRow],
    standing: Standing,
    *,
    new_id: Callable[[], str],
    effective_at: datetime,
) -> Plan:
    """Decide what the rows create and change; with any row wrong the plan is only a report.

    Args:
        rows: in the order of the file; a parent may stand anywhere in it or exist already.
        standing: what exists.
        new_id: gives a fresh UUID for each unit to create.
        effective_at: from when it is so.
    """
    count, errors = row_errors(rows, standing)
    if count:
        return Plan((), _refusal(rows, standing, count, errors))
    edits = tuple(_edits(rows, standing, new_id, effective_at))
    return Plan(edits, _report(rows, standing, edits))


def _standing_units(keys: Collection[UnitKey], found: Found) -> Mapping[UnitKey, Unit]:
    units = ((key, found.one(UNITS_BY_KEY, joined_key(*key))) for key in keys)
    return {key: unit for key, unit in units if unit is not None}


def _told(row: UnitRow) -> object:
    place = row.place and (row.place.latitude, row.place.longitude)
    return (row.row, *row.key, row.names.texts, *row.parent, place)


def _edits(
    rows: Sequence[UnitRow],
    standing: Standing,
    new_id: Callable[[], str],
    effective_at: datetime,
) -> list[UnitEdit]:
    known = standing.units
    ids = {key: unit.id for key, unit in known.items()}
    ids.update((row.key, UnitId(new_id())) for row in rows if row.key not in known)
    revision = standing.tree_version + 1
    edits: list[UnitEdit] = []
    for row in rows:
        parent_id = ids[row.parent] if row.has_parent else None
        before = known.get(row.key)
        if before and (before.names, before.parent_id, before.place) == (
            row.names, parent_id, row.place,
        ):  # fmt: skip
            continue
        after = Unit(
            ids[row.key],
            *row.key,
            row.names,
            parent_id,
            row.place,
            valid_from=before.valid_from if before else effective_at,
            since=effective_at,
            revision=revision,
        )
        edits.append(UnitEdit(before, after))
    return edits


def _report(rows: Sequence[UnitRow], standing: Standing, edits: Sequence[UnitEdit]) -> ImportReport:
    created = sum(edit.before is None for edit in edits)
    return ImportReport(
        row_count=len(rows),
        created_count=created,
        updated_count=len(edits) - created,
        unchanged_count=len(rows) - len(edits),
        applied=bool(edits),
        tree_version=standing.tree_version + bool(edits),
    )


def _refusal(
    rows: Sequence[UnitRow], standing: Standing, count: int, errors: Sequence[RowError]
) -> ImportReport:
    return ImportReport(
        row_count=len(rows),
        error_count=count,
        errors=tuple(errors),
        tree_version=standing.tree_version,
    )
