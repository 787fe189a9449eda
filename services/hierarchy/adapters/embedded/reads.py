"""The statements that read, and how their rows become values. All run inside a transaction."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.hierarchy.adapters.embedded import tables
from services.hierarchy.adapters.records import (
    SHAPES,
    Shape,
    header_from_json,
    microseconds,
)
from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.operations import Found, Want
from services.hierarchy.domain.people import Verification
from services.hierarchy.domain.records import UNITS_BY_ID, Index, R
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import TreeRow, TreeRows
from services.hierarchy.ports import Children, SiblingKey, Tally, UnitChanges

_UNIT = SHAPES[Unit]
_UNIT_COLUMNS = tables.columns_of(_UNIT)

_HEADER = "SELECT header FROM tenant WHERE id = ?"
_TREE_VERSION = "SELECT tree_version FROM tenant WHERE id = ?"
# A run of tenants behind an id.
_TENANTS = "SELECT header FROM tenant WHERE id > ? ORDER BY id LIMIT ?"
# The children of one parent (NULL: the roots) behind a sibling, in order.
_CHILDREN = f"""SELECT {_UNIT_COLUMNS} FROM unit
    WHERE tenant = ? AND parent_id IS ? AND (code, level) > (?, ?)
    ORDER BY code, level LIMIT ?"""  # noqa: S608  # our columns
_CHILD_COUNT = "SELECT count(*) FROM unit WHERE tenant = ? AND parent_id IS ?"
# The whole tree from the index of siblings alone.
_TREE = """SELECT id, parent_id, level, code FROM unit WHERE tenant = ?
    ORDER BY parent_id, code, level"""
# The units that had begun, as they are or as they were then.
_TREE_AT = """SELECT id, parent_id, level, code FROM unit WHERE tenant = ?1 AND since <= ?2
    UNION ALL
    SELECT unit_id, parent_id, level, code FROM past_unit
        WHERE tenant = ?1 AND until > ?2 AND since <= ?2
    ORDER BY parent_id, code, level"""
# The units that a version above this one made what they are.
_CHANGED_UNITS = f"""SELECT {_UNIT_COLUMNS} FROM unit WHERE tenant = ? AND revision > ?
    LIMIT ?"""  # noqa: S608  # our columns
# The units that a version above this one closed.
_CLOSED_UNITS = "SELECT unit_id FROM past_unit WHERE tenant = ? AND closed AND ended_by > ? LIMIT ?"
# The units with a holder of the position at an instant, from the index of positions alone.
_UNITS_WITH = """SELECT DISTINCT unit_id FROM appointment WHERE tenant = ?1 AND position = ?2
    AND valid_from <= ?3 AND (valid_to IS NULL OR valid_to > ?3)"""
# Appointments by position: never verified, stale, in all; from an index in the order of positions.
_STATES = """count(*) FILTER (WHERE verified_at IS NULL),
    count(*) FILTER (WHERE verified_at < ?3), count(*)"""
_TALLY = f"""SELECT position, {_STATES} FROM appointment INDEXED BY appointment_position
    WHERE tenant = ?1 AND valid_from <= ?2 AND (valid_to IS NULL OR valid_to > ?2)
    GROUP BY position"""  # noqa: S608  # our text
# The same, of a JSON list of units; from the index of units, so that few cost little.
_TALLY_OF_UNITS = f"""SELECT position, {_STATES} FROM json_each(?4) AS wanted
    CROSS JOIN appointment INDEXED BY appointment_by_unit_id
        ON tenant = ?1 AND unit_id = wanted.value
    WHERE valid_from <= ?2 AND (valid_to IS NULL OR valid_to > ?2)
    GROUP BY position"""  # noqa: S608  # our text


def read_header(connection: sqlite3.Connection, tenant: TenantId) -> TenantHeader | None:
    """The tenant's header; None for a stranger."""
    row = connection.execute(_HEADER, (tenant,)).fetchone()
    return header_from_json(row[0]) if row else None


def read_tree_version(connection: sqlite3.Connection, tenant: TenantId) -> int:
    """The tenant's tree version, 0 for a stranger."""
    row = connection.execute(_TREE_VERSION, (tenant,)).fetchone()
    return row[0] if row else 0


def read_tenants(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[TenantHeader]:
    """A run of tenants."""
    rows = connection.execute(_TENANTS, (after, limit))
    return [header_from_json(header) for (header,) in rows]


def find(
    connection: sqlite3.Connection,
    tenant: TenantId,
    index: Index[R],
    keys: Iterable[str],
    at: datetime | None = None,
) -> dict[str, list[R]]:
    """The records with these keys, by key; one statement, however many."""
    shape = SHAPES[index.of]
    statement = tables.FIND[index] if at is None else tables.FIND_AT[index]
    wanted = json.dumps(list(dict.fromkeys(keys)))
    instant = None if at is None else microseconds(at)
    rows = connection.execute(statement, {"tenant": tenant, "keys": wanted, "at": instant})
    make, key = _maker(shape), shape.columns.index(index.by)
    found: dict[str, list[R]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(make(row))
    return found


def find_wanted(connection: sqlite3.Connection, tenant: TenantId, want: Want) -> Found:
    """All that a decision asks for at once."""
    return Found(
        {index: find(connection, tenant, index, keys) for index, keys in want.keys.items()}
    )


def read_page(
    connection: sqlite3.Connection, tenant: TenantId, of: type[R], after: str, limit: int
) -> Sequence[R]:
    """A run of the records of a type."""
    rows = connection.execute(tables.PAGE[of], (tenant, after, limit))
    return list(map(_maker(SHAPES[of]), rows))


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
    return Children(tuple(map(_maker(_UNIT), rows[:limit])), total, has_more=len(rows) > limit)


def read_units(
    connection: sqlite3.Connection, tenant: TenantId, ids: Iterable[UnitId]
) -> dict[UnitId, Unit]:
    """The units with these ids."""
    found = find(connection, tenant, UNITS_BY_ID, ids)
    return {UnitId(unit_id): unit for unit_id, (unit,) in found.items()}


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


def read_tree(connection: sqlite3.Connection, tenant: TenantId, at: datetime | None) -> TreeRows:
    """Every unit's place in the tree, as it is or as it was."""
    header = read_header(connection, tenant) or TenantHeader(tenant)
    if at is None:
        rows = connection.execute(_TREE, (tenant,))
    else:
        rows = connection.execute(_TREE_AT, (tenant, microseconds(at)))
    keys = header.blueprint.level_keys if header.blueprint else ()
    return TreeRows(header.tree_version, keys, list(map(TreeRow._make, rows)))


def read_unit_changes(
    connection: sqlite3.Connection, tenant: TenantId, since: int, limit: int
) -> UnitChanges | None:
    """What became of the units after a version, unless it is too much."""
    one_more = (tenant, since, limit + 1)
    changed = connection.execute(_CHANGED_UNITS, one_more).fetchall()
    closed = connection.execute(_CLOSED_UNITS, one_more).fetchall()
    if len(changed) + len(closed) > limit:
        return None
    return UnitChanges(
        read_tree_version(connection, tenant),
        tuple(map(_maker(_UNIT), changed)),
        frozenset(unit_id for (unit_id,) in closed),
    )


def read_units_with(
    connection: sqlite3.Connection, tenant: TenantId, position: str, at: datetime
) -> Collection[UnitId]:
    """The units in which somebody holds the position."""
    rows = connection.execute(_UNITS_WITH, (tenant, position, microseconds(at)))
    return [unit_id for (unit_id,) in rows]


def read_tally(
    connection: sqlite3.Connection,
    tenant: TenantId,
    units: Collection[UnitId] | None,
    at: datetime,
    verified_since: datetime,
) -> Sequence[Tally]:
    """Appointments in force by position and state."""
    values = (tenant, microseconds(at), microseconds(verified_since))
    if units is None:
        rows = connection.execute(_TALLY, values)
    else:
        wanted = json.dumps(list(dict.fromkeys(units)))
        rows = connection.execute(_TALLY_OF_UNITS, (*values, wanted))
    return [tally for row in rows for tally in _tallies(*row)]


def _maker(shape: Shape[R]) -> Callable[[tuple[Any, ...]], R]:
    columns, from_row = shape.columns, shape.from_row
    return lambda row: from_row(dict(zip(columns, row, strict=True)))


def _tallies(position: str, unverified: int, stale: int, total: int) -> Iterator[Tally]:
    counts = {
        Verification.UNVERIFIED: unverified,
        Verification.STALE: stale,
        Verification.VERIFIED: total - unverified - stale,
    }
    for state, count in counts.items():
        if count:
            yield Tally(position, state, count)


def _chain(unit: Unit, known: Mapping[UnitId, Unit]) -> tuple[Unit, ...]:
    above: list[Unit] = []
    while unit.parent_id:
        unit = known[unit.parent_id]
        above.append(unit)
    return tuple(above)
