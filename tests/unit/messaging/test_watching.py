"""Watching: told now, at every change, and a last time; shared, bounded, ended in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb

from kit.clock import FakeClock
from kit.errors import Forbidden, Unavailable
from services.messaging.adapters.counting import NumpyCounting
from services.messaging.domain.broadcasts import Broadcast, BroadcastState, Plan
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.errors import (
    BroadcastNotFound,
    Going,
    LedgerMissing,
    TooManyWatchers,
)
from services.messaging.domain.frame import Frame
from services.messaging.domain.partitions import Partition, partitions_of
from services.messaging.domain.progress import Progress, Split
from services.messaging.use_cases.reading import ReadProgress
from services.messaging.use_cases.watching import WatchProgress
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until
from tests.unit.messaging.platform import Platform
from tests.unit.messaging.support import (
    LONG_LEASE,
    NOON,
    Stores,
    a_broadcast,
    a_request,
    group_ids,
    new_broadcast_id,
    open_stores,
)

SIZE = 6


@dataclass(frozen=True)
class Viewer:
    """A caller who may view."""

    tenant_id: str
    subject: str = "asha"
    may: str = "view"

    def require(self, capability: str) -> None:
        if capability != self.may:
            raise Forbidden


@dataclass
class Watching:
    """A broadcast that runs, and the use case that watches it, with a clock that stands still."""

    stores: Stores
    clock: FakeClock
    watch: WatchProgress
    broadcast: Broadcast
    caller: Viewer

    @property
    def partition(self) -> Partition:
        [only] = partitions_of(self.stores.tenant, self.broadcast)
        return only

    def looks(self) -> AsyncIterator[Progress]:
        return self.watch(self.caller, self.broadcast.id, Split())

    async def tell(self, position: int, state: DeliveryState) -> None:
        await self.stores.log.apply(self.partition, [Evidence(position, bytes([state]))])

    async def tick(self) -> None:
        """Let the reader look once more."""
        await wait_until(lambda: self.clock.sleeping, 5, "the reader waits")
        self.clock.advance(0.2)


@asynccontextmanager
async def watching(url: str, tenant: str, limit: int = 10) -> AsyncIterator[Watching]:
    clock = FakeClock()
    async with open_stores(url, tenant) as stores:
        progress = ReadProgress(stores.broadcasts, stores.log, NumpyCounting(), clock)
        async with WatchProgress(progress, clock, limit) as watch:
            running = await a_running_broadcast(stores)
            yield Watching(stores, clock, watch, running, Viewer(tenant))


@pytest.fixture
async def scene(valkey_url: str, unique: str) -> AsyncIterator[Watching]:
    async with watching(valkey_url, unique) as opened:
        yield opened


async def a_running_broadcast(stores: Stores) -> Broadcast:
    draft = await stores.broadcasts.create(stores.tenant, a_broadcast(), a_request())
    await stores.broadcasts.start(stores.tenant, draft.id, a_request("start"), NOON, "")
    job = await stores.jobs.take(stores.tenant, "planner", LONG_LEASE)
    assert job is not None
    plan = Plan(job.generation, SIZE, SIZE)
    partition = Partition(stores.tenant, draft.id, job.generation, 0, 0, SIZE)
    await stores.log.write_partition(partition, group_ids(SIZE), SIZE, "")
    await stores.jobs.finalise(job, plan, Frame.empty())
    [found] = await stores.broadcasts.get(stores.tenant, [draft.id])
    assert found is not None
    return found


def delivered(progress: Progress) -> int:
    return progress.tally.counts.of(DeliveryState.DELIVERED)


async def test_told_now_and_at_every_change_and_a_last_time(scene: Watching) -> None:
    looks = scene.looks()
    first = await anext(looks)
    assert (first.state, first.tally.counts.total, delivered(first)) == (
        BroadcastState.RUNNING,
        SIZE,
        0,
    )
    for position in range(2):
        await scene.tell(position, DeliveryState.DELIVERED)
        await scene.tick()
        assert delivered(await anext(looks)) == position + 1

    await scene.stores.broadcasts.complete(scene.stores.tenant, scene.broadcast.id, NOON)
    await scene.tick()

    assert (await anext(looks)).state is BroadcastState.COMPLETED
    with pytest.raises(StopAsyncIteration):
        await anext(looks)


async def test_nothing_is_told_while_nothing_changes(scene: Watching) -> None:
    looks = scene.looks()
    await anext(looks)
    waiting = asyncio.ensure_future(anext(looks))
    for _ in range(5):
        await scene.tick()
    await wait_until(lambda: scene.clock.sleeping, 5)
    assert not waiting.done()

    await scene.tell(0, DeliveryState.DELIVERED)
    await scene.tick()
    assert delivered(await waiting) == 1


async def test_what_changes_between_two_looks_is_told_once(scene: Watching) -> None:
    """At most five times a second, however fast the ledger moves."""
    looks = scene.looks()
    await anext(looks)
    for position in range(SIZE):
        await scene.tell(position, DeliveryState.DELIVERED)
    assert scene.clock.monotonic() == 0
    await scene.tick()
    assert delivered(await anext(looks)) == SIZE
    assert scene.clock.monotonic() == pytest.approx(0.2)


async def test_a_slow_watcher_is_told_the_latest_and_holds_up_nobody(scene: Watching) -> None:
    slow, quick = scene.looks(), scene.looks()
    await anext(slow)
    await anext(quick)
    for position in range(3):
        await scene.tell(position, DeliveryState.DELIVERED)
        await scene.tick()
        assert delivered(await anext(quick)) == position + 1
    assert delivered(await anext(slow)) == 3


async def test_watchers_of_one_broadcast_share_one_reader(scene: Watching) -> None:
    many = [scene.looks() for _ in range(8)]
    for each in many:
        await anext(each)
    await wait_until(lambda: scene.clock.sleeping, 5)
    assert scene.clock.sleeping == 1


async def test_the_reader_ends_with_its_last_watcher(scene: Watching) -> None:
    one, two = scene.looks(), scene.looks()
    await anext(one)
    await anext(two)
    await one.aclose()  # type: ignore[attr-defined]  # an async generator
    await scene.tell(0, DeliveryState.DELIVERED)
    await scene.tick()
    assert delivered(await anext(two)) == 1

    await two.aclose()  # type: ignore[attr-defined]

    assert scene.watch.watcher_count == 0
    await wait_until(lambda: not scene.watch.reader_count, 5)
    assert delivered(await anext(scene.looks())) == 1


async def test_watchers_are_bounded(valkey_url: str, unique: str) -> None:
    async with watching(valkey_url, unique, limit=2) as scene, AsyncExitStack() as open_looks:
        for _ in range(2):
            looks = scene.looks()
            open_looks.push_async_callback(looks.aclose)  # type: ignore[attr-defined]
            await anext(looks)

        with pytest.raises(TooManyWatchers) as refused:
            await anext(scene.looks())

        assert refused.value.limit == 2
        assert refused.value.retry_after is not None
        assert scene.watch.watcher_count == 2


async def test_only_what_is_there_by_whom_it_concerns(scene: Watching) -> None:
    with pytest.raises(BroadcastNotFound):
        await anext(scene.watch(scene.caller, new_broadcast_id(), Split()))
    with pytest.raises(Forbidden):
        await anext(
            scene.watch(Viewer(scene.stores.tenant, may="compose"), scene.broadcast.id, Split())
        )
    with pytest.raises(BroadcastNotFound):
        await anext(scene.watch(Viewer("other"), scene.broadcast.id, Split()))
    assert scene.watch.watcher_count == 0


async def test_a_process_that_goes_ends_its_watches(scene: Watching) -> None:
    looks = scene.looks()
    await anext(looks)
    waiting = asyncio.ensure_future(anext(looks))

    await scene.watch.hang_up()

    with pytest.raises(Going):
        await waiting
    with pytest.raises(Going):
        await anext(scene.looks())


async def test_a_watch_outlives_a_store_that_restarts(own_valkey: ValkeyServer) -> None:
    async with watching(own_valkey.url, "t1") as scene:
        looks = scene.looks()
        await anext(looks)
        waiting = asyncio.ensure_future(anext(looks))
        await wait_until(lambda: scene.clock.sleeping, 5)
        own_valkey.kill()
        await scene.tick()
        await scene.tick()
        own_valkey.restart()
        await _until_up(scene)

        async def told() -> bool:
            await scene.tick()
            return waiting.done()

        await wait_until(told, 20, "the watch goes on")
        assert delivered(await waiting) == 1


async def test_a_watch_ends_when_the_ledger_is_lost(scene: Watching) -> None:
    looks = scene.looks()
    await anext(looks)
    waiting = asyncio.ensure_future(anext(looks))
    pattern = f"messaging:{{{scene.stores.tenant}:{scene.broadcast.id}:*"
    async for key in scene.stores.client.scan_iter(match=pattern):
        await scene.stores.client.unlink(key)
    await scene.tick()

    with pytest.raises(LedgerMissing):
        await asyncio.wait_for(waiting, 5)


async def _until_up(scene: Watching) -> None:
    async def up() -> bool:
        try:
            await scene.tell(0, DeliveryState.DELIVERED)
        except Unavailable:
            return False
        return True

    await wait_until(up, 10, "the store is back")


async def test_a_draining_server_ends_its_watches(platform: Platform) -> None:
    client = platform.composer
    draft = await client.create(platform.register)
    watch = client.watch(pb.WatchProgressRequest(broadcast_id=draft.id))
    assert (await anext(watch)).state == pb.BROADCAST_STATE_DRAFT
    waiting = asyncio.ensure_future(anext(watch))

    platform.server.draining.set()

    with pytest.raises(Unavailable) as refused:
        await waiting
    assert refused.value.reason == "GOING"
