"""`Outbox` over a SQLite file."""

import sqlite3
from collections.abc import Sequence

from services.hierarchy.adapters.embedded.store import EmbeddedStore
from services.hierarchy.adapters.records import change_from_record, instant_of
from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import TenantId
from services.hierarchy.ports import EVENTS_KEPT, Backlog

_EVENTS = """SELECT sequence, occurred_at, kind, content FROM event
    WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?"""
# From the index of backlogs alone.
_BACKLOGS = """SELECT id, relayed_through FROM tenant WHERE event_sequence > relayed_through
    ORDER BY id LIMIT ?"""
_MARK = """UPDATE tenant SET relayed_through = min(?2, event_sequence)
    WHERE id = ?1 AND relayed_through < ?2"""
# Those that were relayed and are not among the newest.
_FORGET = """DELETE FROM event WHERE tenant = ?1 AND sequence <= (
    SELECT min(relayed_through, event_sequence - ?2) FROM tenant WHERE id = ?1)"""


class EmbeddedOutbox:
    """Events in the file of the graph that they tell of."""

    def __init__(self, store: EmbeddedStore, events_kept: int = EVENTS_KEPT) -> None:
        self._store = store
        self._events_kept = events_kept

    async def events(self, tenant: TenantId, *, after: int, limit: int) -> Sequence[Event]:
        def work(connection: sqlite3.Connection) -> Sequence[Event]:
            rows = connection.execute(_EVENTS, (tenant, after, limit))
            return [
                Event(tenant, sequence, instant_of(at), change_from_record(kind, content))
                for sequence, at, kind, content in rows
            ]

        return await self._store.read(work)

    async def backlogs(self, *, limit: int) -> Sequence[Backlog]:
        def work(connection: sqlite3.Connection) -> Sequence[Backlog]:
            return [Backlog(*row) for row in connection.execute(_BACKLOGS, (limit,))]

        return await self._store.read(work)

    async def mark_relayed(self, tenant: TenantId, *, through: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_MARK, (tenant, through))
            connection.execute(_FORGET, (tenant, self._events_kept))

        await self._store.write(work)
