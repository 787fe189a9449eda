"""What a change may be refused with: one set of types, of which each mutation names some.

What is expected to happen is a member of the result; what is not (a service that is down, a
suspended tenant, a caller whom nobody knows) stays a top-level error.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

import strawberry

from gateway.graph.fields import list_of
from gateway.graph.ids import encode_id
from gateway.graph.violations import MAX_VIOLATIONS, FieldViolation, bounded
from kit import errors
from kit.errors import ChaupalError

field = strawberry.field
S = TypeVar("S")
R = TypeVar("R")


@strawberry.interface(description="Why a change was not made. Nothing was changed.")
class Refusal:
    """What every refusal tells."""

    message: str = field(description="What is in the way, for people.")
    reason: str = field(description="Stable reason, UPPER_SNAKE.")


@strawberry.type(description="The input can never work. Nothing was changed.")
class InvalidInput(Refusal):
    """Every fault that was found."""

    violations: list[FieldViolation] = field(
        description="Every fault at its path below the input; a name's by its language, such as"
        " `unit.names.hi`.",
        directives=list_of(MAX_VIOLATIONS + 1),
    )


@strawberry.type(description="The caller may not do this there. Nothing was changed.")
class NotAllowed(Refusal):
    """Which capability is missing where."""

    capability: str | None = field(description="What the caller lacks, such as `administer`.")
    unit_id: strawberry.ID | None = field(description="Over which unit; null for the whole tenant.")


@strawberry.type(description="There is no such unit, or none that the caller sees.")
class UnitNotFound(Refusal):
    """The unit as it was asked for: by its id, or by level and code."""

    unit_id: strawberry.ID | None = field(description="Its id, where that was given.")
    level: str | None = field(description="Its level, where that was given.")
    code: str | None = field(description="Its code, where that was given.")


@strawberry.type(description="There is no such person, or none whom the caller sees.")
class PersonNotFound(Refusal):
    """The person as they were asked for."""

    person_id: strawberry.ID | None = field(description="The id that was asked for.")


@strawberry.type(description="There is no such appointment, or none that the caller sees.")
class AppointmentNotFound(Refusal):
    """The appointment as it was asked for."""

    appointment_id: strawberry.ID | None = field(description="The id that was asked for.")


@strawberry.type(description="There is no such team, or none that the caller sees.")
class TeamNotFound(Refusal):
    """The team as it was asked for."""

    team_id: strawberry.ID | None = field(description="The id that was asked for.")


@strawberry.type(description="There is no such watch, or none that the caller sees.")
class WatchNotFound(Refusal):
    """The watch as it was asked for."""

    watch_id: strawberry.ID | None = field(description="The id that was asked for.")


@strawberry.type(description="Somebody changed it first: read again, and decide again.")
class Conflict(Refusal):
    """What stands now, where the service says it."""

    current_etag: str | None = field(description="The etag as it stands, where that is told.")
    current_tree_version: int | None = field(
        description="The tree's version as it stands, where that is told."
    )


@strawberry.type(description="Another person has the number or the login.")
class AlreadyInUse(Refusal):
    """PHONE_IN_USE or SUBJECT_IN_USE; whose it is, is not said."""


@strawberry.type(description="There are as many as there may be; waiting does not help.")
class LimitReached(Refusal):
    """QUOTA_EXCEEDED and its like."""

    limit: int | None = field(description="How many there may be.")


@strawberry.type(description="As things stand this cannot be done; `reason` says why.")
class NotPossible(Refusal):
    """PERSON_ERASED, APPOINTMENT_ENDED, NOT_A_MONITOR and their like."""


@strawberry.type(description="As many as may hold the position there hold it already.")
class SeatsTaken(Refusal):
    """Which seats, and when they are taken."""

    unit_id: strawberry.ID | None = field(description="In which unit.")
    position: str | None = field(description="Key of the position.")
    seats: int | None = field(description="How many there are.")
    at: datetime | None = field(description="An instant at which all are taken.")


@strawberry.type(description="The person holds the position there already.")
class AlreadyAppointed(Refusal):
    """The appointment that stands."""

    appointment_id: strawberry.ID | None = field(description="The appointment that stands.")


@strawberry.type(description="Somebody watches the unit, or covers for the watch, already.")
class AlreadyWatched(Refusal):
    """ALREADY_WATCHING, ALREADY_COVERED or WATCH_PLANNED."""

    watch_id: strawberry.ID | None = field(description="The watch that is in the way.")


@strawberry.type(description="Units, appointments or teams stand on what would go or change.")
class BlueprintInUse(Refusal):
    """What is in the way."""

    levels: list[str] = field(description="Keys of the levels that are in use.")
    positions: list[str] = field(description="Keys of the positions that are held.")
    team_kinds: list[str] = field(description="Keys of the kinds of which there are teams.")


async def unless_refused(change: Awaitable[S], refusals: tuple[type[R], ...]) -> S | R:
    """What a change made, or the refusal that the mutation's result has a place for.

    Raises:
        ChaupalError: what is no refusal, or none of these.
    """
    try:
        return await change
    except ChaupalError as error:
        refusal = refusal_of(error)
        for each in refusals:
            if isinstance(refusal, each):
                return refusal
        raise


def refusal_of(error: ChaupalError) -> Refusal | None:
    """The refusal that an error of the service tells; None for what is no refusal."""
    if isinstance(error, errors.InvalidInput):
        return InvalidInput(
            message=below(error.message),
            reason=error.reason,
            violations=[
                FieldViolation.of(each, below(each.field)) for each in bounded(error.violations)
            ],
        )
    if isinstance(error, errors.Conflict):
        return Conflict(
            message=error.message,
            reason=error.reason,
            current_etag=error.current_etag,
            current_tree_version=_number(error.fields(), "tree_version"),
        )
    make = _BY_REASON.get(error.reason)
    return make(error.message, error.reason, error.fields()) if make else None


def below(text: str) -> str:
    """A path, or a message with one, in the words of the input: names are a list there."""
    return text.replace(".byLanguage", "").replace(".by_language", "")


Fields = Mapping[str, str]
Make = Callable[[str, str, Fields], Refusal]


def _not_allowed(message: str, reason: str, fields: Fields) -> Refusal:
    capability = fields.get("capability")
    unit_id = _id(fields, "unit_id", "Unit")
    return NotAllowed(message=message, reason=reason, capability=capability, unit_id=unit_id)


def _unit_not_found(message: str, reason: str, fields: Fields) -> Refusal:
    return UnitNotFound(
        message=message,
        reason=reason,
        unit_id=_id(fields, "unit_id", "Unit"),
        level=fields.get("level"),
        code=fields.get("code"),
    )


def _person_not_found(message: str, reason: str, fields: Fields) -> Refusal:
    person_id = _id(fields, "person_id", "Person")
    return PersonNotFound(message=message, reason=reason, person_id=person_id)


def _appointment_not_found(message: str, reason: str, fields: Fields) -> Refusal:
    appointment_id = _id(fields, "appointment_id", "Appointment")
    return AppointmentNotFound(message=message, reason=reason, appointment_id=appointment_id)


def _team_not_found(message: str, reason: str, fields: Fields) -> Refusal:
    return TeamNotFound(message=message, reason=reason, team_id=_id(fields, "team_id", "Team"))


def _watch_not_found(message: str, reason: str, fields: Fields) -> Refusal:
    return WatchNotFound(message=message, reason=reason, watch_id=_id(fields, "watch_id", "Watch"))


def _already_in_use(message: str, reason: str, _: Fields) -> Refusal:
    return AlreadyInUse(message=message, reason=reason)


def _limit_reached(message: str, reason: str, fields: Fields) -> Refusal:
    return LimitReached(message=message, reason=reason, limit=_number(fields, "limit"))


def _not_possible(message: str, reason: str, _: Fields) -> Refusal:
    return NotPossible(message=message, reason=reason)


def _seats_taken(message: str, reason: str, fields: Fields) -> Refusal:
    return SeatsTaken(
        message=message,
        reason=reason,
        unit_id=_id(fields, "unit_id", "Unit"),
        position=fields.get("position"),
        seats=_number(fields, "seats"),
        at=_instant(fields, "at"),
    )


def _already_appointed(message: str, reason: str, fields: Fields) -> Refusal:
    appointment_id = _id(fields, "appointment_id", "Appointment")
    return AlreadyAppointed(message=message, reason=reason, appointment_id=appointment_id)


def _already_watched(message: str, reason: str, fields: Fields) -> Refusal:
    watch_id = _id(fields, "watch_id", "Watch")
    return AlreadyWatched(message=message, reason=reason, watch_id=watch_id)


def _blueprint_in_use(message: str, reason: str, fields: Fields) -> Refusal:
    return BlueprintInUse(
        message=message,
        reason=reason,
        levels=_keys(fields, "levels"),
        positions=_keys(fields, "positions"),
        team_kinds=_keys(fields, "team_kinds"),
    )


_BY_REASON: Mapping[str, Make] = {
    "CAPABILITY_MISSING": _not_allowed,
    "UNIT_NOT_FOUND": _unit_not_found,
    "PERSON_NOT_FOUND": _person_not_found,
    "APPOINTMENT_NOT_FOUND": _appointment_not_found,
    "TEAM_NOT_FOUND": _team_not_found,
    "WATCH_NOT_FOUND": _watch_not_found,
    "PHONE_IN_USE": _already_in_use,
    "SUBJECT_IN_USE": _already_in_use,
    "QUOTA_EXCEEDED": _limit_reached,
    "TOO_MANY_TEAMS": _limit_reached,
    "TOO_MANY_AREAS": _limit_reached,
    "BLUEPRINT_NOT_FOUND": _not_possible,
    "PERSON_ERASED": _not_possible,
    "APPOINTMENT_ENDED": _not_possible,
    "APPOINTMENT_NOT_IN_FORCE": _not_possible,
    "TEAM_ENDED": _not_possible,
    "WATCH_ENDED": _not_possible,
    "NOT_A_MONITOR": _not_possible,
    "SEATS_TAKEN": _seats_taken,
    "ALREADY_APPOINTED": _already_appointed,
    "ALREADY_WATCHING": _already_watched,
    "ALREADY_COVERED": _already_watched,
    "WATCH_PLANNED": _already_watched,
    "BLUEPRINT_IN_USE": _blueprint_in_use,
}


def _id(fields: Fields, name: str, type_name: str) -> strawberry.ID | None:
    uuid = fields.get(name)
    return encode_id(type_name, uuid) if uuid else None


def _keys(fields: Fields, name: str) -> list[str]:
    """As many keys as had room in the error; the message says how many there are."""
    return [each for each in fields.get(name, "").split(",") if each]


def _number(fields: Fields, name: str) -> int | None:
    text = fields.get(name, "")
    return int(text) if text.isdecimal() else None


def _instant(fields: Fields, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(fields.get(name, ""))
    except ValueError:
        return None
