"""The statements that read, and how their rows become values. All run inside a transaction."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from services.hierarchy.adapters.records import blueprint_from_json, instant_of, names_from_json
from services.hierarchy.domain.model import (
    Blueprint,
    Place,
    TenantId,
    Unit,
    UnitId,
    UnitKey,
)
from services.hierarchy.domain.tree import TreeRow, TreeRows
from services.hierarchy.ports import Children, SiblingKey

_UNIT = """unit.id, unit.level, unit.code, unit.names, unit.parent_id, unit.latitude,
    unit.longitude, unit.valid_from, unit.revision"""

# The tenant's blueprint and tree version; no row before the first blueprint.
_TENANT = "SELECT blueprint, tree_version FROM tenant WHERE id = ?"
# Units by a JSON list of ids.
_UNITS_BY_ID = f"""SELECT {_UNIT} FROM json_each(?1) AS wanted
    CROSS JOIN unit ON unit.tenant = ?2 AND unit.id = wanted.value"""  # noqa: S608  # our columns
# Units by a JSON list of [level, code]; CROSS keeps the list as the outer loop.
_UNITS_BY_KEY = f"""SELECT {_UNIT} FROM json_each(?1) AS wanted
    CROSS JOIN unit ON unit.tenant = ?2 AND unit.level = json_extract(wanted.value, '$[0]')
        AND unit.code = json_extract(wanted.value, '$[1]')"""  # noqa: S608
# The children of one parent (NULL: the roots) behind a sibling, in order.
_CHILDREN = f"""SELECT {_UNIT} FROM unit
    WHERE tenant = ? AND parent_id IS ? AND (code, level) > (?, ?)
    ORDER BY code, level LIMIT ?"""  # noqa: S608
_CHILD_COUNT = "SELECT count(*) FROM unit WHERE tenant = ? AND parent_id IS ?"
# The levels that have units: reads the index on keys.
_USED_LEVELS = "SELECT DISTINCT level FROM unit WHERE tenant = ?"
# The whole tree from the index of siblings alone.
_TREE = """SELECT id, parent_id, level, code FROM unit WHERE tenant = ?
    ORDER BY parent_id, code, level"""


def read_tenant(connection: sqlite3.Connection, tenant: TenantId) -> tuple[Blueprint | None, int]:
    """The tenant's blueprint and tree version."""
    row = connection.execute(_TENANT, (tenant,)).fetchone()
    return (blueprint_from_json(row[0]), row[1]) if row else (None, 0)


def read_tree_version(connection: sqlite3.Connection, tenant: TenantId) -> int:
    """The tenant's tree version, 0 for a stranger."""
    row = connection.execute(_TENANT, (tenant,)).fetchone()
    return row[1] if row else 0


def read_units(
    connection: sqlite3.Connection, tenant: TenantId, ids: Iterable[UnitId]
) -> dict[UnitId, Unit]:
    """The units with these ids."""
    wanted = json.dumps(list(dict.fromkeys(ids)))
    units = map(_unit, connection.execute(_UNITS_BY_ID, (wanted, tenant)))
    return {unit.id: unit for unit in units}


def read_units_by_key(
    connection: sqlite3.Connection, tenant: TenantId, keys: Collection[UnitKey]
) -> dict[UnitKey, Unit]:
    """The units with these levels and codes."""
    units = map(_unit, connection.execute(_UNITS_BY_KEY, (json.dumps(list(keys)), tenant)))
    return {unit.key: unit for unit in units}


def read_children(
    connection: sqlite3.Connection,
    tenant: TenantId,
    parent: UnitId | None,
    after: SiblingKey | None,
    limit: int,
) -> Children:
    """A run of one parent's children; a statement per parent, for no wire is between."""
    start = (after.code, after.level) if after else ("", "")
    rows = connection.execute(_CHILDREN, (tenant, parent, *start, limit + 1)).fetchall()
    (total,) = connection.execute(_CHILD_COUNT, (tenant, parent)).fetchone()
    return Children(tuple(map(_unit, rows[:limit])), total, has_more=len(rows) > limit)


def read_ancestors(
    connection: sqlite3.Connection, tenant: TenantId, ids: Iterable[UnitId]
) -> Mapping[UnitId, Sequence[Unit]]:
    """The ancestors of each unit: one statement per level, so that shared ones are read once."""
    known = starts = read_units(connection, tenant, ids)
    found = starts
    while missing := {u.parent_id for u in found.values() if u.parent_id} - known.keys():
        found = read_units(connection, tenant, missing)
        known = known | found
    return {unit_id: _chain(unit, known) for unit_id, unit in starts.items()}


def read_used_levels(connection: sqlite3.Connection, tenant: TenantId) -> set[str]:
    """The keys of the levels that have units."""
    return {level for (level,) in connection.execute(_USED_LEVELS, (tenant,))}


def read_tree(connection: sqlite3.Connection, tenant: TenantId) -> TreeRows:
    """Every unit's place in the tree."""
    blueprint, version = read_tenant(connection, tenant)
    rows = connection.execute(_TREE, (tenant,)).fetchall()
    keys = blueprint.level_keys if blueprint else ()
    return TreeRows(version, keys, [TreeRow._make(row) for row in rows])


def _chain(unit: Unit, known: Mapping[UnitId, Unit]) -> tuple[Unit, ...]:
    above: list[Unit] = []
    while unit.parent_id:
        unit = known[unit.parent_id]
        above.append(unit)
    return tuple(above)


def _unit(row: tuple[str, str, str, str, str | None, float | None, float | None, int, int]) -> Unit:
    unit_id, level, code, names, parent_id, latitude, longitude, valid_from, revision = row
    located = latitude is not None and longitude is not None
    return Unit(
        id=UnitId(unit_id),
        level=level,
        code=code,
        names=names_from_json(names),
        parent_id=UnitId(parent_id) if parent_id else None,
        place=Place(latitude, longitude) if located else None,  # type: ignore[arg-type]  # just told
        valid_from=instant_of(valid_from),
        revision=revision,
    )
