"""What the imports of demo data are known by, and what is said when one is refused."""

import hashlib
from collections.abc import Iterable, Sequence

from cli.errors import Refusal
from cli.files.problems import Problem
from cli.output import counted
from kit.ids import stable_id


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
