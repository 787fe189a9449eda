"""The `DeliveryLog` port over Redis: per partition a stream of chunks and a string of states.

The stream's pending-entries list is the lease: idle time is the heartbeat, owner and delivery
count the fencing token, which `commit_chunk` reads before its first write.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from kit.ids import uuid_text
from kit.redis import RedisClient
from services.messaging.adapters.redis.keys import PartitionKeys
from services.messaging.adapters.redis.libraries import Libraries
from services.messaging.adapters.redis.steps import store_step
from services.messaging.domain.deliveries import Delivery, DeliveryState, Evidence
from services.messaging.domain.errors import LeaseLost, LedgerMissing
from services.messaging.domain.ids import BroadcastId, GroupId, TenantId
from services.messaging.domain.partitions import GROUP_ID_BYTES, Chunk, Partition
from services.messaging.domain.progress import Ledger

# The connections of a process are bounded, and others want some too.
_READS_AT_ONCE = 8

T = TypeVar("T")


class RedisDeliveryLog:
    """Each partition's keys share a slot; partitions are spread over the slots."""

    def __init__(self, client: RedisClient, libraries: Libraries) -> None:
        self._client = client
        self._functions = libraries.ledger

    async def write_partition(
        self, partition: Partition, group_ids: bytes, chunk_size: int, traceparent: str
    ) -> None:
        keys = PartitionKeys.of(partition)
        with store_step("FCALL write_partition"):
            answer = await self._functions.call(
                "write_partition",
                keys=[keys.stream, keys.targets, keys.ledger, keys.version],
                args=[group_ids, chunk_size, traceparent],
            )
        if answer != [b"ok"]:
            raise ValueError(f"partition {partition.number} holds other groups")

    async def drop_generation(
        self, tenant: TenantId, broadcast_id: BroadcastId, generation: int, written: int = 0
    ) -> None:
        def keys_of(number: int) -> tuple[str, ...]:
            return PartitionKeys.at(tenant, broadcast_id, number, generation).all()

        with store_step("UNLINK generation"):
            end = written
            while await self._client.exists(*keys_of(end)):
                end += 1
            # From the last one down, so that a drop which breaks off leaves no gap at which the
            # next one would stop.
            for number in reversed(range(end)):
                await self._client.unlink(*keys_of(number))

    async def take(self, partition: Partition, consumer: str, lease: timedelta) -> Chunk | None:
        keys = PartitionKeys.of(partition)
        with store_step("FCALL take"):
            answer = await self._functions.call(
                "take",
                keys=[keys.stream, keys.targets],
                args=[consumer, lease // timedelta(milliseconds=1)],
            )
        if not answer:
            return None
        entry, delivery_count, start, attempt, traceparent, group_ids = answer
        return Chunk(
            partition=partition,
            entry_id=entry.decode(),
            consumer=consumer,
            delivery_count=delivery_count,
            start=start,
            group_ids=group_ids,
            attempt=attempt,
            traceparent=traceparent.decode(),
        )

    async def hold(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        by_holder: dict[tuple[Partition, str], list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            by_holder[chunk.partition, chunk.consumer].append(chunk)
        held: list[Chunk] = []
        for (partition, consumer), group in by_holder.items():
            fences = [part for each in group for part in (each.entry_id, each.delivery_count)]
            with store_step("FCALL hold"):
                answers = await self._functions.call(
                    "hold", keys=[PartitionKeys.of(partition).stream], args=[consumer, *fences]
                )
            held += [chunk for chunk, mine in zip(group, answers, strict=True) if mine]
        return held

    async def commit(self, chunk: Chunk, evidence: Evidence) -> None:
        keys = PartitionKeys.of(chunk.partition)
        fence = (chunk.consumer, chunk.entry_id, chunk.delivery_count)
        with store_step("FCALL commit_chunk"):
            answer = await self._functions.call(
                "commit_chunk",
                keys=[keys.stream, keys.ledger, keys.version, keys.reasons],
                args=[*fence, *_run(evidence)],
            )
        if answer != [b"ok"]:
            raise LeaseLost(chunk.entry_id)

    async def apply(self, partition: Partition, evidence: Sequence[Evidence]) -> bool:
        if not evidence:
            return False
        keys = PartitionKeys.of(partition)
        with store_step("FCALL apply_receipts"):
            answer = await self._functions.call(
                "apply_receipts",
                keys=[keys.ledger, keys.version, keys.reasons],
                args=[part for each in evidence for part in _run(each)],
            )
        return bool(answer == [b"changed"])

    async def ledger(self, partitions: Sequence[Partition], known: Ledger | None = None) -> Ledger:
        usable = known is not None and len(known.version) == len(partitions)
        versions = known.version if known and usable else (None,) * len(partitions)
        answers: list[tuple[int, bytes | None]] = []
        with store_step("FCALL read"):
            for some in _batched(zip(partitions, versions, strict=True), _READS_AT_ONCE):
                answers += await asyncio.gather(*(self._read(*each) for each in some))
        if known and usable and all(states is None for _, states in answers):
            return known
        pieces = [
            known.states[partition.start : partition.end] if states is None and known else states
            for partition, (_, states) in zip(partitions, answers, strict=True)
        ]
        return Ledger(
            tuple(version for version, _ in answers), b"".join(piece or b"" for piece in pieces)
        )

    async def _read(self, partition: Partition, known: int | None) -> tuple[int, bytes | None]:
        keys = PartitionKeys.of(partition)
        answer = await self._functions.call(
            "read",
            keys=[keys.version, keys.ledger],
            args=[] if known is None else [known],
            read_only=True,
        )
        if not answer:
            raise LedgerMissing(partition.broadcast_id, partition.number)
        return int(answer[0]), answer[1] if len(answer) > 1 else None

    async def deliveries(
        self, partitions: Sequence[Partition], positions: Sequence[int]
    ) -> list[Delivery]:
        found: list[Delivery] = []
        for partition in partitions:
            inside = [each - partition.start for each in positions if _holds(partition, each)]
            if inside:
                found += await self._pick(partition, inside)
        return found

    async def _pick(self, partition: Partition, positions: Sequence[int]) -> list[Delivery]:
        keys = PartitionKeys.of(partition)
        with store_step("FCALL pick"):
            ids, states, reasons = await self._functions.call(
                "pick",
                keys=[keys.targets, keys.ledger, keys.reasons],
                args=list(positions),
                read_only=True,
            )
        return [
            Delivery(
                GroupId(uuid_text(ids[at * GROUP_ID_BYTES : (at + 1) * GROUP_ID_BYTES])),
                DeliveryState(states[at]),
                (reasons[at] or b"").decode(),
            )
            for at in range(len(positions))
        ]

    async def retire(self, partition: Partition) -> bool:
        with store_step("FCALL retire"):
            answer = await self._functions.call("retire", keys=[PartitionKeys.of(partition).stream])
        return bool(answer == [b"ok"])


def _holds(partition: Partition, position: int) -> bool:
    return partition.start <= position < partition.end


def _run(evidence: Evidence) -> list[int | str | bytes]:
    """Evidence as the Functions read it; each run with its own reasons."""
    reasons = [part for item in evidence.reasons.items() for part in item]
    return [evidence.start, evidence.states, len(evidence.reasons), *reasons]


def _batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Runs of at most `size` items (itertools has it from Python 3.12 on)."""
    left = iter(items)
    while some := tuple(islice(left, size)):
        yield some
