"""How a verb says no: what is wrong, and what to do about it."""

import json
import sys
from typing import IO, Any

import click

from cli.identity.roles import OPERATOR, OPERATOR_CAPABILITIES, ROLES
from kit.errors import ChaupalError, Forbidden, InvalidInput, Unauthenticated, Unavailable


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


class Unreachable(Refusal):
    """The platform does not answer now; the same question may be answered after a restart."""


class Unwatched(Refusal):
    """Something was started and goes on, but is not watched any more; the exit code is 3."""

    exit_code = 3


def no_blueprint(tenant: str | None) -> Refusal:
    """Return the refusal of a tenant that nobody set up; without a name, the token's."""
    whose = f"the tenant {tenant}" if tenant else "the token's tenant"
    return Refusal(
        "BLUEPRINT_NOT_FOUND",
        f"{whose} has no blueprint yet",
        f"Is the name right? A new tenant begins with its blueprint:\n"
        f"chaupal import blueprint FILE --tenant {tenant or 'TENANT'}",
    )


def role_for(capability: str) -> str:
    """Return the cure for a right that a caller lacks."""
    if capability in OPERATOR_CAPABILITIES:
        return f"Call as somebody who operates the platform: `chaupal token --role {OPERATOR}`"
    roles = [role for role, may in sorted(ROLES.items(), key=_breadth) if capability in may]
    if not roles:
        return ""
    return f"Call in the role {' or '.join(roles)}: `chaupal token --role {roles[0]}` makes a token"


def _breadth(role: tuple[str, tuple[str, ...]]) -> int:
    return len(role[1])


def as_refusal(error: Exception) -> Refusal | None:
    """Return what an error tells people; none for an error that is a fault of ours.

    Of several errors that tasks raised together, the first that can be told is.
    """
    match error:
        case Refusal():
            return error
        case ExceptionGroup(exceptions=errors):
            return next((told for told in map(as_refusal, errors) if told is not None), None)
        case ChaupalError():
            return Refusal(error.reason, error.message, _cure(error))
        case _:
            return None


def _cure(error: ChaupalError) -> str:
    match error:
        case InvalidInput(violations=violations):
            return "\n".join(f"{one.field}: {one.description or one.reason}" for one in violations)
        case Forbidden(reason="CAPABILITY_MISSING"):
            return role_for(error.fields().get("capability", ""))
        case Unavailable():
            return "Is the platform running? See `chaupal status`."
        case Unauthenticated():
            return "Make another token with `chaupal token`."
        case _:
            return ""
