"""From rows of a file to a plan of what to create and change, or to everything that is wrong.

Pure: the store loads what the rows speak of, asks for the plan and writes it, all under one lock.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.hierarchy.domain.model import (
    ImportReport,
    RowError,
    Unit,
    UnitId,
    UnitKey,
    UnitRow,
)
from services.hierarchy.domain.row_checks import Standing, row_errors

MAX_IMPORT_ROWS = 200_000
MAX_PAGE_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Update:
    """A unit before and after; a different parent makes it a move."""

    before: Unit
    after: Unit

    @property
    def is_move(self) -> bool:
        """Whether the unit goes under another parent."""
        return self.before.parent_id != self.after.parent_id


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, and what to answer once it is written.

    Attributes:
        creates: new units, in the order of the rows: a parent may follow its child.
        updates: units that change.
        report: the answer; its `tree_version` is the one that the written units carry.
    """

    creates: tuple[Unit, ...]
    updates: tuple[Update, ...]
    report: ImportReport

    @property
    def changes_anything(self) -> bool:
        """Whether there is something to write."""
        return bool(self.creates or self.updates)

    def preview(self, standing: Standing) -> ImportReport:
        """The answer when the plan is not to be written."""
        return replace(self.report, applied=False, tree_version=standing.tree_version)


def row_keys(rows: Sequence[UnitRow]) -> set[UnitKey]:
    """Every key that the rows speak of, their own and their parents'."""
    return {row.key for row in rows} | {row.parent for row in rows if row.has_parent}


def fingerprint(rows: Sequence[UnitRow]) -> str:
    """A digest of the rows, to tell a repeated request from another one under the same id."""
    digest = hashlib.blake2b(digest_size=16)
    for row in rows:
        place = row.place and (row.place.latitude, row.place.longitude)
        told = (row.row, *row.key, row.names.texts, *row.parent, place)
        digest.update(repr(told).encode())
    return digest.hexdigest()


def plan_import(
    rows: Sequence[UnitRow],
    standing: Standing,
    *,
    new_id: Callable[[], str],
    now: datetime,
) -> Plan:
    """Decide what the rows create and change; with any row wrong the plan is only a report.

    Args:
        rows: in the order of the file; a parent may stand anywhere in it or exist already.
        standing: what exists.
        new_id: gives a fresh UUID for each unit to create.
        now: when the new units come into being.
    """
    count, errors = row_errors(rows, standing)
    if count:
        return Plan((), (), _refusal(rows, standing, count, errors))
    return _accepted(rows, standing, new_id, now)


def _accepted(
    rows: Sequence[UnitRow], standing: Standing, new_id: Callable[[], str], now: datetime
) -> Plan:
    known = standing.units
    ids = {key: unit.id for key, unit in known.items()}
    ids.update((row.key, UnitId(new_id())) for row in rows if row.key not in known)
    revision = standing.tree_version + 1
    creates: list[Unit] = []
    updates: list[Update] = []
    for row in rows:
        parent_id = ids[row.parent] if row.has_parent else None
        before = known.get(row.key)
        if before is None:
            unit_id, (level, code) = ids[row.key], row.key
            creates.append(
                Unit(unit_id, level, code, row.names, parent_id, row.place, now, revision)
            )
        elif (before.names, before.parent_id, before.place) != (row.names, parent_id, row.place):
            after = replace(
                before, names=row.names, parent_id=parent_id, place=row.place, revision=revision
            )
            updates.append(Update(before, after))
    return Plan(tuple(creates), tuple(updates), _report(rows, standing, creates, updates))


def _report(
    rows: Sequence[UnitRow], standing: Standing, creates: Sequence[Unit], updates: Sequence[Update]
) -> ImportReport:
    changes = len(creates) + len(updates)
    return ImportReport(
        row_count=len(rows),
        created_count=len(creates),
        updated_count=len(updates),
        unchanged_count=len(rows) - changes,
        applied=changes > 0,
        tree_version=standing.tree_version + (changes > 0),
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
