"""Measures messaging: planning and dispatching a lakh of deliveries, memory, roll-ups.

    python -m bench.messaging_bench

The dispatch of one worker is measured beside two plain loops over the same durable store, in the
same process, in turns. Each has as many consumers at work at once as the worker has chunks in
hand, and each of them notes, acknowledges and reads on in one pipeline. Neither fences, joins or
delivers.

    raw loop, by delivery: a stream entry for each delivery; one HSET of 500 as fields of a ledger,
        one XACK of the 500, XREADGROUP COUNT 500.
    raw loop, by chunk: a stream entry for each 500 deliveries, with their 500 ids; one HSET of the
        500 ids as fields, one XACK, XREADGROUP COUNT 1.
"""

import asyncio
import os
import statistics
import time
import uuid
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.machine import facts
from bench.report import Figure, table
from kit.clock import SystemClock
from kit.redis import RedisClient, check_durability, open_redis
from services.messaging.adapters.counting import NumpyCounting
from services.messaging.adapters.redis import (
    Libraries,
    RedisBroadcasts,
    RedisDeliveryLog,
    RedisPlanJobs,
)
from services.messaging.adapters.simulator import Simulator, World, open_simulator
from services.messaging.domain.broadcasts import Audience, Broadcast, BroadcastState, Draft
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import partitions_of
from services.messaging.domain.progress import Ledger, Split
from services.messaging.ports import Request
from services.messaging.use_cases.dispatching import DispatchChunks, ReceiveReceipts
from services.messaging.use_cases.finishing import FinishBroadcast
from services.messaging.use_cases.planning import PlanBroadcast
from services.messaging.worker import Duties, Worker
from services.messaging.worker.loops import CHUNKS_AT_ONCE
from tests.servers.folders import own_folder
from tests.servers.valkey.server import ValkeyServer

DELIVERIES = 100_000
ROUNDS = 5
RAW_BATCH = 500
PAGE = 5_000
LEASE = timedelta(seconds=15)
TRANSPORT = "simulator"
# Nothing is told while dispatching is measured; everything is due at once when all is.
SILENT = World(seed=1, median_delay_seconds=3600.0)
PROMPT = World(seed=1, median_delay_seconds=0.0)

# The shape of the reference organisation: each level, and how many of the next each unit has.
SHAPE = (("state", 7), ("division", 6), ("district", 23), ("mandal", 7), ("kendra", 0))


@dataclass(frozen=True)
class Stack:
    """Messaging over one store, for a tenant of its own."""

    client: RedisClient
    tenant: TenantId
    broadcasts: RedisBroadcasts
    jobs: RedisPlanJobs
    log: RedisDeliveryLog
    simulator: Simulator


@dataclass(frozen=True)
class Round:
    """One turn of each loop, in deliveries a second."""

    raw_by_delivery: float
    raw_by_chunk: float
    plan: float
    dispatch: float
    complete: float


@dataclass(frozen=True)
class Report:
    """Everything that is measured."""

    deliveries: int
    rounds: list[Round]
    memory_bytes: dict[str, int]
    tally_milliseconds: dict[str, float]


class ListedAudience:
    """The register's side of planning: pages of 5,000 ids and a frame, at no cost."""

    def __init__(self, deliveries: int) -> None:
        self.ids = os.urandom(16 * deliveries)
        self.whole = frame(deliveries)

    @property
    def size(self) -> int:
        return len(self.ids) // 16

    async def count(self, *_asked: object) -> int:
        return self.size

    async def resolve(self, *_asked: object) -> AsyncIterator[bytes | Frame]:
        for start in range(0, len(self.ids), 16 * PAGE):
            yield self.ids[start : start + 16 * PAGE]
        yield self.whole


def frame(deliveries: int) -> Frame:
    """A frame of the reference organisation's shape, in pre-order."""
    parents, levels = array("i"), array("i")
    starts, ends = array("i"), array("i")

    def add(level: int, parent: int, first: int, last: int) -> None:
        if first == last:
            return
        position = len(parents)
        parents.append(parent)
        levels.append(level)
        starts.append(first)
        ends.append(last)
        children, span = SHAPE[level][1], last - first
        for child in range(children):
            start, end = (first + span * at // children for at in (child, child + 1))
            add(level + 1, position, start, end)

    add(0, -1, 0, deliveries)
    keys = tuple(key for key, _ in SHAPE)
    return Frame(keys, os.urandom(16 * len(parents)), parents, levels, starts, ends)


@asynccontextmanager
async def open_stack(url: str, world: World) -> AsyncIterator[Stack]:
    """The adapters over one store, and a new tenant."""
    client = open_redis(url)
    try:
        libraries = Libraries.over(client)
        yield Stack(
            client=client,
            tenant=TenantId(f"bench{uuid.uuid4().hex[:8]}"),
            broadcasts=RedisBroadcasts(client, libraries),
            jobs=RedisPlanJobs(libraries),
            log=RedisDeliveryLog(client, libraries),
            simulator=open_simulator(client, SystemClock(), world),
        )
    finally:
        await client.aclose()


def duties(stack: Stack, audience: ListedAudience) -> Duties:
    """What a worker does, as the bootstrap wires it."""
    transports = {TRANSPORT: stack.simulator}
    clock = SystemClock()
    return Duties(
        plan=PlanBroadcast(
            broadcasts=stack.broadcasts,
            jobs=stack.jobs,
            log=stack.log,
            audiences=audience,
            clock=clock,
            consumer="bench",
            lease=LEASE,
        ),
        dispatch=DispatchChunks(stack.log, transports, "bench", LEASE),
        receive=ReceiveReceipts(stack.log, transports),
        finish=FinishBroadcast(stack.broadcasts, stack.log, NumpyCounting(), transports, clock),
    )


async def started(stack: Stack) -> Broadcast:
    """A draft that waits to be planned."""
    now = datetime.now(UTC)
    draft = Draft("Bench", {"en": "Come at ten."}, Audience(), TRANSPORT)
    broadcast = Broadcast(BroadcastId(str(uuid.uuid4())), draft, "bench", now)
    for step in ("create", "start"):
        request = Request(str(uuid.uuid4()), step)
        if step == "create":
            await stack.broadcasts.create(stack.tenant, broadcast, request)
        else:
            await stack.broadcasts.start(stack.tenant, broadcast.id, request, now, "")
    return broadcast


async def present(stack: Stack, broadcast: Broadcast) -> Broadcast:
    [found] = await stack.broadcasts.get(stack.tenant, [broadcast.id])
    assert found is not None
    return found


async def plan(stack: Stack, work: Duties) -> tuple[Broadcast, float]:
    """Plan a broadcast; returns it and the seconds from taking its job to running."""
    broadcast = await started(stack)
    begun = time.perf_counter()
    job = await work.plan.take(stack.tenant)
    assert job is not None
    await work.plan(job)
    seconds = time.perf_counter() - begun
    return await present(stack, broadcast), seconds


async def work_until(stack: Stack, work: Duties, done: Callable[[], Awaitable[bool]]) -> float:
    """Run one worker until `done`; returns the seconds that took."""

    async def durable() -> str | None:
        return "; ".join(await check_durability(stack.client)) or None

    stop, clock = asyncio.Event(), SystemClock()
    worker = Worker(work, stack.broadcasts, {TRANSPORT}, clock, ready=durable)
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run(stop))
        while not await done():
            await clock.sleep(0.005)
        seconds = time.perf_counter() - begun
        stop.set()
    return seconds


async def dispatch(stack: Stack, work: Duties, broadcast: Broadcast) -> float:
    """Seconds until every chunk of a planned broadcast is committed."""
    parts = partitions_of(stack.tenant, broadcast)
    pending = set(parts)

    async def all_committed() -> bool:
        for part in list(pending):
            if not await stack.log.retire(part):
                return False
            pending.discard(part)
        return True

    return await work_until(stack, work, all_committed)


async def complete(stack: Stack, work: Duties, broadcast: Broadcast) -> float:
    """Seconds until every delivery is dispatched, receipted and settled, and the end recorded."""

    async def is_completed() -> bool:
        return (await present(stack, broadcast)).state is BroadcastState.COMPLETED

    return await work_until(stack, work, is_completed)


async def raw_by_delivery(client: Any, deliveries: int) -> float:
    """Seconds of the plain loop over an entry for each delivery, written beforehand."""
    stream, ledger = await _raw_keys(client)
    for first in range(0, deliveries, 1_000):
        pipeline = client.pipeline(transaction=False)
        for number in range(first, min(deliveries, first + 1_000)):
            pipeline.xadd(stream, {"delivery": number})
        await pipeline.execute()
    seconds = await _raw_loop(
        client, stream, ledger, RAW_BATCH, lambda all_fields: [f[b"delivery"] for f in all_fields]
    )
    await client.unlink(stream, ledger)
    return seconds


async def raw_by_chunk(client: Any, deliveries: int) -> float:
    """Seconds of the plain loop over an entry for each 500 deliveries, written beforehand."""
    stream, ledger = await _raw_keys(client)
    for _ in range(0, deliveries, RAW_BATCH):
        await client.xadd(stream, {"ids": os.urandom(16 * RAW_BATCH)})
    seconds = await _raw_loop(
        client, stream, ledger, 1, lambda all_fields: _ids_of(all_fields[0][b"ids"])
    )
    await client.unlink(stream, ledger)
    return seconds


def _ids_of(ids: bytes) -> list[bytes]:
    return [ids[at : at + 16] for at in range(0, len(ids), 16)]


async def _raw_loop(
    client: Any, stream: str, ledger: str, count: int, noted: Callable[[list[Any]], list[bytes]]
) -> float:
    """Seconds until the stream is read and acknowledged, by as many consumers as a worker has
    chunks in hand. Noting, acknowledging and reading on are one round trip.
    """

    async def consume(consumer: str) -> None:
        following = {"groupname": "workers", "consumername": consumer, "streams": {stream: ">"}}
        read = await client.xreadgroup(**following, count=count)
        while read:
            [entries] = read[stream.encode()]
            pipeline = client.pipeline(transaction=False)
            pipeline.hset(
                ledger, mapping=dict.fromkeys(noted([fields for _, fields in entries]), 3)
            )
            pipeline.xack(stream, "workers", *(entry for entry, _ in entries))
            pipeline.xreadgroup(**following, count=count)
            _, acknowledged, read = await pipeline.execute()
            assert acknowledged == len(entries)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(CHUNKS_AT_ONCE):
            tasks.create_task(consume(f"bench-{number}"))
    return time.perf_counter() - begun


async def _raw_keys(client: Any) -> tuple[str, str]:
    name = f"bench-raw-{uuid.uuid4().hex}"
    stream = f"{{{name}}}:stream"
    await client.xgroup_create(stream, "workers", id="0", mkstream=True)
    return stream, f"{{{name}}}:ledger"


async def one_round(url: str, audience: ListedAudience) -> Round:
    deliveries = audience.size
    async with open_stack(url, SILENT) as stack:
        by_delivery = deliveries / await raw_by_delivery(stack.client, deliveries)
        by_chunk = deliveries / await raw_by_chunk(stack.client, deliveries)
        work = duties(stack, audience)
        broadcast, plan_seconds = await plan(stack, work)
        dispatch_seconds = await dispatch(stack, work, broadcast)
    async with open_stack(url, PROMPT) as stack:
        work = duties(stack, audience)
        broadcast, _ = await plan(stack, work)
        complete_seconds = await complete(stack, work, broadcast)
    return Round(
        raw_by_delivery=by_delivery,
        raw_by_chunk=by_chunk,
        plan=deliveries / plan_seconds,
        dispatch=deliveries / dispatch_seconds,
        complete=deliveries / complete_seconds,
    )


async def memory_of_finished(url: str, audience: ListedAudience) -> dict[str, int]:
    """Bytes of each kind of key that a closed broadcast leaves, as MEMORY USAGE says."""
    async with open_stack(url, PROMPT) as stack:
        client: Any = stack.client
        work = duties(stack, audience)
        await plan(stack, work)

        async def is_closed() -> bool:
            return not await stack.broadcasts.open(stack.tenant)

        await work_until(stack, work, is_closed)
        sizes: dict[str, int] = {}
        async for key in client.scan_iter(match=f"*{{{stack.tenant}*", count=1_000):
            kind = _kind_of(key.decode())
            sizes[kind] = sizes.get(kind, 0) + await client.memory_usage(key, samples=0)
        return sizes


def _kind_of(key: str) -> str:
    if key.startswith("simulator:"):
        return "simulator's own posts"
    tail = [part for part in key.split("}")[1].split(":") if part]
    return tail[-1] if len(tail) > 1 and tail[0].isdigit() else tail[0]


def tally_times(deliveries: int) -> dict[str, float]:
    """Milliseconds of one roll-up of a ledger, by the level that it is split by."""
    ledger = Ledger((1,), os.urandom(deliveries).translate(bytes(n % 8 for n in range(256))))
    whole = frame(deliveries)
    counting = NumpyCounting()
    times = {}
    for level in ("", "district", "kendra"):
        counting.tally(ledger, whole, Split(level))
        rounds = []
        for _ in range(20):
            begun = time.perf_counter()
            counting.tally(ledger, whole, Split(level))
            rounds.append(time.perf_counter() - begun)
        times[level or "no split"] = 1000 * statistics.median(rounds)
    return times


async def measure(url: str, deliveries: int = DELIVERIES, rounds: int = ROUNDS) -> Report:
    """Everything, over a store that is already there."""
    await one_round(url, ListedAudience(min(deliveries, 10_000)))  # warms caches up
    audience = ListedAudience(deliveries)
    return Report(
        deliveries=deliveries,
        rounds=[await one_round(url, audience) for _ in range(rounds)],
        memory_bytes=await memory_of_finished(url, audience),
        tally_milliseconds=tally_times(deliveries),
    )


def figures(deliveries: int = DELIVERIES, rounds: int = ROUNDS) -> Iterator[Figure]:
    """The rows of the table, over a durable store of our own."""
    with own_folder("valkey") as folder, ValkeyServer(folder) as server:
        report = asyncio.run(measure(server.url, deliveries, rounds))
    size = f"{deliveries:,} deliveries"
    for name, rates in (
        ("raw loop, by delivery", [each.raw_by_delivery for each in report.rounds]),
        ("raw loop, by chunk", [each.raw_by_chunk for each in report.rounds]),
        ("plan", [each.plan for each in report.rounds]),
        ("dispatch, one worker", [each.dispatch for each in report.rounds]),
        ("dispatch with receipts, to completed", [each.complete for each in report.rounds]),
    ):
        yield Figure.of_many(f"{name}, {size}", rates, "/s")
    ratios = [each.dispatch / each.raw_by_delivery for each in report.rounds]
    yield Figure.of_many("dispatch / raw loop, by delivery", ratios, "x")
    ratios = [each.dispatch / each.raw_by_chunk for each in report.rounds]
    yield Figure.of_many("dispatch / raw loop, by chunk", ratios, "x")
    for name, milliseconds in report.tally_milliseconds.items():
        yield Figure(f"roll-up of {size}, {name}", milliseconds, "ms")
    yield Figure(f"memory, finished, {size}", sum(report.memory_bytes.values()) / 1e6, "MB")
    for name, size_bytes in sorted(report.memory_bytes.items(), key=lambda item: -item[1]):
        yield Figure(f"memory, of it {name}", size_bytes / 1e3, "KB")


def main() -> None:
    """Start a durable store, measure, print."""
    print(facts())
    for line in table(figures()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
