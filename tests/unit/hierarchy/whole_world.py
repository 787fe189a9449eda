"""A tenant with something of everything, in which the good requests are good."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2, people_pb2
from chaupal.hierarchy.v1.people_pb2_grpc import PeopleServiceStub

from kit.channel import open_channel
from kit.clock import FakeClock
from services.hierarchy.domain.model import Blueprint, Grant
from services.hierarchy.translate.blueprints import blueprint_to_proto
from services.hierarchy.translate.values import names_to_proto
from tests.access_server import PEER
from tests.builders_hierarchy import a_request_id, an_id, text
from tests.builders_people import a_staffed_blueprint
from tests.hierarchy_server import Caller, running
from tests.people_server import NEEM, ROWS, PeopleServer
from tests.tenants_server import OPERATOR, Operated
from tests.unit.hierarchy.every_method import as_template

# Who may call the methods of a service; others are called by an administrator.
CALLERS: Mapping[str, Caller] = {"AccessService": PEER, "TenantsService": OPERATOR}


@dataclass(frozen=True)
class World:
    """A running server, and the ids of what its tenant has.

    It has two districts, whose units are named by their codes; Asha and Bela are monitors, Charu
    presides over a booth; Asha watches the first district.
    """

    operated: Operated
    people: PeopleServer
    ids: Mapping[str, Any]

    def caller(self, service: str) -> Caller:
        """Who may call the methods of a service."""
        return CALLERS.get(service, self.people.hierarchy.caller)

    async def headers(self) -> object:
        """The versions and counts of all tenants."""
        return await self.people.hierarchy.store.graph.tenants(limit=100)

    async def everything(self) -> object:
        """All that there is, also what peers are to be told."""
        events = await self.people.hierarchy.store.outbox.events(NEEM, after=0, limit=1_000)
        return await self.headers(), await self.operated.export(NEEM), list(events)


def a_whole_blueprint() -> Blueprint:
    """The staffed one, with a grant that is narrowed."""
    staffed = a_staffed_blueprint()
    narrow = Grant("compose", ("farmers",), ("category",))
    *others, president = staffed.positions
    return replace(
        staffed, positions=(replace(president, seats=2, grants=(narrow, Grant("view"))), *others)
    )


# May follow that of the world, in a good request.
ANOTHER_BLUEPRINT = as_template(
    blueprint_to_proto(replace(a_whole_blueprint(), names=text("Renamed"), version=99))
)
# For requests that nobody sends.
ANY_IDS: Mapping[str, Any] = defaultdict(
    lambda: an_id("anything", 1), {"subject": "asha", "blueprint": ANOTHER_BLUEPRINT}
)


@asynccontextmanager
async def a_whole_world(folder: Path) -> AsyncIterator[World]:
    clock = FakeClock()
    async with (
        running(folder, clock, implicit_tenants=False) as hierarchy,
        open_channel(f"unix:{folder}/grpc.sock", service="any") as channel,
    ):
        operated = Operated(hierarchy, channel, folder)
        await operated.create(NEEM)
        people = PeopleServer(hierarchy, PeopleServiceStub(channel), clock, folder)
        await hierarchy.put(a_whole_blueprint())
        report = await hierarchy.import_rows(*ROWS)
        assert report.error_count == 0
        yield World(operated, people, await _fill(people))


async def _fill(people: PeopleServer) -> Mapping[str, Any]:
    units = {row.key.code: await people.unit_id(*row.key) for row in ROWS}
    asha = await people.person("Asha", "+919800000001", subject="asha")
    bela = await people.person("Bela", "+919800000002")
    charu = await people.person("Charu", "+919800000003")
    await people.appoint("state", "RJ", "monitor", asha)
    await people.appoint("state", "RJ", "monitor", bela)
    await people.appoint("booth", "B1", "president", charu)
    await people.appoint("booth", "B2", "president", bela)
    office = await people.appoint("district", "JPR", "secretary", bela)
    team = await people.call(
        people_pb2.PutTeamRequest(
            team=people_pb2.Team(
                unit_id=units["JPR"],
                kind="it_cell",
                names=names_to_proto(text("Cell")),
                members=[people_pb2.TeamMember(person_id=bela.id, role="lead")],
            ),
            request_id=a_request_id(),
        )
    )
    watch = await people.call(
        people_pb2.AssignWatchRequest(
            unit_id=units["JPR"], person_id=asha.id, request_id=a_request_id()
        )
    )
    await _put_areas(people, units)
    people.clock.advance(3_600)
    return {
        **units,
        "asha": asha.id,
        "bela": bela.id,
        "charu": charu.id,
        "office": office.id,
        "team": team.team.id,
        "watch": watch.watch.id,
        "subject": "asha",
        "blueprint": ANOTHER_BLUEPRINT,
    }


async def _put_areas(people: PeopleServer, units: Mapping[str, str]) -> None:
    request = hierarchy_pb2.PutAreasRequest(request_id=a_request_id())
    for code, unit in (("1", "JPR"), ("2", "AJM")):
        area = hierarchy_pb2.Area(kind="seat", code=code, names=names_to_proto(text("Seat")))
        unit_refs = [hierarchy_pb2.UnitRef(id=units[unit])]
        request.areas.add(area=area, sets_units=True, units=unit_refs)
    await people.hierarchy.call("PutAreas", request)
