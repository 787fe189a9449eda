"""Appointments: made, ended, found true, and listed by unit and by person."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from kit.clock import Clock
from services.hierarchy.domain.access import Scope, Viewer, require_both
from services.hierarchy.domain.appointing import (
    Appoint,
    AppointmentsPut,
    EndAppointments,
    VerifyAppointments,
    decide_appoint,
    decide_end_appointments,
    decide_verify_appointments,
)
from services.hierarchy.domain.errors import NotAllowed
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import Blueprint, RequestId, UnitId
from services.hierarchy.domain.operations import Moment, Operation, Steps
from services.hierarchy.domain.people import Appointment, AppointmentId, PersonId, Verification
from services.hierarchy.domain.people_errors import AppointmentNotFound
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_ID,
    APPOINTMENTS_BY_PERSON,
    APPOINTMENTS_BY_UNIT,
    PERSONS_BY_ID,
)
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.holdings import look

# More of one unit or person are not listed; a unit's history may be longer.
MAX_LISTED = 1_000
Key = TypeVar("Key", bound=str)


@dataclass(frozen=True, slots=True)
class ShownAppointment:
    """An appointment, and what its last verification means now."""

    appointment: Appointment
    verification: Verification


@dataclass(frozen=True, slots=True)
class AppointmentList:
    """Some appointments, and whether there are more."""

    appointments: Sequence[ShownAppointment]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """Which appointments are meant: in force at an instant, or all there ever were.

    Attributes:
        at: the instant; None for now.
        with_ended: also those that have ended or not begun, whatever the instant.
    """

    at: datetime | None = None
    with_ended: bool = False


class Appointments:
    """Appointments of the caller's tenant; those in units out of sight do not exist."""

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock

    async def appoint(self, caller: Caller, request: Appoint) -> ShownAppointment:
        """Give a person an office. Needs `administer` over the unit.

        Raises:
            UnitNotFound, PersonNotFound, PersonErased, AlreadyAppointed, SeatsTaken,
                QuotaExceeded, InvalidInput, RequestIdReused: see `decide_appoint`.
        """
        viewer = await self._access.enter(caller)
        view = await self._access.scope(viewer, "view")
        administer = await self._access.scope(viewer, "administer")
        require_both(view, administer, [request.unit_id])
        operation = Operation(
            name="appoint",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=fingerprint(request),
            answer_type=Appointment,
            decide=partial(decide_appoint, request),
            validate_only=request.validate_only,
        )
        return self._shown(viewer.header, await self._graph.write(viewer.tenant, operation))

    async def end(self, caller: Caller, request: EndAppointments) -> Sequence[ShownAppointment]:
        """End appointments, all or none. Needs `administer` over their units.

        Raises:
            AppointmentNotFound, AppointmentEnded, InvalidInput, RequestIdReused: see
                `decide_end_appointments`.
        """
        viewer = await self._access.enter(caller)
        await self._require_over(viewer, request.ids, ["administer"])
        return await self._write_many(
            viewer,
            "end appointments",
            request.request_id,
            fingerprint(request),
            partial(decide_end_appointments, request),
        )

    async def verify(
        self, caller: Caller, request: VerifyAppointments
    ) -> Sequence[ShownAppointment]:
        """Note that appointments are true. Needs `administer` or `monitor` over their units.

        Raises:
            AppointmentNotFound, AppointmentNotInForce, RequestIdReused: see
                `decide_verify_appointments`.
        """
        viewer = await self._access.enter(caller)
        await self._require_over(viewer, request.ids, ["monitor", "administer"])
        return await self._write_many(
            viewer,
            "verify appointments",
            request.request_id,
            fingerprint(request),
            partial(decide_verify_appointments, request),
        )

    async def of_units(
        self,
        caller: Caller,
        unit_ids: Collection[UnitId],
        period: Period,
        positions: Collection[str] = (),
    ) -> Mapping[UnitId, AppointmentList]:
        """The appointments of those of these units that the caller may see.

        Args:
            caller: needs `view` over something.
            unit_ids: as they stood at the period's instant.
            period: which appointments.
            positions: to these only; empty for all.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        scope = await self._access.scope(viewer, "view", period.at)
        seen = [each for each in unit_ids if each in scope]
        read = await self._graph.find(
            viewer.tenant, APPOINTMENTS_BY_UNIT, seen, at=self._instant(period)
        )

        def wanted(appointment: Appointment) -> bool:
            return not positions or appointment.position in positions

        return await self._listed(viewer.header, seen, read.value, wanted)

    async def of_persons(
        self, caller: Caller, person_ids: Collection[PersonId], period: Period
    ) -> Mapping[PersonId, AppointmentList]:
        """The appointments of those of these persons whom the caller may see.

        Of others, those in units that the caller may see; their own, all of them.
        """
        viewer = await self._access.enter(caller)
        exist = (await self._graph.find(viewer.tenant, PERSONS_BY_ID, person_ids)).value
        sight = await look(self._graph, self._access, viewer, person_ids, self._clock.now())
        seen = [each for each in person_ids if each in exist and each in sight.seen]
        read = await self._graph.find(
            viewer.tenant, APPOINTMENTS_BY_PERSON, seen, at=self._instant(period)
        )
        scope = await self._access.scope(viewer, "view", period.at)
        wanted = partial(_may_see, viewer, scope)
        return await self._listed(viewer.header, seen, read.value, wanted)

    def _instant(self, period: Period) -> datetime | None:
        return None if period.with_ended else period.at or self._clock.now()

    def _shown(self, header: TenantHeader, appointment: Appointment) -> ShownAppointment:
        return shown_appointment(header.blueprint, appointment, self._clock.now())

    async def _listed(
        self,
        header: TenantHeader,
        keys: Sequence[Key],
        found: Mapping[str, Sequence[Appointment]],
        wanted: Callable[[Appointment], bool],
    ) -> Mapping[Key, AppointmentList]:
        """Those that are wanted under each key; 7 us each, so not in the loop."""
        now, places = self._clock.now(), places_of_positions(header.blueprint)

        def place(each: Appointment) -> tuple[int, datetime, str]:
            return places.get(each.position, len(places)), each.valid_from, each.id

        def listed() -> Mapping[Key, AppointmentList]:
            ordered = {key: sorted(filter(wanted, found.get(key, ())), key=place) for key in keys}
            return {
                key: AppointmentList(
                    [shown_appointment(header.blueprint, each, now) for each in run[:MAX_LISTED]],
                    has_more=len(run) > MAX_LISTED,
                )
                for key, run in ordered.items()
            }

        return await asyncio.to_thread(listed)

    async def _require_over(
        self, viewer: Viewer, ids: Collection[AppointmentId], capabilities: Sequence[str]
    ) -> None:
        """One of the capabilities over the unit of each appointment; the last is the one named."""
        read = await self._graph.find(viewer.tenant, APPOINTMENTS_BY_ID, ids)
        view = await self._access.scope(viewer, "view")
        scopes = [await self._access.scope(viewer, each) for each in capabilities]
        for each in ids:
            found = next(iter(read.value.get(each, ())), None)
            if found is None or not _may_see(viewer, view, found):
                raise AppointmentNotFound(each)
            if not any(_covers(viewer, scope, found.unit_id) for scope in scopes):
                raise NotAllowed(capabilities[-1], found.unit_id)

    async def _write_many(
        self,
        viewer: Viewer,
        name: str,
        request_id: RequestId,
        told: str,
        decide: Callable[[Moment], Steps[AppointmentsPut]],
    ) -> Sequence[ShownAppointment]:
        operation = Operation(name, request_id, viewer.subject, told, AppointmentsPut, decide)
        answer = await self._graph.write(viewer.tenant, operation)
        return [self._shown(viewer.header, each) for each in answer.appointments]


def shown_appointment(
    blueprint: Blueprint | None, appointment: Appointment, now: datetime
) -> ShownAppointment:
    """The appointment with what its verification means now."""
    return ShownAppointment(appointment, appointment.verification(now, good_for(blueprint)))


def good_for(blueprint: Blueprint | None) -> timedelta:
    """For how long a verified appointment counts as verified."""
    return timedelta(days=blueprint.verification_days if blueprint else 0)


def places_of_positions(blueprint: Blueprint | None) -> Mapping[str, int]:
    """The order of positions in the blueprint."""
    positions = blueprint.positions if blueprint else ()
    return {each.key: place for place, each in enumerate(positions)}


def _may_see(viewer: Viewer, view: Scope, appointment: Appointment) -> bool:
    own = viewer.person is not None and viewer.person.id == appointment.person_id
    return own or _covers(viewer, view, appointment.unit_id)


def _covers(viewer: Viewer, scope: Scope, unit_id: UnitId) -> bool:
    """Whether they have the capability over a unit, also one that was closed."""
    return viewer.roots(scope.capability) is None or unit_id in scope
