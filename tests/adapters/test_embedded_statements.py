"""Each statement on the SQLite file reads by an index that fits, and each shape has its table."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from services.hierarchy.adapters.embedded import EmbeddedStore, outbox, reads, tables, writes
from services.hierarchy.adapters.records import SHAPES
from services.hierarchy.domain.records import INDEXES, Index

# In the order of what is asked for, which no index has.
_SORTED = {"reads._TREE_AT", "reads._TALLY_OF_UNITS"}


def name_of(key: Any) -> str:
    """Of an index or of a type of records."""
    return f"{key.of.__name__} by {key.by}" if isinstance(key, Index) else str(key.__name__)


def statements() -> dict[str, str]:
    """Every statement that finds something, by its name."""
    found: dict[str, str] = {}
    for module in (reads, writes, outbox):
        for name, value in vars(module).items():
            if isinstance(value, str) and value.startswith(("SELECT", "UPDATE", "DELETE")):
                found[f"{module.__name__.rpartition('.')[2]}.{name}"] = value
    for name in ("FIND", "FIND_AT", "PAGE", "DELETE", "FORGET"):
        for key, value in vars(tables)[name].items():
            found[f"tables.{name} {name_of(key)}"] = value
    return found


STATEMENTS = statements()


def plan_of(connection: sqlite3.Connection, statement: str) -> list[str]:
    if ":tenant" in statement:
        values: Any = {"tenant": "", "keys": "[]", "at": 0}
    else:
        numbers = [int(number) for number in re.findall(r"\?(\d)", statement)]
        values = [None] * (max(numbers) if numbers else statement.count("?"))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    return [row[-1] for row in rows]


def test_all_statements_are_here() -> None:
    assert len(STATEMENTS) > 2 * len(INDEXES) + 3 * len(SHAPES)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_statement_reads_a_whole_table(tmp_path: Path, name: str) -> None:
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        plan = await store.read(lambda connection: plan_of(connection, STATEMENTS[name]))

    scans = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    # Which tenants have a backlog is asked of all that have one, and of nothing else.
    backlogs = ["SCAN tenant USING COVERING INDEX tenant_backlog"]
    assert scans == (backlogs if name == "outbox._BACKLOGS" else [])
    sorts = any("TEMP B-TREE" in step for step in plan)
    assert sorts == (name in _SORTED)


@pytest.mark.parametrize("index", INDEXES, ids=name_of)
async def test_each_key_is_looked_up_by_itself(tmp_path: Path, index: Any) -> None:
    """Without statistics, SQLite would rather read all of a tenant's records for each key."""
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        for statement in (tables.FIND[index], tables.FIND_AT[index]):
            plan = await store.read(lambda connection, it=statement: plan_of(connection, it))  # type: ignore[misc]
            assert plan[-1].endswith(f"(tenant=? AND {index.by}=?)")


async def test_each_shape_has_its_table(tmp_path: Path) -> None:
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        for shape in SHAPES.values():
            rows = await store.read(
                lambda it, name=shape.name: it.execute(f"PRAGMA table_info({name})").fetchall()  # type: ignore[misc]
            )
            assert [row[1] for row in rows] == ["tenant", *shape.columns]
