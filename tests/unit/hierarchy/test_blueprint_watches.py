"""A position does not cease to be a monitor's while somebody watches units by it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2, people_pb2

from kit.errors import PreconditionFailed
from kit.ids import SeededIds
from kit.tokens import Caller
from services.hierarchy.domain.errors import BlueprintInUse
from services.hierarchy.domain.model import Blueprint
from services.hierarchy.translate.blueprints import blueprint_to_proto
from services.hierarchy.translate.values import timestamp
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.blueprints import Blueprints
from services.hierarchy.use_cases.trees import Trees
from tests.builders_hierarchy import a_request_id
from tests.builders_people import DAY, a_position, a_staffed_blueprint
from tests.people_server import NEEM, PeopleServer, staffed

DEPUTY = a_position("deputy", "state", seats=0, roles=["monitor"])
STANDS = replace(a_staffed_blueprint(), positions=(*a_staffed_blueprint().positions, DEPUTY))


def without(*monitors: str) -> Blueprint:
    """The blueprint in which these positions are no monitors' any more."""
    positions = (
        replace(each, roles=()) if each.key in monitors else each for each in STANDS.positions
    )
    return replace(STANDS, positions=tuple(positions))


@dataclass(frozen=True)
class World:
    """Asha is a monitor, and there are two districts."""

    people: PeopleServer
    asha: people_pb2.Person
    monitor: people_pb2.Appointment

    async def watch(self, code: str = "JPR", **of: Any) -> people_pb2.Watch:
        request = people_pb2.AssignWatchRequest(
            unit_id=await self.people.unit_id("district", code),
            person_id=self.asha.id,
            request_id=a_request_id(),
            **of,
        )
        reply: people_pb2.AssignWatchResponse = await self.people.call(request)
        return reply.watch

    async def end(self, watch: people_pb2.Watch) -> None:
        await self.people.call(people_pb2.EndWatchRequest(id=watch.id, request_id=a_request_id()))

    async def put(self, draft: Blueprint, *, validate_only: bool = False) -> Any:
        request = hierarchy_pb2.PutBlueprintRequest(
            blueprint=blueprint_to_proto(draft), validate_only=validate_only
        )
        return await self.people.hierarchy.call("PutBlueprint", request)

    async def refusal(self, draft: Blueprint) -> PreconditionFailed:
        """Why a put is refused, as a preview is too; nothing changes."""
        graph, told = self.people.hierarchy.store.graph, []
        before = await graph.header(NEEM)
        for validate_only in (True, False):
            with pytest.raises(PreconditionFailed) as refused:
                await self.put(draft, validate_only=validate_only)
            told.append((refused.value.reason, refused.value.fields(), refused.value.message))
        assert told[0] == told[1]
        assert told[0][0] == "BLUEPRINT_IN_USE"
        assert await graph.header(NEEM) == before
        return refused.value


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with staffed(tmp_path) as people:
        await people.hierarchy.put(STANDS)
        asha = await people.person("Asha")
        yield World(people, asha, await people.appoint("state", "RJ", "monitor", asha))


async def test_the_role_stays_while_its_holders_watch(world: World) -> None:
    watches = [await world.watch("JPR"), await world.watch("AJM")]

    refused = await world.refusal(without("monitor"))

    assert refused.fields() == {"levels": "", "positions": "monitor", "team_kinds": ""}
    assert refused.message == (
        "the blueprint is in use: 2 watches stand on the role monitor of the position monitor"
    )
    await world.end(watches[0])
    assert "1 watch stands on" in (await world.refusal(without("monitor"))).message
    await world.end(watches[1])
    assert (await world.put(without("monitor"))).blueprint.version == 3


async def test_who_is_a_monitor_by_another_position_watches_on(world: World) -> None:
    await world.watch()
    await world.people.appoint("state", "RJ", "deputy", world.asha)

    refused = await world.refusal(without("monitor", "deputy"))

    assert refused.fields()["positions"] == "monitor,deputy"
    assert (await world.put(without("monitor"))).blueprint.version == 3
    assert (await world.refusal(without("monitor", "deputy"))).fields()["positions"] == "deputy"


async def test_what_is_to_be_watched_later_counts_too(world: World) -> None:
    """Also by a position that is only to be held: the blueprint may not take that one away."""
    soon = timestamp(world.people.clock.now() + DAY)
    await world.people.call(
        people_pb2.AppointRequest(
            unit_id=await world.people.unit_id("state", "RJ"),
            position="deputy",
            person_id=world.asha.id,
            valid_from=soon,
            request_id=a_request_id(),
        )
    )
    await world.people.call(
        people_pb2.EndAppointmentsRequest(
            ids=[world.monitor.id], valid_to=soon, request_id=a_request_id()
        )
    )
    await world.watch(valid_from=soon)

    gone = replace(STANDS, positions=tuple(x for x in STANDS.positions if x.key != "deputy"))
    for draft in (without("deputy"), gone):
        assert (await world.refusal(draft)).fields()["positions"] == "deputy"
    assert (await world.put(without("monitor"))).blueprint.version == 3


async def test_a_watch_that_is_over_is_in_nobodys_way(world: World) -> None:
    await world.watch(valid_to=timestamp(world.people.clock.now() + DAY))

    assert "1 watch stands on" in (await world.refusal(without("monitor"))).message
    world.people.clock.advance(DAY)
    assert (await world.put(without("monitor"))).blueprint.version == 3


class Watching:
    """The graph itself, in which a watch begins right after it was asked which there are."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._graph = world.people.hierarchy.store.graph
        self.left = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    async def page(self, *arguments: Any, **named: Any) -> Any:
        answer = await self._graph.page(*arguments, **named)
        if self.left:
            self.left -= 1
            await self._world.watch()
        return answer


async def test_a_watch_that_begins_meanwhile_is_not_overlooked(world: World) -> None:
    graph: Any = Watching(world)
    clock = world.people.clock
    blueprints = Blueprints(graph, Access(graph, Trees(graph), clock), clock, SeededIds(3))
    expires = datetime(2100, 1, 1, tzinfo=UTC)
    administrator = Caller("user", NEEM, "user", frozenset({"administer"}), expires, "")

    with pytest.raises(BlueprintInUse) as refused:
        await blueprints.put(administrator, without("monitor"), validate_only=False)

    assert graph.left == 0
    assert "1 watch stands on" in refused.value.message
