"""Finishing: a broadcast is completed when every delivery is settled, and closed when nothing
more is expected of it.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kit.clock import Clock
from services.messaging.domain.broadcasts import Broadcast, BroadcastState
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import partitions_of
from services.messaging.domain.progress import Ledger
from services.messaging.ports import Broadcasts, Counting, DeliveryLog, ReceiptSource

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinishBroadcast:
    """Looks whether open broadcasts are done. Keeps the last ledgers, to read only news."""

    broadcasts: Broadcasts
    log: DeliveryLog
    counting: Counting
    sources: Mapping[str, ReceiptSource]
    clock: Clock
    known: dict[BroadcastId, Ledger] = field(default_factory=dict)

    async def __call__(self, tenant: TenantId, broadcast: Broadcast) -> bool:
        """Complete or close the broadcast if it is time; returns whether it is closed.

        What is settled stays settled, so that looking first and moving then is safe.
        """
        if broadcast.state is BroadcastState.RUNNING:
            if not await self._all_settled(tenant, broadcast):
                return False
            broadcast = await self.broadcasts.complete(tenant, broadcast.id, self.clock.now())
            _log.info("broadcast completed", extra={"deliveries": broadcast.delivery_count})
        if not await self._nothing_expected(tenant, broadcast):
            return False
        await self.broadcasts.close(tenant, broadcast.id)
        return True

    async def _all_settled(self, tenant: TenantId, broadcast: Broadcast) -> bool:
        before = self.known.get(broadcast.id)
        ledger = await self.log.ledger(partitions_of(tenant, broadcast), before)
        if ledger is before:
            return False
        if self.counting.all_settled(ledger):
            return True
        self.known[broadcast.id] = ledger
        return False

    def forget_all_but(self, broadcast_ids: Collection[BroadcastId]) -> None:
        """Drop what is known of broadcasts that others have closed."""
        for broadcast_id in self.known.keys() - set(broadcast_ids):
            del self.known[broadcast_id]

    async def _nothing_expected(self, tenant: TenantId, broadcast: Broadcast) -> bool:
        source = self.sources[broadcast.draft.transport]
        for partition in partitions_of(tenant, broadcast):
            if await source.expected(partition) or not await self.log.retire(partition):
                return False
        return True
