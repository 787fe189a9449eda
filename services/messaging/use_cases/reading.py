"""Reading broadcasts, their progress and their deliveries."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from kit.clock import Clock
from kit.errors import ChaupalError, answer_too_large
from kit.ids import uuid_bytes
from services.messaging.domain.broadcasts import Broadcast
from services.messaging.domain.deliveries import Delivery, DeliveryState
from services.messaging.domain.errors import BroadcastNotFound
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, TenantId, UnitId
from services.messaging.domain.partitions import partitions_of
from services.messaging.domain.progress import MAX_ROWS, Ledger, Progress, Split, Tally
from services.messaging.domain.recent import Recent
from services.messaging.ports import Broadcasts, BroadcastsPage, Caller, Counting, DeliveryLog
from services.messaging.use_cases.access import VIEW, tenant_of

Topic = tuple[TenantId, BroadcastId]
Version = tuple[int, ...]

# A lakh of deliveries is 100 KB; a tally by 7,000 units about 2 MB.
_KEPT_LEDGERS = 64
_KEPT_TALLIES = 64
_NOTHING_YET = Ledger()


@dataclass(frozen=True, slots=True)
class ReadBroadcasts:
    """Broadcasts by id and in pages."""

    broadcasts: Broadcasts

    async def one(self, caller: Caller, broadcast_id: BroadcastId) -> Broadcast:
        """Raises Forbidden, BroadcastNotFound."""
        tenant = tenant_of(caller, VIEW)
        [found] = await self.broadcasts.get(tenant, [broadcast_id])
        if found is None:
            raise BroadcastNotFound(broadcast_id)
        return found

    async def many(
        self, caller: Caller, broadcast_ids: Sequence[BroadcastId]
    ) -> list[Broadcast | ChaupalError]:
        """One broadcast or error for each id, in their order.

        Raises:
            Forbidden: The caller may not view.
            InvalidInput: ANSWER_TOO_LARGE when they are more than one answer may hold.
        """
        tenant = tenant_of(caller, VIEW)
        found = await self.broadcasts.first_of(tenant, broadcast_ids)
        if len(found) < len(broadcast_ids):
            raise answer_too_large("ids")
        return [
            each if each is not None else BroadcastNotFound(broadcast_id)
            for broadcast_id, each in zip(broadcast_ids, found, strict=True)
        ]

    async def page(self, caller: Caller, cursor: str, size: int) -> BroadcastsPage:
        """The next page, newest first. Raises Forbidden."""
        return await self.broadcasts.page(tenant_of(caller, VIEW), cursor, size)


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """Progress, counted from the ledger. Keeps the last ledgers and tallies by their versions, so
    that what has not changed is neither read nor counted again.
    """

    broadcasts: Broadcasts
    log: DeliveryLog
    counting: Counting
    clock: Clock
    _ledgers: Recent[Topic, Ledger] = field(default_factory=lambda: Recent(_KEPT_LEDGERS))
    _tallies: Recent[tuple[Topic, Split], tuple[Version, Tally]] = field(
        default_factory=lambda: Recent(_KEPT_TALLIES)
    )

    async def many(
        self, caller: Caller, broadcast_ids: Sequence[BroadcastId], split: Split
    ) -> list[Progress | ChaupalError]:
        """One progress or error for each id, in their order. One that fails leaves the others.

        Raises:
            Forbidden: The caller may not view.
            InvalidInput: ANSWER_TOO_LARGE when their splits have more than `MAX_ROWS` together.
        """
        tenant = tenant_of(caller, VIEW)
        distinct = list(dict.fromkeys(broadcast_ids))
        times = Counter(broadcast_ids)
        answers: dict[BroadcastId, Progress | ChaupalError] = {}
        rows = 0
        for broadcast_id, broadcast in zip(
            distinct, await self.broadcasts.get(tenant, distinct), strict=True
        ):
            answer = await self._one(tenant, broadcast_id, broadcast, split)
            if isinstance(answer, Progress):
                rows += len(answer.tally.by_unit) * times[broadcast_id]
            if rows > MAX_ROWS:
                raise answer_too_large("broadcast_ids")
            answers[broadcast_id] = answer
            # What was kept is answered without any wait: others get their turn in between.
            await asyncio.sleep(0)
        return [answers[broadcast_id] for broadcast_id in broadcast_ids]

    async def _one(
        self, tenant: TenantId, broadcast_id: BroadcastId, broadcast: Broadcast | None, split: Split
    ) -> Progress | ChaupalError:
        if broadcast is None:
            return BroadcastNotFound(broadcast_id)
        try:
            return await self.of(tenant, broadcast, await self.ledger(tenant, broadcast), split)
        except ChaupalError as error:
            return error

    async def ledger(self, tenant: TenantId, broadcast: Broadcast) -> Ledger:
        """The states of its deliveries; none before it is planned."""
        partitions = partitions_of(tenant, broadcast)
        if not partitions:
            return _NOTHING_YET
        topic = (tenant, broadcast.id)
        ledger = await self.log.ledger(partitions, self._ledgers.get(topic))
        return self._ledgers.put(topic, ledger)

    async def of(
        self, tenant: TenantId, broadcast: Broadcast, ledger: Ledger, split: Split
    ) -> Progress:
        """What that ledger says of that broadcast.

        Raises:
            InvalidInput: On `split.level`, as `Counting.tally`.
            LedgerMissing: The store has lost the frame.
        """
        key = ((tenant, broadcast.id), split)
        version, tally = self._tallies.get(key) or (None, None)
        if tally is None or version != ledger.version:
            frame = await self._frame(tenant, broadcast, split)
            tally = self.counting.tally(ledger, frame, split)
            self._tallies.put(key, (ledger.version, tally))
        return Progress(
            broadcast_id=broadcast.id,
            state=broadcast.state,
            version="-".join(map(str, ledger.version)),
            tally=tally,
            read_at=self.clock.now(),
        )

    async def _frame(self, tenant: TenantId, broadcast: Broadcast, split: Split) -> Frame:
        if not split.level:
            return Frame.empty()
        return await self.broadcasts.frame(tenant, broadcast)


@dataclass(frozen=True, slots=True)
class DeliveriesQuery:
    """Which deliveries of a broadcast.

    Attributes:
        broadcast_id: The broadcast.
        unit_id: Only those under this unit; None for all.
        states: Only those in any of these; empty for all.
        position: Only those from this one on, counted in the broadcast.
    """

    broadcast_id: BroadcastId
    unit_id: UnitId | None = None
    states: Collection[DeliveryState] = ()
    position: int = 0


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    """A page of deliveries; `next_position` is None on the last one."""

    deliveries: tuple[Delivery, ...]
    next_position: int | None


@dataclass(frozen=True, slots=True)
class ListDeliveries:
    """The deliveries of one broadcast in tree order."""

    broadcasts: Broadcasts
    log: DeliveryLog
    counting: Counting

    async def __call__(self, caller: Caller, query: DeliveriesQuery, size: int) -> DeliveriesPage:
        """The first `size` deliveries of the query, as they stand now.

        One that changes its state while it is listed may be missed; none is listed twice.

        Raises:
            Forbidden: The caller may not view.
            BroadcastNotFound: There is none.
        """
        tenant = tenant_of(caller, VIEW)
        [broadcast] = await self.broadcasts.get(tenant, [query.broadcast_id])
        if broadcast is None:
            raise BroadcastNotFound(query.broadcast_id)
        partitions = partitions_of(tenant, broadcast)
        if not partitions:
            return DeliveriesPage((), None)
        start, end = await self._range(tenant, broadcast, query.unit_id)
        ledger = await self.log.ledger(partitions)
        within = (max(start, query.position), end)
        states = query.states or tuple(DeliveryState)
        found = self.counting.select(ledger, states, within, size + 1)
        deliveries = await self.log.deliveries(partitions, found[:size])
        return DeliveriesPage(
            tuple(each for each in deliveries if each.state in states),
            found[size] if len(found) > size else None,
        )

    async def _range(
        self, tenant: TenantId, broadcast: Broadcast, unit_id: UnitId | None
    ) -> tuple[int, int]:
        if unit_id is None:
            return 0, broadcast.delivery_count
        frame = await self.broadcasts.frame(tenant, broadcast)
        at = frame.find(uuid_bytes(unit_id))
        return (0, 0) if at is None else (frame.starts[at], frame.ends[at])
