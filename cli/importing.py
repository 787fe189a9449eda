"""Imports a file: reads it strictly, asks the service, and makes one report of both."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from cli.clients.blueprints import file_path
from cli.clients.services import Report, groups_client, hierarchy_client
from cli.clients.transfers import Progress as PassProgress
from cli.clients.wire import Progress
from cli.errors import Refusal
from cli.files.blueprint import line_in, read_blueprint
from cli.files.blueprint_writing import blueprint_yaml
from cli.files.kinds import looks_like
from cli.files.problems import Problem, in_order, joined
from cli.files.report import ImportOutcome
from cli.files.rows import Parsed, read_groups, read_units
from cli.files.transfer_rows import KINDS
from cli.records import GROUP_COLUMNS, UNIT_COLUMNS, BlueprintRecord, GroupRecord, UnitRecord
from cli.transferring import check_rows, import_rows
from kit.errors import ChaupalError, FieldViolation, InvalidInput
from kit.ids import SystemIds

_Record = TypeVar("_Record", UnitRecord, GroupRecord)
_Content = TypeVar("_Content")
# Told the number of rows before they are sent; what it returns is told of each page.
StartProgress = Callable[[int], Progress]


async def import_blueprint(path: Path, target: str, token: str, *, dry_run: bool) -> ImportOutcome:
    """Put a blueprint; problems name its places and lines."""
    record, problems = _read(path, read_blueprint, "blueprint")
    if record is None:
        return _refused(0, problems, counts="line")
    try:
        async with hierarchy_client(target, token) as client:
            found = await client.put_blueprint(record, validate_only=dry_run)
    except InvalidInput as error:
        if not error.violations:
            raise
        return _refused(1, _in_file(record, error.violations), counts="line")
    return ImportOutcome(
        1,
        0,
        1 if found else 0,
        0 if found else 1,
        0,
        (),
        applied=not dry_run,
        differences=tuple(found),
    )


async def export_blueprint(target: str, token: str) -> str:
    """Return the content of a file of the blueprint that stands."""
    async with hierarchy_client(target, token) as client:
        return blueprint_yaml(await client.blueprint())


async def import_units(
    path: Path, target: str, token: str, *, dry_run: bool, progress: StartProgress
) -> ImportOutcome:
    """Import units.csv, all rows or none."""
    parsed = _read(path, read_units, "units")

    async def send(validate_only: bool) -> Report:
        async with hierarchy_client(target, token) as client:
            return await client.import_units(
                parsed.rows,
                request_id=_request_id(),
                validate_only=validate_only,
                progress=progress(len(parsed.rows)),
            )

    return await _judged(parsed, send, UNIT_COLUMNS, dry_run=dry_run)


async def import_groups(
    path: Path, target: str, token: str, *, dry_run: bool, progress: StartProgress
) -> ImportOutcome:
    """Import groups.csv, all rows or none."""
    parsed = _read(path, read_groups, "groups")

    async def send(validate_only: bool) -> Report:
        async with groups_client(target, token) as client:
            return await client.import_groups(
                parsed.rows,
                request_id=_request_id(),
                validate_only=validate_only,
                progress=progress(len(parsed.rows)),
            )

    return await _judged(parsed, send, GROUP_COLUMNS, dry_run=dry_run)


async def import_table(
    what: str,
    path: Path,
    target: str,
    token: str,
    *,
    dry_run: bool,
    request_id: str,
    progress: Callable[[str], PassProgress],
) -> ImportOutcome:
    """Import areas, persons, appointments or teams: all rows or none, unless others interfere."""
    kind = KINDS[what]
    _read(path, lambda _: None, what)
    with _readable(path):
        return await import_rows(
            kind,
            path,
            target,
            token,
            dry_run=dry_run,
            request_id=request_id,
            progress=progress,
        )


async def has_blueprint(target: str, token: str) -> bool:
    """Tell whether the tenant was set up; also true when that cannot be asked."""
    try:
        async with hierarchy_client(target, token) as client:
            return await client.has_blueprint()
    except ChaupalError:
        return True


def check_file(what: str, path: Path) -> ImportOutcome | None:
    """Return what is wrong with a file, as far as it can be said without a service.

    Raises:
        Refusal: The file cannot be read.
    """
    if what == "blueprint":
        row_count, problems = 0, _read(path, read_blueprint, "blueprint")[1]
    elif what in KINDS and what != "units":
        _read(path, lambda _: None, what)
        with _readable(path):
            row_count, found = check_rows(KINDS[what], path)
        problems = found.told
    else:
        parsed = (
            _read(path, read_units, "units")
            if what == "units"
            else _read(path, read_groups, "groups")
        )
        row_count, problems = len(parsed.rows), list(parsed.problems)
    if not problems:
        return None
    return _refused(
        row_count,
        problems,
        note="no service could be asked for more problems",
        counts="line" if what == "blueprint" else "row",
    )


async def _judged(
    parsed: Parsed[_Record],
    send: Callable[[bool], Awaitable[Report]],
    columns: Sequence[str],
    *,
    dry_run: bool,
) -> ImportOutcome:
    row_count = len(parsed.rows)
    if not parsed.complete:
        return _refused(row_count, parsed.problems)
    if not parsed.problems:
        return _outcome(await send(dry_run), columns)
    # Nothing will be applied; the service is asked all the same, for one report of everything.
    try:
        report = await send(True)
    except ChaupalError as error:
        note = f"the service could not be asked for more problems: {error.message}"
        return _refused(row_count, parsed.problems, note=note)
    untold_count = report.error_count - len(report.problems)
    problems = joined(parsed.problems, report.problems, columns)
    return _refused(row_count, problems, untold_count)


def _request_id() -> str:
    # A new one for each run: with one made of the content, importing A, B and A again would be
    # answered from memory and leave B.
    return SystemIds().new()


def _read(path: Path, read: Callable[[Path], _Content], what: str) -> _Content:
    with _readable(path):
        found = looks_like(path)
        if found and found != what:
            raise Refusal(
                "WRONG_FILE",
                f"{path}: this looks like a {found} file, not a {what} file",
                f"chaupal import {found} {path}",
            )
        return read(path)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal(
            "FILE_UNREADABLE",
            f"cannot read {path}: {error.strerror}",
            "Name a file that is there and that you may read.",
        ) from error


def _in_file(record: BlueprintRecord, faults: Sequence[FieldViolation]) -> list[Problem]:
    """Say where in the file stands what the service found."""
    paths = [file_path(fault.field) for fault in faults]
    return in_order(
        Problem(line_in(record.lines, path), path, fault.reason, fault.description)
        for path, fault in zip(paths, faults, strict=True)
    )


def _refused(
    row_count: int,
    problems: Sequence[Problem],
    untold_count: int = 0,
    *,
    note: str = "",
    counts: str = "row",
) -> ImportOutcome:
    return ImportOutcome(
        row_count,
        0,
        0,
        0,
        len(problems) + untold_count,
        problems,
        applied=False,
        note=note,
        counts=counts,
    )


def _outcome(report: Report, columns: Sequence[str]) -> ImportOutcome:
    return ImportOutcome(
        report.row_count,
        report.created_count,
        report.updated_count,
        report.unchanged_count,
        report.error_count,
        in_order(report.problems, columns),
        report.applied,
    )
