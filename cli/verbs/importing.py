"""`chaupal import`: a blueprint, units, groups, areas, people from a file."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.access import Access, access_options, resolve
from cli.command import Verb, data_option, output_option
from cli.errors import Refusal, no_blueprint
from cli.output import Bar, console, print_json, progress_bar
from kit.errors import NotFound
from kit.ids import SystemIds, is_uuid

if TYPE_CHECKING:
    from cli.clients.transfers import Progress
    from cli.files.report import ImportOutcome
    from cli.importing import StartProgress

# What is moved as rows, page by page.
_ROWS = ("areas", "persons", "appointments", "teams")
_EXAMPLES = (
    "chaupal import blueprint blueprint.yaml --tenant neem",
    "chaupal import units units.csv --tenant neem --dry-run",
    "chaupal import persons persons.xlsx --tenant neem",
    "chaupal import appointments appointments.csv --tenant neem --report problems.csv",
    "chaupal import groups groups.csv --tenant neem -o json",
)
_EXIT_CODES = {
    0: "imported; or, with --dry-run, it could be",
    1: "refused; nothing was changed, unless it says how much",
}


@dataclass(frozen=True, slots=True)
class _Task:
    """What to import, and how."""

    what: str
    file: Path
    dry_run: bool
    output: str
    report: Path | None
    request_id: str


@click.command("import", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("what", type=click.Choice(["blueprint", "units", *_ROWS, "groups"]))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and report only.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Write the problems to a table too: row, field, reason, description.",
)
@click.option(
    "--request-id",
    metavar="UUID",
    help="Go on with an import of rows that was cut off, under the id that it named.",
)
@access_options()
@click.option(
    "--target",
    metavar="HOST:PORT",
    help="gRPC address of the service.  [default: the data folder's]",
)
@data_option()
@output_option()
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    what: str,
    file: Path,
    dry_run: bool,
    report: Path | None,
    request_id: str | None,
    tenant: str | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Import a blueprint, units, people, areas or groups from FILE.

    blueprint: YAML, as docs/blueprint-file.md says and `chaupal export blueprint` writes it.
    units, areas, persons, appointments, teams: CSV in UTF-8 or the first sheet of an XLSX workbook,
    with a header row, as docs/organisation-files.md says and `chaupal export` writes them; in this
    order, as each names what came before.
    groups: CSV or XLSX. `chaupal demo-data` writes examples of everything.

    A row that names something known changes it; another makes something new. When anything is
    wrong, everything that is wrong is reported by row, as a spreadsheet counts them, and nothing of
    the file is applied. Areas, persons, appointments and teams are applied in pages of 5,000 rows
    once all were checked: if somebody changes the organisation meanwhile, pages before the one that
    went wrong stand.
    """
    task = _Task(what, file, dry_run, output, report, _request_id(what, request_id))
    try:
        access = resolve(data, tenant, token, "administrator")
        address = access.address("groups" if what == "groups" else "hierarchy", target)
    except Refusal:
        _tell_file(task)
        raise
    with progress_bar(output) as show:
        try:
            outcome = asyncio.run(_run(task, address, access.token, show))
        except NotFound as error:
            if error.reason != "BLUEPRINT_NOT_FOUND":
                raise
            raise no_blueprint(tenant) from error
    if what == "groups" and outcome.error_count and not _has_blueprint(access):
        # Then every kind and unit is unknown, which says nothing.
        raise no_blueprint(tenant)
    _tell(task, outcome)
    if outcome.error_count:
        ctx.exit(1)


def _request_id(what: str, given: str | None) -> str:
    # A new one for each run: with one made of the content, importing A, B and A again would be
    # answered from memory and leave B.
    if given is None:
        return SystemIds().new()
    if what not in _ROWS:
        raise click.BadParameter(f"is for {', '.join(_ROWS)}", param_hint="--request-id")
    if not is_uuid(given):
        raise click.BadParameter("is no UUID in lower case", param_hint="--request-id")
    return given


def _has_blueprint(access: Access) -> bool:
    """Ask the data folder's platform; where none runs, groups' own answer stands."""
    if access.platform is None:
        return True
    from cli.importing import has_blueprint  # noqa: PLC0415

    return asyncio.run(has_blueprint(access.address("hierarchy", None), access.token))


def _tell_file(task: _Task) -> None:
    """Report what is wrong with the file alone, where no service can be asked."""
    from cli.importing import check_file  # noqa: PLC0415

    outcome = check_file(task.what, task.file)
    if outcome is not None:
        _tell(task, outcome)


def _tell(task: _Task, outcome: "ImportOutcome") -> None:
    if task.report:
        _write_report(task.report, outcome)
    if task.output == "json":
        told = {"file": str(task.file), "what": task.what, "dryRun": task.dry_run}
        print_json({**told, **outcome.as_json()})
    else:
        _print(task.what, outcome)


def _write_report(file: Path, outcome: "ImportOutcome") -> None:
    from cli.files.report import write_report  # noqa: PLC0415

    try:
        write_report(file, outcome)
    except OSError as error:
        said = f"cannot write {file}: {error.strerror}"
        raise Refusal("FILE_UNWRITABLE", said, "Name a file that you may write.") from error


def _print(what: str, outcome: "ImportOutcome") -> None:
    screen = console()
    if what == "blueprint" and not outcome.error_count:
        _print_blueprint(outcome)
        return
    for line in outcome.lines():
        screen.print(line, markup=False)


def _print_blueprint(outcome: "ImportOutcome") -> None:
    from cli.files.report import difference_line  # noqa: PLC0415

    screen = console()
    for difference in outcome.differences:
        screen.print(difference_line(difference), markup=False)
    if not outcome.differences:
        screen.print("the blueprint stands as it was: nothing had to change")
    else:
        screen.print("the blueprint was put" if outcome.applied else "the blueprint can be put")


async def _run(task: _Task, target: str, token: str, show: Bar) -> "ImportOutcome":
    # Importing gRPC takes 0.3 s, which --help need not.
    from cli.importing import (  # noqa: PLC0415
        import_blueprint,
        import_groups,
        import_table,
        import_units,
    )

    file, dry_run = task.file, task.dry_run
    match task.what:
        case "blueprint":
            return await import_blueprint(file, target, token, dry_run=dry_run)
        case "units":
            progress = _start_progress(show)
            return await import_units(file, target, token, dry_run=dry_run, progress=progress)
        case "groups":
            progress = _start_progress(show)
            return await import_groups(file, target, token, dry_run=dry_run, progress=progress)
        case _:
            return await import_table(
                task.what,
                file,
                target,
                token,
                dry_run=dry_run,
                request_id=task.request_id,
                progress=_progress_of_pass(show),
            )


def _progress_of_pass(show: Bar) -> Callable[[str], "Progress"]:
    """Let a bar say how many rows were checked, and then how many of them are imported."""
    totals: list[int] = [0]

    def start(doing: str) -> "Progress":
        total = totals[-1] or None

        def tell(row_count: int, problem_count: int) -> None:
            totals.append(row_count)
            problems = f", {problem_count:,} problems" if problem_count else ""
            show(f"{doing}{problems}", row_count, total)

        return tell

    return start


def _start_progress(show: Bar) -> "StartProgress":
    """Let a bar say how many rows were sent."""

    def start(row_count: int) -> Callable[[int], None]:
        sent_count = 0

        def advance(count: int) -> None:
            nonlocal sent_count
            sent_count += count
            done = sent_count == row_count
            show("sent; the service is working" if done else "sending", sent_count, row_count)

        return advance

    return start
