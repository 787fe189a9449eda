"""`chaupal import`: a blueprint, units or groups from a file."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.access import Access, access_options, resolve
from cli.command import Verb, data_option, output_option
from cli.errors import Refusal, no_blueprint
from cli.output import Bar, console, print_json, progress_bar
from kit.errors import NotFound

if TYPE_CHECKING:
    from cli.files.report import ImportOutcome
    from cli.importing import StartProgress

_EXAMPLES = (
    "chaupal import blueprint blueprint.yaml --tenant neem",
    "chaupal import units units.csv --tenant neem --dry-run",
    "chaupal import groups groups.csv --tenant neem -o json",
)
_EXIT_CODES = {0: "imported; or, with --dry-run, it could be", 1: "refused; nothing was changed"}


@click.command("import", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("what", type=click.Choice(["blueprint", "units", "groups"]))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and report only.")
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
    tenant: str | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Import a blueprint, units or groups from FILE.

    blueprint: YAML, as docs/blueprint-file.md says and `chaupal export blueprint` writes it.
    units, groups: CSV in UTF-8 with a header row; `chaupal demo-data` writes examples.

    A row with a known code (of its level) changes what stands; another makes something new. When
    anything is wrong, everything that is wrong is reported by row, as a spreadsheet counts them,
    and nothing of the file is applied.
    """
    try:
        access = resolve(data, tenant, token, "administrator")
        address = access.address("groups" if what == "groups" else "hierarchy", target)
    except Refusal:
        _tell_file(what, file, dry_run=dry_run, output=output)
        raise
    with progress_bar(output) as show:
        progress = _start_progress(show)
        try:
            outcome = asyncio.run(
                _run(what, file, address, access.token, dry_run=dry_run, progress=progress)
            )
        except NotFound as error:
            if error.reason != "BLUEPRINT_NOT_FOUND":
                raise
            raise no_blueprint(tenant) from error
    if what == "groups" and outcome.error_count and not _has_blueprint(access):
        # Then every kind and unit is unknown, which says nothing.
        raise no_blueprint(tenant)
    _tell(what, file, outcome, dry_run=dry_run, output=output)
    if outcome.error_count:
        ctx.exit(1)


def _has_blueprint(access: Access) -> bool:
    """Ask the data folder's platform; where none runs, groups' own answer stands."""
    if access.platform is None:
        return True
    from cli.importing import has_blueprint  # noqa: PLC0415

    return asyncio.run(has_blueprint(access.address("hierarchy", None), access.token))


def _tell_file(what: str, file: Path, *, dry_run: bool, output: str) -> None:
    """Report what is wrong with the file alone, where no service can be asked."""
    from cli.importing import check_file  # noqa: PLC0415

    outcome = check_file(what, file)
    if outcome is not None:
        _tell(what, file, outcome, dry_run=dry_run, output=output)


def _tell(what: str, file: Path, outcome: "ImportOutcome", *, dry_run: bool, output: str) -> None:
    if output == "json":
        print_json({"file": str(file), "what": what, "dryRun": dry_run, **outcome.as_json()})
    else:
        _print(what, outcome)


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


async def _run(
    what: str, file: Path, target: str, token: str, *, dry_run: bool, progress: "StartProgress"
) -> "ImportOutcome":
    # Importing gRPC takes 0.3 s, which --help need not.
    from cli.importing import import_blueprint, import_groups, import_units  # noqa: PLC0415

    match what:
        case "blueprint":
            return await import_blueprint(file, target, token, dry_run=dry_run)
        case "units":
            return await import_units(file, target, token, dry_run=dry_run, progress=progress)
        case _:
            return await import_groups(file, target, token, dry_run=dry_run, progress=progress)


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
