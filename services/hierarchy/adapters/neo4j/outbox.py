"""`Outbox` over Neo4j."""

from collections.abc import Sequence

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.neo4j.store import Neo4jStore
from services.hierarchy.adapters.records import change_from_record, instant_of
from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import TenantId
from services.hierarchy.ports import EVENTS_KEPT, Backlog

# A run of a tenant's events, in order.
EVENTS = Statement(
    "read events",
    """MATCH (e:Event)
    USING INDEX SEEK e:Event(tenant, sequence)
    WHERE e.tenant = $tenant AND e.sequence > $after
    WITH e ORDER BY e.tenant, e.sequence LIMIT $limit
    RETURN collect([e.sequence, e.occurred_at, e.kind, e.content])""",
)
BACKLOGS = Statement(
    "read backlogs",
    """MATCH (t:Tenant) WHERE t.event_sequence > t.relayed_through
    RETURN t.id, t.relayed_through ORDER BY t.id LIMIT $limit""",
)
# Locks before it compares: two relays must not take turns in going back.
MARK = Statement(
    "mark relayed",
    """MATCH (t:Tenant {id: $tenant})
    SET t.locked = true
    WITH t WHERE t.relayed_through < $through
    SET t.relayed_through =
        CASE WHEN $through < t.event_sequence THEN $through ELSE t.event_sequence END""",
)
# Those that were relayed and are not among the newest.
FORGET = Statement(
    "forget events",
    """MATCH (t:Tenant {id: $tenant})
    MATCH (e:Event) WHERE e.tenant = $tenant AND e.sequence <= t.relayed_through
        AND e.sequence <= t.event_sequence - $kept
    DELETE e""",
)


class Neo4jOutbox:
    """Events as nodes beside the units that they tell of."""

    def __init__(self, store: Neo4jStore, events_kept: int = EVENTS_KEPT) -> None:
        self._store = store
        self._events_kept = events_kept

    async def events(self, tenant: TenantId, *, after: int, limit: int) -> Sequence[Event]:
        return await self._store.run(_read_events, tenant, after, limit)

    async def backlogs(self, *, limit: int) -> Sequence[Backlog]:
        return await self._store.run(_read_backlogs, limit)

    async def mark_relayed(self, tenant: TenantId, *, through: int) -> None:
        await self._store.run(_mark, tenant, through, self._events_kept)


async def _read_events(
    tx: AsyncManagedTransaction, tenant: TenantId, after: int, limit: int
) -> Sequence[Event]:
    [[rows]] = await EVENTS.run(tx, tenant=tenant, after=after, limit=limit)
    return [
        Event(tenant, sequence, instant_of(at), change_from_record(kind, content))
        for sequence, at, kind, content in rows
    ]


async def _read_backlogs(tx: AsyncManagedTransaction, limit: int) -> Sequence[Backlog]:
    rows = await BACKLOGS.run(tx, limit=limit)
    return [Backlog(TenantId(tenant), relayed) for tenant, relayed in rows]


async def _mark(
    tx: AsyncManagedTransaction, tenant: TenantId, through: int, events_kept: int
) -> None:
    await MARK.run(tx, tenant=tenant, through=through)
    await FORGET.run(tx, tenant=tenant, kept=events_kept)
