"""What verbs print: results on stdout, everything that passes by on stderr."""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console


def print_json(result: Mapping[str, object]) -> None:
    """Print one JSON line on stdout, at once also into a pipe."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun, such as "1 row" and "2 rows"."""
    return f"{count} {noun if count == 1 else nouns or f'{noun}s'}"


def console(*, stderr: bool = False) -> "Console":
    """Return a console for people; it honours NO_COLOR and plain pipes."""
    # 40-80 ms that `--help` and `-o json` need not wait for.
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


class Bar(Protocol):
    """Shows how far something has come."""

    def __call__(self, description: str, completed: int, total: int | None) -> None:
        """Show it; None for a total that is not known yet."""
        ...


@contextlib.contextmanager
def progress_bar(output: str) -> Iterator[Bar]:
    """Show a bar on stderr while the block runs, where a person looks on."""
    if output != "text" or not sys.stderr.isatty():
        yield lambda description, completed, total: None  # noqa: ARG005 - the bar's signature
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(description: str, completed: int, total: int | None) -> None:
            bar.update(task, description=description, completed=completed, total=total)

        yield show
