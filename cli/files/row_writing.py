"""Writes rows to a CSV file or an XLSX workbook, one after the other."""

import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from cli.errors import Refusal
from cli.files.escaping import to_csv_cell, to_xlsx_cell
from cli.files.sources import MAX_CELL_CHARS, is_xlsx

# Microsoft, "Excel specifications and limits".
_XLSX_CELL_CHARS = 32_767
_XLSX_ROWS = 1_048_576


class RowWriter(Protocol):
    """Takes rows of texts."""

    def __call__(self, cells: Sequence[str]) -> None:
        """Write one more row.

        Raises:
            Refusal: The file cannot hold it.
        """
        ...


@contextmanager
def row_writer(
    file: Path, to: IO[bytes], columns: Sequence[str], numbers: Collection[str] = ()
) -> Iterator[RowWriter]:
    """Write a table of the kind that the file's name says; it is whole when the block has ended.

    Args:
        file: Whose name says the kind.
        to: Where the content goes.
        columns: The header.
        numbers: Columns of numbers, which are written as such.
    """
    are_numbers = [column in numbers for column in columns]
    with _xlsx(to, are_numbers) if is_xlsx(file) else _csv(to, are_numbers) as write:
        write(columns)
        yield write


@contextmanager
def _csv(to: IO[bytes], are_numbers: Sequence[bool]) -> Iterator[RowWriter]:
    lines = _Lines(to)
    writer = csv.writer(lines, lineterminator="\n")

    def write(cells: Sequence[str]) -> None:
        if any(len(cell) >= MAX_CELL_CHARS for cell in cells):
            raise Refusal("CELL_TOO_LONG", f"a cell has over {MAX_CELL_CHARS:,} characters")
        pairs = zip(cells, are_numbers, strict=True)
        writer.writerow([cell if is_number else to_csv_cell(cell) for cell, is_number in pairs])

    yield write


class _Lines:
    """What `csv` writes to, in UTF-8."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to = to

    def write(self, line: str) -> int:
        return self._to.write(line.encode())


@contextmanager
def _xlsx(to: IO[bytes], are_numbers: Sequence[bool]) -> Iterator[RowWriter]:
    # 0.2 s that CSV need not wait for.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    workbook: Any = Workbook(write_only=True)
    sheet: Any = workbook.create_sheet("rows")
    count = 0

    def cell(text: str, *, is_number: bool) -> Any:
        if not text:
            return None
        if is_number and count > 1 and float(f"{float(text):.15g}") == float(text):
            # What a spreadsheet keeps of a number; a longer one is a text. Not in the header.
            return float(text)
        escaped = to_xlsx_cell(text)
        if len(escaped) > _XLSX_CELL_CHARS:
            said = f"a cell of XLSX holds {_XLSX_CELL_CHARS:,} characters, and row {count} has more"
            raise Refusal("CELL_TOO_LONG", said, "Export to a file that ends with .csv.")
        if escaped[0] not in "=#":
            return escaped
        # A text, whatever it looks like.
        made = WriteOnlyCell(sheet, escaped)
        made.data_type = "s"
        return made

    def write(cells: Sequence[str]) -> None:
        nonlocal count
        count += 1
        if count > _XLSX_ROWS:
            said = f"a sheet of XLSX holds {_XLSX_ROWS:,} rows, and there are more"
            raise Refusal("TOO_MANY_ROWS", said, "Export to a file that ends with .csv.")
        pairs = zip(cells, are_numbers, strict=True)
        sheet.append([cell(text, is_number=is_number) for text, is_number in pairs])

    try:
        yield write
    except BaseException:
        # What it has written to a temporary file is removed at the end of the process.
        sheet.close()
        raise
    workbook.save(to)
