"""The tenant's node: its lock, its header, and how all that hangs on it is removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from neo4j import AsyncManagedTransaction, AsyncSession

from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.records import header_from_json, header_to_json
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.tenants import TenantHeader

# Takes the tenant's lock until the end of the transaction, and changes nothing: setting what is
# set already locks the node and writes no log.
LOCK = Statement(
    "lock tenant",
    """MATCH (t:Tenant {id: $tenant}) SET t.locked = true
    RETURN t.header, t.event_sequence, t.write_count""",
)
# The same for a write, which may be the tenant's first.
MAKE_AND_LOCK = Statement(
    "make and lock tenant",
    """MERGE (t:Tenant {id: $tenant})
    ON CREATE SET t.header = $empty, t.tree_version = 0, t.write_count = 0,
        t.event_sequence = 0, t.relayed_through = 0
    SET t.locked = true
    MERGE (s:Settled {tenant: $tenant})
    ON CREATE SET s.tree_version = 0, s.access_version = 0
    RETURN t.header, t.event_sequence, t.write_count, [s.tree_version, s.access_version]""",
)
# The tree version that a read is not older than, read before anything else. Not the header's: a
# commit that is just being applied may show that, and not yet its units.
VERSION: LiteralString = """OPTIONAL MATCH (s:Settled {tenant: $tenant})
    WITH s.tree_version AS version"""
# Says that all writes up to these versions were applied. In a transaction after theirs, and on a
# node of its own, so that nobody waits for the tenant's next writer.
SETTLE = Statement(
    "settle versions",
    """MATCH (s:Settled {tenant: $tenant})
    SET s.locked = true
    WITH s, s.tree_version < $versions[0] AS tree, s.access_version < $versions[1] AS access
    SET s.tree_version = CASE WHEN tree THEN $versions[0] ELSE s.tree_version END,
        s.access_version = CASE WHEN access THEN $versions[1] ELSE s.access_version END""",
)
# The header, and up to which versions all writes are known to be applied.
SETTLED_HEADER = Statement(
    "read settled header",
    """MATCH (t:Tenant {id: $tenant})
    MATCH (s:Settled {tenant: $tenant})
    RETURN t.header, [s.tree_version, s.access_version]""",
)
HEADER = Statement("read header", "MATCH (t:Tenant {id: $tenant}) RETURN t.header")
TENANTS = Statement(
    "read tenants",
    """MATCH (t:Tenant) WHERE t.id > $after AND t.header IS NOT NULL
    WITH t ORDER BY t.id LIMIT $limit
    RETURN collect(t.header)""",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tenant's node says while it is locked.

    Attributes:
        event_sequence: of the newest event; 0 before the first.
        write_count: grows with each write that changes anything.
        settled: the versions of tree and access that reads may count on; behind the header's after
            a crash.
    """

    header: TenantHeader
    event_sequence: int = 0
    write_count: int = 0
    settled: Sequence[int] = (0, 0)


async def lock(tx: AsyncManagedTransaction, tenant: TenantId) -> Standing:
    """Wait for the tenant's writers and keep others out until the end of the transaction.

    A tenant that was never written has no lock.
    """
    return _standing(tenant, await LOCK.run(tx, tenant=tenant))


async def lock_for_write(tx: AsyncManagedTransaction, tenant: TenantId) -> Standing:
    """As `lock`, and makes the tenant that is not there."""
    empty = header_to_json(TenantHeader(tenant))
    return _standing(tenant, await MAKE_AND_LOCK.run(tx, tenant=tenant, empty=empty))


def versions_of(header: TenantHeader) -> list[int]:
    """The versions of tree and access."""
    return [header.tree_version, header.access_version]


def is_settled(header: TenantHeader, settled: Sequence[int]) -> bool:
    """Whether the write that made the header is known to be applied."""
    return all(one <= known for one, known in zip(versions_of(header), settled, strict=True))


async def settle(tx: AsyncManagedTransaction, tenant: TenantId, header: TenantHeader) -> None:
    """Name the header's versions to readers, unless they are told newer ones already."""
    await SETTLE.run(tx, tenant=tenant, versions=versions_of(header))


async def read_settled_header(tx: AsyncManagedTransaction, tenant: TenantId) -> TenantHeader:
    """The tenant's header, of a write that was applied: known to be, or waited for."""
    for text, settled in await SETTLED_HEADER.run(tx, tenant=tenant):
        header = _header(tenant, text)
        if is_settled(header, settled):
            return header
    return (await lock(tx, tenant)).header


async def read_header(tx: AsyncManagedTransaction | AsyncSession, tenant: TenantId) -> TenantHeader:
    """The tenant's header; an empty one of a stranger."""
    rows = await HEADER.run(tx, tenant=tenant)
    return _header(tenant, rows[0][0] if rows else None)


async def read_tenants(
    tx: AsyncManagedTransaction, after: str, limit: int
) -> Sequence[TenantHeader]:
    """Tenants in the order of ids."""
    [[texts]] = await TENANTS.run(tx, after=after, limit=limit)
    return [header_from_json(text) for text in texts]


def _standing(tenant: TenantId, rows: list[list[Any]]) -> Standing:
    if not rows:
        return Standing(TenantHeader(tenant))
    [[text, *counts]] = rows
    return Standing(_header(tenant, text), *counts)


def _header(tenant: TenantId, text: str | None) -> TenantHeader:
    # One that is just being made may be seen without.
    return header_from_json(text) if text else TenantHeader(tenant)
