"""The statements that read the tree, and how their rows become values."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.nodes import HalfWritten, records
from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.neo4j.tenants import VERSION, lock
from services.hierarchy.adapters.records import microseconds
from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.tree import TreeRow, TreeRows
from services.hierarchy.ports import Children, Read, SiblingKey, UnitChanges

# Of each parent ('' for the roots) that exists: how many children, and a run of them in order.
CHILDREN = Statement(
    "read children",
    f"""{VERSION}
    CALL (version) {{
        UNWIND $parents AS parent
        OPTIONAL MATCH (p:Unit {{tenant: $tenant, id: parent}})
        USING INDEX SEEK p:Unit(tenant, id)
        WITH parent, p WHERE parent = '' OR p IS NOT NULL
        CALL (parent) {{
            MATCH (n:Unit {{tenant: $tenant, parent_id: parent}})
            USING INDEX SEEK n:Unit(tenant, parent_id, code, level)
            WHERE n.code >= $code AND n.level IS NOT NULL
                AND (n.code > $code OR n.level > $level)
            WITH n ORDER BY n.tenant, n.parent_id, n.code, n.level LIMIT $limit
            RETURN collect(properties(n)) AS units
        }}
        CALL (parent) {{
            MATCH (n:Unit {{tenant: $tenant, parent_id: parent}})
            USING INDEX SEEK n:Unit(tenant, parent_id, code, level)
            WHERE n.code IS NOT NULL AND n.level IS NOT NULL
            RETURN count(n) AS total
        }}
        RETURN collect([parent, units, total]) AS families
    }}
    RETURN version, families""",
)

# Each unit, the ids of its ancestors nearest first, and every ancestor once.
ANCESTORS = Statement(
    "read ancestors",
    f"""{VERSION}
    CALL (version) {{
        UNWIND $ids AS id
        MATCH (start:Unit {{tenant: $tenant, id: id}})
        USING INDEX SEEK start:Unit(tenant, id)
        CALL (start) {{
            MATCH path = (start)-[:CHILD_OF*0..]->(above)
            WITH above, length(path) AS distance ORDER BY distance
            RETURN collect(above) AS line
        }}
        RETURN collect(line) AS lines
    }}
    CALL (lines) {{
        UNWIND lines AS line
        UNWIND line AS n
        WITH DISTINCT n
        RETURN collect(properties(n)) AS units
    }}
    RETURN version, [line IN lines | [n IN line | n.id]], units""",
)

# Every unit's place in the tree, siblings in order, read from the index of siblings.
TREE = Statement(
    "read tree",
    """MATCH (n:Unit)
    USING INDEX SEEK n:Unit(tenant, parent_id, code, level)
    WHERE n.tenant = $tenant AND n.parent_id >= '' AND n.code IS NOT NULL AND n.level IS NOT NULL
    WITH n.parent_id AS parent, n.code AS code, n.level AS level, n.id AS id
    ORDER BY parent, code, level
    RETURN collect([id, parent, level, code])""",
)

# The same at an instant: the units that are still what they were, and those that are not.
TREE_AT = Statement(
    "read past tree",
    """CALL () {
        MATCH (n:Unit)
        USING INDEX SEEK n:Unit(tenant, id)
        WHERE n.tenant = $tenant AND n.id > '' AND n.since <= $at
        RETURN n.id AS id, n.parent_id AS parent, n.level AS level, n.code AS code
        UNION ALL
        MATCH (n:PastUnit)
        USING INDEX SEEK n:PastUnit(tenant, id)
        WHERE n.tenant = $tenant AND n.id > '' AND n.since <= $at AND $at < n.until
        RETURN n.unit_id AS id, coalesce(n.parent_id, '') AS parent, n.level AS level,
            n.code AS code
    }
    WITH id, parent, level, code ORDER BY parent, code, level
    RETURN collect([id, parent, level, code])""",
)

# The units that changed after a version, and the ids of those that closed; one too many at most.
CHANGED = Statement(
    "read changed units",
    """CALL () {
        MATCH (n:Unit)
        USING INDEX SEEK n:Unit(tenant, revision)
        WHERE n.tenant = $tenant AND n.revision > $since
        WITH n LIMIT $limit
        RETURN collect(properties(n)) AS units
    }
    CALL () {
        MATCH (n:PastUnit)
        USING INDEX SEEK n:PastUnit(tenant, ended_by)
        WHERE n.tenant = $tenant AND n.ended_by > $since AND n.closed
        WITH n LIMIT $limit
        RETURN collect(n.unit_id) AS closed
    }
    RETURN units, closed""",
)


async def read_children(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    parents: Collection[UnitId | None],
    after: SiblingKey | None,
    limit: int,
    *,
    locked: bool = False,
) -> Read[Mapping[UnitId | None, Children]]:
    """A run of each parent's children."""
    [[version, families]] = await CHILDREN.run(
        tx,
        tenant=tenant,
        parents=[parent or "" for parent in dict.fromkeys(parents)],
        code=after.code if after else "",
        level=after.level if after else "",
        limit=limit + 1,
    )
    found: dict[UnitId | None, Children] = {}
    for parent, rows, total in families:
        units = await records(Unit, rows[:limit], locked=locked)
        found[parent or None] = Children(tuple(units), total, has_more=len(rows) > limit)
    return Read(version or 0, found)


async def read_ancestors(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    ids: Collection[UnitId],
    *,
    locked: bool = False,
) -> Read[Mapping[UnitId, Sequence[Unit]]]:
    """The ancestors of each unit.

    Raises:
        HalfWritten: also for a path that does not hold together.
    """
    wanted = list(dict.fromkeys(ids))
    [[version, lines, rows]] = await ANCESTORS.run(tx, tenant=tenant, ids=wanted)
    units = {unit.id: unit for unit in await records(Unit, rows, locked=locked)}
    if not locked and not all(_is_path(line, units) for line in lines):
        raise HalfWritten
    found = {line[0]: tuple(units[each] for each in line[1:]) for line in lines}
    return Read(version or 0, found)


async def read_tree(tx: AsyncManagedTransaction, tenant: TenantId, at: datetime | None) -> TreeRows:
    """Every unit's place in the tree.

    Under the tenant's lock: without it a statement may see a write that is just being applied,
    some of its units and not others (Neo4j Operations Manual, "Concurrent data access"; our tests
    meet it within seconds).
    """
    header = (await lock(tx, tenant)).header
    if at is None:
        [[rows]] = await TREE.run(tx, tenant=tenant)
    else:
        [[rows]] = await TREE_AT.run(tx, tenant=tenant, at=microseconds(at))
    keys = header.blueprint.level_keys if header.blueprint else ()
    places = await asyncio.to_thread(_places, rows)
    return TreeRows(header.tree_version, keys, places)


async def read_changes(
    tx: AsyncManagedTransaction, tenant: TenantId, since: int, limit: int
) -> UnitChanges | None:
    """What became of the units after a version; under the lock, as `read_tree`."""
    header = (await lock(tx, tenant)).header
    [[rows, closed]] = await CHANGED.run(tx, tenant=tenant, since=since, limit=limit + 1)
    if len(rows) + len(closed) > limit:
        return None
    units = await records(Unit, rows, locked=True)
    return UnitChanges(header.tree_version, units, frozenset(closed))


def _places(rows: Sequence[Sequence[str]]) -> Sequence[TreeRow]:
    return [
        TreeRow(UnitId(unit_id), UnitId(parent) if parent else None, level, code)
        for unit_id, parent, level, code in rows
    ]


def _is_path(line: Sequence[UnitId], units: Mapping[UnitId, Unit]) -> bool:
    """Whether each unit is followed by its parent, and the last one has none."""
    return [units[each].parent_id for each in line] == [*line[1:], None]
