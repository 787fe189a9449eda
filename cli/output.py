"""What verbs print: results on stdout, everything that passes by on stderr."""

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def print_json(result: Mapping[str, object]) -> None:
    """Print one JSON line on stdout, at once also into a pipe."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> "Console":
    """Return a console for people; it honours NO_COLOR and plain pipes."""
    # 40-80 ms that `--help` and `-o json` need not wait for.
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=stderr, highlight=False, soft_wrap=True)
