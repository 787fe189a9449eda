"""`Outbox`: numbered without gaps, kept until relayed, marked once and for all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.errors import PreconditionFailed
from services.hierarchy.domain.events import BlueprintChanged, Event, TreeChanged
from services.hierarchy.domain.operations import Moment, Steps, Want
from services.hierarchy.ports import Backlog
from tests.builders_hierarchy import Done, a_row, an_operation, operation_of
from tests.org_graphs import STORES, World, open_world


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def backlogs(world: World) -> list[Backlog]:
    """Those of our two tenants: a shared server has others."""
    found = await world.outbox.backlogs(limit=100_000)
    return [each for each in found if each.tenant in (world.tenant, world.other)]


async def sequences(world: World, after: int = 0, limit: int = 100) -> list[int]:
    events = await world.outbox.events(world.tenant, after=after, limit=limit)
    return [event.sequence for event in events]


async def test_a_stranger_has_no_events(world: World) -> None:
    assert await sequences(world) == []
    assert await backlogs(world) == []


async def test_events_say_what_and_when_and_are_numbered(world: World) -> None:
    began = world.clock.now()
    await world.start(a_row("state", "RJ"))

    assert await world.outbox.events(world.tenant, after=0, limit=10) == [
        Event(world.tenant, 1, began, BlueprintChanged(1)),
        Event(world.tenant, 2, began, TreeChanged(1)),
    ]


async def test_events_come_in_runs(world: World) -> None:
    await world.rename(5)

    assert await sequences(world, after=1, limit=3) == [2, 3, 4]
    assert await sequences(world, after=4, limit=3) == [5]
    assert await sequences(world, after=5, limit=3) == []


async def test_refused_writes_leave_no_gap(world: World) -> None:
    await world.start(a_row("state", "RJ"))

    def decide(_moment: Moment) -> Steps[Done]:
        yield Want({})
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        await world.graph.write(world.tenant, operation_of(decide))
    dry = an_operation(changes=[TreeChanged(9)], validate_only=True)
    await world.graph.write(world.tenant, dry)
    await world.write()
    await world.rename(1)

    assert await sequences(world) == [1, 2, 3]


async def test_concurrent_writers_leave_no_gap(world: World) -> None:
    operations = [an_operation(changes=[TreeChanged(n), BlueprintChanged(n)]) for n in range(8)]

    await asyncio.gather(*(world.graph.write(world.tenant, each) for each in operations))

    events = await world.outbox.events(world.tenant, after=0, limit=100)
    assert [event.sequence for event in events] == list(range(1, 17))
    # The events of a write stand together.
    told = [event.change for event in events]
    pairs = zip(told[::2], told[1::2], strict=True)
    assert sorted(pairs, key=str) == [(TreeChanged(n), BlueprintChanged(n)) for n in range(8)]


async def test_tenants_wait_until_their_events_are_marked(world: World) -> None:
    await world.rename(3)
    await world.rename(1, world.other)
    assert await backlogs(world) == [Backlog(world.tenant, 0), Backlog(world.other, 0)]

    await world.outbox.mark_relayed(world.tenant, through=2)
    assert await backlogs(world) == [Backlog(world.tenant, 2), Backlog(world.other, 0)]

    await world.outbox.mark_relayed(world.tenant, through=3)
    assert await backlogs(world) == [Backlog(world.other, 0)]

    await world.rename(1)
    assert await backlogs(world) == [Backlog(world.tenant, 3), Backlog(world.other, 0)]


async def test_a_mark_never_goes_back_nor_beyond_what_happened(world: World) -> None:
    await world.rename(3)
    await world.outbox.mark_relayed(world.tenant, through=2)

    await world.outbox.mark_relayed(world.tenant, through=1)
    await world.outbox.mark_relayed(world.tenant, through=2)
    assert await backlogs(world) == [Backlog(world.tenant, 2)]

    await world.outbox.mark_relayed(world.tenant, through=99)
    assert await backlogs(world) == []
    await world.rename(1)
    assert await backlogs(world) == [Backlog(world.tenant, 3)]


async def test_marking_a_stranger_changes_nothing(world: World) -> None:
    await world.outbox.mark_relayed(world.tenant, through=5)

    await world.rename(1)
    assert await backlogs(world) == [Backlog(world.tenant, 0)]


async def test_the_number_of_backlogs_is_bounded(world: World) -> None:
    await world.rename(1)
    await world.rename(1, world.other)

    assert len(await world.outbox.backlogs(limit=1)) == 1


async def test_relayed_events_are_forgotten_when_enough_newer_ones_exist(world: World) -> None:
    await world.rename(6)

    await world.forgetful.mark_relayed(world.tenant, through=2)
    assert await sequences(world) == [3, 4, 5, 6]

    await world.forgetful.mark_relayed(world.tenant, through=6)
    assert await sequences(world) == [4, 5, 6]
    await world.rename(1)
    assert await sequences(world) == [4, 5, 6, 7]


async def test_unrelayed_events_are_never_forgotten(world: World) -> None:
    await world.rename(9)

    await world.forgetful.mark_relayed(world.tenant, through=0)

    assert await sequences(world) == list(range(1, 10))
