"""Turns the cells of units.csv and groups.csv into rows.

Only what a row cannot carry over the wire is refused here (a latitude that is no number); what a
row means is for the services to judge, which know the tree and the register.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cli.files.names import OTHER_NAMES, other_names
from cli.files.problems import Problem, Problems, RowProblems, in_order
from cli.files.table import Columns, read_table
from cli.files.writing import ADMIN_SEPARATOR
from cli.records import GROUP_COLUMNS, GROUP_STATES, UNIT_COLUMNS, GroupRecord, UnitRecord

_Record = TypeVar("_Record", UnitRecord, GroupRecord)
# Not float() and int(), which also take "1_000", "nan" and digits of other scripts.
# A double may have 324 places after the point when no exponent is written.
_DECIMAL = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,340})?")
_LIMITS = {"latitude": 90, "longitude": 180}
_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[_Record]):
    """What a file says.

    Attributes:
        rows: With their numbers, in file order. A cell that cannot be read is empty here.
        problems: Everything that is wrong, by row.
        complete: Whether `rows` are all rows of the file, so that a service can judge them.
    """

    rows: Sequence[tuple[int, _Record]]
    problems: Sequence[Problem]
    complete: bool


def read_units(path: Path) -> Parsed[UnitRecord]:
    """Read units.csv. Raises OSError when the file cannot be read."""
    return _read(path, Columns(UNIT_COLUMNS, (OTHER_NAMES,)), _unit)


def read_groups(path: Path) -> Parsed[GroupRecord]:
    """Read groups.csv. Raises OSError when the file cannot be read."""
    return _read(path, Columns(GROUP_COLUMNS), _group)


def _read(
    path: Path,
    columns: Columns,
    parse: Callable[[Mapping[str, str], RowProblems], _Record],
) -> Parsed[_Record]:
    table = read_table(path, columns)
    problems = Problems()
    for problem in table.problems:
        problems.add(problem)
    rows: list[tuple[int, _Record]] = []
    for row in table.rows:
        cells = dict(zip(columns.names, row.cells, strict=True))
        rows.append((row.number, parse(cells, RowProblems(row.number, problems))))
    return Parsed(rows, in_order(problems.told, columns.names), table.complete)


def _unit(cells: Mapping[str, str], notes: RowProblems) -> UnitRecord:
    latitude, longitude = _degrees(cells, "latitude", notes), _degrees(cells, "longitude", notes)
    for here, there in (("latitude", "longitude"), ("longitude", "latitude")):
        if cells[there] and not cells[here]:
            notes.wrong(here, "BAD_PLACE", f"is empty while {there} is not; give both or neither")
    return UnitRecord(
        cells["level"],
        cells["code"],
        cells["name"],
        cells["name_hi"],
        cells["parent_level"],
        cells["parent_code"],
        latitude,
        longitude,
        other_names(cells[OTHER_NAMES], OTHER_NAMES, notes),
    )


def _degrees(cells: Mapping[str, str], column: str, notes: RowProblems) -> float | None:
    cell = cells[column]
    if not cell:
        return None
    if _DECIMAL.fullmatch(cell) is None:
        notes.wrong(column, "BAD_PLACE", f'"{cell}" is no number of degrees, such as 26.91')
        return None
    limit = _LIMITS[column]
    # The service judges a place whole, and would not see this half where the other is no number.
    if abs(float(cell)) > limit:
        notes.wrong(column, "BAD_PLACE", f"{cell} is not between -{limit} and {limit} degrees")
        return None
    return float(cell)


def _group(cells: Mapping[str, str], notes: RowProblems) -> GroupRecord:
    state = cells["state"]
    if state and state not in GROUP_STATES:
        notes.wrong("state", "BAD_STATE", f'"{state}" is none of {", ".join(GROUP_STATES)}')
        state = ""
    admins = (person.strip() for person in cells["admins"].split(ADMIN_SEPARATOR))
    return GroupRecord(
        cells["code"],
        cells["name"],
        cells["name_hi"],
        cells["kind"],
        cells["category"],
        cells["unit_level"],
        cells["unit_code"],
        cells["language"],
        _whole(cells, "member_count", notes),
        _whole(cells, "capacity", notes),
        state,
        cells["owner"],
        tuple(person for person in admins if person),
        cells["backup"],
        cells["state_executive"],
    )


def _whole(cells: Mapping[str, str], column: str, notes: RowProblems) -> int:
    cell = cells[column]
    if not cell:
        return 0
    if _WHOLE.fullmatch(cell) is None:
        notes.wrong(column, "BAD_NUMBER", f'"{cell}" is no whole number, such as 250')
        return 0
    return int(cell)
