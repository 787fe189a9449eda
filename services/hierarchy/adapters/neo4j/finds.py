"""How records are found: one statement for each index, one for each walk over a type."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.nodes import records
from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.neo4j.tenants import VERSION
from services.hierarchy.adapters.records import microseconds
from services.hierarchy.domain import records as by
from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import Index, PastUnit, R
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.ports import Read

_ALWAYS: LiteralString = ""
_SINCE: LiteralString = "WHERE $at IS NULL OR n.since <= $at"
_UNTIL: LiteralString = "WHERE $at IS NULL OR (n.since <= $at AND $at < n.until)"
_SPAN: LiteralString = """WHERE $at IS NULL
            OR (n.valid_from <= $at AND (n.valid_to IS NULL OR $at < n.valid_to))"""
# The rest of the index of siblings, which is used only where all its properties are asked for.
_CHILD: LiteralString = """WHERE n.code IS NOT NULL AND n.level IS NOT NULL
            AND ($at IS NULL OR n.since <= $at)"""


def _find(
    label: LiteralString, key: LiteralString, where: LiteralString, more: LiteralString = ""
) -> Statement:
    """The nodes of a label with one of `$keys`, and a tree version that was read before them.

    All nodes in one list: a record of the driver for each would cost ten times as much. The index
    is named, with its columns: a plan that was made while there was little can be a scan for each
    key, and is used for long.
    """
    return Statement(
        f"find {label} by {key}",
        f"""{VERSION}
    CALL (version) {{
        UNWIND $rows AS key
        MATCH (n:{label} {{tenant: $tenant, {key}: key}})
        USING INDEX SEEK n:{label}(tenant, {key}{more})
        {where}
        RETURN collect(properties(n)) AS found
    }}
    RETURN version, found""",
    )


def _walk(label: LiteralString) -> Statement:
    """Nodes of a label behind an id, in the order of ids.

    Ordered by the whole index, or else all nodes are read and sorted for the first few.
    """
    return Statement(
        f"page {label}",
        f"""MATCH (n:{label})
    USING INDEX SEEK n:{label}(tenant, id)
    WHERE n.tenant = $tenant AND n.id > $after
    WITH n ORDER BY n.tenant, n.id LIMIT $limit
    RETURN collect(properties(n))""",
    )


FIND: Mapping[Index[Any], Statement] = {
    by.UNITS_BY_ID: _find("Unit", "id", _SINCE),
    by.UNITS_BY_KEY: _find("Unit", "key", _SINCE),
    by.UNITS_BY_PARENT: _find("Unit", "parent_id", _CHILD, ", code, level"),
    by.PAST_UNITS_BY_ID: _find("PastUnit", "unit_id", _UNTIL),
    by.PAST_UNITS_BY_KEY: _find("PastUnit", "key", _UNTIL),
    by.PAST_UNITS_BY_PARENT: _find("PastUnit", "parent_id", _UNTIL),
    by.AREAS_BY_ID: _find("Area", "id", _SPAN),
    by.AREAS_BY_KEY: _find("Area", "key", _SPAN),
    by.AREA_LINKS_BY_UNIT: _find("AreaLink", "unit_id", _SPAN),
    by.AREA_LINKS_BY_AREA: _find("AreaLink", "area_id", _SPAN),
    by.PERSONS_BY_ID: _find("Person", "id", _ALWAYS),
    by.PERSONS_BY_PHONE: _find("Person", "phone_hash", _ALWAYS),
    by.PERSONS_BY_SUBJECT: _find("Person", "subject", _ALWAYS),
    by.APPOINTMENTS_BY_ID: _find("Appointment", "id", _SPAN),
    by.APPOINTMENTS_BY_UNIT: _find("Appointment", "unit_id", _SPAN),
    by.APPOINTMENTS_BY_PERSON: _find("Appointment", "person_id", _SPAN),
    by.TEAMS_BY_ID: _find("Team", "id", _SPAN),
    by.TEAMS_BY_UNIT: _find("Team", "unit_id", _SPAN),
    by.MEMBERSHIPS_BY_TEAM: _find("Membership", "team_id", _SPAN),
    by.MEMBERSHIPS_BY_PERSON: _find("Membership", "person_id", _SPAN),
    by.WATCHES_BY_ID: _find("Watch", "id", _SPAN),
    by.WATCHES_BY_UNIT: _find("Watch", "unit_id", _SPAN),
    by.WATCHES_BY_PERSON: _find("Watch", "person_id", _SPAN),
}

WALK: Mapping[type[Any], Statement] = {
    Unit: _walk("Unit"),
    PastUnit: _walk("PastUnit"),
    Area: _walk("Area"),
    AreaLink: _walk("AreaLink"),
    Person: _walk("Person"),
    Appointment: _walk("Appointment"),
    Team: _walk("Team"),
    Membership: _walk("Membership"),
    Watch: _walk("Watch"),
}


async def find(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    index: Index[R],
    keys: Collection[str],
    at: datetime | None = None,
    *,
    locked: bool = False,
) -> Read[Mapping[str, Sequence[R]]]:
    """The records with these keys; the version is that of the first batch, the oldest."""
    # The empty text is no key; it stands for the parent of the roots here.
    wanted = [key for key in dict.fromkeys(keys) if key]
    answers = await FIND[index].run_in_batches(
        tx, wanted or [""], tenant=tenant, at=None if at is None else microseconds(at)
    )
    rows = [row for _, batch in answers for row in batch] if wanted else []
    found: dict[str, list[R]] = {}
    for row, record in zip(rows, await records(index.of, rows, locked=locked), strict=True):
        found.setdefault(row[index.by], []).append(record)
    return Read(answers[0][0] or 0, found)


async def page(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    of: type[R],
    after: str,
    limit: int,
    *,
    locked: bool = False,
) -> Sequence[R]:
    """Records of a type in the order of ids."""
    [[rows]] = await WALK[of].run(tx, tenant=tenant, after=after, limit=limit)
    return await records(of, rows, locked=locked)
