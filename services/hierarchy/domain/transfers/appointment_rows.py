"""What a page of appointments creates and changes."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, groupby

from kit.errors import ChaupalError
from services.hierarchy.domain.appointing import (
    position_at,
    require_free,
    watches_that_end,
    with_appointments,
)
from services.hierarchy.domain.errors import BlueprintNotFound
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import Blueprint, Unit, UnitKey
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.pending import Pending
from services.hierarchy.domain.people import Appointment, AppointmentId, Person
from services.hierarchy.domain.persons import header_with_persons
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_PERSON,
    APPOINTMENTS_BY_UNIT,
    UNITS_BY_KEY,
    Record,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tenures import (
    appointments_changed,
    in_force,
    is_open,
    require_span,
    watches_changed,
    with_new_access,
)
from services.hierarchy.domain.text import Fault, is_key, quoted
from services.hierarchy.domain.transfers.newcomers import Newcomers, person_faults, persons_wanted
from services.hierarchy.domain.transfers.notes import RowNotes
from services.hierarchy.domain.transfers.numbers import Numbers
from services.hierarchy.domain.transfers.rows import AppointmentRow, PageReport
from services.hierarchy.domain.transfers.units import (
    Rights,
    unit_fault,
    unit_key_faults,
    unit_keys,
    unit_of,
)


def decide_appointment_rows(
    rows: Sequence[AppointmentRow], numbers: Numbers, rights: Rights, moment: Moment
) -> Steps[PageReport]:
    """Create and change appointments as the rows say, or answer with all that is wrong with them.

    Who is no monitor any more then watches nothing any more.

    Raises:
        BlueprintNotFound: the tenant has no positions yet.
        QuotaExceeded: there would be more persons or appointments than the tenant may have.
        SecretsChanged: the numbers are hashed under other secrets than the tenant's.
    """
    blueprint = moment.header.blueprint
    if blueprint is None:
        raise BlueprintNotFound
    numbers.require_current(moment.header)
    notes, known = RowNotes(), Pending()
    sound = [row for row in rows if not notes.wrong(row, _faults(row, numbers, moment))]
    persons = persons_wanted((row.person for row in sound), numbers)
    known.learn((yield Want({**persons.keys, UNITS_BY_KEY: unit_keys(x.unit for x in sound)})))
    units = _units(sound, known, rights, notes)
    sound = [row for row in sound if row.unit in units]
    newcomers = Newcomers(numbers, known, moment)
    known.learn((yield _appointments_wanted(sound, units, newcomers, blueprint)))
    page = _Page(moment, blueprint, newcomers)
    for row in sound:
        try:
            page.put(row, units[row.unit], notes)
        except ChaupalError as error:
            notes.refused(row, error)
    report = notes.report(len(rows))
    if notes.any_wrong or not page.changed:
        return Decision(report)
    watches = yield from page.watches_that_end()
    header, changes = page.header_and_changes(watches)
    puts: list[Record] = [*known.puts(Person), *page.changed.values(), *watches]
    return Decision(report, puts=puts, header=header, changes=changes)


def _faults(row: AppointmentRow, numbers: Numbers, moment: Moment) -> Iterator[Fault]:
    yield from unit_key_faults(row.unit)
    if not row.position:
        yield Fault("position", "MISSING", "the position is needed")
    elif not is_key(row.position):
        yield Fault("position", "BAD_KEY", f"{quoted(row.position)} is no key of a position")
    yield from person_faults(row.person, numbers)
    if row.verified_at is not None and row.verified_at > moment.now:
        yield Fault("verified_at", "IN_FUTURE", "nobody has found it true yet")


def _units(
    rows: Iterable[AppointmentRow], known: Found, rights: Rights, notes: RowNotes
) -> Mapping[UnitKey, Unit]:
    """The units of the rows; notes the rows of those that are not there or not the caller's."""
    units: dict[UnitKey, Unit] = {}
    for row in rows:
        unit = unit_of(row.unit, known)
        fault = unit_fault(unit, row.unit, rights)
        if fault is None and unit is not None:
            units[row.unit] = unit
        notes.wrong(row, [fault] if fault else ())
    return units


def _appointments_wanted(
    rows: Iterable[AppointmentRow],
    units: Mapping[UnitKey, Unit],
    newcomers: Newcomers,
    blueprint: Blueprint,
) -> Want:
    """What the persons hold already; and where seats are counted, who sits there."""
    rows = list(rows)
    counted = {each.key for each in blueprint.positions if each.seats}
    persons = set()
    for row in rows:
        try:
            person = newcomers.standing(row.person)
        except ChaupalError:
            # Told when it is the row's turn.
            continue
        if person is not None:
            persons.add(person.id)
    return Want(
        {
            APPOINTMENTS_BY_PERSON: persons,
            APPOINTMENTS_BY_UNIT: {units[x.unit].id for x in rows if x.position in counted},
        }
    )


@dataclass(slots=True)
class _Page:
    """What the rows so far come to."""

    moment: Moment
    blueprint: Blueprint
    newcomers: Newcomers
    # As they stood before, and as they stand after all that was put.
    before: dict[AppointmentId, Appointment | None] = field(default_factory=dict)
    changed: dict[AppointmentId, Appointment] = field(default_factory=dict)

    def put(self, row: AppointmentRow, unit: Unit, notes: RowNotes) -> None:
        """Take one row, of a unit that stands. Raises why it cannot be."""
        position = position_at(self.blueprint, row.position, unit)
        person = self.newcomers.find_or_make(row.person)
        known = self.newcomers.known
        held = known.all(APPOINTMENTS_BY_PERSON, person.id)
        before = self._standing(row, unit, held)
        after = self._changed(before, row) if before else self._new(row, unit, person)
        if after == before:
            notes.unchanged()
            return
        require_span(after.valid_from, after.valid_to)
        if before is None or _lasts_longer(before, after):
            beside = known.all(APPOINTMENTS_BY_UNIT, unit.id) if position.seats else ()
            require_free(after, position, chain(held, beside))
        known.put(after)
        self.before.setdefault(after.id, before)
        self.changed[after.id] = after
        if before is None:
            notes.created()
        else:
            notes.updated()

    def watches_that_end(self) -> Generator[Want, Found, Sequence[Watch]]:
        """The watches of those whose last appointment as a monitor ends."""
        ending = [
            after
            for after in self.changed.values()
            if (before := self.before[after.id]) and after.valid_to and _ends_earlier(before, after)
        ]
        watches: dict[str, Watch] = {}
        for at, group in groupby(sorted(ending, key=_end), key=_end):
            for each in (yield from watches_that_end(group, at, self.blueprint, self.changed)):
                watches.setdefault(each.id, each)
        return list(watches.values())

    def header_and_changes(
        self, watches: Sequence[Watch]
    ) -> tuple[TenantHeader | None, Sequence[Change]]:
        """The header, if it changes, and what peers are told."""
        before = self.moment.header
        new_persons = [(None, each) for each in self.newcomers.known.puts(Person)]
        header, _ = header_with_persons(new_persons, before)
        header = with_appointments(header, sum(each is None for each in self.before.values()))
        changes = [*appointments_changed([*self.changed.values()]), *watches_changed(watches)]
        if any(self._changes_access(each) for each in self.changed.values()):
            header, told = with_new_access(header)
            changes.append(told)
        return (header if header != before else None), changes

    def _changes_access(self, after: Appointment) -> bool:
        before = self.before[after.id]
        return before is None or before.valid_to != after.valid_to

    def _standing(
        self, row: AppointmentRow, unit: Unit, held: Iterable[Appointment]
    ) -> Appointment | None:
        there = [
            each
            for each in held
            if (each.unit_id, each.position) == (unit.id, row.position)
            # What ended before it began never was.
            and (each.valid_to is None or each.valid_to > each.valid_from)
        ]
        if row.valid_from is not None:
            return next((each for each in there if each.valid_from == row.valid_from), None)
        now = self.moment.now
        current = [each for each in there if in_force(each, now)]
        return next(iter(current or (each for each in there if is_open(each, now))), None)

    def _changed(self, before: Appointment, row: AppointmentRow) -> Appointment:
        after = replace(
            before,
            valid_to=row.valid_to or before.valid_to,
            verified_at=row.verified_at or before.verified_at,
        )
        return before if after == before else replace(after, revision=before.revision + 1)

    def _new(self, row: AppointmentRow, unit: Unit, person: Person) -> Appointment:
        return Appointment(
            AppointmentId(self.moment.new_id()),
            unit.id,
            row.position,
            person.id,
            row.valid_from or self.moment.now,
            row.valid_to,
            row.verified_at,
            revision=1,
        )


def _lasts_longer(before: Appointment, after: Appointment) -> bool:
    return before.valid_to is not None and not _ends_earlier(before, after)


def _ends_earlier(before: Appointment, after: Appointment) -> bool:
    if after.valid_to is None:
        return False
    return before.valid_to is None or after.valid_to < before.valid_to


def _end(appointment: Appointment) -> datetime:
    if appointment.valid_to is None:
        raise ValueError("it has no end")
    return appointment.valid_to
