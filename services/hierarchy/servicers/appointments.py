"""Appointments, and what is to be done about them."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio

from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.people_errors import PersonNotFound
from services.hierarchy.servicers.batches import ids_of, one_each
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import people_answers as answers
from services.hierarchy.translate import people_queries as queries
from services.hierarchy.translate import people_requests as requests
from services.hierarchy.translate.people_values import appointment_to_proto, count_to_proto
from services.hierarchy.use_cases.appointments import Appointments
from services.hierarchy.use_cases.staffing import Staffing


class AppointmentCalls(stubs.PeopleServiceServicer):
    """The calls about them."""

    _appointments: Appointments
    _staffing: Staffing

    async def Appoint(self, request: pb.AppointRequest, context: Context) -> pb.AppointResponse:
        """Give somebody an office."""
        asked = requests.appoint_from_proto(request)
        shown = await self._appointments.appoint(current().caller, asked)
        return pb.AppointResponse(appointment=appointment_to_proto(shown))

    async def EndAppointments(
        self, request: pb.EndAppointmentsRequest, context: Context
    ) -> pb.EndAppointmentsResponse:
        """End some."""
        asked = requests.end_appointments_from_proto(request)
        shown = await self._appointments.end(current().caller, asked)
        return pb.EndAppointmentsResponse(appointments=map(appointment_to_proto, shown))

    async def VerifyAppointments(
        self, request: pb.VerifyAppointmentsRequest, context: Context
    ) -> pb.VerifyAppointmentsResponse:
        """Note that some are true."""
        asked = requests.verify_appointments_from_proto(request)
        shown = await self._appointments.verify(current().caller, asked)
        return pb.VerifyAppointmentsResponse(appointments=map(appointment_to_proto, shown))

    async def BatchListUnitAppointments(
        self, request: pb.BatchListUnitAppointmentsRequest, context: Context
    ) -> pb.BatchListUnitAppointmentsResponse:
        """Those of many units."""
        asked = queries.batch_of(request.unit_ids, "unit_ids", UnitId)
        period = queries.period_from_proto(request)
        positions = queries.positions_from_proto(request)
        found = await self._appointments.of_units(
            current().caller, ids_of(asked), period, positions
        )
        results = one_each(asked, found, UnitNotFound)
        return await asyncio.to_thread(answers.unit_appointments_to_proto, results)

    async def BatchListPersonAppointments(
        self, request: pb.BatchListPersonAppointmentsRequest, context: Context
    ) -> pb.BatchListPersonAppointmentsResponse:
        """Those of many persons."""
        asked = queries.batch_of(request.person_ids, "person_ids", PersonId)
        period = queries.period_from_proto(request)
        found = await self._appointments.of_persons(current().caller, ids_of(asked), period)
        results = one_each(asked, found, PersonNotFound)
        return await asyncio.to_thread(answers.person_appointments_to_proto, results)

    async def ListVacancies(
        self, request: pb.ListVacanciesRequest, context: Context
    ) -> pb.ListVacanciesResponse:
        """Where nobody holds an office."""
        caller = current().caller
        within, page = queries.vacancies_from_proto(request, caller.tenant_id)
        found = await self._staffing.vacancies(
            caller, request.position, request.level, within, limit=page.limit, after=page.after
        )
        return pb.ListVacanciesResponse(
            unit_ids=found.unit_ids,
            next_page_token=page.token(found.next),
            total_count=found.total_count,
            unit_count=found.unit_count,
        )

    async def ListVerificationQueue(
        self, request: pb.ListVerificationQueueRequest, context: Context
    ) -> pb.ListVerificationQueueResponse:
        """Appointments to be looked at."""
        caller = current().caller
        query, page = queries.queue_from_proto(request, caller.tenant_id)
        found = await self._staffing.queue(caller, query, limit=page.limit, after=page.after)
        return pb.ListVerificationQueueResponse(
            appointments=map(appointment_to_proto, found.appointments),
            next_page_token=page.token(found.next),
        )

    async def CountAppointments(
        self, request: pb.CountAppointmentsRequest, context: Context
    ) -> pb.CountAppointmentsResponse:
        """How many there are."""
        within = queries.within_from_text(request.within_unit_id)
        tallies = await self._staffing.count(current().caller, within)
        return pb.CountAppointmentsResponse(counts=map(count_to_proto, tallies))
