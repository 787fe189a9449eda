"""The statements that every type of record has alike, one of each for its own table.

Their names of tables and columns are those of the shapes; all values are parameters.
"""
# ruff: noqa: S608  # names of our own, as said above

from collections.abc import Mapping
from typing import Any

from services.hierarchy.adapters.records import SHAPES, Shape
from services.hierarchy.domain.records import INDEXES, Index


def columns_of(shape: Shape[Any]) -> str:
    """The columns of a record, as a statement selects them."""
    return ", ".join(f"{shape.name}.{column}" for column in shape.columns)


def _find(index: Index[Any]) -> str:
    # CROSS keeps the list as the outer loop. The index is named because SQLite, which knows nothing
    # of how many there are of what, would rather walk over all records of the tenant.
    table = SHAPES[index.of].name
    by_key = "" if index.by == "id" else f" INDEXED BY {table}_by_{index.by}"
    return f"""SELECT {columns_of(SHAPES[index.of])} FROM json_each(:keys) AS wanted
        CROSS JOIN {table}{by_key}
        ON {table}.tenant = :tenant AND {table}.{index.by} = wanted.value"""


def _holds_at(shape: Shape[Any]) -> str:
    # Nothing for a record that is always valid.
    begins = f" AND {shape.begins} <= :at" if shape.begins else ""
    ends = f" AND ({shape.ends} IS NULL OR {shape.ends} > :at)" if shape.ends else ""
    return begins + ends


def _insert(shape: Shape[Any]) -> str:
    columns = ", ".join(shape.columns)
    values = ", ".join(f":{column}" for column in shape.columns)
    return f"INSERT INTO {shape.name} (tenant, {columns}) VALUES (:tenant, {values})"


# The records with one of a JSON list of keys.
FIND: Mapping[Index[Any], str] = {index: _find(index) for index in INDEXES}
# Those of them that are valid at an instant.
FIND_AT: Mapping[Index[Any], str] = {
    index: _find(index) + _holds_at(SHAPES[index.of]) for index in INDEXES
}
# A run of the records behind an id.
PAGE: Mapping[type[Any], str] = {
    of: f"""SELECT {columns_of(shape)} FROM {shape.name}
        WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?"""
    for of, shape in SHAPES.items()
}
# A record that is not there.
INSERT: Mapping[type[Any], str] = {of: _insert(shape) for of, shape in SHAPES.items()}
# The records with one of a JSON list of ids.
DELETE: Mapping[type[Any], str] = {
    of: f"""DELETE FROM {shape.name}
        WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))"""
    for of, shape in SHAPES.items()
}
# Some of the tenant's records, whichever.
FORGET: Mapping[type[Any], str] = {
    of: f"""DELETE FROM {shape.name} WHERE tenant = ?1
        AND id IN (SELECT id FROM {shape.name} WHERE tenant = ?1 LIMIT ?2)"""
    for of, shape in SHAPES.items()
}
