"""From rows of a file to a plan of what to create and change, or to everything that is wrong.

Pure: the store loads what the rows speak of, asks for the plan and writes it, all under one lock.
Every unit's parent stands on a higher level, so a tree that follows the plan cannot have a cycle.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from services.hierarchy.domain.model import (
    Blueprint,
    ImportReport,
    RowError,
    Unit,
    UnitId,
    UnitKey,
    UnitRow,
    level_index,
)
from services.hierarchy.domain.text import Fault, is_code, place_faults, quoted, text_faults

MAX_IMPORT_ROWS = 200_000
MAX_PAGE_ROWS = 5_000
MAX_REPORTED_ERRORS = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands before an import: the units that its rows name, and the levels that have units.

    `units` holds every unit whose key is a row's or a row's parent's; more do no harm.
    """

    blueprint: Blueprint
    tree_version: int
    units: Mapping[UnitKey, Unit]
    used_levels: AbstractSet[str]


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
    keys = {UnitKey(row.level, row.code) for row in rows}
    keys.update(_parent_key(row) for row in rows if row.parent_code)
    return keys


def fingerprint(rows: Sequence[UnitRow]) -> str:
    """A digest of the rows, to tell a repeated request from another one under the same id."""
    digest = hashlib.blake2b(digest_size=16)
    for row in rows:
        place = row.place and (row.place.latitude, row.place.longitude)
        names = row.names.texts
        told = (row.row, row.level, row.code, names, row.parent_level, row.parent_code, place)
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
    refusal = _refusal(rows, standing)
    if refusal.error_count:
        return Plan((), (), refusal)
    return _accepted(rows, standing, new_id, now)


def _accepted(
    rows: Sequence[UnitRow], standing: Standing, new_id: Callable[[], str], now: datetime
) -> Plan:
    ids = {key: unit.id for key, unit in standing.units.items()}
    for row in rows:
        key = UnitKey(row.level, row.code)
        if key not in ids:
            ids[key] = UnitId(new_id())
    creates: list[Unit] = []
    updates: list[Update] = []
    revision = standing.tree_version + 1
    for row in rows:
        key = UnitKey(row.level, row.code)
        parent_id = ids[_parent_key(row)] if row.parent_code else None
        before = standing.units.get(key)
        if before is None:
            creates.append(
                Unit(ids[key], *key, row.names, parent_id, row.place, now, revision=revision)
            )
        elif (before.names, before.parent_id, before.place) != (row.names, parent_id, row.place):
            after = replace(
                before, names=row.names, parent_id=parent_id, place=row.place, revision=revision
            )
            updates.append(Update(before, after))
    changes = bool(creates or updates)
    report = ImportReport(
        row_count=len(rows),
        created_count=len(creates),
        updated_count=len(updates),
        unchanged_count=len(rows) - len(creates) - len(updates),
        applied=changes,
        tree_version=revision if changes else standing.tree_version,
    )
    return Plan(tuple(creates), tuple(updates), report)


def _refusal(rows: Sequence[UnitRow], standing: Standing) -> ImportReport:
    """A report of everything that is wrong, which may be nothing."""
    count = 0
    first: list[RowError] = []
    for error in _errors(rows, standing):
        count += 1
        if count <= MAX_REPORTED_ERRORS:
            first.append(error)
    return ImportReport(
        row_count=len(rows),
        error_count=count,
        errors=tuple(first),
        tree_version=standing.tree_version,
    )


def _errors(rows: Sequence[UnitRow], standing: Standing) -> Iterator[RowError]:
    if not rows:
        yield RowError(0, "", "MISSING", "the file has no rows")
        return
    checks = _Checks(rows, standing)
    for row in sorted(rows, key=lambda each: each.row):
        for fault in checks.faults(row):
            yield RowError(row.row, *fault)


def _parent_key(row: UnitRow) -> UnitKey:
    return UnitKey(row.parent_level, row.parent_code)


class _Checks:
    """Checks the rows of one file against each other and against what stands."""

    def __init__(self, rows: Sequence[UnitRow], standing: Standing) -> None:
        self._standing = standing
        self._levels = level_index(standing.blueprint.level_keys)
        self._first: dict[UnitKey, UnitRow] = {}
        for row in rows:
            self._first.setdefault(UnitKey(row.level, row.code), row)
        in_use = [self._levels[key.level] for key in self._first if key.level in self._levels]
        in_use += [self._levels[key] for key in standing.used_levels if key in self._levels]
        # Where roots stand: the highest level that has units, now or after the import.
        self._top = min(in_use, default=0)
        self._loops = dict(self._find_loops())

    def faults(self, row: UnitRow) -> Iterator[Fault]:
        """What is wrong with one row."""
        yield from self._key_faults(row)
        for fault in text_faults(row.names):
            yield fault._replace(field=f"names.{fault.field}" if fault.field else "names")
        for fault in place_faults(row.place) if row.place else ():
            yield fault._replace(field=f"place.{fault.field}")
        if row.parent_level or row.parent_code:
            yield from self._parent_faults(row)
        elif self._levels.get(row.level, self._top) > self._top:
            top = self._standing.blueprint.levels[self._top].key
            said = f"only a {top} may stand without a unit above it"
            yield Fault("parent_code", "MISSING", said)

    def _key_faults(self, row: UnitRow) -> Iterator[Fault]:
        if not row.level:
            yield Fault("level", "MISSING", "the level is needed")
        elif row.level not in self._levels:
            yield self._unknown_level("level", row.level)
        if not row.code:
            yield Fault("code", "MISSING", "the code is needed")
        elif not is_code(row.code):
            said = f"{quoted(row.code)} is not 1 to 64 of A-Z a-z 0-9 . _ -"
            yield Fault("code", "BAD_CODE", said)
        elif (first := self._first[UnitKey(row.level, row.code)]) is not row:
            said = f"{row.level} {row.code} stands in row {first.row} already"
            yield Fault("code", "DUPLICATE_CODE", said)

    def _parent_faults(self, row: UnitRow) -> Iterator[Fault]:
        if not row.parent_code:
            yield Fault("parent_code", "MISSING", "the level of a parent needs its code")
        elif not row.parent_level:
            yield Fault("parent_level", "MISSING", "the code of a parent needs its level")
        elif row.parent_level not in self._levels:
            yield self._unknown_level("parent_level", row.parent_level)
        else:
            yield from self._edge_faults(row)

    def _edge_faults(self, row: UnitRow) -> Iterator[Fault]:
        parent = _parent_key(row)
        if parent not in self._first and parent not in self._standing.units:
            said = f"there is no {row.parent_level} {quoted(row.parent_code)}, here or in the file"
            yield Fault("parent_code", "UNKNOWN_PARENT", said)
        if row.level in self._levels and self._levels[row.parent_level] >= self._levels[row.level]:
            said = f"a {row.parent_level} does not stand above a {row.level}"
            yield Fault("parent_level", "LEVEL_ORDER", said)
        own = UnitKey(row.level, row.code)
        if own in self._loops and self._first[own] is row:
            yield Fault("parent_code", "CYCLE", self._loops[own])

    def _unknown_level(self, field: str, level: str) -> Fault:
        known = ", ".join(self._levels)
        return Fault(field, "UNKNOWN_LEVEL", f"{quoted(level)} is none of the levels: {known}")

    def _find_loops(self) -> Iterator[tuple[UnitKey, str]]:
        """Each key of the file that is its own ancestor, and its loop in words."""
        done: set[UnitKey] = set()
        for start in self._first:
            path: dict[UnitKey, int] = {}
            key: UnitKey | None = start
            while key and key not in done and key not in path:
                path[key] = len(path)
                key = self._above(key)
            done.update(path)
            if key in path:
                loop = list(path)[path[key] :]
                said = _loop_in_words(loop)
                yield from ((each, said) for each in loop)

    def _above(self, key: UnitKey) -> UnitKey | None:
        parent = _parent_key(self._first[key])
        return parent if parent.code and parent in self._first else None


def _loop_in_words(loop: Sequence[UnitKey]) -> str:
    shown = [f"{key.level} {quoted(key.code)}" for key in [*loop[:4], loop[0]]]
    if len(loop) > 4:
        shown[4] = "…"
    return f"would be its own ancestor: {' under '.join(shown)}"
