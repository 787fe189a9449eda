"""What every verb shares: lazy loading, `-o`, `--data`, examples and exit codes in the help."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.errors import Refusal, as_refusal
from kit.errors import ChaupalError

_Decorated = TypeVar("_Decorated", bound=Callable[..., object])
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Verb(click.Command):
    """A verb whose help ends with examples and exit codes, and whose refusals know `-o json`."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        exit_codes: Mapping[int, str] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("context_settings", _HELP)
        super().__init__(*args, **kwargs)
        self.examples = examples
        codes = {0: "done", 1: "refused; the reason is on stderr", 2: "wrong usage"}
        self.exit_codes = codes | dict(exit_codes or {})

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the two sections after the options."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{' ' * formatter.current_indent}{example}\n")
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in self.exit_codes.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a refusal is told in the format that was asked for."""
        try:
            return super().invoke(ctx)
        except (ChaupalError, Refusal, ExceptionGroup) as error:
            refusal = as_refusal(error)
            if refusal is None:
                raise
            refusal.as_json = ctx.params.get("output") == "json"
            raise refusal from error


class LazyGroup(click.Group):
    """A group whose verbs are imported when they are called, so that `--help` is quick.

    Args:
        verbs: For each verb, "module:attribute" and the line that `--help` shows.
    """

    def __init__(
        self, *args: Any, verbs: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        kwargs.setdefault("context_settings", _HELP)
        super().__init__(*args, **kwargs)
        self._verbs = verbs or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which they are needed."""
        return [*self._verbs, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb."""
        if cmd_name not in self._verbs:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._verbs[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self._verbs[cmd_name][0]} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        if not self._verbs:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in self._verbs.items()])


def output_option(*formats: str) -> Callable[[_Decorated], _Decorated]:
    """Add `-o`; `text` and `json` are always there."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json", *formats]),
        default="text",
        show_default=True,
        help="Lines for people, or one JSON line on stdout.",
    )


def data_option() -> Callable[[_Decorated], _Decorated]:
    """Add `--data`."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        default=Path(".data"),
        envvar="CHAUPAL_DATA",
        show_envvar=True,
        show_default=True,
        help="The data folder: stores, keys and logs of one platform.",
    )
