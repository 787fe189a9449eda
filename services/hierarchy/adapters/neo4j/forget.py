"""How a tenant is removed, some of it at a time."""

from typing import LiteralString

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.neo4j.tenants import LOCK
from services.hierarchy.domain.model import TenantId


def _forget(label: LiteralString, key: LiteralString, least: LiteralString) -> Statement:
    """Some nodes of a label; asks for a property that all have, to use its index."""
    return Statement(
        f"forget {label}",
        f"""MATCH (n:{label})
    USING INDEX SEEK n:{label}(tenant, {key})
    WHERE n.tenant = $tenant AND n.{key} >= {least}
    WITH n LIMIT $limit
    DETACH DELETE n
    RETURN count(*)""",
    )


# What others hang on goes last: a node with many relationships costs as many when it goes.
FORGET = (
    _forget("Membership", "id", "''"),
    _forget("Watch", "id", "''"),
    _forget("Appointment", "id", "''"),
    _forget("AreaLink", "id", "''"),
    _forget("Team", "id", "''"),
    _forget("PastUnit", "id", "''"),
    _forget("Area", "id", "''"),
    _forget("Person", "id", "''"),
    _forget("Unit", "id", "''"),
    _forget("Answer", "request_id", "''"),
    _forget("Event", "sequence", "0"),
)


async def forget(tx: AsyncManagedTransaction, tenant: TenantId, limit: int) -> int:
    """Remove up to `limit` things of the tenant; its own node, with the header, stays."""
    await LOCK.run(tx, tenant=tenant)
    count = 0
    for each in FORGET:
        if count < limit:
            [[gone]] = await each.run(tx, tenant=tenant, limit=limit - count)
            count += gone
    return count
