"""`chaupal export`: what stands, as a file that imports back."""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from cli.access import Access, access_options, resolve
from cli.command import Verb, data_option, output_option
from cli.errors import Refusal, no_blueprint
from cli.output import Bar, console, counted, print_json, progress_bar
from kit.errors import NotFound

if TYPE_CHECKING:
    from cli.transferring import Exported

# Ready to begin with: a tree of command, and a cross-cut by category.
_READY = {"party": "neem", "category": "peepal"}
_ROWS = ("units", "areas", "persons", "appointments", "teams")
_EXAMPLES = (
    "chaupal export blueprint blueprint.yaml --tenant neem",
    "chaupal export blueprint blueprint.yaml --ready party",
    "chaupal export units units.csv --tenant neem",
    "chaupal export persons persons.xlsx --tenant neem",
    "chaupal export appointments a.csv --within district:JPR --with-ended --tenant neem",
    "chaupal export teams - --tenant neem | less",
)
_UNIT = re.compile(r"([^:]+):([^:]+)")


@click.command("export", cls=Verb, examples=_EXAMPLES)
@click.argument("what", type=click.Choice(["blueprint", *_ROWS]))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--ready",
    type=click.Choice(list(_READY)),
    help="A ready blueprint instead, to begin with; no platform is asked.",
)
@click.option("--within", metavar="LEVEL:CODE", help="Only what is in this unit's subtree.")
@click.option("--with-ended", is_flag=True, help="Also appointments that have ended or not begun.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="As it stood then, in UTC.",
)
@access_options()
@click.option(
    "--target",
    metavar="HOST:PORT",
    help="gRPC address of the service.  [default: the data folder's]",
)
@data_option()
@output_option()
def export(
    *,
    what: str,
    file: Path,
    ready: str | None,
    within: str | None,
    with_ended: bool,
    as_of: datetime | None,
    tenant: str | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Write what stands to FILE, or to the standard output where FILE is "-".

    blueprint: YAML. units, areas, persons, appointments, teams: an XLSX workbook where FILE ends
    with .xlsx, otherwise CSV in UTF-8; readable by its owner alone.

    `chaupal import` reads the file, and putting it back changes nothing. Whole phone numbers are in
    it only for those who administer the whole organisation. What could be taken for a formula is
    written as text, in CSV behind an apostrophe, which the import takes away.
    """
    if what != "blueprint":
        if ready:
            raise click.UsageError("--ready is for blueprints")
        access = resolve(data, tenant, token, "administrator")
        asked = _Asked(what, file, within, with_ended=with_ended, as_of=as_of)
        with progress_bar(output) as show:
            exported = _rows(asked, access.address("hierarchy", target), access.token, show)
        _tell_rows(asked, exported, output)
        return
    if within or with_ended or as_of:
        raise click.UsageError("--within, --with-ended and --as-of are not for blueprints")
    if ready:
        from cli.demo.tenants import blueprint_file  # noqa: PLC0415

        content = blueprint_file(_READY[ready]).read_text(encoding="utf-8")
    else:
        access = resolve(data, tenant, token, "administrator")
        content = _blueprint(access, target, tenant)
    if str(file) == "-":
        sys.stdout.write(content)
        return
    _write(file, content)
    if output == "json":
        print_json({"file": str(file), "what": what})
    else:
        console().print(f"written to {file}", markup=False)


class _Asked:
    """What to export as rows, and whereto."""

    def __init__(
        self,
        what: str,
        file: Path,
        within: str | None,
        *,
        with_ended: bool,
        as_of: datetime | None,
    ) -> None:
        unit = _UNIT.fullmatch(within) if within else None
        if within and unit is None:
            raise click.BadParameter("is no unit, such as district:JPR", param_hint="--within")
        self.what = what
        self.file = file
        self.within = (unit.group(1), unit.group(2)) if unit else None
        self.with_ended = with_ended
        self.as_of = as_of.replace(tzinfo=UTC) if as_of else None

    @property
    def is_stdout(self) -> bool:
        return str(self.file) == "-"


def _rows(asked: _Asked, target: str, token: str, show: Bar) -> "Exported":
    # Importing gRPC takes 0.3 s, which --help need not.
    from cli.clients.transfers import Selection  # noqa: PLC0415
    from cli.files.transfer_rows import KINDS  # noqa: PLC0415
    from cli.transferring import export_rows  # noqa: PLC0415

    selection = Selection(asked.within, with_ended=asked.with_ended, as_of=asked.as_of)
    with _opened(asked) as to:
        return asyncio.run(
            export_rows(
                KINDS[asked.what],
                asked.file,
                to,
                target,
                token,
                selection=selection,
                progress=lambda count: show("rows", count, None),
            )
        )


@contextmanager
def _opened(asked: _Asked) -> Iterator[IO[bytes]]:
    from cli.transferring import draft  # noqa: PLC0415

    if asked.is_stdout:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with draft(asked.file) as to:
        yield to


def _tell_rows(asked: _Asked, exported: "Exported", output: str) -> None:
    if output == "json" and not asked.is_stdout:
        print_json(
            {
                "file": str(asked.file),
                "what": asked.what,
                "rowCount": exported.row_count,
                "partial": exported.partial,
                "phonesLeftOut": exported.phones_left_out,
            }
        )
        return
    # Where the rows are on the standard output, nothing else is.
    screen = console(stderr=asked.is_stdout)
    if exported.partial:
        screen.print("only a part of the organisation: what you see, or asked for", markup=False)
    if exported.phones_left_out and asked.what in ("persons", "appointments", "teams"):
        said = "phone numbers and logins are left out: you may not see all of them whole"
        screen.print(said, markup=False)
    if not asked.is_stdout:
        rows = counted(exported.row_count, "row")
        screen.print(f"{rows} written to {asked.file}", markup=False)


def _blueprint(access: Access, target: str | None, tenant: str | None) -> str:
    # Importing gRPC takes 0.3 s, which --help need not.
    from cli.importing import export_blueprint  # noqa: PLC0415

    try:
        return asyncio.run(export_blueprint(access.address("hierarchy", target), access.token))
    except NotFound as error:
        if error.reason != "BLUEPRINT_NOT_FOUND":
            raise
        raise no_blueprint(tenant) from error


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise Refusal(
            "FILE_UNWRITABLE",
            f"cannot write {file}: {error.strerror}",
            "Name a file that you may write.",
        ) from error
