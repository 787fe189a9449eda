"""Imports and exports of areas, persons, appointments and teams, and exports of units.

A file is read twice, as a stream: once to have all of it checked, once to have it applied.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cli.clients.transfers import (
    Progress,
    RowsReport,
    Selection,
    TransfersClient,
    transfers_client,
)
from cli.clients.wire import MAX_PAGE_BYTES, MAX_PAGE_ROWS
from cli.errors import Refusal
from cli.files.problems import Problem, Problems, RowProblems, joined
from cli.files.report import ImportOutcome
from cli.files.row_writing import row_writer
from cli.files.sources import Limits
from cli.files.table import TableReader
from cli.files.transfer_rows import NUMBERS, TEAMS, Kind, Message, messages
from cli.records import TransferRecord
from kit.errors import ChaupalError, DeadlineExceeded, Unavailable

# As many as a tenant may have appointments, unless it was given more.
LIMITS = Limits(rows=2_000_000, file_bytes=1024**3)
MAX_TOLD = 1_000
# All rows of a team are in one page: as many as it may have members, and what a message holds.
MAX_TEAM_ROWS = 10_000
MAX_TEAM_BYTES = 3_500_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export has written, and what it has left out."""

    row_count: int
    partial: bool
    phones_left_out: bool


async def import_rows(
    kind: Kind,
    path: Path,
    target: str,
    token: str,
    *,
    dry_run: bool,
    request_id: str,
    progress: Callable[[str], Progress],
) -> ImportOutcome:
    """Check all of a file, and then, when nothing is wrong with it, apply it.

    Args:
        kind: What the rows are about.
        path: The file.
        target: Of the service.
        token: The caller's.
        dry_run: Only check.
        request_id: Under which the service knows a repeat from another import.
        progress: Makes what is told of the progress of "checking" and of "importing".
    """
    async with transfers_client(target, token) as client:
        checked = await _check(client, kind, path, request_id, progress("checking"))
        if dry_run or checked.error_count:
            return checked
        return await _apply(client, kind, path, request_id, progress("importing"))


async def import_records(
    client: TransfersClient,
    kind: Kind,
    records: Sequence[TransferRecord],
    *,
    request_id: str,
    progress: Progress,
) -> RowsReport:
    """Apply rows in memory, page by page, without checking all of them before."""
    problems = Problems(MAX_TOLD)
    report = await client.import_rows(
        kind,
        _paged(kind, messages(kind, records, problems), problems),
        request_id=request_id,
        validate_only=False,
        progress=progress,
    )
    if problems.count:
        raise ValueError(problems.told[0].description)
    return report


def check_rows(kind: Kind, path: Path) -> tuple[int, Problems]:
    """Return how many rows a file has and what is wrong with it alone."""
    reading = Reading(kind, path)
    for _ in reading.pages():
        pass
    return reading.row_count, reading.problems


async def export_rows(
    kind: Kind,
    file: Path,
    to: IO[bytes],
    target: str,
    token: str,
    *,
    selection: Selection,
    progress: Callable[[int], None],
) -> Exported:
    """Write what stands, of the kind of file that the name says."""
    partial = phones_left_out = False
    count = 0
    with row_writer(file, to, kind.columns.names, NUMBERS) as write:
        async with transfers_client(target, token) as client:
            async for part in client.export_rows(kind, selection):
                if part.WhichOneof("part") == "header":
                    partial = part.header.partial
                    phones_left_out = part.header.phones_left_out
                    continue
                for row in getattr(part.page, kind.name):
                    write(kind.write(row))
                    count += 1
                progress(count)
    return Exported(count, partial, phones_left_out)


@contextmanager
def draft(file: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes its place when the block has ended well, and is gone otherwise.

    Only its owner may read it: it has names and phone numbers.
    """
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
            yield to
        new.replace(file)
    except OSError as error:
        said = f"cannot write {file}: {error.strerror}"
        raise Refusal("FILE_UNWRITABLE", said, "Name a file that you may write.") from error
    finally:
        new.unlink(missing_ok=True)


class Reading:
    """Reads the rows of a file as pages of messages, once.

    Attributes:
        problems: What is wrong, as far as the file was read.
        row_count: How many rows were read.
    """

    def __init__(self, kind: Kind, path: Path) -> None:
        self._kind = kind
        self._path = path
        self.problems = Problems(MAX_TOLD)
        self.row_count = 0
        self._reader = TableReader(kind.columns, self.problems, LIMITS)

    @property
    def complete(self) -> bool:
        """Whether all rows were read, once the last page was."""
        return self._reader.complete

    def pages(self) -> Iterator[Sequence[Message]]:
        """Give the rows in pages that fit a message. Raises `OSError`."""
        yield from _paged(self._kind, self._rows(), self.problems)
        if self.complete and not self.row_count:
            self.problems.add(Problem(0, "", "MISSING", "the file has no rows"))

    def _rows(self) -> Iterator[Message]:
        read = self._kind.read
        if read is None:
            raise TypeError(f"{self._kind.name} are read elsewhere")
        for row in self._reader.rows(self._path):
            self.row_count += 1
            named = zip(self._kind.columns.names, row.cells, strict=True)
            cells = defaultdict(str, ((x, y) for x, y in named if x in self._reader.header))
            yield read(cells, RowProblems(row.number, self.problems))


def _paged(kind: Kind, rows: Iterator[Message], problems: Problems) -> Iterator[Sequence[Message]]:
    return _team_pages(rows, problems) if kind is TEAMS else _pages(rows)


def _pages(rows: Iterator[Message]) -> Iterator[Sequence[Message]]:
    page: list[Message] = []
    size = 0
    for row in rows:
        row_size = row.ByteSize()
        if page and (size + row_size > MAX_PAGE_BYTES or len(page) == MAX_PAGE_ROWS):
            yield page
            page, size = [], 0
        page.append(row)
        size += row_size
    if page:
        yield page


def _team_pages(rows: Iterator[Message], problems: Problems) -> Iterator[Sequence[Message]]:
    """The same, with all rows of a team in one page."""
    page: list[Message] = []
    size = 0
    for team in _teams(rows, problems):
        team_size = sum(row.ByteSize() for row in team)
        if page and (size + team_size > MAX_PAGE_BYTES or len(page) + len(team) > MAX_TEAM_ROWS):
            yield page
            page, size = [], 0
        if len(team) > MAX_TEAM_ROWS or team_size > MAX_TEAM_BYTES:
            said = f"the team has over {MAX_TEAM_ROWS:,} rows, or more than one message holds"
            problems.add(Problem(team[0].row, "team_name", "TEAM_TOO_LARGE", said))
            continue
        page += team
        size += team_size
    if page:
        yield page


def _teams(rows: Iterator[Message], problems: Problems) -> Iterator[list[Message]]:
    seen: set[tuple[str, ...]] = set()
    team: list[Message] = []
    last: tuple[str, ...] | None = None
    for row in rows:
        key = (row.unit.level, row.unit.code, row.kind, row.names.by_language["en"])
        if key != last and team:
            yield team
            team = []
        if key != last and key in seen:
            said = "another row of this team stands further up: put all of them together"
            problems.add(Problem(row.row, "team_name", "TEAM_SCATTERED", said))
        seen.add(key)
        last = key
        if len(team) <= MAX_TEAM_ROWS:
            # More are not held: the team is too large already.
            team.append(row)
    if team:
        yield team


async def _check(
    client: TransfersClient, kind: Kind, path: Path, request_id: str, progress: Progress
) -> ImportOutcome:
    reading = Reading(kind, path)
    try:
        report = await _send(client, kind, reading, request_id, progress, validate_only=True)
    except ChaupalError as error:
        row_count, problems = check_rows(kind, path)
        if not problems.count:
            raise
        note = f"the service could not be asked for more problems: {error.message}"
        report = RowsReport(row_count, 0, 0, 0, 0, (), 0, applied=False)
        return _outcome(kind, report, problems, note)
    return _outcome(kind, report, reading.problems)


async def _apply(
    client: TransfersClient, kind: Kind, path: Path, request_id: str, progress: Progress
) -> ImportOutcome:
    reading = Reading(kind, path)
    try:
        report = await _send(client, kind, reading, request_id, progress, validate_only=False)
    except (Unavailable, DeadlineExceeded) as error:
        cure = (
            "Some pages may be applied. Run it again to go on; nothing is applied twice with\n"
            f"--request-id {request_id}"
        )
        raise Refusal(error.reason, error.message, cure, requestId=request_id) from error
    note = ""
    if report.error_count or reading.problems.count:
        note = f"{report.applied_row_count:,} rows were applied before, and stand"
    return _outcome(kind, report, reading.problems, note)


async def _send(
    client: TransfersClient,
    kind: Kind,
    reading: Reading,
    request_id: str,
    progress: Progress,
    *,
    validate_only: bool,
) -> RowsReport:
    return await client.import_rows(
        kind,
        reading.pages(),
        request_id=request_id,
        validate_only=validate_only,
        progress=progress,
    )


def _outcome(kind: Kind, report: RowsReport, ours: Problems, note: str = "") -> ImportOutcome:
    problems = joined(ours.told, report.problems, kind.columns.names)
    untold_count = ours.count - len(ours.told) + report.error_count - len(report.problems)
    return ImportOutcome(
        report.row_count,
        report.created_count,
        report.updated_count,
        report.unchanged_count,
        len(problems) + untold_count,
        problems,
        report.applied,
        note=note,
    )
