"""The worker: drained, killed, several of them, with transports that are down; and fairness."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb

from kit.errors import Unavailable
from services.messaging.adapters.counting import NumpyCounting
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.ids import TenantId
from services.messaging.domain.partitions import Chunk, Partition
from services.messaging.ports import Receipts
from services.messaging.use_cases.dispatching import (
    GAVE_UP,
    MAX_DELIVERIES,
    DispatchChunks,
    ReceiveReceipts,
)
from services.messaging.use_cases.finishing import FinishBroadcast
from services.messaging.use_cases.planning import PlanBroadcast
from services.messaging.worker import Duties, Worker
from tests.timing import wait_until
from tests.unit.messaging.platform import Platform
from tests.unit.messaging.register import Register, a_register
from tests.unit.messaging.support import LONG_LEASE, NO_LEASE

SIMULATOR = "simulator"


@dataclass
class Post:
    """A transport of the test's own: says at once that everything was delivered.

    Attributes:
        gate: Batches wait for it.
        failures: So many batches get no answer, before the others do.
        sent: Every batch that was handed over, in order.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    sent: list[Chunk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def send(self, chunk: Chunk) -> Evidence:
        self.sent.append(chunk)
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable
        return Evidence(chunk.start, bytes([DeliveryState.DELIVERED]) * chunk.size)

    async def due(self, _partition: Partition) -> Receipts:
        return Receipts((), ())

    async def acknowledge(self, partition: Partition, receipts: Receipts) -> None:
        raise AssertionError((partition, receipts))

    async def expected(self, _partition: Partition) -> bool:
        return False


def a_worker(
    platform: Platform, post: Any, name: str = "one", lease: timedelta = LONG_LEASE, slots: int = 2
) -> Worker:
    """Partitions of ten deliveries in chunks of two."""
    adapters = platform.adapters
    transports = {SIMULATOR: post}
    duties = Duties(
        PlanBroadcast(
            broadcasts=adapters.broadcasts,
            jobs=adapters.jobs,
            log=adapters.log,
            audiences=adapters.audiences,
            clock=adapters.clock,
            consumer=name,
            lease=lease,
            partition_size=10,
            chunk_size=2,
        ),
        DispatchChunks(adapters.log, transports, name, lease),
        ReceiveReceipts(adapters.log, transports),
        FinishBroadcast(
            adapters.broadcasts, adapters.log, NumpyCounting(), transports, adapters.clock
        ),
    )
    return Worker(
        duties,
        adapters.broadcasts,
        transports,
        adapters.clock,
        ready=adapters.ready,
        chunks_at_once=slots,
    )


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """The worker runs inside the block and is drained at its end, or when the event is set."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run(stop))
        yield stop
        stop.set()


async def started(
    platform: Platform, register: Register | None = None, tenant: str = ""
) -> pb.Broadcast:
    client = platform.client("view", "compose", tenant=tenant)
    return await client.start(await client.create(register or platform.register))


async def completed(platform: Platform, *broadcasts: pb.Broadcast, tenant: str = "") -> None:
    client = platform.client("view", tenant=tenant)

    async def done() -> bool:
        found = [await client.get(each.id) for each in broadcasts]
        return all(each.state == pb.BROADCAST_STATE_COMPLETED for each in found)

    await wait_until(done, 20, "completed")


async def states(platform: Platform, broadcast: pb.Broadcast) -> set[int]:
    return {each.state for each in await platform.composer.deliveries(broadcast.id)}


async def test_every_delivery_is_handed_over_once(platform: Platform) -> None:
    post = Post()
    async with at_work(a_worker(platform, post)):
        broadcast = await started(platform)
        await completed(platform, broadcast)

    sent = b"".join(chunk.group_ids for chunk in post.sent)
    assert sorted(sent[at : at + 16].hex() for at in range(0, len(sent), 16)) == sorted(
        group.replace("-", "") for unit in platform.register.groups for group in unit
    )
    assert {chunk.delivery_count for chunk in post.sent} == {1}


async def test_a_drained_worker_finishes_what_it_holds_and_takes_no_more(
    platform: Platform,
) -> None:
    post = Post()
    post.gate.clear()
    broadcast = await started(platform)
    async with at_work(a_worker(platform, post)) as stop:
        await wait_until(lambda: len(post.sent) == 2, 10, "two chunks in hand")
        stop.set()
        post.gate.set()

    assert len(post.sent) == 2
    found = await platform.composer.deliveries(broadcast.id)
    assert [each.state for each in found].count(pb.DELIVERY_STATE_DELIVERED) == 4
    async with at_work(a_worker(platform, post, "two")):
        await completed(platform, broadcast)
    # Nothing had to wait for a lease: all was committed.
    assert {chunk.delivery_count for chunk in post.sent} == {1}


async def test_what_a_killed_worker_held_is_taken_over(platform: Platform) -> None:
    post = Post()
    post.gate.clear()
    broadcast = await started(platform)
    killed = asyncio.ensure_future(a_worker(platform, post, "killed").run(asyncio.Event()))
    await wait_until(lambda: len(post.sent) == 2, 10, "two chunks in hand")
    killed.cancel()
    await asyncio.wait([killed])
    post.gate.set()

    async with at_work(a_worker(platform, post, "heir", lease=NO_LEASE + _SHORT)):
        await completed(platform, broadcast)

    held = {chunk.start + chunk.partition.start for chunk in post.sent[:2]}
    again = {chunk.start + chunk.partition.start for chunk in post.sent if chunk.delivery_count > 1}
    assert again == held
    assert await states(platform, broadcast) == {pb.DELIVERY_STATE_DELIVERED}


_SHORT = timedelta(milliseconds=300)


async def test_a_slow_transport_does_not_lose_the_lease(platform: Platform) -> None:
    """What is in hand is kept alive, so that nobody else sends it meanwhile."""
    post = Post()
    post.gate.clear()
    lease = timedelta(seconds=1)
    broadcast = await started(platform)
    async with at_work(a_worker(platform, post, "slow", lease, slots=12)):
        await wait_until(lambda: len(post.sent) == 12, 10, "all chunks in hand")
        async with at_work(a_worker(platform, post, "other", lease)):
            await asyncio.sleep(2 * lease.total_seconds())  # time itself is what is tested
            assert len(post.sent) == 12
            post.gate.set()
            await completed(platform, broadcast)
    assert len(post.sent) == 12


async def test_two_workers_share_the_work(platform: Platform) -> None:
    one, two = Post(), Post()
    for post in (one, two):
        post.gate.clear()
    broadcast = await started(platform)
    async with at_work(a_worker(platform, one, "one")), at_work(a_worker(platform, two, "two")):
        await wait_until(lambda: one.sent and two.sent, 10, "both have some")
        for post in (one, two):
            post.gate.set()
        await completed(platform, broadcast)
    places = [(c.partition.number, c.start) for c in (*one.sent, *two.sent)]
    assert len(places) == len(set(places)) == 12


async def test_a_transport_without_answer_gets_the_chunk_again(platform: Platform) -> None:
    post = Post(failures=3)
    async with at_work(a_worker(platform, post, lease=_SHORT)):
        broadcast = await started(platform)
        await completed(platform, broadcast)
    assert len(post.sent) == 12 + 3
    assert {chunk.attempt for chunk in post.sent} == {1}
    assert await states(platform, broadcast) == {pb.DELIVERY_STATE_DELIVERED}


async def test_a_chunk_that_never_gets_an_outcome_ends_as_failed(platform: Platform) -> None:
    broadcast = await started(platform)
    async with at_work(a_worker(platform, Post(failures=10_000), "plans", slots=1)):
        await wait_until(lambda: _is_running(platform, broadcast), 10, "planned")
    log = platform.adapters.log
    tenant = TenantId(platform.tenant)
    partition = Partition(tenant, broadcast.id, 1, 0, 0, 10)  # type: ignore[arg-type]
    chunk = await log.take(partition, "poisoned", NO_LEASE)
    assert chunk is not None
    while chunk.delivery_count <= MAX_DELIVERIES:
        chunk = await log.take(partition, "poisoned", NO_LEASE)
        assert chunk is not None

    post = Post()
    dispatch = DispatchChunks(log, {SIMULATOR: post}, "poisoned", LONG_LEASE)
    await dispatch.send(chunk, SIMULATOR)

    assert post.sent == []
    found = (await platform.composer.deliveries(broadcast.id))[chunk.start : chunk.start + 2]
    assert {(each.state, each.reason) for each in found} == {(pb.DELIVERY_STATE_FAILED, GAVE_UP)}
    assert dispatch.in_hand == {}


async def _is_running(platform: Platform, broadcast: pb.Broadcast) -> bool:
    return (await platform.composer.get(broadcast.id)).state == pb.BROADCAST_STATE_RUNNING


async def test_a_small_broadcast_of_another_tenant_overtakes_a_large_one(
    platform: Platform,
) -> None:
    large = a_register(districts=10, booths=10, groups=5)
    small = a_register(districts=1, booths=1, groups=2)
    other = f"{platform.tenant}-b"
    platform.groups.registers[platform.tenant] = large
    platform.groups.registers[other] = small
    post = Post()
    post.gate.clear()
    first = await started(platform, large)
    worker = a_worker(platform, post, slots=1)
    async with at_work(worker):
        await wait_until(lambda: len(post.sent) == 1, 10, "the large one is at it")
        second = await started(platform, small, tenant=other)
        await wait_until(
            lambda: other in {turn.partition.tenant for turn in worker._turns}, 10, "both wait"
        )
        post.gate.set()
        await completed(platform, second, tenant=other)
        await completed(platform, first)

    assert other in [chunk.partition.tenant for chunk in post.sent[1:3]]
    assert len(post.sent) == 1 + 250


@dataclass
class Talkative(Post):
    """Accepts everything, has news of one tenant without end, and of the others once."""

    tenant: str = ""
    silent: bool = False
    told: Counter[str] = field(default_factory=Counter)

    async def send(self, chunk: Chunk) -> Evidence:
        self.sent.append(chunk)
        return Evidence(chunk.start, bytes([DeliveryState.ACCEPTED]) * chunk.size)

    async def due(self, partition: Partition) -> Receipts:
        if self.silent:
            return Receipts((), ())
        self.told[partition.tenant] += 1
        states = bytes([DeliveryState.DELIVERED]) * partition.size
        return Receipts((Evidence(0, states),), ("news",))

    async def acknowledge(self, _partition: Partition, receipts: Receipts) -> None:
        assert receipts.tokens == ("news",)

    async def expected(self, partition: Partition) -> bool:
        return partition.tenant == self.tenant


async def test_one_tenants_receipts_without_end_do_not_hold_up_another(
    platform: Platform,
) -> None:
    """The talkative tenant has many partitions, and comes first in any order of names."""
    other = f"{platform.tenant}-b"
    platform.groups.registers[other] = small = a_register(districts=1, booths=1, groups=2)
    post = Talkative(tenant=platform.tenant)
    async with at_work(a_worker(platform, post)):
        await started(platform)
        await wait_until(lambda: post.told[platform.tenant] > 10, 10, "the first talks")
        before = post.told.total()
        second = await started(platform, small, tenant=other)
        try:
            await completed(platform, second, tenant=other)
        finally:
            post.silent = True  # so that a worker which listens to one only can end

    assert post.told[other]
    assert post.told.total() > before, "the first was not left out either"


async def test_a_transport_that_is_not_here_is_left_to_workers_that_have_it(
    platform: Platform,
) -> None:
    broadcast = await started(platform)
    stranger = a_worker(platform, Post())
    stranger._transports = frozenset({"relay"})
    async with at_work(stranger):
        await wait_until(lambda: _is_running(platform, broadcast), 10)
    assert await states(platform, broadcast) == {pb.DELIVERY_STATE_PLANNED}
    async with at_work(a_worker(platform, Post(), "two")):
        await completed(platform, broadcast)


async def test_receipts_are_acknowledged_after_they_are_joined(platform: Platform) -> None:
    """A worker that dies in between is told again, and again changes nothing."""
    broadcast = await started(platform)
    world = replace(platform.adapters.simulator._world, median_delay_seconds=0.0)
    platform.adapters.simulator._world = world
    adapters = platform.adapters
    partition = Partition(TenantId(platform.tenant), broadcast.id, 1, 0, 0, 24)  # type: ignore[arg-type]
    groups = bytes(range(16)) * 24
    await adapters.log.write_partition(partition, groups, 24, "")
    chunk = await adapters.log.take(partition, "one", LONG_LEASE)
    assert chunk is not None
    await adapters.log.commit(chunk, await adapters.simulator.send(chunk))

    class Dies:
        due = staticmethod(adapters.simulator.due)

        async def acknowledge(self, *_receipts: object) -> None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ReceiveReceipts(adapters.log, {SIMULATOR: Dies()})(partition, SIMULATOR)  # type: ignore[dict-item]
    joined = await adapters.log.ledger([partition])
    assert bytes([DeliveryState.ACCEPTED]) not in joined.states

    receive = ReceiveReceipts(adapters.log, {SIMULATOR: adapters.simulator})
    assert await receive(partition, SIMULATOR) == 0  # claimed by the dead one, for a while
    members: Any = await adapters.client.zrange(
        f"simulator:{{{platform.tenant}:{broadcast.id}:0}}:due", 0, -1
    )
    for member in members:  # the while passes
        await adapters.client.zadd(
            f"simulator:{{{platform.tenant}:{broadcast.id}:0}}:due", {member: 0}
        )
    assert await receive(partition, SIMULATOR) == 1
    assert await adapters.log.ledger([partition]) == joined
    assert not await adapters.simulator.expected(partition)


async def test_a_worker_outlives_steps_that_fail(platform: Platform) -> None:
    """One broadcast whose ledger is lost does not keep the others from being finished."""
    broken = await started(platform)
    async with at_work(a_worker(platform, Post(failures=10_000))):
        await wait_until(lambda: _is_running(platform, broken), 10)
    pattern = f"messaging:{{{platform.tenant}:{broken.id}:*"
    async for key in platform.adapters.client.scan_iter(match=pattern):
        await platform.adapters.client.unlink(key)

    async with at_work(a_worker(platform, Post(), "two")):
        healthy = await started(platform)
        await completed(platform, healthy)

    assert (await platform.composer.get(broken.id)).state == pb.BROADCAST_STATE_RUNNING
    with pytest.raises(Unavailable):
        await platform.composer.deliveries(broken.id)


async def test_nothing_is_taken_while_the_store_could_lose_it(platform: Platform) -> None:
    post = Post()
    store = platform.adapters.client
    await store.config_set("appendfsync", "everysec")
    broadcast = await started(platform)
    worker = a_worker(platform, post)
    async with at_work(worker):
        await wait_until(lambda: worker._checks, 10, "a check")
        assert (await platform.composer.get(broadcast.id)).state == pb.BROADCAST_STATE_PLANNING
        await store.config_set("appendfsync", "always")
        await completed(platform, broadcast)

        await store.config_set("appendfsync", "no")
        await wait_until(lambda: not worker._may_work.is_set(), 10, "the door is shut")
        second = await started(platform)
        checks = worker._checks
        await wait_until(lambda: worker._checks > checks, 10, "another check")

    assert (await platform.composer.get(second.id)).state == pb.BROADCAST_STATE_PLANNING
    assert len(post.sent) == 12
