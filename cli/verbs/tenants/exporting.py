"""`chaupal tenants export`: all of a tenant, as lines of JSON in a file."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from cli.command import Verb
from cli.errors import Refusal
from cli.output import Bar, console, counted, print_json, progress_bar
from cli.verbs.tenants.common import Reach, operator_options, with_tenants

if TYPE_CHECKING:
    from cli.clients.tenants import TenantsClient

_EXAMPLES = (
    "chaupal tenants export neem neem.jsonl",
    "chaupal tenants export neem neem.jsonl -o json",
)


class Received:
    """What has come of an export, checked against its last line."""

    def __init__(self) -> None:
        self.line_count = 0
        self.byte_count = 0
        self.last = b""
        self._digest = hashlib.sha256()

    def add(self, part: bytes) -> None:
        """Take whole lines; the last one so far is not in the digest yet."""
        whole = self.last + part
        cut = whole.rstrip(b"\n").rfind(b"\n") + 1
        self._digest.update(whole[:cut])
        self.last = whole[cut:]
        self.line_count += part.count(b"\n")
        self.byte_count += len(part)

    def end(self) -> dict[str, Any]:
        """Return the last line.

        Raises:
            Refusal: It is not the end, or not of these lines.
        """
        said: dict[str, Any] = json.loads(self.last) if self.last.endswith(b"\n") else {}
        if said.get("type") != "end" or said["sha256"] != self._digest.hexdigest():
            raise Refusal("EXPORT_BROKEN", "the export is not whole", "Run it again.")
        return said


@click.command("export", cls=Verb, examples=_EXAMPLES)
@click.argument("tenant")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@operator_options()
def export(
    *, tenant: str, file: Path, token: str | None, target: str | None, data: Path, output: str
) -> None:
    """Write all of TENANT to FILE, names and phone numbers in clear: hand it to the tenant only.

    Lines of JSON, readable by its owner alone: the tenant, then every record, then how many there
    were and the SHA-256 of all lines before. What changes while it is read may be in it or not;
    suspend the tenant first for an export of one moment.
    """
    with progress_bar(output) as show, _draft(file) as to:
        reach = Reach(data, token, target)
        received = with_tenants(reach, lambda client: _receive(client, tenant, to, show))
        end = received.end()
    if output == "json":
        told = {"tenant": tenant, "file": str(file), "byteCount": received.byte_count}
        print_json({**told, "counts": end["counts"], "sha256": end["sha256"]})
        return
    screen = console()
    screen.print(f"{tenant}: {counted(received.line_count, 'line')} in {file}", markup=False)
    for name, count in end["counts"].items():
        screen.print(f"{name:12} {count:,}", markup=False)
    screen.print(f"sha256       {end['sha256']}", markup=False)


async def _receive(client: "TenantsClient", tenant: str, to: IO[bytes], show: Bar) -> Received:
    received = Received()
    async for part in client.export(tenant):
        received.add(part)
        to.write(part)
        show("lines", received.line_count, None)
    return received


@contextmanager
def _draft(file: Path) -> Iterator[IO[bytes]]:
    """A file that takes its place when the block has ended well, and is gone otherwise."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
            yield to
        draft.replace(file)
    except OSError as error:
        cure = "Name a file that you may write."
        said = f"cannot write {file}: {error.strerror}"
        raise Refusal("FILE_UNWRITABLE", said, cure) from error
    finally:
        draft.unlink(missing_ok=True)
