"""What is wrong with the rows of a file, against each other and against what stands.

Every unit's parent stands on a higher level, so units that pass cannot run in a circle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.hierarchy.domain.model import (
    Blueprint,
    RowError,
    Unit,
    UnitKey,
    UnitRow,
    level_index,
)
from services.hierarchy.domain.text import Fault, is_code, place_faults, quoted, text_faults

MAX_REPORTED_ERRORS = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands before an import: the units that its rows name, and how many each level has.

    `units` holds every unit whose key is a row's or a row's parent's; more do no harm.
    """

    blueprint: Blueprint
    tree_version: int
    units: Mapping[UnitKey, Unit]
    used_levels: Mapping[str, int]


def row_errors(rows: Sequence[UnitRow], standing: Standing) -> tuple[int, Sequence[RowError]]:
    """How many faults there are, and the first of them by row number."""
    count = 0
    first: list[RowError] = []
    for error in _errors(rows, standing):
        count += 1
        if count <= MAX_REPORTED_ERRORS:
            first.append(error)
    return count, first


def _errors(rows: Sequence[UnitRow], standing: Standing) -> Iterator[RowError]:
    if not rows:
        yield RowError(0, "", "MISSING", "the file has no rows")
        return
    checks = _Checks(rows, standing)
    for row in sorted(rows, key=lambda each: each.row):
        for fault in checks.faults(row):
            yield RowError(row.row, *fault)


class _Checks:
    """Checks the rows of one file against each other and against what stands."""

    def __init__(self, rows: Sequence[UnitRow], standing: Standing) -> None:
        self._standing = standing
        self._levels = level_index(standing.blueprint.level_keys)
        self._first: dict[UnitKey, UnitRow] = {}
        for row in rows:
            self._first.setdefault(row.key, row)
        in_use = [self._levels[key.level] for key in self._first if key.level in self._levels]
        in_use += [self._levels[key] for key in standing.used_levels if key in self._levels]
        # Where roots stand: the highest level that has units, now or after the import.
        self._top = min(in_use, default=0)
        self._centre = self._find_centre()
        self._loops = dict(self._find_loops())

    def faults(self, row: UnitRow) -> Iterator[Fault]:
        """What is wrong with one row."""
        yield from self._key_faults(row)
        for fault in text_faults(row.names):
            yield fault._replace(field=f"names.{fault.field}" if fault.field else "names")
        for fault in place_faults(row.place) if row.place else ():
            yield fault._replace(field=f"place.{fault.field}")
        if row.has_parent:
            yield from self._parent_faults(row)
        elif self._levels.get(row.key.level, self._top) > self._top:
            top = self._standing.blueprint.levels[self._top].key
            said = f"only a {top} may stand without a unit above it"
            yield Fault("parent_code", "MISSING", said)

    def _key_faults(self, row: UnitRow) -> Iterator[Fault]:
        level, code = row.key
        if not level:
            yield Fault("level", "MISSING", "the level is needed")
        elif level not in self._levels:
            yield self._unknown_level("level", level)
        if not code:
            yield Fault("code", "MISSING", "the code is needed")
        elif not is_code(code):
            said = f"{quoted(code)} is not 1 to 64 of A-Z a-z 0-9 . _ -"
            yield Fault("code", "BAD_CODE", said)
        elif (first := self._first[row.key]) is not row:
            said = f"{level} {code} stands in row {first.row} already"
            yield Fault("code", "DUPLICATE_CODE", said)
        elif level and level == self._standing.blueprint.centre_level:
            yield from self._centre_faults(row)

    def _centre_faults(self, row: UnitRow) -> Iterator[Fault]:
        if row.key in self._standing.units or row is self._centre:
            return
        level, first = row.key.level, self._centre
        where = f"{level} {first.key.code} in row {first.row}" if first else "it stands already"
        yield Fault("code", "CENTRE_EXISTS", f"there is one {level} only: {where}")

    def _parent_faults(self, row: UnitRow) -> Iterator[Fault]:
        level, code = row.parent
        if not code:
            yield Fault("parent_code", "MISSING", "the level of a parent needs its code")
        elif not level:
            yield Fault("parent_level", "MISSING", "the code of a parent needs its level")
        elif level not in self._levels:
            yield self._unknown_level("parent_level", level)
        else:
            yield from self._edge_faults(row)

    def _edge_faults(self, row: UnitRow) -> Iterator[Fault]:
        parent, below = row.parent, row.key.level
        if parent not in self._first and parent not in self._standing.units:
            said = f"there is no {parent.level} {quoted(parent.code)}, here or in the file"
            yield Fault("parent_code", "UNKNOWN_PARENT", said)
        if below in self._levels and self._levels[parent.level] >= self._levels[below]:
            said = f"a {parent.level} does not stand above a {below}"
            yield Fault("parent_level", "LEVEL_ORDER", said)
        if row.key in self._loops and self._first[row.key] is row:
            yield Fault("parent_code", "CYCLE", self._loops[row.key])

    def _unknown_level(self, field: str, level: str) -> Fault:
        known = ", ".join(self._levels)
        return Fault(field, "UNKNOWN_LEVEL", f"{quoted(level)} is none of the levels: {known}")

    def _find_centre(self) -> UnitRow | None:
        """The row that makes the one unit of the centre's level, where there is none yet."""
        level = self._standing.blueprint.centre_level
        if not level or self._standing.used_levels.get(level):
            return None
        return next((row for key, row in self._first.items() if key.level == level), None)

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
        parent = self._first[key].parent
        return parent if parent.code and parent in self._first else None


def _loop_in_words(loop: Sequence[UnitKey]) -> str:
    shown = [f"{key.level} {quoted(key.code)}" for key in [*loop[:4], loop[0]]]
    if len(loop) > 4:
        shown[4] = "…"
    return f"would be its own ancestor: {' under '.join(shown)}"
