"""A worker process that relays events, is stopped and killed, and the streams that it leaves."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kit.redis import RedisClient
from services.hierarchy.adapters.event_streams import stream_key
from services.hierarchy.domain.events import BlueprintChanged
from services.hierarchy.domain.model import TenantId
from services.hierarchy.translate.events import event_to_bytes
from tests.org_graphs import World
from tests.servers.process import ServerProcess
from tests.timing import wait_until

DEADLINE_SECONDS = 90.0
EVENTS_EACH = 600
_EVENTS_A_WRITE = 20
# So many wait at any time until the last were written: more than one turn of a tenant.
_AHEAD = 200


@dataclass(frozen=True)
class Relays:
    """Two tenants' events, in the store and in their streams."""

    world: World
    client: RedisClient

    @property
    def tenants(self) -> Sequence[TenantId]:
        return self.world.tenant, self.world.other

    async def write(self) -> None:
        """All events, some at a time, never far ahead of the worker."""
        for start in range(0, EVENTS_EACH, _EVENTS_A_WRITE):
            caught_up = partial(self._caught_up, start)
            await wait_until(caught_up, DEADLINE_SECONDS, "the worker")
            numbers = range(start + 1, start + 1 + _EVENTS_A_WRITE)
            for tenant in self.tenants:
                changes = [BlueprintChanged(each) for each in numbers]
                await self.world.write(changes=changes, tenant=tenant)

    async def relayed(self) -> int:
        """How many events the streams hold."""
        lengths: list[Any] = [await self.client.xlen(stream_key(each)) for each in self.tenants]
        return sum(lengths)

    async def stopped_amid(self, worker: ServerProcess, *, unmarked: bool) -> None:
        """Return with the worker standing still; if asked for, with entries that it did not mark.

        It goes on for a moment where there are none.
        """

        async def stopped() -> bool:
            assert worker.running, worker.log_tail()
            os.kill(worker.pid, signal.SIGSTOP)
            if not unmarked or await self._relayed_unmarked():
                return True
            os.kill(worker.pid, signal.SIGCONT)
            return False

        await wait_until(stopped, DEADLINE_SECONDS, "stopped amid relaying")

    async def everything(self) -> bool:
        """Whether all events are in the streams and marked."""
        waiting = {each.tenant for each in await self.world.outbox.backlogs(limit=1_000)}
        return waiting.isdisjoint(self.tenants) and await self.relayed() == 2 * EVENTS_EACH

    async def check(self) -> None:
        """Every event is in its stream, once, in its place."""
        for tenant in self.tenants:
            events = await self.world.outbox.events(tenant, after=0, limit=10_000)
            assert [event.change for event in events] == [
                BlueprintChanged(each) for each in range(1, EVENTS_EACH + 1)
            ]
            entries: Any = await self.client.xrange(stream_key(tenant))
            assert [(entry_id, fields[b"event"]) for entry_id, fields in entries] == [
                (f"{event.sequence}-0".encode(), event_to_bytes(event)) for event in events
            ]

    async def _caught_up(self, written: int) -> bool:
        return await self.relayed() >= 2 * (written - _AHEAD)

    async def _relayed_unmarked(self) -> bool:
        backlogs = await self.world.outbox.backlogs(limit=1_000)
        marked = {each.tenant: each.relayed_through for each in backlogs}
        lengths: list[Any] = [
            await self.client.xlen(stream_key(each)) for each in self.tenants if each in marked
        ]
        marks = [marked[each] for each in self.tenants if each in marked]
        return any(length > mark for length, mark in zip(lengths, marks, strict=True))
