"""Decides who holds which office: appointed, ended, found true."""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kit.errors import InvalidInput
from services.hierarchy.domain.errors import BlueprintNotFound, QuotaExceeded, UnitNotFound
from services.hierarchy.domain.model import Blueprint, Position, RequestId, Unit, UnitId
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.people import Appointment, AppointmentId, PersonId
from services.hierarchy.domain.people_errors import (
    AlreadyAppointed,
    AppointmentEnded,
    AppointmentNotFound,
    AppointmentNotInForce,
    PersonErased,
    PersonNotFound,
    SeatsTaken,
)
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_ID,
    APPOINTMENTS_BY_PERSON,
    APPOINTMENTS_BY_UNIT,
    PERSONS_BY_ID,
    UNITS_BY_ID,
    WATCHES_BY_PERSON,
    WATCHES_BY_UNIT,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tenures import (
    appointments_changed,
    ended,
    in_force,
    is_open,
    overlaps,
    require_span,
    watches_changed,
    with_new_access,
)
from services.hierarchy.domain.watch_changes import (
    MONITOR,
    end_with_covers,
    is_monitor,
    positions_with,
)


@dataclass(frozen=True, slots=True)
class Appoint:
    """A request for an appointment; `valid_from` None is now, `valid_to` None is no end."""

    request_id: RequestId = field(repr=False)
    unit_id: UnitId
    position: str
    person_id: PersonId
    valid_from: datetime | None
    valid_to: datetime | None
    validate_only: bool


@dataclass(frozen=True, slots=True)
class EndAppointments:
    """A request to end appointments, all or none; `valid_to` None is now."""

    request_id: RequestId = field(repr=False)
    ids: tuple[AppointmentId, ...]
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class VerifyAppointments:
    """A request to note that appointments were found true, all or none."""

    request_id: RequestId = field(repr=False)
    ids: tuple[AppointmentId, ...]


@dataclass(frozen=True, slots=True)
class AppointmentsPut:
    """The answer to a request about appointments: as they stand, in the order of the request."""

    appointments: tuple[Appointment, ...]


def decide_appoint(request: Appoint, moment: Moment) -> Steps[Appointment]:
    """Give a person an office.

    Raises:
        InvalidInput: the span, or the position for such a unit, will not do.
        UnitNotFound, PersonNotFound, PersonErased: one of them is not there.
        AlreadyAppointed: the person holds it at some instant of the tenure.
        SeatsTaken: as many as may, hold it at some instant of the tenure.
        QuotaExceeded: the tenant has as many appointments as it may.
    """
    begins = request.valid_from or moment.now
    require_span(begins, request.valid_to)
    found = yield Want(
        {
            UNITS_BY_ID: [request.unit_id],
            PERSONS_BY_ID: [request.person_id],
            APPOINTMENTS_BY_UNIT: [request.unit_id],
        }
    )
    unit = _standing_unit(request, found)
    position = position_at(moment.header.blueprint, request.position, unit)
    _require_person(request.person_id, found)
    appointment = Appointment(
        AppointmentId(moment.new_id()),
        unit.id,
        position.key,
        request.person_id,
        begins,
        request.valid_to,
        verified_at=None,
        revision=1,
    )
    require_free(appointment, position, found.all(APPOINTMENTS_BY_UNIT, unit.id))
    header, told = with_new_access(with_appointments(moment.header, 1))
    changes = [*appointments_changed([appointment]), told]
    return Decision(appointment, puts=[appointment], header=header, changes=changes)


def decide_end_appointments(request: EndAppointments, moment: Moment) -> Steps[AppointmentsPut]:
    """End appointments; who is no monitor any more then watches nothing any more.

    Raises:
        AppointmentNotFound: one is not there.
        AppointmentEnded: one has an earlier end.
        InvalidInput: BAD_INTERVAL on `valid_to`: one would end before its beginning.
    """
    found = yield Want({APPOINTMENTS_BY_ID: request.ids})
    at = moment.now if request.valid_to is None else request.valid_to
    before = _all_of(request.ids, found)
    after = {each.id: _with_end(each, at, exact=request.valid_to) for each in before.values()}
    puts = [each for each in after.values() if each != before[each.id]]
    answer = AppointmentsPut(tuple(after[each] for each in request.ids))
    if not puts:
        return Decision(answer)
    watches = yield from watches_that_end(puts, at, moment.header.blueprint, after)
    header, told = with_new_access(moment.header)
    changes = [*appointments_changed(puts), *watches_changed(watches), told]
    return Decision(answer, puts=[*puts, *watches], header=header, changes=changes)


def decide_verify_appointments(
    request: VerifyAppointments, moment: Moment
) -> Steps[AppointmentsPut]:
    """Note that appointments were found true just now.

    Raises:
        AppointmentNotFound: one is not there.
        AppointmentNotInForce: one has ended or not begun.
    """
    found = yield Want({APPOINTMENTS_BY_ID: request.ids})
    after: dict[AppointmentId, Appointment] = {}
    for each in _all_of(request.ids, found).values():
        if not in_force(each, moment.now):
            raise AppointmentNotInForce(each.id)
        after[each.id] = replace(each, verified_at=moment.now, revision=each.revision + 1)
    answer = AppointmentsPut(tuple(after[each] for each in request.ids))
    puts = list(after.values())
    return Decision(answer, puts=puts, changes=appointments_changed(puts))


def position_of(blueprint: Blueprint | None, key: str) -> Position:
    """The position of the blueprint.

    Raises:
        BlueprintNotFound: there is no blueprint.
        InvalidInput: UNKNOWN_POSITION on `position`.
    """
    if blueprint is None:
        raise BlueprintNotFound
    position = next((each for each in blueprint.positions if each.key == key), None)
    if position is None:
        raise InvalidInput.of("position", "UNKNOWN_POSITION", "no such position in the blueprint")
    return position


def position_at(blueprint: Blueprint | None, key: str, unit: Unit) -> Position:
    """The position of the blueprint, for such a unit.

    Raises:
        BlueprintNotFound: there is no blueprint.
        InvalidInput: UNKNOWN_POSITION or POSITION_NOT_AT_LEVEL on `position`.
    """
    position = position_of(blueprint, key)
    if unit.level not in position.levels:
        said = f"units of the level {unit.level} have no {key}"
        raise InvalidInput.of("position", "POSITION_NOT_AT_LEVEL", said)
    return position


def _standing_unit(request: Appoint, found: Found) -> Unit:
    unit = found.one(UNITS_BY_ID, request.unit_id)
    if unit is None:
        raise UnitNotFound(request.unit_id)
    return unit


def _require_person(person_id: PersonId, found: Found) -> None:
    person = found.one(PERSONS_BY_ID, person_id)
    if person is None:
        raise PersonNotFound(person_id)
    if person.erased_at is not None:
        raise PersonErased(person_id)


def require_free(wanted: Appointment, position: Position, others: Iterable[Appointment]) -> None:
    """Make sure that an appointment may stand beside others.

    Args:
        wanted: as it is to stand.
        position: its position.
        others: those of its unit, if the position has a number of seats, and those of its person;
            more do no harm, nor what it is now itself.

    Raises:
        AlreadyAppointed: the person holds the position there at some instant of the tenure.
        SeatsTaken: as many as may, hold it at some instant of the tenure.
    """
    begins = wanted.valid_from
    meanwhile = {
        each.id: each
        for each in others
        if (each.unit_id, each.position) == (wanted.unit_id, wanted.position)
        and each.id != wanted.id
        and overlaps(each, begins, wanted.valid_to)
    }.values()
    for each in meanwhile:
        if each.person_id == wanted.person_id:
            raise AlreadyAppointed(each.id)
    if not position.seats:
        return
    # Seats fill up only where somebody begins.
    instants = sorted({begins, *(max(each.valid_from, begins) for each in meanwhile)})
    for instant in instants:
        if sum(in_force(each, instant) for each in meanwhile) >= position.seats:
            raise SeatsTaken(wanted.unit_id, position.key, position.seats, instant)


def with_appointments(header: TenantHeader, more: int) -> TenantHeader:
    """The header with so many appointments more. Raises `QuotaExceeded`."""
    count, most = header.counts.appointments + more, header.quotas.appointments
    if more and count > most:
        raise QuotaExceeded("appointments", most)
    return replace(header, counts=replace(header.counts, appointments=count))


def _all_of(ids: Iterable[AppointmentId], found: Found) -> Mapping[AppointmentId, Appointment]:
    appointments = {}
    for each in ids:
        appointment = found.one(APPOINTMENTS_BY_ID, each)
        if appointment is None:
            raise AppointmentNotFound(each)
        appointments[each] = appointment
    return appointments


def _with_end(appointment: Appointment, at: datetime, exact: datetime | None) -> Appointment:
    if appointment.valid_to is not None and appointment.valid_to <= at:
        if appointment.valid_to == exact:
            return appointment
        raise AppointmentEnded(appointment.id, appointment.valid_to)
    if at < appointment.valid_from:
        said = f"appointment {appointment.id} begins at {appointment.valid_from.isoformat()}"
        raise InvalidInput.of("valid_to", "BAD_INTERVAL", said)
    return ended(appointment, at)


def watches_that_end(
    ending: Iterable[Appointment],
    at: datetime,
    blueprint: Blueprint | None,
    after: Mapping[AppointmentId, Appointment],
) -> Generator[Want, Found, list[Watch]]:
    """The watches of those who are no monitors any more, and the covers for them, as they end.

    Args:
        ending: appointments that end at an instant.
        at: the instant.
        blueprint: says which positions are those of monitors.
        after: every appointment that the write changes, as it then stands.
    """
    roles = positions_with(blueprint, MONITOR) if blueprint else ()
    persons = list(dict.fromkeys(each.person_id for each in ending if each.position in roles))
    if blueprint is None or not persons:
        return []
    found = yield Want({APPOINTMENTS_BY_PERSON: persons, WATCHES_BY_PERSON: persons})
    new: dict[PersonId, list[Appointment]] = {}
    for each in after.values():
        new.setdefault(each.person_id, []).append(each)
    watches = []
    for person in persons:
        stand = (x for x in found.all(APPOINTMENTS_BY_PERSON, person) if x.id not in after)
        held = (*stand, *new.get(person, ()))
        watches += [
            each
            for each in found.all(WATCHES_BY_PERSON, person)
            # One that begins later may be that of another desk.
            if is_open(each, at) and not is_monitor(blueprint, held, max(at, each.valid_from))
        ]
    around = yield Want({WATCHES_BY_UNIT: [each.unit_id for each in watches]})
    return end_with_covers(watches, at, around)
