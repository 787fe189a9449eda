"""The statements that read, and how their rows become values."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.records import blueprint_from_json, instant_of, names_from_json
from services.hierarchy.domain.model import Blueprint, Place, TenantId, Unit, UnitId, UnitKey
from services.hierarchy.domain.tree import TreeRow, TreeRows
from services.hierarchy.ports import Children, Read, SiblingKey

# Takes the tenant's lock until the end of the transaction, and changes nothing: setting what is
# set already locks the node and writes no log. Each write begins with it.
LOCK = Statement("lock tenant", "MATCH (t:Tenant {id: $tenant}) SET t.locked = true RETURN t.id")

TENANT = Statement(
    "read tenant", "MATCH (t:Tenant {id: $tenant}) RETURN t.blueprint, t.tree_version"
)

# All that a value of a unit needs, in one list: a record per unit would cost ten times as much.
_UNIT = """[u.id, u.level, u.code, u.names, u.parent_id, u.latitude, u.longitude, u.valid_from,
    u.revision]"""

# Units by id, and the tree version.
UNITS_BY_ID = Statement(
    "read units by id",
    f"""OPTIONAL MATCH (t:Tenant {{id: $tenant}})
    CALL () {{
        UNWIND $ids AS id
        MATCH (u:Unit {{tenant: $tenant, id: id}})
        RETURN collect({_UNIT}) AS units
    }}
    RETURN t.tree_version, units""",
)

# Units by [level, code], in batches.
UNITS_BY_KEY = Statement(
    "read units by key",
    f"""UNWIND $rows AS key
    MATCH (u:Unit {{tenant: $tenant, level: key[0], code: key[1]}})
    RETURN collect({_UNIT})""",
)

# Of each parent ('' for the roots) that exists: how many children, and a run of them in order.
CHILDREN = Statement(
    "read children",
    f"""OPTIONAL MATCH (t:Tenant {{id: $tenant}})
    CALL () {{
        UNWIND $parents AS parent
        OPTIONAL MATCH (p:Unit {{tenant: $tenant, id: parent}})
        WITH parent, p WHERE parent = '' OR p IS NOT NULL
        CALL (parent) {{
            MATCH (u:Unit {{tenant: $tenant, parent_id: parent}})
            WHERE u.code >= $code AND u.level IS NOT NULL
                AND (u.code > $code OR u.level > $level)
            WITH u ORDER BY u.code, u.level LIMIT $limit
            RETURN collect({_UNIT}) AS units
        }}
        CALL (parent) {{
            MATCH (u:Unit {{tenant: $tenant, parent_id: parent}})
            WHERE u.code IS NOT NULL AND u.level IS NOT NULL
            RETURN count(u) AS total
        }}
        RETURN collect([parent, units, total]) AS families
    }}
    RETURN t.tree_version, families""",
)

# Each unit, the ids of its ancestors nearest first, and every ancestor once.
ANCESTORS = Statement(
    "read ancestors",
    f"""OPTIONAL MATCH (t:Tenant {{id: $tenant}})
    CALL () {{
        UNWIND $ids AS id
        MATCH (start:Unit {{tenant: $tenant, id: id}})
        CALL (start) {{
            MATCH path = (start)-[:CHILD_OF*0..]->(above)
            WITH above, length(path) AS distance ORDER BY distance
            RETURN collect(above) AS line
        }}
        RETURN collect(line) AS lines
    }}
    CALL (lines) {{
        UNWIND lines AS line
        UNWIND line AS u
        WITH DISTINCT u
        RETURN collect({_UNIT}) AS units
    }}
    RETURN t.tree_version, [line IN lines | [u IN line | u.id]], units""",
)

# Every unit's place in the tree, siblings in order, read from the index of siblings.
TREE = Statement(
    "read tree",
    """MATCH (u:Unit)
    USING INDEX u:Unit(tenant, parent_id, code, level)
    WHERE u.tenant = $tenant AND u.parent_id >= '' AND u.code IS NOT NULL AND u.level IS NOT NULL
    WITH u.parent_id AS parent, u.code AS code, u.level AS level, u.id AS id
    ORDER BY parent, code, level
    RETURN collect([id, parent, level, code])""",
)

# Which of these levels have units.
USED_LEVELS = Statement(
    "read used levels",
    """UNWIND $levels AS level
    WITH level WHERE EXISTS {
        MATCH (u:Unit) WHERE u.tenant = $tenant AND u.level = level AND u.code IS NOT NULL
    }
    RETURN collect(level)""",
)


async def read_tenant(
    tx: AsyncManagedTransaction, tenant: TenantId
) -> tuple[Blueprint | None, int]:
    """The tenant's blueprint and tree version."""
    rows = await TENANT.run(tx, tenant=tenant)
    # A tenant that is just being made has no blueprint yet.
    text, version = rows[0] if rows else (None, 0)
    return (blueprint_from_json(text) if text else None), version


async def read_tree_version(tx: AsyncManagedTransaction, tenant: TenantId) -> int:
    """The tenant's tree version, 0 for a stranger."""
    rows = await TENANT.run(tx, tenant=tenant)
    return rows[0][1] if rows else 0


async def read_units(
    tx: AsyncManagedTransaction, tenant: TenantId, ids: Collection[UnitId]
) -> Read[Mapping[UnitId, Unit]]:
    """The units with these ids."""
    wanted = list(dict.fromkeys(ids))
    [[version, units]] = await UNITS_BY_ID.run(tx, tenant=tenant, ids=wanted)
    return Read(version or 0, _by_id(units))


async def read_unit_by_key(
    tx: AsyncManagedTransaction, tenant: TenantId, key: UnitKey
) -> Read[Unit | None]:
    """The unit with this level and code."""
    version = await read_tree_version(tx, tenant)
    return Read(version, (await read_units_by_key(tx, tenant, [key])).get(key))


async def read_units_by_key(
    tx: AsyncManagedTransaction, tenant: TenantId, keys: Iterable[UnitKey]
) -> dict[UnitKey, Unit]:
    """The units with these levels and codes."""
    wanted = [list(key) for key in keys]
    answers = await UNITS_BY_KEY.run_in_batches(tx, wanted, tenant=tenant)
    units = [_unit(row) for (batch,) in answers for row in batch]
    return {unit.key: unit for unit in units}


async def read_children(
    tx: AsyncManagedTransaction,
    tenant: TenantId,
    parents: Collection[UnitId | None],
    after: SiblingKey | None,
    limit: int,
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
    found = {
        UnitId(parent) if parent else None: Children(
            tuple(map(_unit, rows[:limit])), total, has_more=len(rows) > limit
        )
        for parent, rows, total in families
    }
    return Read(version or 0, found)


async def read_ancestors(
    tx: AsyncManagedTransaction, tenant: TenantId, ids: Collection[UnitId]
) -> Read[Mapping[UnitId, Sequence[Unit]]]:
    """The ancestors of each unit.

    A path that does not hold together met a move that was just being applied (see `read_tree`):
    it is read again under the tenant's lock.
    """
    wanted = list(dict.fromkeys(ids))
    [[version, lines, rows]] = await ANCESTORS.run(tx, tenant=tenant, ids=wanted)
    units = _by_id(rows)
    if not all(_is_path(line, units) for line in lines):
        await LOCK.run(tx, tenant=tenant)
        [[version, lines, rows]] = await ANCESTORS.run(tx, tenant=tenant, ids=wanted)
        units = _by_id(rows)
    found = {line[0]: tuple(units[each] for each in line[1:]) for line in lines}
    return Read(version or 0, found)


async def read_used_levels(
    tx: AsyncManagedTransaction, tenant: TenantId, levels: Sequence[str]
) -> set[str]:
    """Those of these levels that have units; units stand on the blueprint's levels only."""
    [[used]] = await USED_LEVELS.run(tx, tenant=tenant, levels=list(levels))
    return set(used)


async def read_tree(tx: AsyncManagedTransaction, tenant: TenantId) -> TreeRows:
    """Every unit's place in the tree.

    Under the tenant's lock: without it a statement may see a write that is just being applied,
    some of its units and not others (Neo4j Operations Manual, "Concurrent data access"; our tests
    meet it within seconds).
    """
    await LOCK.run(tx, tenant=tenant)
    blueprint, version = await read_tenant(tx, tenant)
    [[rows]] = await TREE.run(tx, tenant=tenant)
    keys = blueprint.level_keys if blueprint else ()
    return TreeRows(version, keys, [TreeRow(id_, up or None, *key) for id_, up, *key in rows])


def _is_path(line: Sequence[UnitId], units: Mapping[UnitId, Unit]) -> bool:
    """Whether each unit is followed by its parent, and the last one has none."""
    return [units[each].parent_id for each in line] == [*line[1:], None]


def _by_id(rows: Sequence[list[Any]]) -> dict[UnitId, Unit]:
    units = map(_unit, rows)
    return {unit.id: unit for unit in units}


def _unit(row: list[Any]) -> Unit:
    unit_id, level, code, names, parent_id, latitude, longitude, valid_from, revision = row
    return Unit(
        id=UnitId(unit_id),
        level=level,
        code=code,
        names=names_from_json(names),
        parent_id=UnitId(parent_id) if parent_id else None,
        place=None if latitude is None else Place(latitude, longitude),
        valid_from=instant_of(valid_from),
        revision=revision,
    )
