"""Events from the file to the streams: in order, whole, and once, whatever breaks on the way."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import SystemClock
from kit.errors import Unavailable
from kit.redis import RedisClient, open_redis
from services.hierarchy.adapters.event_streams import RedisEventStreams, stream_key
from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import TenantId
from services.hierarchy.ports import EventStreams, Outbox
from services.hierarchy.translate.events import event_to_bytes
from services.hierarchy.use_cases.relay import MAX_EVENTS_PER_TENANT, relay_events
from services.hierarchy.worker import RelayWorker
from tests.builders_hierarchy import a_small_tree
from tests.org_graphs import World, open_embedded
from tests.servers.valkey.cluster import ValkeyCluster
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until


@pytest.fixture
async def world(tmp_path: Path, unique: str) -> AsyncIterator[World]:
    async with open_embedded(tmp_path / "hierarchy.sqlite3", unique) as world:
        yield world


@asynccontextmanager
async def redis_at(url: str) -> AsyncIterator[RedisClient]:
    client = open_redis(url)
    try:
        yield client
    finally:
        await client.aclose()


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[RedisClient]:
    async with redis_at(valkey_url) as client:
        yield client


@pytest.fixture
def streams(client: RedisClient) -> RedisEventStreams:
    return RedisEventStreams(client, event_to_bytes)


async def stream_of(client: RedisClient, tenant: TenantId) -> list[tuple[str, pb.HierarchyEvent]]:
    entries: Any = await client.xrange(stream_key(tenant))
    return [
        (entry_id.decode(), pb.HierarchyEvent.FromString(fields[b"event"]))
        for entry_id, fields in entries
    ]


async def ids_of(client: RedisClient, tenant: TenantId) -> list[str]:
    return [entry_id for entry_id, _ in await stream_of(client, tenant)]


def entry_ids(through: int) -> list[str]:
    return [f"{sequence}-0" for sequence in range(1, through + 1)]


async def test_events_arrive_in_order_under_their_numbers(
    world: World, client: RedisClient, streams: RedisEventStreams
) -> None:
    await world.start(*a_small_tree())
    world.clock.advance(5)
    await world.rename(1)

    assert await relay_events(world.outbox, streams) == 3

    entries = await stream_of(client, world.tenant)
    assert [entry_id for entry_id, _ in entries] == entry_ids(3)
    first, second, third = (event for _, event in entries)
    assert (first.sequence, first.blueprint_changed.blueprint_version) == (1, 1)
    assert (second.sequence, second.tree_changed.tree_version) == (2, 1)
    assert third.blueprint_changed.blueprint_version == 1
    assert third.occurred_at.seconds - first.occurred_at.seconds == 5
    assert await world.outbox.backlogs(limit=5) == []


async def test_nothing_waits_nothing_is_relayed(world: World, streams: RedisEventStreams) -> None:
    assert await relay_events(world.outbox, streams) == 0


async def test_a_long_backlog_takes_turns(
    world: World, client: RedisClient, streams: RedisEventStreams
) -> None:
    await world.rename(MAX_EVENTS_PER_TENANT + 5)
    await world.rename(2, world.other)

    assert await relay_events(world.outbox, streams) == MAX_EVENTS_PER_TENANT + 2
    assert await ids_of(client, world.other) == entry_ids(2)
    assert await relay_events(world.outbox, streams) == 5
    assert await ids_of(client, world.tenant) == entry_ids(MAX_EVENTS_PER_TENANT + 5)


@dataclass
class DiesBeforeMarking:
    """An outbox whose process ends between the streams and the mark, some number of times."""

    outbox: Outbox
    deaths: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outbox, name)

    async def mark_relayed(self, tenant: TenantId, *, through: int) -> None:
        if self.deaths:
            self.deaths -= 1
            raise asyncio.CancelledError
        await self.outbox.mark_relayed(tenant, through=through)


async def test_a_crash_between_the_stream_and_the_mark_doubles_nothing(
    world: World, client: RedisClient, streams: RedisEventStreams
) -> None:
    await world.rename(3)
    dying = DiesBeforeMarking(world.outbox, deaths=2)

    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            await relay_events(dying, streams)
        await world.rename(1)
    assert await relay_events(dying, streams) == 5

    assert await ids_of(client, world.tenant) == entry_ids(5)
    assert await world.outbox.backlogs(limit=5) == []


@dataclass
class DiesAfter:
    """Streams whose process ends after some number of entries."""

    streams: EventStreams
    entries: int

    async def append(self, event: Event) -> None:
        if not self.entries:
            raise asyncio.CancelledError
        self.entries -= 1
        await self.streams.append(event)


async def test_a_crash_between_two_entries_leaves_no_gap(
    world: World, client: RedisClient, streams: RedisEventStreams
) -> None:
    await world.rename(6)

    with pytest.raises(asyncio.CancelledError):
        await relay_events(world.outbox, DiesAfter(streams, 4))
    assert await ids_of(client, world.tenant) == entry_ids(4)
    await relay_events(world.outbox, streams)

    assert await ids_of(client, world.tenant) == entry_ids(6)


async def test_siblings_relay_side_by_side(
    world: World, client: RedisClient, streams: RedisEventStreams
) -> None:
    await world.rename(40)
    await world.rename(40, world.other)

    await asyncio.gather(*(relay_events(world.outbox, streams) for _ in range(4)))

    for tenant in (world.tenant, world.other):
        assert await ids_of(client, tenant) == entry_ids(40)
    assert await world.outbox.backlogs(limit=5) == []


async def test_one_tenants_trouble_is_not_the_others(
    world: World, client: RedisClient, streams: RedisEventStreams
) -> None:
    await client.set(stream_key(world.tenant), "not a stream")
    await world.rename(2)
    await world.rename(2, world.other)

    with pytest.raises(ExceptionGroup) as failed:
        await relay_events(world.outbox, streams)

    assert len(failed.value.exceptions) == 1
    assert await ids_of(client, world.other) == entry_ids(2)
    assert [each.tenant for each in await world.outbox.backlogs(limit=5)] == [world.tenant]
    await client.delete(stream_key(world.tenant))
    await relay_events(world.outbox, streams)
    assert await ids_of(client, world.tenant) == entry_ids(2)


async def test_a_stream_of_another_life_is_told(
    world: World,
    client: RedisClient,
    streams: RedisEventStreams,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await world.rename(1)
    await client.xadd(stream_key(world.tenant), {"event": b"of another life"}, id="1-0")

    with caplog.at_level(logging.ERROR):
        await relay_events(world.outbox, streams)

    assert "stream holds another event" in caplog.text


async def test_a_store_that_is_down_is_waited_for(world: World, own_valkey: ValkeyServer) -> None:
    async with redis_at(own_valkey.url) as client:
        streams = RedisEventStreams(client, event_to_bytes)
        await world.rename(2)
        await relay_events(world.outbox, streams)
        own_valkey.kill()
        await world.rename(2)

        with pytest.raises(ExceptionGroup) as failed:
            await relay_events(world.outbox, streams)
        assert isinstance(failed.value.exceptions[0], Unavailable)
        with pytest.raises(Unavailable):
            await streams.ready()

        own_valkey.restart()
        assert await relay_events(world.outbox, streams) == 2
        assert await ids_of(client, world.tenant) == entry_ids(4)
        assert await streams.ready() is None


async def test_a_store_that_could_forget_is_not_ready(own_valkey: ValkeyServer) -> None:
    async with redis_at(own_valkey.url) as client:
        await client.config_set("appendfsync", "everysec")

        reason = await RedisEventStreams(client, event_to_bytes).ready()

    assert reason is not None
    assert "appendfsync" in reason


async def test_the_worker_outlives_its_stores_death(world: World, own_valkey: ValkeyServer) -> None:
    async with redis_at(own_valkey.url) as client:
        streams = RedisEventStreams(client, event_to_bytes)
        worker = RelayWorker(world.outbox, streams, SystemClock(), timedelta(milliseconds=5))
        running = asyncio.create_task(worker.run())

        async def relayed(through: int) -> bool:
            return await world.outbox.backlogs(limit=5) == [] and (
                await ids_of(client, world.tenant) == entry_ids(through)
            )

        try:
            await world.rename(2)
            await wait_until(lambda: relayed(2), 10, "the first events")
            own_valkey.kill()
            await world.rename(3)
            own_valkey.restart()
            await wait_until(lambda: relayed(5), 20, "the events of the time without a store")
        finally:
            running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_cluster_keeps_streams_too(world: World, valkey_cluster: ValkeyCluster) -> None:
    async with redis_at(valkey_cluster.url) as client:
        streams = RedisEventStreams(client, event_to_bytes)
        await world.rename(3)
        await world.rename(2, world.other)

        await relay_events(world.outbox, streams)
        await world.rename(1)
        await relay_events(world.outbox, streams)

        assert await ids_of(client, world.tenant) == entry_ids(4)
        assert await ids_of(client, world.other) == entry_ids(2)
