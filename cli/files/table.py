"""Reads a CSV file strictly: everything that is wrong with it is found, with its row.

The format is RFC 4180 with a header row, in UTF-8 (a byte order mark is accepted). Rows are
numbered as a spreadsheet shows them: the header is row 1, also where cells hold line breaks.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.files.problems import Problem

# What the services take in one import, and room for as many long rows.
MAX_ROWS = 200_000
MAX_FILE_BYTES = 256 * 1024 * 1024

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What `surrogateescape` puts in the place of a byte that is not UTF-8 (PEP 383).
_BAD_BYTE = re.compile("[\udc80-\udcff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UTF8_CURE = "save the file as CSV UTF-8"


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


def read_table(path: Path, columns: Sequence[str]) -> Table:
    """Read a file that must have exactly these columns, in any order.

    Raises:
        OSError: The file cannot be read.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024 // 1024
        return _refused("FILE_TOO_LARGE", f"over {limit} MiB; split the file")
    raw = path.read_bytes()
    if raw.startswith(_UTF16):
        return _refused("BAD_UTF8", f"the file is UTF-16; {_UTF8_CURE}")
    return _Reader(columns).read(raw.decode("utf-8-sig", errors="surrogateescape"))


def _refused(reason: str, description: str) -> Table:
    return Table((), (Problem(0, "", reason, description),), complete=False)


class _Reader:
    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._problems: list[Problem] = []
        self._complete = True

    def read(self, text: str) -> Table:
        records = self._records(text)
        first = next(records, None)
        if first is None:
            self._note(1, "", "EMPTY_FILE", f"no header row; it says {','.join(self._columns)}")
            return Table((), self._problems, complete=False)
        header = self._header(first[0], first[1])
        rows = [self._row(number, cells, header) for number, cells in records]
        if sorted(header) != sorted(self._columns):
            return Table((), self._problems, complete=False)
        return Table(rows, self._problems, self._complete)

    def _records(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Give each record that is not blank its number; stop where quotes do not close."""
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        number = 0
        try:
            for number, cells in enumerate(reader, start=1):
                if number > MAX_ROWS + 1:
                    told = f"more than {MAX_ROWS:,} rows; split the file"
                    self._note(number, "", "TOO_MANY_ROWS", told)
                    self._complete = False
                    return
                if any(cell.strip() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            told = f"{error} (line {reader.line_num}); the rest of the file was not read"
            self._note(number + 1, "", "BAD_QUOTES", told)
            self._complete = False

    def _header(self, number: int, cells: Sequence[str]) -> list[str]:
        names = [cell.strip() for cell in cells]
        if len(names) == 1 and re.search("[;\t]", names[0]):
            told = "cells are not separated by commas; save the file as CSV with commas"
            self._note(number, "", "BAD_SEPARATOR", told)
            return names
        for name in sorted(set(self._columns) - set(names), key=self._columns.index):
            self._note(number, name, "MISSING_COLUMN", f"the header has no column {name}")
        for name in dict.fromkeys(names):
            shown = _BAD_BYTE.sub("�", name)
            if name not in self._columns:
                known = ", ".join(self._columns)
                self._note(number, shown, "UNKNOWN_COLUMN", f"known columns are {known}")
            elif names.count(name) > 1:
                self._note(number, name, "DUPLICATE_COLUMN", "the column stands there twice")
        return names

    def _row(self, number: int, cells: Sequence[str], header: Sequence[str]) -> Row:
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
        return Row(number, [clean.get(name, "") for name in self._columns])

    def _cell(self, number: int, column: str, cell: str) -> str:
        bad = _BAD_BYTE.search(cell)
        if bad is not None:
            byte = ord(bad.group()) - 0xDC00
            told = f"byte 0x{byte:02X} is not UTF-8; {_UTF8_CURE}"
            self._note(number, column, "BAD_UTF8", told)
            return _BAD_BYTE.sub("�", cell).strip()
        if _CONTROL.search(cell) is not None:
            self._note(number, column, "BAD_CHARACTER", "holds a control character; remove it")
            return _CONTROL.sub("", cell).strip()
        return cell.strip()

    def _note(self, row: int, field: str, reason: str, description: str) -> None:
        self._problems.append(Problem(row, field, reason, description))
