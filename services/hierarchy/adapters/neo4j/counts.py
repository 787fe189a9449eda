"""Statements over all appointments of a tenant."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import LiteralString

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.records import microseconds
from services.hierarchy.domain.model import TenantId, UnitId
from services.hierarchy.domain.people import Verification
from services.hierarchy.ports import Tally

_IN_FORCE: LiteralString = "n.valid_from <= $at AND (n.valid_to IS NULL OR $at < n.valid_to)"
_STATE: LiteralString = """CASE WHEN n.verified_at IS NULL THEN 'unverified'
        WHEN n.verified_at < $verified_since THEN 'stale' ELSE 'verified' END"""

# The units of those who hold a position.
UNITS_WITH = Statement(
    "read units with a position",
    f"""MATCH (n:Appointment {{tenant: $tenant, position: $position}})
    USING INDEX SEEK n:Appointment(tenant, position)
    WHERE {_IN_FORCE}
    RETURN collect(DISTINCT n.unit_id)""",
)
TALLY = Statement(
    "tally appointments",
    f"""MATCH (n:Appointment)
    USING INDEX SEEK n:Appointment(tenant, position)
    WHERE n.tenant = $tenant AND n.position > '' AND {_IN_FORCE}
    RETURN n.position, {_STATE}, count(*)""",
)
TALLY_OF_UNITS = Statement(
    "tally appointments of units",
    f"""UNWIND $rows AS unit_id
    MATCH (n:Appointment {{tenant: $tenant, unit_id: unit_id}})
    USING INDEX SEEK n:Appointment(tenant, unit_id)
    WHERE {_IN_FORCE}
    RETURN n.position, {_STATE}, count(*)""",
)


async def read_units_with(
    tx: AsyncManagedTransaction, tenant: TenantId, position: str, at: datetime
) -> Collection[UnitId]:
    """The units in which somebody holds the position."""
    [[found]] = await UNITS_WITH.run(tx, tenant=tenant, position=position, at=microseconds(at))
    return frozenset(found)


async def read_tally(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    units: Collection[UnitId] | None,
    at: datetime,
    verified_since: datetime,
) -> Sequence[Tally]:
    """How many appointments are in force."""
    values = {
        "tenant": tenant,
        "at": microseconds(at),
        "verified_since": microseconds(verified_since),
    }
    if units is None:
        rows = await TALLY.run(tx, **values)
    else:
        rows = await TALLY_OF_UNITS.run_in_batches(tx, list(dict.fromkeys(units)), **values)
    counts: Counter[tuple[str, str]] = Counter()
    for position, state, count in rows:
        counts[position, state] += count
    return [
        Tally(position, Verification(state), count)
        for (position, state), count in sorted(counts.items())
    ]
