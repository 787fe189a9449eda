"""The wires of PeopleService and AccessService over plain data."""
# ruff: noqa: ARG002  # the signatures are the contract's

from collections.abc import Sequence
from typing import Any

from chaupal.hierarchy.v1 import access_pb2, hierarchy_pb2
from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1.access_pb2_grpc import AccessServiceServicer
from chaupal.hierarchy.v1.people_pb2_grpc import PeopleServiceServicer

from kit.errors import NotFound
from kit.status import error_to_status

from .hierarchy import DOMAIN, changed
from .recording import entered
from .world import World, page, uid


class PersonNotFound(NotFound):
    reason = "PERSON_NOT_FOUND"
    person_id: str


class FakeAccess(AccessServiceServicer):
    """Says that the caller is the president of a district, and may look at it."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def GetViewer(self, request: access_pb2.GetViewerRequest, context: Any) -> Any:
        entered(self._world, "GetViewer", 1, request)
        appointment = self._world.appointments[0]
        grant = hierarchy_pb2.Grant(capability="view", categories=["farmers"])
        everywhere = hierarchy_pb2.Grant(capability="compose")
        return access_pb2.GetViewerResponse(
            access_version=7,
            person=self._world.persons[appointment.person_id],
            appointments=[appointment],
            grants=[
                access_pb2.ScopedGrant(grant=grant, unit_id=appointment.unit_id),
                access_pb2.ScopedGrant(grant=everywhere),
            ],
        )


class FakePeople(PeopleServiceServicer):
    def __init__(self, world: World) -> None:
        self._world = world

    async def BatchGetPersons(self, request: pb.BatchGetPersonsRequest, context: Any) -> Any:
        entered(self._world, "BatchGetPersons", len(request.ids), request)
        return pb.BatchGetPersonsResponse(
            results=[self._person(each, unmask=request.unmask) for each in request.ids]
        )

    async def FindPersonByPhone(self, request: pb.FindPersonByPhoneRequest, context: Any) -> Any:
        entered(self._world, "FindPersonByPhone", 1, request)
        if request.phone != "+919800000000":
            raise PersonNotFound(person_id="")
        return pb.FindPersonByPhoneResponse(person=next(iter(self._world.persons.values())))

    async def BatchListUnitAppointments(
        self, request: pb.BatchListUnitAppointmentsRequest, context: Any
    ) -> Any:
        entered(self._world, "BatchListUnitAppointments", len(request.unit_ids), request)
        return pb.BatchListUnitAppointmentsResponse(
            results=[
                _appointments([it for it in self._world.appointments if it.unit_id == each])
                for each in request.unit_ids
            ]
        )

    async def BatchListPersonAppointments(
        self, request: pb.BatchListPersonAppointmentsRequest, context: Any
    ) -> Any:
        entered(self._world, "BatchListPersonAppointments", len(request.person_ids), request)
        return pb.BatchListPersonAppointmentsResponse(
            results=[
                _appointments([it for it in self._world.appointments if it.person_id == each])
                for each in request.person_ids
            ]
        )

    async def BatchListTeams(self, request: pb.BatchListTeamsRequest, context: Any) -> Any:
        entered(self._world, "BatchListTeams", len(request.unit_ids), request)
        teams = self._world.teams
        return pb.BatchListTeamsResponse(
            results=[
                pb.TeamsResult(teams=pb.Teams(teams=[it for it in teams if it.unit_id == each]))
                for each in request.unit_ids
            ]
        )

    async def BatchGetWatchLines(self, request: pb.BatchGetWatchLinesRequest, context: Any) -> Any:
        entered(self._world, "BatchGetWatchLines", len(request.unit_ids), request)
        return pb.BatchGetWatchLinesResponse(
            results=[pb.WatchLineResult(line=self._line(each)) for each in request.unit_ids]
        )

    async def ListVacancies(self, request: pb.ListVacanciesRequest, context: Any) -> Any:
        entered(self._world, "ListVacancies", 1, request)
        ids, next_token = self._of_level(request.level, request)
        return pb.ListVacanciesResponse(
            unit_ids=ids, next_page_token=next_token, total_count=6, unit_count=9
        )

    async def ListUnwatched(self, request: pb.ListUnwatchedRequest, context: Any) -> Any:
        entered(self._world, "ListUnwatched", 1, request)
        ids, next_token = self._of_level(request.level, request)
        return pb.ListUnwatchedResponse(unit_ids=ids, next_page_token=next_token, total_count=6)

    async def ListVerificationQueue(
        self, request: pb.ListVerificationQueueRequest, context: Any
    ) -> Any:
        entered(self._world, "ListVerificationQueue", 1, request)
        return pb.ListVerificationQueueResponse(appointments=self._world.appointments)

    async def CountAppointments(self, request: pb.CountAppointmentsRequest, context: Any) -> Any:
        entered(self._world, "CountAppointments", 1, request)
        count = pb.AppointmentCount(
            position="president",
            verification=pb.VERIFICATION_STATE_STALE,
            appointment_count=len(self._world.appointments),
        )
        return pb.CountAppointmentsResponse(counts=[count])

    async def ListWatches(self, request: pb.ListWatchesRequest, context: Any) -> Any:
        entered(self._world, "ListWatches", 1, request)
        found = [
            each for each in self._world.unit_watches if request.person_id in ("", each.person_id)
        ]
        return pb.ListWatchesResponse(watches=found)

    async def PutPerson(self, request: pb.PutPersonRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def ErasePerson(self, request: pb.ErasePersonRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def Appoint(self, request: pb.AppointRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def EndAppointments(self, request: pb.EndAppointmentsRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def VerifyAppointments(self, request: pb.VerifyAppointmentsRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def PutTeam(self, request: pb.PutTeamRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def AssignWatch(self, request: pb.AssignWatchRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def EndWatch(self, request: pb.EndWatchRequest, context: Any) -> Any:
        return changed(self._world, request)

    def _person(self, person_id: str, *, unmask: bool) -> pb.PersonResult:
        found = self._world.persons.get(person_id)
        if found is None:
            error = PersonNotFound(person_id=person_id)
            return pb.PersonResult(status=error_to_status(error, DOMAIN))
        shown = pb.Person()
        shown.CopyFrom(found)
        if unmask:
            shown.phone, shown.phone_masked = "+919800000000", False
        return pb.PersonResult(person=shown)

    def _line(self, unit_id: str) -> pb.WatchLine:
        return pb.WatchLine(
            watches=[each for each in self._world.unit_watches if each.unit_id == unit_id],
            convenors=self._world.appointments[:1],
            centre_unit_id=uid("unit", "RJ"),
            centre_heads=self._world.appointments[1:2],
        )

    def _of_level(self, level: str, request: Any) -> tuple[Sequence[str], str]:
        ids = [each.id for each in self._world.units.values() if each.level == level]
        if self._world.closed_meanwhile:
            ids.insert(1, self._world.closed_meanwhile)
        return page(ids, request.page_token, request.page_size, 100)


def _appointments(found: Sequence[pb.Appointment]) -> pb.AppointmentsResult:
    return pb.AppointmentsResult(appointments=pb.Appointments(appointments=found))
