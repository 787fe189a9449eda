"""What can be wrong with persons, appointments, teams and watches."""

from datetime import datetime

from kit.errors import (
    AlreadyExists,
    AtLimit,
    Conflict,
    NotFound,
    PreconditionFailed,
    Unavailable,
)


class PersonNotFound(NotFound):
    """There is no such person, or none that the caller may see."""

    reason = "PERSON_NOT_FOUND"
    sentence = "there is no person {person_id}"
    person_id: str


class PhoneNotFound(NotFound):
    """Nobody has the number, or nobody whom the caller may see. Does not repeat the number."""

    reason = "PERSON_NOT_FOUND"
    sentence = "there is no person with this phone number"


class PersonErased(PreconditionFailed):
    """The person's data was erased, for ever."""

    reason = "PERSON_ERASED"
    sentence = "the data of person {person_id} was erased"
    person_id: str


class PersonChanged(Conflict):
    """Somebody has changed the person since the caller looked."""

    reason = "PERSON_CHANGED"
    sentence = "person {person_id} has changed: read it again"
    person_id: str


class PhoneInUse(AlreadyExists):
    """Another person has the number; whose it is, is not said."""

    reason = "PHONE_IN_USE"
    sentence = "another person has this phone number"


class SubjectInUse(AlreadyExists):
    """Another person has the login; whose it is, is not said."""

    reason = "SUBJECT_IN_USE"
    sentence = "another person has this login"


class AppointmentNotFound(NotFound):
    """There is no such appointment, or none that the caller may see."""

    reason = "APPOINTMENT_NOT_FOUND"
    sentence = "there is no appointment {appointment_id}"
    appointment_id: str


class AlreadyAppointed(AlreadyExists):
    """The person holds the position there already, at some time of the tenure."""

    reason = "ALREADY_APPOINTED"
    sentence = "the person holds this position there already: appointment {appointment_id}"
    appointment_id: str


class SeatsTaken(PreconditionFailed):
    """As many as may hold the position there hold it already at some instant of the tenure."""

    reason = "SEATS_TAKEN"
    sentence = "all {seats} seats of {position} in unit {unit_id} are taken at {at}"
    unit_id: str
    position: str
    seats: int
    at: datetime


class AppointmentEnded(PreconditionFailed):
    """The appointment has an earlier end already."""

    reason = "APPOINTMENT_ENDED"
    sentence = "appointment {appointment_id} ended at {ended_at}"
    appointment_id: str
    ended_at: datetime


class AppointmentNotInForce(PreconditionFailed):
    """The appointment has ended, or has not begun: there is nothing to be found true."""

    reason = "APPOINTMENT_NOT_IN_FORCE"
    sentence = "appointment {appointment_id} is not in force"
    appointment_id: str


class TeamNotFound(NotFound):
    """There is no such team, or none that the caller may see."""

    reason = "TEAM_NOT_FOUND"
    sentence = "there is no team {team_id}"
    team_id: str


class TeamEnded(PreconditionFailed):
    """The team was closed."""

    reason = "TEAM_ENDED"
    sentence = "team {team_id} was closed"
    team_id: str


class TooManyTeams(AtLimit):
    """The unit has as many teams as a unit may have."""

    reason = "TOO_MANY_TEAMS"
    sentence = "a unit has at most {limit} teams"


class WatchNotFound(NotFound):
    """There is no such watch, or none that the caller may see."""

    reason = "WATCH_NOT_FOUND"
    sentence = "there is no watch {watch_id}"
    watch_id: str


class WatchEnded(PreconditionFailed):
    """The watch has an earlier end already."""

    reason = "WATCH_ENDED"
    sentence = "watch {watch_id} ended at {ended_at}"
    watch_id: str
    ended_at: datetime


class NotAMonitor(PreconditionFailed):
    """The person holds no position with the role `monitor` when the watch is to begin."""

    reason = "NOT_A_MONITOR"
    sentence = "person {person_id} holds no position of a monitor at {at}"
    person_id: str
    at: datetime


class AlreadyWatching(AlreadyExists):
    """The person watches the unit already."""

    reason = "ALREADY_WATCHING"
    sentence = "the person watches this unit already: watch {watch_id}"
    watch_id: str


class WatchPlanned(PreconditionFailed):
    """A watch of the unit begins later and would be overlapped: end it first."""

    reason = "WATCH_PLANNED"
    sentence = "watch {watch_id} of this unit begins at {begins_at}: end it first"
    watch_id: str
    begins_at: datetime


class AlreadyCovered(AlreadyExists):
    """Somebody covers for the watch already, at some time of the new cover."""

    reason = "ALREADY_COVERED"
    sentence = "somebody covers for this watch already: watch {watch_id}"
    watch_id: str


class SecretsChanged(Conflict):
    """The tenant's secrets were rotated while a number was being sealed: try again."""

    reason = "SECRETS_CHANGED"
    sentence = "the organisation's keys are just being changed: try again"


class SecretUnreadable(Unavailable):
    """A secret, or what was sealed with one, cannot be opened with the keys of this process."""

    reason = "SECRET_UNREADABLE"
    sentence = "cannot open the {secret}: the key-encryption keys do not fit"
    secret: str


class KeyNotHeld(Unavailable):
    """This process was not given the key-encryption key that a secret was wrapped with."""

    reason = "KEY_NOT_HELD"
    sentence = "this process has no key-encryption key {key_id}"
    key_id: str
