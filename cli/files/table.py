"""Reads a table strictly: everything that is wrong with it is found, with its row.

CSV is RFC 4180 with a header row, in UTF-8 (a byte order mark is accepted); of a workbook the first
sheet is read. Rows are numbered as a spreadsheet shows them: the header is row 1, also where cells
hold line breaks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.files.escaping import from_cell
from cli.files.problems import Problem, Problems
from cli.files.sources import UTF8_CURE, Cell, FileFault, Limits, Record, Unfit, records

# What the services take in one import, and room for as many long rows.
MAX_ROWS = 200_000
MAX_FILE_BYTES = 256 * 1024 * 1024

# What `surrogateescape` puts in the place of a byte that is not UTF-8 (PEP 383).
_BAD_BYTE = re.compile("[\udc80-\udcff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a table has, in any order.

    Attributes:
        needed: Those that must be there.
        optional: Those that may be; their cells are empty where they are not.
        dates: Those in which a workbook may have dates.
    """

    needed: Sequence[str]
    optional: Sequence[str] = ()
    dates: Sequence[str] = ()

    @property
    def names(self) -> Sequence[str]:
        """All of them, the needed ones first."""
        return (*self.needed, *self.optional)


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: As a spreadsheet counts; the first row after the header is 2.
        cells: Trimmed, in the order of the columns that were asked for. What cannot be read is
            replaced, and noted as a problem.
    """

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds.

    Attributes:
        rows: In file order, blank rows left out; none when the header is wrong.
        problems: Empty when the file is well-formed.
        complete: Whether `rows` are all rows of the file.
    """

    rows: Sequence[Row]
    problems: Sequence[Problem]
    complete: bool


def read_table(path: Path, columns: Columns) -> Table:
    """Read a file that must have these columns.

    Raises:
        OSError: The file cannot be read.
    """
    problems = Problems()
    reader = TableReader(columns, problems, Limits(MAX_ROWS, MAX_FILE_BYTES))
    rows = list(reader.rows(path))
    return Table(rows, problems.told, reader.complete)


class TableReader:
    """Gives the rows of a file one after the other, and notes what is wrong on the way.

    Attributes:
        header: The names of the columns, once the first row was read and is right.
        complete: Whether all rows were given, once the last one was.
    """

    def __init__(self, columns: Columns, problems: Problems, limits: Limits) -> None:
        self._columns = columns
        self._problems = problems
        self._limits = limits
        self.header: Sequence[str] = ()
        self.complete = False

    def rows(self, path: Path) -> Iterator[Row]:
        """Give the rows; none when the header is wrong.

        Raises:
            OSError: The file cannot be read.
        """
        try:
            yield from self._rows(records(path, self._limits))
        except FileFault as fault:
            self._note(fault.row, "", fault.reason, fault.description)
            self.complete = False

    def _rows(self, found: Iterator[Record]) -> Iterator[Row]:
        first = next(found, None)
        if first is None:
            told = f"no header row; it says {','.join(self._columns.names)}"
            self._note(1, "", "EMPTY_FILE", told)
            return
        names = self._read_header(first[0], first[1])
        right = self._is_right(names)
        self.header = names if right else ()
        for number, cells in found:
            row = self._row(number, cells, names)
            if right:
                yield row
        self.complete = right

    def _is_right(self, names: Sequence[str]) -> bool:
        known = set(self._columns.names)
        return len(set(names)) == len(names) and set(self._columns.needed) <= set(names) <= known

    def _read_header(self, number: int, cells: Sequence[Cell]) -> list[str]:
        names = [from_cell(cell) if isinstance(cell, str) else "" for cell in cells]
        if len(names) == 1 and re.search("[;\t]", names[0]):
            told = "cells are not separated by commas; save the file as CSV with commas"
            self._note(number, "", "BAD_SEPARATOR", told)
            return names
        for name in self._columns.needed:
            if name not in names:
                self._note(number, name, "MISSING_COLUMN", f"the header has no column {name}")
        for name in dict.fromkeys(names):
            shown = _BAD_BYTE.sub("�", name)[:80]
            if name not in self._columns.names:
                known = ", ".join(self._columns.names)
                self._note(number, shown, "UNKNOWN_COLUMN", f"known columns are {known}")
            elif names.count(name) > 1:
                self._note(number, name, "DUPLICATE_COLUMN", "the column stands there twice")
        return names

    def _row(self, number: int, cells: Sequence[Cell], header: Sequence[str]) -> Row:
        if len(cells) != len(header):
            if len(cells) > len(header):
                reason, cure = "TOO_MANY_CELLS", "put texts with commas in quotes"
            else:
                reason, cure = "TOO_FEW_CELLS", "write a comma for each cell that is empty"
            told = f"{len(cells)} cells under {len(header)} columns; {cure}"
            self._note(number, "", reason, told)
        clean = {
            name: self._cell(number, name, cell) for name, cell in zip(header, cells, strict=False)
        }
        return Row(number, [clean.get(name, "") for name in self._columns.names])

    def _cell(self, number: int, column: str, cell: Cell) -> str:
        if isinstance(cell, str):
            return self._text(number, column, cell)
        if isinstance(cell, Unfit):
            self._note(number, column, cell.reason, cell.description)
            return ""
        if column not in self._columns.dates:
            told = "holds a date; format the column as text, and type it again"
            self._note(number, column, "BAD_CELL", told)
            return ""
        return cell.text

    def _text(self, number: int, column: str, cell: str) -> str:
        bad = _BAD_BYTE.search(cell)
        if bad is not None:
            byte = ord(bad.group()) - 0xDC00
            told = f"byte 0x{byte:02X} is not UTF-8; {UTF8_CURE}"
            self._note(number, column, "BAD_UTF8", told)
            return _BAD_BYTE.sub("�", cell).strip()
        if _CONTROL.search(cell) is not None:
            self._note(number, column, "BAD_CHARACTER", "holds a control character; remove it")
            return _CONTROL.sub("", cell).strip()
        return from_cell(cell)

    def _note(self, row: int, field: str, reason: str, description: str) -> None:
        self._problems.add(Problem(row, field, reason, description))
