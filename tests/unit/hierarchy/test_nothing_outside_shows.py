"""Whatever happens outside somebody's units, every call answers them as if it had not.

Lists, counts, searches, pages and trees alike: what is not there before and after cannot be told
from what was never to be seen.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import access_pb2, hierarchy_pb2, people_pb2, transfers_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kit.channel import open_channel, outgoing
from kit.deadline import Deadline
from kit.errors import Forbidden, NotFound
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import a_request_id, text
from tests.hierarchy_server import Caller
from tests.people_server import PeopleServer, staffed
from tests.unit.hierarchy.every_method import METHODS

# The phone of somebody who is registered in the other district, later or from the beginning.
THERE, LATER = "+919876500002", "+919876500003"
# They count changes of the tenant as a whole, and say nothing of what changed.
VERSIONS = ("tree_version", "access_version")


@dataclass(frozen=True)
class World:
    """Two districts with people in them, and the convenor of the first."""

    people: PeopleServer
    channel: Any
    convenor: Caller
    units: dict[str, str]
    here: people_pb2.Person
    there: people_pb2.Person

    async def answers(self, caller: Caller) -> dict[str, object]:
        """What every method that reads answers, or why it does not."""
        return {
            f"{number} {type(request).__name__}": await self._answer(request, caller)
            for number, request in enumerate(self.reads())
        }

    def reads(self) -> list[Message]:
        """Each method that reads, asked about here and there at once, or about everything."""
        units, persons = self.units, [self.here.id, self.there.id]
        both = [units["JPR"], units["AJM"], units["RJ"], units["B1"], units["C1"]]
        asked = [access_pb2.AccessQuestion(capability="view", unit_id=unit) for unit in both]
        return [
            hierarchy_pb2.GetBlueprintRequest(),
            *[hierarchy_pb2.GetUnitRequest(id=unit) for unit in both],
            hierarchy_pb2.BatchGetUnitsRequest(ids=both),
            hierarchy_pb2.ListChildrenRequest(),
            hierarchy_pb2.ListChildrenRequest(parent_id=units["JPR"], page_size=1),
            hierarchy_pb2.BatchListChildrenRequest(parent_ids=both),
            *[hierarchy_pb2.ListAncestorsRequest(unit_id=unit) for unit in both],
            hierarchy_pb2.BatchListAncestorsRequest(unit_ids=both),
            *[hierarchy_pb2.ListDescendantsRequest(unit_id=unit) for unit in both],
            hierarchy_pb2.CountUnitsRequest(),
            *[hierarchy_pb2.CountUnitsRequest(unit_id=unit) for unit in both],
            *[
                hierarchy_pb2.SearchUnitsRequest(query=query, page_size=1 + len(query) % 2)
                for query in ("booth", "mandal", "Ajmer", "B1", "C1", "N1", "C2")
            ],
            *[hierarchy_pb2.ListUnitHistoryRequest(unit_id=unit) for unit in both],
            hierarchy_pb2.ListAreasRequest(),
            hierarchy_pb2.BatchListUnitAreasRequest(unit_ids=both),
            hierarchy_pb2.StreamTreeRequest(),
            people_pb2.BatchGetPersonsRequest(ids=persons, unmask=True),
            people_pb2.FindPersonByPhoneRequest(phone=THERE),
            people_pb2.FindPersonByPhoneRequest(phone=LATER),
            people_pb2.BatchListUnitAppointmentsRequest(unit_ids=both, with_ended=True),
            people_pb2.BatchListPersonAppointmentsRequest(person_ids=persons, with_ended=True),
            people_pb2.ListVacanciesRequest(position="president", level="booth", page_size=1),
            people_pb2.ListVacanciesRequest(position="secretary", level="mandal"),
            people_pb2.ListVacanciesRequest(position="secretary", level="mandal", page_size=1),
            people_pb2.ListVerificationQueueRequest(),
            people_pb2.ListVerificationQueueRequest(page_size=1),
            people_pb2.CountAppointmentsRequest(),
            people_pb2.BatchListTeamsRequest(unit_ids=both),
            people_pb2.BatchGetWatchLinesRequest(unit_ids=both),
            people_pb2.ListWatchesRequest(),
            *[people_pb2.ListWatchesRequest(person_id=person) for person in persons],
            people_pb2.ListUnwatchedRequest(level="district"),
            people_pb2.ListUnwatchedRequest(level="booth"),
            people_pb2.ListUnwatchedRequest(level="booth", page_size=1),
            access_pb2.GetViewerRequest(),
            access_pb2.GetAccessVersionRequest(),
            access_pb2.CheckAccessRequest(question=asked[1]),
            access_pb2.BatchCheckAccessRequest(questions=asked),
            *[
                transfers_pb2.ExportRowsRequest(kind=kind, within_unit_id=within, with_ended=True)
                for kind in transfers_pb2.RowKind.values()[1:]
                for within in ("", units["JPR"], units["AJM"])
            ],
        ]

    async def write(self, request: Message) -> Any:
        """A write by whoever administers everything."""
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = a_request_id()  # type: ignore[attr-defined]  # just looked up
        (answer,) = await self._call(request, self.people.hierarchy.caller)
        return answer

    async def _answer(self, request: Message, caller: Caller) -> object:
        try:
            parts = await self._call(request, caller)
        except (Forbidden, NotFound) as error:
            return error.reason, error.fields()
        for part in parts:
            for message in (part, getattr(part, "header", None)):
                for name in VERSIONS:
                    if message and name in message.DESCRIPTOR.fields_by_name:
                        message.ClearField(name)
        return parts

    async def _call(self, request: Message, caller: Caller) -> list[Any]:
        name = type(request).__name__.removesuffix("Request")
        method = METHODS[name]
        path = f"{method.containing_service.full_name}/{name}"
        coders = {
            "request_serializer": type(request).SerializeToString,
            "response_deserializer": GetMessageClass(method.output_type).FromString,
        }
        async with outgoing(path, deadline=Deadline.after(60), token=caller.token) as options:
            if method.server_streaming:
                stream = self.channel.unary_stream(f"/{path}", **coders)(request, **options)
                return [part async for part in stream]
            return [await self.channel.unary_unary(f"/{path}", **coders)(request, **options)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    address = f"unix:{tmp_path}/grpc.sock"
    async with staffed(tmp_path) as people, open_channel(address, service="any") as channel:
        _, pages = await people.hierarchy.stream_tree()
        units = dict(pair for page in pages for pair in zip(page.codes, page.ids, strict=True))
        convenor = await people.hierarchy.appoint(
            "convenor", "district_convenor", await people.hierarchy.unit("district", "JPR")
        )
        here, there = await people.person("Here"), await people.person("There", THERE)
        one = World(people, channel, convenor, units, here, there)
        await people.appoint("booth", "B1", "president", here)
        await people.appoint("booth", "C1", "president", there)
        await people.appoint("state", "RJ", "monitor", there)
        for area, code in (("1", "JPR"), ("2", "AJM")):
            await put_area(one, area, units[code])
        yield one


async def put_area(world: World, code: str, *unit_ids: str) -> None:
    area = hierarchy_pb2.Area(kind="seat", code=code, names=names_to_proto(text("Seat")))
    units = [hierarchy_pb2.UnitRef(id=unit_id) for unit_id in unit_ids]
    entry = hierarchy_pb2.AreaEntry(area=area, sets_units=True, units=units)
    await world.write(hierarchy_pb2.PutAreasRequest(areas=[entry]))


async def create(world: World) -> None:
    unit = hierarchy_pb2.NewUnit(
        level="booth",
        code="C2",
        names=names_to_proto(text("booth B1")),
        parent=hierarchy_pb2.UnitRef(id=world.units["N1"]),
    )
    await world.write(hierarchy_pb2.CreateUnitRequest(unit=unit))


async def rename(world: World) -> None:
    names = names_to_proto(text("Mandal"))
    await world.write(hierarchy_pb2.UpdateUnitRequest(id=world.units["AJM"], names=names))


async def move(world: World) -> None:
    request = hierarchy_pb2.MoveUnitRequest(id=world.units["N1"], parent_id=world.units["RJ"])
    await world.write(request)


async def close(world: World) -> None:
    await world.write(hierarchy_pb2.CloseUnitRequest(id=world.units["C1"]))


async def link_area(world: World) -> None:
    await put_area(world, "2", world.units["N1"])


async def appoint(world: World) -> None:
    """Somebody new, and also somebody who holds something inside."""
    person = await world.people.person("Later", LATER)
    await world.people.appoint("mandal", "N1", "secretary", person)
    await world.people.appoint("mandal", "N1", "secretary", world.here)


async def end(world: World) -> None:
    listed = await world.write(
        people_pb2.BatchListPersonAppointmentsRequest(person_ids=[world.there.id])
    )
    ids = [each.id for each in listed.results[0].appointments.appointments]
    await world.write(people_pb2.EndAppointmentsRequest(ids=ids))


async def team(world: World) -> None:
    made = people_pb2.Team(
        unit_id=world.units["AJM"], kind="it_cell", names=names_to_proto(text("Cell"))
    )
    made.members.add(person_id=world.here.id, role="member")
    await world.write(people_pb2.PutTeamRequest(team=made))


async def watch(world: World) -> None:
    await world.write(
        people_pb2.AssignWatchRequest(unit_id=world.units["AJM"], person_id=world.there.id)
    )


async def erase(world: World) -> None:
    await world.write(people_pb2.ErasePersonRequest(id=world.there.id))


HAPPENINGS = (create, rename, link_area, appoint, team, watch, end, move, close, erase)


def test_every_method_that_reads_is_asked(world: World) -> None:
    reads = {type(request).__name__.removesuffix("Request") for request in world.reads()}
    writes = {
        name for name, method in METHODS.items() if "request_id" in method.input_type.fields_by_name
    }
    assert set(METHODS) - writes - reads == {"PutBlueprint", "ImportUnits", "ImportRows"}


async def test_what_happens_outside_does_not_show(world: World) -> None:
    everybody = world.people.hierarchy.caller
    before, whole = await world.answers(world.convenor), await world.answers(everybody)

    for happens in HAPPENINGS:
        await happens(world)

        assert await world.answers(world.convenor) == before, happens
        last, whole = whole, await world.answers(everybody)
        assert whole != last, happens  # the questions would show it
