"""Thin typed wrappers over the stubs of PeopleService and AccessService."""

from collections.abc import Sequence
from datetime import datetime

import grpc.aio
from chaupal.hierarchy.v1 import access_pb2, access_pb2_grpc
from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2_grpc as stubs

from gateway.context import Context
from gateway.graph.peer import Peer
from gateway.graph.scalars import optional_stamp
from gateway.subgraphs.hierarchy.batches import outcomes
from kit.errors import ChaupalError

SERVICE = "chaupal.hierarchy.v1.PeopleService"
ACCESS_SERVICE = "chaupal.hierarchy.v1.AccessService"
# Reads, and writes, each of which carries a request_id.
RETRYABLE = tuple(
    f"{SERVICE}/{each}"
    for each in (
        "BatchGetPersons",
        "FindPersonByPhone",
        "BatchListUnitAppointments",
        "BatchListPersonAppointments",
        "ListVacancies",
        "ListVerificationQueue",
        "CountAppointments",
        "BatchListTeams",
        "BatchGetWatchLines",
        "ListWatches",
        "ListUnwatched",
        "PutPerson",
        "ErasePerson",
        "Appoint",
        "EndAppointments",
        "VerifyAppointments",
        "PutTeam",
        "AssignWatch",
        "EndWatch",
    )
)
ACCESS_RETRYABLE = (f"{ACCESS_SERVICE}/GetViewer",)
_PERSON_PATHS = {"id": "personId"}
_APPOINTMENT_PATHS = {"ids": "appointmentIds"}
_WATCH_PATHS = {"id": "watchId"}


class AccessClient:
    """Who the caller is."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = access_pb2_grpc.AccessServiceStub(channel)
        self._peer = Peer(context, ACCESS_SERVICE)

    async def viewer(self) -> access_pb2.GetViewerResponse:
        """Positions, capabilities and scopes of the caller."""
        request = access_pb2.GetViewerRequest()
        return await self._peer.call("GetViewer", self._stub.GetViewer, request)


class PeopleClient:
    """The reads that the graph makes; every one raises the service's errors as kinds."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.PeopleServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def persons(self, ids: Sequence[str], *, unmask: bool) -> list[pb.Person | ChaupalError]:
        """Persons by id, in the order of the ids."""
        request = pb.BatchGetPersonsRequest(ids=ids, unmask=unmask)
        reply = await self._peer.call("BatchGetPersons", self._stub.BatchGetPersons, request)
        return outcomes(reply.results, "person")

    async def person_by_phone(self, phone: str) -> pb.Person:
        """The person with a phone number."""
        request = pb.FindPersonByPhoneRequest(phone=phone)
        reply = await self._peer.call("FindPersonByPhone", self._stub.FindPersonByPhone, request)
        return reply.person

    async def unit_appointments(
        self,
        unit_ids: Sequence[str],
        positions: Sequence[str],
        as_of: datetime | None,
        *,
        with_ended: bool,
    ) -> list[pb.Appointments | ChaupalError]:
        """The appointments of each unit, in the order of the ids."""
        request = pb.BatchListUnitAppointmentsRequest(
            unit_ids=unit_ids,
            positions=positions,
            as_of=optional_stamp(as_of),
            with_ended=with_ended,
        )
        reply = await self._peer.call(
            "BatchListUnitAppointments", self._stub.BatchListUnitAppointments, request
        )
        return outcomes(reply.results, "appointments")

    async def person_appointments(
        self, person_ids: Sequence[str], as_of: datetime | None, *, with_ended: bool
    ) -> list[pb.Appointments | ChaupalError]:
        """The appointments of each person, in the order of the ids."""
        request = pb.BatchListPersonAppointmentsRequest(
            person_ids=person_ids, as_of=optional_stamp(as_of), with_ended=with_ended
        )
        reply = await self._peer.call(
            "BatchListPersonAppointments", self._stub.BatchListPersonAppointments, request
        )
        return outcomes(reply.results, "appointments")

    async def teams(
        self, unit_ids: Sequence[str], as_of: datetime | None
    ) -> list[pb.Teams | ChaupalError]:
        """The teams of each unit, in the order of the ids."""
        request = pb.BatchListTeamsRequest(unit_ids=unit_ids, as_of=optional_stamp(as_of))
        reply = await self._peer.call("BatchListTeams", self._stub.BatchListTeams, request)
        return outcomes(reply.results, "teams")

    async def watch_lines(
        self, unit_ids: Sequence[str], as_of: datetime | None
    ) -> list[pb.WatchLine | ChaupalError]:
        """Who watches each unit, in the order of the ids."""
        request = pb.BatchGetWatchLinesRequest(unit_ids=unit_ids, as_of=optional_stamp(as_of))
        reply = await self._peer.call("BatchGetWatchLines", self._stub.BatchGetWatchLines, request)
        return outcomes(reply.results, "line")

    async def page_of_vacancies(self, request: pb.ListVacanciesRequest) -> pb.ListVacanciesResponse:
        """A page of units in which nobody holds a position."""
        return await self._peer.call("ListVacancies", self._stub.ListVacancies, request)

    async def page_of_queue(
        self, request: pb.ListVerificationQueueRequest
    ) -> pb.ListVerificationQueueResponse:
        """A page of appointments to be looked at."""
        return await self._peer.call(
            "ListVerificationQueue", self._stub.ListVerificationQueue, request
        )

    async def count_appointments(
        self, request: pb.CountAppointmentsRequest
    ) -> pb.CountAppointmentsResponse:
        """How many appointments are in force."""
        return await self._peer.call("CountAppointments", self._stub.CountAppointments, request)

    async def page_of_watches(self, request: pb.ListWatchesRequest) -> pb.ListWatchesResponse:
        """A page of watches."""
        return await self._peer.call("ListWatches", self._stub.ListWatches, request)

    async def page_of_unwatched(self, request: pb.ListUnwatchedRequest) -> pb.ListUnwatchedResponse:
        """A page of units that nobody watches."""
        return await self._peer.call("ListUnwatched", self._stub.ListUnwatched, request)


class PeopleChanges:
    """The writes that the graph makes; faults are named by their path below the input."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.PeopleServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def put_person(self, request: pb.PutPersonRequest) -> pb.PutPersonResponse:
        """A person as they shall be."""
        return await self._peer.call("PutPerson", self._stub.PutPerson, request, _PERSON_PATHS)

    async def erase_person(self, request: pb.ErasePersonRequest) -> pb.ErasePersonResponse:
        """A person without their data."""
        return await self._peer.call("ErasePerson", self._stub.ErasePerson, request, _PERSON_PATHS)

    async def appoint(self, request: pb.AppointRequest) -> pb.AppointResponse:
        """A new appointment."""
        return await self._peer.call("Appoint", self._stub.Appoint, request, {})

    async def end_appointments(
        self, request: pb.EndAppointmentsRequest
    ) -> pb.EndAppointmentsResponse:
        """Appointments with an end."""
        return await self._peer.call(
            "EndAppointments", self._stub.EndAppointments, request, _APPOINTMENT_PATHS
        )

    async def verify_appointments(
        self, request: pb.VerifyAppointmentsRequest
    ) -> pb.VerifyAppointmentsResponse:
        """Appointments that were found true."""
        return await self._peer.call(
            "VerifyAppointments", self._stub.VerifyAppointments, request, _APPOINTMENT_PATHS
        )

    async def put_team(self, request: pb.PutTeamRequest) -> pb.PutTeamResponse:
        """A team as it shall be."""
        return await self._peer.call("PutTeam", self._stub.PutTeam, request, {})

    async def assign_watch(self, request: pb.AssignWatchRequest) -> pb.AssignWatchResponse:
        """A new watch."""
        return await self._peer.call("AssignWatch", self._stub.AssignWatch, request, {})

    async def end_watch(self, request: pb.EndWatchRequest) -> pb.EndWatchResponse:
        """A watch with an end."""
        return await self._peer.call("EndWatch", self._stub.EndWatch, request, _WATCH_PATHS)
