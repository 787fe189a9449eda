"""What a write leaves behind: its decision, its events and its answer. All under the lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.puts import drop_records, put_records
from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.neo4j.tenants import Standing
from services.hierarchy.adapters.records import change_to_record, header_to_json, microseconds
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import RequestId, TenantId
from services.hierarchy.domain.operations import Decision
from services.hierarchy.ports import ANSWERS_KEPT

# The tenant's node after a write.
SET_TENANT = Statement(
    "set tenant",
    """MATCH (t:Tenant {id: $tenant})
    SET t.header = $header, t.tree_version = $tree_version, t.event_sequence = $sequence,
        t.write_count = t.write_count + 1""",
)
ADD_EVENTS = Statement(
    "add events",
    """UNWIND $rows AS row
    CREATE (:Event {tenant: $tenant, sequence: row[0], occurred_at: $at, kind: row[1],
        content: row[2]})""",
)
ANSWER = Statement(
    "read answer",
    """MATCH (a:Answer {tenant: $tenant, request_id: $request_id})
    WHERE a.answered_at > $oldest
    RETURN a.fingerprint, a.answer""",
)
# Merges, as one that is too old may still be there.
KEEP_ANSWER = Statement(
    "keep answer",
    """MERGE (a:Answer {tenant: $tenant, request_id: $request_id})
    SET a.answered_at = $at, a.fingerprint = $fingerprint, a.answer = $answer""",
)
# The oldest of those that are too old; more of them than one write adds.
FORGET_ANSWERS = Statement(
    "forget answers",
    """MATCH (a:Answer)
    USING INDEX SEEK a:Answer(tenant, answered_at)
    WHERE a.tenant = $tenant AND a.answered_at <= $oldest
    WITH a LIMIT 100
    DELETE a""",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer under a request id, and what it was the answer to."""

    fingerprint: str
    answer: str


async def write_decision(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    standing: Standing,
    decision: Decision[Any],
    now: datetime,
) -> None:
    """Bring the decision about and tell of it."""
    await drop_records(tx, tenant, decision.drops)
    await put_records(tx, tenant, decision.puts)
    await _add_events(tx, tenant, standing.event_sequence, decision.changes, now)
    header = decision.header or standing.header
    await SET_TENANT.run(
        tx,
        tenant=tenant,
        header=header_to_json(header),
        tree_version=header.tree_version,
        sequence=standing.event_sequence + len(decision.changes),
    )


async def read_answer(
    tx: AsyncManagedTransaction, tenant: TenantId, request_id: RequestId, now: datetime
) -> Kept | None:
    """The first answer under a request id, unless it is too old."""
    oldest = microseconds(now - ANSWERS_KEPT)
    rows = await ANSWER.run(tx, tenant=tenant, request_id=request_id, oldest=oldest)
    return Kept(*rows[0]) if rows else None


async def keep_answer(
    tx: AsyncManagedTransaction, tenant: TenantId, request_id: RequestId, kept: Kept, now: datetime
) -> None:
    """Keep the first answer under a request id, and forget some that are too old."""
    await FORGET_ANSWERS.run(tx, tenant=tenant, oldest=microseconds(now - ANSWERS_KEPT))
    await KEEP_ANSWER.run(
        tx,
        tenant=tenant,
        request_id=request_id,
        at=microseconds(now),
        fingerprint=kept.fingerprint,
        answer=kept.answer,
    )


async def _add_events(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    sequence: int,
    changes: Sequence[Change],
    now: datetime,
) -> None:
    """Tell of the changes under the tenant's next numbers."""
    rows = [
        [number, *change_to_record(change)]
        for number, change in enumerate(changes, start=sequence + 1)
    ]
    await ADD_EVENTS.run_in_batches(tx, rows, tenant=tenant, at=microseconds(now))
