"""Dispatching: a chunk is taken, handed to its transport and committed; receipts are joined."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.errors import LeaseLost
from services.messaging.domain.partitions import Chunk, Partition
from services.messaging.ports import DeliveryLog, ReceiptSource, Transport

# A chunk that was taken this often without an outcome kills its workers or never gets an answer:
# with a lease of 15 s, after about an hour. Its deliveries end as failed; evidence that one did
# arrive still overrules that.
MAX_DELIVERIES = 240
GAVE_UP = "NO_OUTCOME"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DispatchChunks:
    """Takes chunks and sees them through. Remembers which are in hand, to keep them alive."""

    log: DeliveryLog
    transports: Mapping[str, Transport]
    consumer: str
    lease: timedelta
    in_hand: dict[str, Chunk] = field(default_factory=dict)

    async def take(self, partition: Partition) -> Chunk | None:
        """A chunk of this partition that nobody works on, if there is one."""
        return await self.log.take(partition, self.consumer, self.lease)

    async def send(self, chunk: Chunk, transport: str) -> None:
        """Hand a chunk to its transport and commit the outcome.

        Effect first, then acknowledgement: when anything fails in between, the chunk is taken
        again after its lease, and its transport knows the deliveries by their keys.
        """
        key = f"{chunk.partition}/{chunk.entry_id}"
        self.in_hand[key] = chunk
        try:
            await self.log.commit(chunk, await self._outcome(chunk, transport))
        except LeaseLost:
            _log.warning("chunk was taken over", extra={"delivery_count": chunk.delivery_count})
        finally:
            # Unless this process took it again meanwhile.
            if self.in_hand.get(key) is chunk:
                del self.in_hand[key]

    async def keep_alive(self) -> None:
        """Renew the lease of everything in hand; to be called well within the lease."""
        if self.in_hand:
            await self.log.hold(list(self.in_hand.values()))

    async def _outcome(self, chunk: Chunk, transport: str) -> Evidence:
        if chunk.delivery_count > MAX_DELIVERIES:
            _log.error("chunk given up", extra={"delivery_count": chunk.delivery_count})
            positions = range(chunk.start, chunk.start + chunk.size)
            states = bytes([DeliveryState.FAILED]) * chunk.size
            return Evidence(chunk.start, states, dict.fromkeys(positions, GAVE_UP))
        return await self.transports[transport].send(chunk)


@dataclass(frozen=True, slots=True)
class ReceiveReceipts:
    """Joins what transports tell later."""

    log: DeliveryLog
    sources: Mapping[str, ReceiptSource]

    async def __call__(self, partition: Partition, transport: str) -> int:
        """Join what is due for a partition; returns how many batches that were.

        Effect first, then acknowledgement: what is told twice changes nothing the second time.
        """
        receipts = await self.sources[transport].due(partition)
        if receipts.tokens:
            await self.log.apply(partition, receipts.evidence)
            await self.sources[transport].acknowledge(partition, receipts)
        return len(receipts.tokens)
