"""Writes rows as the project's CSV files: UTF-8, a header row, commas, line feeds."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path

from cli.files.escaping import to_csv_cell
from cli.records import GROUP_COLUMNS, UNIT_COLUMNS, GroupRecord, TransferRecord, UnitRecord

ADMIN_SEPARATOR = ";"


def write_units(path: Path, units: Iterable[UnitRecord]) -> None:
    """Write units.csv; what a unit has not is an empty cell."""
    _write(path, UNIT_COLUMNS, map(attrgetter(*UNIT_COLUMNS), units))


def write_groups(path: Path, groups: Iterable[GroupRecord]) -> None:
    """Write groups.csv; admins stand in one cell, separated by semicolons."""
    admins = GROUP_COLUMNS.index("admins")
    cells = attrgetter(*GROUP_COLUMNS)
    rows = (
        (*row[:admins], ADMIN_SEPARATOR.join(row[admins]), *row[admins + 1 :])
        for row in map(cells, groups)
    )
    _write(path, GROUP_COLUMNS, rows)


def write_rows(path: Path, kind: type[TransferRecord], rows: Iterable[TransferRecord]) -> None:
    """Write areas.csv, persons.csv, appointments.csv or teams.csv, as an export does."""
    columns = [each.name for each in fields(kind)]
    cells = attrgetter(*columns)
    _write(path, columns, (list(map(to_csv_cell, cells(row))) for row in rows))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
