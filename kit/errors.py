"""The tree of errors: one base and a few kinds; a domain names its own errors under a kind.

    ChaupalError
    ├── InvalidInput          the request can never work; names the fields at fault
    ├── Unauthenticated       nobody we can name is calling
    ├── Forbidden             the caller is known and may not
    ├── NotFound              the thing named does not exist (for this caller)
    ├── AlreadyExists         the thing to be made is there
    ├── PreconditionFailed    the state of the world refuses it; retrying alone does not help
    ├── Conflict              somebody else changed it first; read again and retry
    ├── LimitExceeded         too much or too fast; may say when to come back
    ├── Unavailable           a dependency is down; the same request may work later
    ├── DeadlineExceeded      time ran out
    └── Internal              anything else, masked: only ever made from a peer's status

Subclasses become dataclasses by themselves, so an error is its name, its reason and its fields:

    class UnitNotFound(NotFound):
        reason = "UNIT_NOT_FOUND"
        unit_id: str
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from enum import Enum
from typing import ClassVar, NoReturn, Self, dataclass_transform


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One fault of one request field.

    `field` is a snake_case path as in the proto, with indexes: `audience.include[0].unit_ids[2]`.
    `reason` is stable and UPPER_SNAKE; `description` is for people.
    """

    field: str
    reason: str
    description: str = ""


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class ChaupalError(Exception):
    """The base of every error that a caller may see.

    Class attributes of subclasses: `reason`, stable and UPPER_SNAKE; `sentence`, what to tell
    people, with `{field}` where a field goes and with the cure where there is one. Annotated
    attributes become constructor arguments and travel as strings in `fields()`, except those that
    begin with `_`.
    An error that came over a wire is an instance of its kind whose reason, message, fields and
    domain are the sender's.
    """

    reason: ClassVar[str] = "INTERNAL"
    sentence: ClassVar[str] = ""
    domain: ClassVar[str] = ""  # who said it first, `<service>.chaupal`; empty until it travelled

    # Set by `from_wire` only; plain class attributes, so they are no constructor arguments.
    _wire_message: ClassVar[str | None] = None
    _wire_fields: ClassVar[Mapping[str, str] | None] = None

    def __init_subclass__(cls) -> None:
        # No eq: exceptions are compared by identity. No repr: the message is the repr's text.
        dataclass(eq=False, repr=False)(cls)

    @property
    def message(self) -> str:
        """One sentence for people: the class's own with the fields put in, or reason and fields."""
        if self._wire_message is not None:
            return self._wire_message
        if self.sentence:
            return self.sentence.format_map(self.fields())
        sentence = self.reason.lower().replace("_", " ")
        told = ", ".join(f"{name} {value}" for name, value in self.fields().items())
        return f"{sentence}: {told}" if told else sentence

    def fields(self) -> Mapping[str, str]:
        """The public fields as strings; a field that is None is left out."""
        if self._wire_fields is not None:
            return dict(self._wire_fields)
        return _public_fields(self)

    @classmethod
    def from_wire(
        cls, *, reason: str, message: str, fields: Mapping[str, str], domain: str = ""
    ) -> Self:
        """An error of this kind as a peer told it. For kinds only, not for a domain's errors."""
        error = cls()
        # Shadows the class attributes: a travelled error answers for its sender, whose classes
        # this process need not know.
        error.__dict__.update(
            reason=reason, domain=domain, _wire_message=message, _wire_fields=dict(fields)
        )
        return error

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason}: {self.message})"


class InvalidInput(ChaupalError):
    """The request can never work. `violations` name every field at fault that was found."""

    reason = "INVALID_INPUT"
    violations: tuple[FieldViolation, ...] = field(default=(), kw_only=True)

    @classmethod
    def of(cls, path: str, reason: str, description: str = "") -> "InvalidInput":
        """The common case of one field at fault; the error's reason is the field's."""
        error = InvalidInput(violations=(FieldViolation(path, reason, description),))
        error.__dict__["reason"] = reason
        return error

    @property
    def message(self) -> str:
        """The violations in words, or the reason when there are none."""
        if self._wire_message is not None or not self.violations:
            return super().message
        first = self.violations[0]
        rest = len(self.violations) - 1
        said = first.description or first.reason.lower().replace("_", " ")
        more = f" (and {rest} more)" if rest else ""
        return f"{first.field}: {said}{more}"


class Unauthenticated(ChaupalError):
    """Nobody we can name is calling."""

    reason = "UNAUTHENTICATED"


class Forbidden(ChaupalError):
    """The caller is known and may not do this."""

    reason = "FORBIDDEN"


class NotFound(ChaupalError):
    """The thing named does not exist, or not for this caller."""

    reason = "NOT_FOUND"


class AlreadyExists(ChaupalError):
    """The thing to be made is there already."""

    reason = "ALREADY_EXISTS"


class PreconditionFailed(ChaupalError):
    """The state of the world refuses the request; retrying alone does not help."""

    reason = "PRECONDITION_FAILED"


class Conflict(ChaupalError):
    """Somebody else changed it first; read again, decide again. Carries the current etag."""

    reason = "CONFLICT"
    current_etag: str | None = field(default=None, kw_only=True)


class RequestIdReused(Conflict):
    """The request id was used for something else, within the seven days that it is remembered.

    The rule of ids is one for all services, and so is its error.
    """

    reason = "REQUEST_ID_REUSED"
    sentence = "request id {request_id} was used for something else: choose a new one"
    request_id: str


class LimitExceeded(ChaupalError):
    """Too much or too fast; `retry_after` says when to come back, where that is known."""

    reason = "LIMIT_EXCEEDED"
    retry_after: timedelta | None = field(default=None, kw_only=True)


class AtLimit(LimitExceeded):
    """There are as many as there may be; the shape of a domain's errors that tell how many."""

    reason = "AT_LIMIT"
    limit: int


class Unavailable(ChaupalError):
    """A dependency is down; the same request may work later."""

    reason = "UNAVAILABLE"


class DeadlineExceeded(ChaupalError):
    """Time ran out before the answer was ready; what was done so far is not known."""

    reason = "DEADLINE_EXCEEDED"


class Internal(ChaupalError):
    """A fault of a peer, masked by it. Our own faults are ordinary Python exceptions."""

    reason = "INTERNAL"


KINDS: tuple[type[ChaupalError], ...] = (
    InvalidInput,
    Unauthenticated,
    Forbidden,
    NotFound,
    AlreadyExists,
    PreconditionFailed,
    Conflict,
    LimitExceeded,
    Unavailable,
    DeadlineExceeded,
    Internal,
)


def answer_too_large(path: str) -> InvalidInput:
    """So much was asked by the field at `path` that the answer would not go into one message."""
    return InvalidInput.of(path, "ANSWER_TOO_LARGE", "over 4 MiB together: ask for less")


def kind_of(error: BaseException) -> type[ChaupalError]:
    """The kind that an error belongs to; `Internal` for everything that is not one of ours."""
    return next((kind for kind in KINDS if isinstance(error, kind)), Internal)


@dataclass(slots=True)
class Violations:
    """Collects the faults of a request, so that a caller learns of all of them at once."""

    found: list[FieldViolation] = field(default_factory=list)

    def add(self, path: str, reason: str, description: str = "") -> None:
        """Note one fault of the field at `path`."""
        self.found.append(FieldViolation(path, reason, description))

    def raise_if_any(self) -> None:
        """Raise one `InvalidInput` that carries everything found so far, if anything was."""
        if self.found:
            raise_violations(self.found)


def raise_violations(violations: Sequence[FieldViolation]) -> NoReturn:
    """Raise `InvalidInput` with these violations; its reason is theirs when they agree."""
    reasons = {violation.reason for violation in violations}
    error = InvalidInput(violations=tuple(violations))
    if len(reasons) == 1:
        error.__dict__["reason"] = reasons.pop()
    raise error


# These travel in places of their own in a status, not among its fields.
_TYPED = frozenset({"violations", "retry_after"})


def _public_fields(error: ChaupalError) -> dict[str, str]:
    names = [item.name for item in fields(error)]  # type: ignore[arg-type]  # see __init_subclass__
    told = {name: getattr(error, name) for name in names if not name.startswith("_")}
    return {
        name: _text(value)
        for name, value in told.items()
        if value is not None and name not in _TYPED
    }


def _text(value: object) -> str:
    match value:
        case Enum():
            return value.name
        case bool():
            return "true" if value else "false"
        case timedelta():
            return f"{value.total_seconds():g}s"
        case date():  # a datetime is a date
            return value.isoformat()
        case str():
            return value
        case tuple() | list() | set() | frozenset():
            return ",".join(_text(item) for item in value)
        case _:
            return str(value)
