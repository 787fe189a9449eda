"""Rights end and begin with the next call after the write that ends or gives them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import access_pb2, hierarchy_pb2, people_pb2

from kit.errors import Forbidden, NotFound
from tests.access_server import PEER, AccessServer, access_of
from tests.builders_hierarchy import a_request_id, a_row
from tests.builders_people import a_staffed_blueprint
from tests.hierarchy_server import a_caller
from tests.people_server import PeopleServer, staffed

ASHA = a_caller(capabilities=(), subject="asha")
JPR, AJM, M1 = ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@dataclass
class World:
    """Asha has a login; in `JPR` she would administer the mandal `M1`."""

    access: AccessServer
    people: PeopleServer
    asha: people_pb2.Person
    mandal: str
    appointed: people_pb2.Appointment | None = None

    async def appoint(self) -> None:
        self.appointed = await self.people.appoint(*JPR, "district_convenor", self.asha)

    async def end(self) -> None:
        assert self.appointed
        await self.people.call(
            people_pb2.EndAppointmentsRequest(ids=[self.appointed.id], request_id=a_request_id())
        )

    async def take_login(self) -> None:
        await self._put_person(clear_subject=True)

    async def give_login(self) -> None:
        await self._put_person(subject="asha")

    async def erase(self) -> None:
        await self.people.call(
            people_pb2.ErasePersonRequest(id=self.asha.id, request_id=a_request_id())
        )

    async def take_grants(self) -> None:
        blueprint = a_staffed_blueprint()
        positions = tuple(
            replace(each, grants=()) if each.key == "district_convenor" else each
            for each in blueprint.positions
        )
        await self.people.hierarchy.put(replace(blueprint, positions=positions))

    async def give_grants(self) -> None:
        await self.people.hierarchy.put(a_staffed_blueprint())

    async def move_away(self) -> None:
        await self._move(AJM)

    async def move_back(self) -> None:
        await self._move(JPR)

    async def move_away_by_file(self) -> None:
        await self.people.hierarchy.import_rows(a_row(*M1, under=AJM))

    async def rights(self) -> set[bool]:
        """What she may do with the mandal, as every way of asking has it."""
        version = await self.access.version()
        of_peer = {
            await self.access.may(PEER, capability, self.mandal, "asha", at_least=version)
            for capability in ("view", "administer")
        }
        of_asha = {
            await self.access.may(ASHA, capability, self.mandal, at_least=version)
            for capability in ("view", "administer")
        }
        return of_peer | of_asha | {await self._reads(), await self._writes()}

    async def _reads(self) -> bool:
        request = hierarchy_pb2.GetUnitRequest(id=self.mandal)
        return await self._works("GetUnit", request)

    async def _writes(self) -> bool:
        request = hierarchy_pb2.UpdateUnitRequest(
            id=self.mandal,
            names=hierarchy_pb2.LocalizedText(by_language={"en": "Mandal"}),
            request_id=a_request_id(),
            validate_only=True,
        )
        return await self._works("UpdateUnit", request)

    async def _works(self, method: str, request: object) -> bool:
        try:
            await self.people.hierarchy.call(method, request, ASHA)
        except (Forbidden, NotFound):
            return False
        return True

    async def _put_person(self, *, subject: str = "", clear_subject: bool = False) -> None:
        request = people_pb2.PutPersonRequest(
            id=self.asha.id,
            subject=subject,
            clear_subject=clear_subject,
            request_id=a_request_id(),
        )
        await self.people.call(request)

    async def _move(self, key: tuple[str, str]) -> None:
        request = hierarchy_pb2.MoveUnitRequest(
            id=self.mandal,
            parent_id=await self.people.unit_id(*key),
            request_id=a_request_id(),
        )
        await self.people.hierarchy.call("MoveUnit", request)


Change = Callable[[World], Awaitable[None]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with staffed(tmp_path) as people, access_of(tmp_path) as access:
        asha = await people.person("Asha", subject="asha")
        yield World(access, people, asha, await people.unit_id(*M1))


@pytest.mark.parametrize(
    "change",
    [
        World.end,
        World.take_login,
        World.erase,
        World.take_grants,
        World.move_away,
        World.move_away_by_file,
    ],
)
async def test_what_is_taken_is_gone_with_the_next_call(world: World, change: Change) -> None:
    await world.appoint()
    assert await world.rights() == {True}
    version = await world.access.version()

    await change(world)

    assert await world.rights() == {False}
    assert await world.access.version() == version + 1
    assert (await world.access.viewer(PEER, "asha", known=version)).unchanged is False


@pytest.mark.parametrize(
    ("taken", "given"),
    [
        (World.end, World.appoint),
        (World.take_login, World.give_login),
        (World.take_grants, World.give_grants),
        (World.move_away, World.move_back),
    ],
)
async def test_what_is_given_is_there_with_the_next_call(
    world: World, taken: Change, given: Change
) -> None:
    await world.appoint()
    await taken(world)
    assert await world.rights() == {False}

    await given(world)

    assert await world.rights() == {True}


async def test_a_refused_write_changes_no_rights(world: World) -> None:
    await world.appoint()
    version = await world.access.version()
    assert world.appointed

    with pytest.raises(Forbidden):
        await world.people.call(
            people_pb2.EndAppointmentsRequest(ids=[world.appointed.id], request_id=a_request_id()),
            a_caller(capabilities=["view"]),
        )

    assert await world.rights() == {True}
    assert await world.access.version() == version


async def test_a_login_that_passes_to_another_person_takes_no_rights_along(world: World) -> None:
    await world.appoint()
    await world.take_login()
    ravi = await world.people.person("Ravi", subject="asha")

    reply = await world.access.viewer(ASHA)

    assert reply == access_pb2.GetViewerResponse(access_version=reply.access_version, person=ravi)
    assert await world.rights() == {False}
