"""What the imports of demo data are known by, and what is said of them."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence

from cli.clients.transfers import Progress
from cli.clients.wire import MAX_PAGE_ROWS
from cli.errors import Refusal
from cli.files.problems import Problem
from cli.output import counted
from kit.ids import stable_id

# Between two lines that tell how far an import is.
_TOLD_EVERY_SECONDS = 5.0


def told(what: str, total: int, say: Callable[[str], None]) -> Progress:
    """Say that a long import begins, and return what then says from time to time how far it is."""
    last = time.monotonic()
    if total > MAX_PAGE_ROWS:
        say(f"{what}, {total:,} rows")

    def tell(row_count: int, _problem_count: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _TOLD_EVERY_SECONDS and row_count < total:
            last = time.monotonic()
            say(f"{what}, {row_count:,} of {total:,} rows")

    return tell


def content_id(tenant: str, what: str, rows: Iterable[object]) -> str:
    """Return the request id that always stands for these rows."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return stable_id("chaupal.demo", tenant, what, digest.hexdigest())


def check(tenant: str, what: str, error_count: int, problems: Sequence[Problem]) -> None:
    """Refuse to go on when an import was refused.

    Raises:
        Refusal: Names the first rows and what is wrong with them.
    """
    if error_count:
        first = "\n".join(f"row {one.row}: {one.description}" for one in problems[:5])
        raise Refusal(
            "DEMO_REFUSED",
            f"{counted(error_count, 'row')} of the demo {what} of {tenant} refused",
            f"{first}\nIf the tenant holds other data, start with --scale none.",
        )
