"""Records as the properties of nodes: their rows, but for the parent of a root, and a check.

A reader that meets a commit which is just being applied can see a node half written: some of its
properties are old and some new (Neo4j Operations Manual, "Concurrent data access"; one read in
250,000 when nothing but that was tried). The check tells.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.hierarchy.adapters.records import SHAPES, Row, Scalar, Shape
from services.hierarchy.domain.model import Unit
from services.hierarchy.domain.records import R

# No index holds what is absent, and the roots are to be found as children are.
_NO_PARENT = ""
_CHECK = "row_check"
_FEW = 250


class HalfWritten(Exception):
    """What was read met a commit that was just being applied: read it again under the lock."""


def to_node(of: type[R]) -> Callable[[R], dict[str, Scalar]]:
    """Makes the properties of a record's node; null takes a property away."""
    shape: Shape[R] = SHAPES[of]

    def properties(record: R) -> dict[str, Scalar]:
        row = shape.to_row(record)
        if of is Unit:
            row["parent_id"] = row["parent_id"] or _NO_PARENT
        row[_CHECK] = _check(shape, row)
        return row

    return properties


async def records(of: type[R], rows: Sequence[Row], *, locked: bool = False) -> Sequence[R]:
    """The records of nodes.

    Args:
        of: their type.
        rows: the properties of each.
        locked: they were read under the tenant's lock. Nothing is half written then, and what
            does not fit its check was changed by hand, and holds.

    Raises:
        HalfWritten: see there.
    """
    if len(rows) <= _FEW:
        return _records(of, rows, locked)
    # Some 10 microseconds each, in which the loop would serve nobody else.
    return await asyncio.to_thread(_records, of, rows, locked)


def _records(of: type[R], rows: Sequence[Row], locked: bool) -> Sequence[R]:
    shape: Shape[R] = SHAPES[of]
    if not locked and any(row.get(_CHECK) != _check(shape, row) for row in rows):
        raise HalfWritten
    if of is Unit:
        rows = [{**row, "parent_id": row["parent_id"] or None} for row in rows]
    return list(map(shape.from_row, rows))


def _check(shape: Shape[Any], row: Mapping[str, Any]) -> int:
    return zlib.crc32(repr([row.get(column) for column in shape.columns]).encode())
