"""Where the cells of a table come from: a CSV file or the first sheet of an XLSX workbook.

Both are read as a stream, and bounded in every way before and while they are.
"""

import codecs
import csv
import math
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cli.files.archive import archive_fault
from cli.files.escaping import from_xlsx

# Room for an area with 10,000 units; spreadsheets stop at 32,767.
MAX_CELL_CHARS = 1_000_000
MAX_COLUMNS = 64
UTF8_CURE = "save the file as CSV UTF-8"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD_BYTES = 4096


class FileFault(Exception):
    """The file cannot be read on; what was read before stands.

    Args:
        row: Where; 0 when the whole file is meant.
        reason: Stable, UPPER_SNAKE.
        description: What is wrong and what to do.
    """

    def __init__(self, row: int, reason: str, description: str) -> None:
        super().__init__(description)
        self.row = row
        self.reason = reason
        self.description = description


@dataclass(frozen=True, slots=True)
class Unfit:
    """A cell that holds no text, number or date."""

    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A cell that holds a date, as ISO 8601."""

    text: str


Cell = str | Unfit | Dated
Record = tuple[int, Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read.

    Attributes:
        rows: Without the header.
        file_bytes: As it lies on the disk.
    """

    rows: int
    file_bytes: int


def records(path: Path, limits: Limits) -> Iterator[Record]:
    """Give each row that is not blank, with its number as a spreadsheet counts.

    Raises:
        OSError: The file cannot be read.
        FileFault: There is more of it, or it is none of these kinds.
    """
    if path.stat().st_size > limits.file_bytes:
        most = limits.file_bytes // 1024 // 1024
        raise FileFault(0, "FILE_TOO_LARGE", f"over {most} MiB; split the file")
    source = _xlsx_records if is_xlsx(path) else _csv_records
    for number, cells in source(path, limits):
        if number > limits.rows + 1:
            said = f"more than {limits.rows:,} rows; split the file"
            raise FileFault(number, "TOO_MANY_ROWS", said)
        if len(cells) > MAX_COLUMNS:
            said = f"has {len(cells)} cells, at most {MAX_COLUMNS}"
            raise FileFault(number, "TOO_MANY_CELLS", said)
        if any(not isinstance(cell, str) or cell.strip() for cell in cells):
            yield number, cells


def is_xlsx(path: Path) -> bool:
    """Tell the kind of a file by its name."""
    return path.suffix.lower() == ".xlsx"


def _csv_records(path: Path, _limits: Limits) -> Iterator[Record]:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_UTF16):
        raise FileFault(0, "BAD_UTF8", f"the file is UTF-16; {UTF8_CURE}")
    if head.startswith(b"PK\x03\x04"):
        raise FileFault(0, "WRONG_FILE", "this is no CSV; a workbook's name ends with .xlsx")
    csv.field_size_limit(MAX_CELL_CHARS)
    number = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            for number, cells in enumerate(reader, start=1):
                yield number, cells
        except csv.Error as error:
            told = f"{error} (line {reader.line_num}); the rest of the file was not read"
            reason = "CELL_TOO_LONG" if "field limit" in str(error) else "BAD_QUOTES"
            raise FileFault(number + 1, reason, told) from error


def _xlsx_records(path: Path, limits: Limits) -> Iterator[Record]:
    try:
        fault = archive_fault(path)
    except zipfile.BadZipFile as error:
        raise _no_workbook() from error
    if fault:
        raise FileFault(0, "UNSAFE_ARCHIVE", f"not opened, as it {fault}")
    number = width = 0
    try:
        for number, cells in enumerate(_sheet(path, limits), start=1):
            texts = [_cell(each) for each in _without_tail(cells)]
            # Cells that are empty at the end of a row are not in the file.
            width = width or len(texts)
            yield number, texts + [""] * (width - len(texts))
    except (FileFault, OSError):
        raise
    except Exception as error:  # whatever a broken workbook makes of the library
        raise _no_workbook(number + 1 if number else 0) from error


def _no_workbook(row: int = 0) -> FileFault:
    said = "is no XLSX workbook that can be read; save it again, or as CSV UTF-8"
    return FileFault(row, "BAD_WORKBOOK", said)


def _sheet(path: Path, limits: Limits) -> Iterator[Sequence[Any]]:
    """Give the rows of the first sheet; also those between that are not in the file."""
    # 0.2 s that CSV need not wait for.
    from openpyxl import load_workbook  # noqa: PLC0415

    with warnings.catch_warnings():
        # Of what openpyxl leaves out of a workbook, nothing matters here.
        warnings.simplefilter("ignore")
        workbook = load_workbook(path, read_only=True, keep_links=False)
        with closing(workbook):
            sheet = workbook.worksheets[0]
            # As the file states them they may be anything.
            sheet.reset_dimensions()
            yield from sheet.iter_rows(max_row=limits.rows + 2, max_col=MAX_COLUMNS + 1)


def _without_tail(cells: Sequence[Any]) -> Sequence[Any]:
    end = len(cells)
    while end and cells[end - 1].value is None:
        end -= 1
    return cells[:end]


def _cell(cell: Any) -> Cell:  # noqa: C901  # one case for each kind of cell
    match cell.value:
        case None:
            return ""
        case _ if cell.data_type == "f":
            return Unfit("FORMULA", "holds a formula; paste its value in its place")
        case _ if cell.data_type == "e":
            return Unfit("BAD_CELL", f"holds the error {cell.value}")
        case str() as text if len(text) > MAX_CELL_CHARS:
            return Unfit("CELL_TOO_LONG", f"over {MAX_CELL_CHARS:,} characters")
        case str() as text:
            return from_xlsx(text)
        case bool() as flag:
            return "TRUE" if flag else "FALSE"
        case int() as whole:
            return str(whole)
        case float() as number if math.isfinite(number):
            return _plain(number)
        case datetime() as instant:
            return Dated(instant.isoformat())
        case date() as day:
            return Dated(day.isoformat())
        case _:
            return Unfit("BAD_CELL", "holds neither text nor a number nor a date")


def _plain(number: float) -> str:
    """Return the number without an exponent, and a whole one without a point."""
    return str(int(number)) if number.is_integer() else format(Decimal(repr(number)), "f")
