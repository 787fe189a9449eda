"""The ports `Transport` and `ReceiptSource` of the simulator.

Its posts and its schedule of receipts live in the store, as a real provider's live with it: they
survive every process. Receipts are told at least once; whoever claims some keeps them from others
for a while, and they show again unless they are acknowledged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files

import numpy as np

from kit.clock import Clock
from kit.redis import RedisClient, redis_errors
from services.messaging.adapters.functions import Functions
from services.messaging.adapters.simulator.world import (
    LATE_FAILURES,
    REFUSALS,
    Batch,
    Fates,
    World,
    fates,
)
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.partitions import Chunk, Partition
from services.messaging.domain.recent import Recent
from services.messaging.ports import Receipts

_KEPT_SECONDS = 7 * 24 * 3600
# Joining some thousand states holds the store for about a millisecond.
_BATCHES_AT_ONCE = 8
_CLAIM = timedelta(seconds=5)
_KEPT_FATES = 1024

_POSTED, _REFUSED = 1, 2


def open_simulator(client: RedisClient, clock: Clock, world: World) -> "Simulator":
    """The simulator over this store."""
    source = files(__package__).joinpath("simulator.lua").read_text("utf-8")
    return Simulator(client, Functions(client, "messaging_simulator", source), clock, world)


@dataclass(frozen=True, slots=True)
class _Keys:
    posts: str
    tally: str
    due: str

    @classmethod
    def of(cls, partition: Partition) -> "_Keys":
        tag = f"{partition.tenant}:{partition.broadcast_id}:{partition.number}"
        root = f"simulator:{{{tag}}}"
        return cls(f"{root}:posts", f"{root}:tally", f"{root}:due")


class Simulator:
    """A provider that takes batches under the keys (broadcast, group, attempt)."""

    def __init__(
        self, client: RedisClient, functions: Functions, clock: Clock, world: World
    ) -> None:
        self._client = client
        self._functions = functions
        self._clock = clock
        self._world = world
        self._fates: Recent[Batch, Fates] = Recent(_KEPT_FATES)

    async def send(self, chunk: Chunk) -> Evidence:
        partition = chunk.partition
        batch = Batch(
            world=self._world,
            broadcast_id=partition.broadcast_id,
            partition=partition.number,
            start=chunk.start,
            size=chunk.size,
            attempt=chunk.attempt,
            posted_at_ms=self._now_ms(),
        )
        fate = self._fate_of(batch)
        first = fate.next_after(-1)
        keys = _Keys.of(partition)
        with redis_errors():
            answer = await self._functions.call(
                "post",
                keys=[keys.posts, keys.tally, keys.due],
                args=[
                    chunk.start,
                    np.where(fate.refused, _REFUSED, _POSTED).astype(np.uint8).tobytes(),
                    _to_member(batch),
                    "" if first is None else batch.posted_at_ms + first,
                    _KEPT_SECONDS,
                ],
            )
        # A repeat is answered as the first time, also when the world has changed since.
        refused = np.frombuffer(answer, np.uint8) == _REFUSED
        states = np.where(refused, DeliveryState.FAILED, DeliveryState.ACCEPTED).astype(np.uint8)
        return Evidence(chunk.start, states.tobytes(), _told(chunk.start, refused, fate, REFUSALS))

    async def due(self, partition: Partition) -> Receipts:
        now = self._now_ms()
        with redis_errors():
            members = await self._functions.call(
                "claim",
                keys=[_Keys.of(partition).due],
                args=[now, now + _CLAIM // timedelta(milliseconds=1), _BATCHES_AT_ONCE],
            )
        told = [self._tell(_from_member(partition, member.decode()), now) for member in members]
        return Receipts(
            tuple(evidence for evidence, _ in told),
            tuple(
                f"{member.decode()}|{after}"
                for member, (_, after) in zip(members, told, strict=True)
            ),
        )

    async def acknowledge(self, partition: Partition, receipts: Receipts) -> None:
        if not receipts.tokens:
            return
        args = [part for token in receipts.tokens for part in token.split("|")]
        with redis_errors():
            await self._functions.call("settle", keys=[_Keys.of(partition).due], args=args)

    async def expected(self, partition: Partition) -> bool:
        with redis_errors():
            return bool(await self._client.exists(_Keys.of(partition).due))

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _tell(self, batch: Batch, now_ms: int) -> tuple[Evidence, str]:
        """What is new since the batch last told, and what it is from now on."""
        fate = self._fate_of(batch)
        elapsed = now_ms - batch.posted_at_ms
        after = batch.told_until_ms
        settled = ~fate.refused & (after < fate.settled_ms) & (fate.settled_ms <= elapsed)
        read = (after < fate.read_ms) & (fate.read_ms <= elapsed)
        states = np.zeros(batch.size, np.uint8)
        states[settled & ~fate.fails] = DeliveryState.DELIVERED
        states[settled & fate.fails] = DeliveryState.FAILED
        states[read] = DeliveryState.READ
        failed = settled & fate.fails
        evidence = Evidence(
            batch.start, states.tobytes(), _told(batch.start, failed, fate, LATE_FAILURES)
        )
        following = fate.next_after(elapsed)
        if following is None:
            return evidence, "|"
        later = replace(batch, told_until_ms=elapsed)
        return evidence, f"{_to_member(later)}|{batch.posted_at_ms + following}"

    def _fate_of(self, batch: Batch) -> Fates:
        key = replace(batch, posted_at_ms=0, told_until_ms=-1)
        return self._fates.get(key) or self._fates.put(key, fates(key))


def _told(
    start: int, which: "np.ndarray[tuple[int], np.dtype[np.bool_]]", fate: Fates, of: Sequence[str]
) -> Mapping[int, str]:
    return {start + at: of[fate.reason[at] % len(of)] for at in np.flatnonzero(which).tolist()}


def _to_member(batch: Batch) -> str:
    world = batch.world
    parts = (batch.start, batch.size, batch.attempt, batch.posted_at_ms, batch.told_until_ms)
    return ":".join(map(str, (*parts, *_world_parts(world))))


def _world_parts(world: World) -> Iterator[str]:
    yield str(world.seed)
    yield repr(world.median_delay_seconds)
    yield repr(world.failure_rate)


def _from_member(partition: Partition, member: str) -> Batch:
    start, size, attempt, posted, told, seed, median, failures = member.split(":")
    return Batch(
        world=World(int(seed), float(median), float(failures)),
        broadcast_id=partition.broadcast_id,
        partition=partition.number,
        start=int(start),
        size=int(size),
        attempt=int(attempt),
        posted_at_ms=int(posted),
        told_until_ms=int(told),
    )
