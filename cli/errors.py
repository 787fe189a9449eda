"""How a verb says no: what is wrong, and what to do about it."""

import json
import sys
from typing import IO, Any

import click


class Refusal(click.ClickException):
    """A verb cannot do what was asked; the exit code is 1.

    Args:
        reason: Stable, UPPER_SNAKE, for programs.
        message: What is wrong, for people.
        cure: What to do about it; may have several lines.
        fields: More for programs.
    """

    exit_code = 1

    def __init__(self, reason: str, message: str, cure: str = "", **fields: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.cure = cure
        self.fields = fields
        # Set by the verb that was asked for JSON.
        self.as_json = False

    def format_message(self) -> str:
        """Return the message, and the cure on lines of its own."""
        cure = "".join(f"\n  {line}" for line in self.cure.splitlines())
        return f"{self.message}{cure}"

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to stderr: lines for people, or one JSON line."""
        stream = sys.stderr if file is None else file
        if self.as_json:
            told = {"reason": self.reason, "message": self.message, "cure": self.cure}
            stream.write(json.dumps({"error": told | self.fields}, ensure_ascii=False) + "\n")
        else:
            stream.write(f"chaupal: {self.format_message()}\n")
