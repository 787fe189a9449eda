"""How records are put and dropped: a node for each, and its relationships to what it speaks of.

A relationship is made where its other end stands, and taken away when the record speaks of
another. Types are put in an order in which the other ends come first.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.nodes import to_node
from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import PastUnit, Record
from services.hierarchy.domain.teams import Membership, Team, Watch


def _node(label: LiteralString) -> LiteralString:
    """Makes or replaces the node of each row; `+=` takes away what is null."""
    return f"""UNWIND $rows AS row
    MERGE (n:{label} {{tenant: $tenant, id: row.id}})
    SET n += row"""


def _edge(kind: LiteralString, label: LiteralString, key: LiteralString) -> LiteralString:
    """Leads from each node to the other end that its row names, and to no other."""
    return f"""
    CALL (n, row) {{
        MATCH (n)-[old:{kind}]->(end) WHERE end.id <> row.{key}
        DELETE old
    }}
    CALL (n, row) {{
        MATCH (end:{label} {{tenant: $tenant, id: row.{key}}})
        USING INDEX SEEK end:{label}(tenant, id)
        MERGE (n)-[:{kind}]->(end)
    }}"""


def _drop(label: LiteralString) -> Statement:
    return Statement(
        f"drop {label}",
        f"""UNWIND $rows AS id
    MATCH (n:{label} {{tenant: $tenant, id: id}})
    USING INDEX SEEK n:{label}(tenant, id)
    DETACH DELETE n""",
    )


# In the order of writing.
PUT: Mapping[type[Record], Statement] = {
    # Answers which are new or have another parent, and whether they had one before.
    Unit: Statement(
        "put Unit",
        """UNWIND $rows AS row
    MERGE (n:Unit {tenant: $tenant, id: row.id})
    WITH n, row, n.parent_id AS before
    SET n += row
    WITH row, before WHERE before IS NULL OR before <> row.parent_id
    RETURN row.id, coalesce(before, '') <> ''""",
    ),
    Area: Statement("put Area", _node("Area")),
    Person: Statement("put Person", _node("Person")),
    PastUnit: Statement(
        "put PastUnit", f"{_node('PastUnit')} WITH n, row {_edge('PAST_OF', 'Unit', 'unit_id')}"
    ),
    AreaLink: Statement(
        "put AreaLink",
        f"""{_node("AreaLink")} WITH n, row
    {_edge("OF", "Unit", "unit_id")}{_edge("IN", "Area", "area_id")}""",
    ),
    Appointment: Statement(
        "put Appointment",
        f"""{_node("Appointment")} WITH n, row
    {_edge("OF", "Person", "person_id")}{_edge("IN", "Unit", "unit_id")}""",
    ),
    Team: Statement("put Team", f"{_node('Team')} WITH n, row {_edge('IN', 'Unit', 'unit_id')}"),
    Membership: Statement(
        "put Membership",
        f"""{_node("Membership")} WITH n, row
    {_edge("OF", "Person", "person_id")}{_edge("IN", "Team", "team_id")}""",
    ),
    Watch: Statement(
        "put Watch",
        f"""{_node("Watch")} WITH n, row
    {_edge("BY", "Person", "person_id")}{_edge("OVER", "Unit", "unit_id")}""",
    ),
}

# Many units at once are mostly new: an import. Those are created without looking for each, which
# is a third of the time that putting them takes. Sound under the tenant's lock alone. Where no unit
# stands, all of them are new.
ANY_UNIT = Statement(
    "find any unit",
    """MATCH (n:Unit {tenant: $tenant})
    USING INDEX SEEK n:Unit(tenant, id)
    WHERE n.id IS NOT NULL
    RETURN true LIMIT 1""",
)
UNKNOWN_UNITS = Statement(
    "find unknown units",
    """UNWIND $rows AS id
    OPTIONAL MATCH (n:Unit {tenant: $tenant, id: id})
    USING INDEX SEEK n:Unit(tenant, id)
    WITH id, n WHERE n IS NULL
    RETURN collect(id)""",
)
CREATE_UNITS = Statement(
    "create units",
    """UNWIND $rows AS row
    CREATE (n:Unit)
    SET n = row, n.tenant = $tenant""",
)
_MANY = 1_000

# The parents of units, once all units are there: rows may come before their parents. First those
# that a unit had before and has no more, then the new ones.
CLOSE_PARENTS = Statement(
    "close parents",
    """UNWIND $rows AS row
    MATCH (n:Unit {tenant: $tenant, id: row.id})
    USING INDEX SEEK n:Unit(tenant, id)
    MATCH (n)-[edge:CHILD_OF]->()
    DELETE edge""",
)
OPEN_PARENTS = Statement(
    "open parents",
    """UNWIND $rows AS row
    MATCH (n:Unit {tenant: $tenant, id: row.id})
    USING INDEX SEEK n:Unit(tenant, id)
    MATCH (parent:Unit {tenant: $tenant, id: row.parent_id})
    USING INDEX SEEK parent:Unit(tenant, id)
    CREATE (n)-[:CHILD_OF {valid_from: row.since}]->(parent)""",
)

# Takes away the keys that are to change, before any is put: two records of one write may swap
# theirs, and a constraint looks after each row.
RELEASE: Mapping[type[Record], Statement] = {
    Unit: Statement(
        "release unit keys",
        """UNWIND $rows AS row
    MATCH (n:Unit {tenant: $tenant, id: row.id})
    USING INDEX SEEK n:Unit(tenant, id)
    WHERE n.key <> row.key
    REMOVE n.key""",
    ),
    Person: Statement(
        "release person keys",
        """UNWIND $rows AS row
    MATCH (n:Person {tenant: $tenant, id: row.id})
    USING INDEX SEEK n:Person(tenant, id)
    WHERE n.phone_hash <> coalesce(row.phone_hash, '') OR n.subject <> coalesce(row.subject, '')
    REMOVE n.phone_hash, n.subject""",
    ),
}

DROP: Mapping[type[Record], Statement] = {
    Unit: _drop("Unit"),
    PastUnit: _drop("PastUnit"),
    Area: _drop("Area"),
    AreaLink: _drop("AreaLink"),
    Person: _drop("Person"),
    Appointment: _drop("Appointment"),
    Team: _drop("Team"),
    Membership: _drop("Membership"),
    Watch: _drop("Watch"),
}


async def put_records(
    tx: AsyncManagedTransaction, tenant: TenantId, records: Iterable[Record]
) -> None:
    """Put each record in the place of the one with its type and id."""
    rows = dict(await asyncio.to_thread(_rows, records))
    places = {row["id"]: row for row in rows.get(Unit, ())}
    new = await _new(tx, tenant, places) if len(places) >= _MANY else []
    if new:
        unknown = {row["id"] for row in new}
        rows[Unit] = [row for row in rows[Unit] if row["id"] not in unknown]
    for of, release in RELEASE.items():
        if len(rows.get(of, ())) > 1:
            await release.run_in_batches(tx, rows[of], tenant=tenant)
    await CREATE_UNITS.run_in_batches(tx, new, tenant=tenant)
    moved: list[list[Any]] = [[row["id"], False] for row in new]
    for of, put in PUT.items():
        moved += await put.run_in_batches(tx, rows.get(of, ()), tenant=tenant)
    had = [_place(places[unit_id]) for unit_id, had_one in moved if had_one]
    have = [_place(places[unit_id]) for unit_id, _ in moved if places[unit_id]["parent_id"]]
    await CLOSE_PARENTS.run_in_batches(tx, had, tenant=tenant)
    await OPEN_PARENTS.run_in_batches(tx, have, tenant=tenant)


async def _new(
    tx: AsyncManagedTransaction, tenant: TenantId, places: Mapping[str, Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    if not await ANY_UNIT.run(tx, tenant=tenant):
        return list(places.values())
    answers = await UNKNOWN_UNITS.run_in_batches(tx, list(places), tenant=tenant)
    return [places[unit_id] for [found] in answers for unit_id in found]


async def drop_records(
    tx: AsyncManagedTransaction, tenant: TenantId, records: Iterable[Record]
) -> None:
    """Remove the records that are there, with all their relationships."""
    for of, each in _by_type(records).items():
        await DROP[of].run_in_batches(tx, [record.id for record in each], tenant=tenant)


def _rows(records: Iterable[Record]) -> Mapping[type[Record], Sequence[Mapping[str, Any]]]:
    return {of: list(map(to_node(of), each)) for of, each in _by_type(records).items()}


def _place(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("id", "parent_id", "since")}


def _by_type(records: Iterable[Record]) -> dict[type[Record], Sequence[Record]]:
    found: dict[type[Record], list[Record]] = {}
    for record in records:
        found.setdefault(type(record), []).append(record)
    return dict(found)
