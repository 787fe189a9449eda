"""`chaupal export`: what stands, as a file that imports back."""

import asyncio
import sys
from pathlib import Path

import click

from cli.access import Access, access_options, resolve
from cli.command import Verb, data_option, output_option
from cli.errors import Refusal, no_blueprint
from cli.output import console, print_json
from kit.errors import NotFound

# Ready to begin with: a tree of command, and a cross-cut by category.
_READY = {"party": "neem", "category": "peepal"}
_EXAMPLES = (
    "chaupal export blueprint blueprint.yaml --tenant neem",
    "chaupal export blueprint blueprint.yaml --ready party",
    "chaupal export blueprint - --tenant neem | less",
)


@click.command("export", cls=Verb, examples=_EXAMPLES)
@click.argument("what", type=click.Choice(["blueprint"]))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--ready",
    type=click.Choice(list(_READY)),
    help="A ready blueprint instead, to begin with; no platform is asked.",
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
    tenant: str | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Write the blueprint that stands to FILE, or to the standard output where FILE is "-".

    `chaupal import` reads the file, and putting it back changes nothing.
    """
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
