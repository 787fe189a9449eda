"""What Neo4j is asked: its schema, and that each statement keeps to the indexes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase, AsyncSession

from services.hierarchy.adapters.neo4j import (
    Neo4jStore,
    counts,
    finds,
    forget,
    outbox,
    puts,
    tenants,
    units,
    writes,
)
from services.hierarchy.adapters.neo4j.migrations import MIGRATIONS, migrate
from services.hierarchy.adapters.neo4j.schema import CONSTRAINTS, INDEXES
from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.domain import records
from tests.builders_hierarchy import a_small_tree
from tests.org_graphs import World, open_neo4j

Auth = tuple[str, str] | None
MODULES = (counts, finds, forget, outbox, puts, tenants, units, writes)


@pytest.fixture
async def session(neo4j_uri: str, neo4j_auth: Auth) -> AsyncIterator[AsyncSession]:
    async with (
        AsyncGraphDatabase.driver(neo4j_uri, auth=neo4j_auth) as driver,
        driver.session(database="neo4j") as session,
    ):
        yield session


@pytest.fixture
async def world(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> AsyncIterator[World]:
    async with open_neo4j(neo4j_uri, neo4j_auth, unique) as world:
        yield world


async def run(session: AsyncSession, cypher: Any, **parameters: Any) -> list[list[Any]]:
    result = await session.run(cypher, parameters)
    return await result.values()


async def test_starts_may_meet_and_repeat(neo4j_uri: str, neo4j_auth: Auth) -> None:
    stores = [Neo4jStore(neo4j_uri, neo4j_auth) for _ in range(4)]
    for store in stores:
        await store.__aenter__()
    try:
        await asyncio.gather(*(store.migrate() for store in stores))
        await asyncio.gather(*(store.migrate() for store in stores))
        assert await asyncio.gather(*(store.ready() for store in stores)) == [None] * 4
    finally:
        for store in stores:
            await store.__aexit__(None, None, None)


async def test_what_a_start_that_lost_a_quarrel_left_behind_is_cleared(
    world: World, session: AsyncSession
) -> None:
    """Neo4j can end a start in the middle of a constraint and keep its index under that name."""
    before = await run(session, "SHOW INDEXES YIELD name RETURN name ORDER BY name")
    for statement in (
        "DROP CONSTRAINT answer_request",
        "CREATE INDEX answer_request FOR (a:Answer) ON (a.tenant, a.request_id)",
        "MATCH (m:Migration) DELETE m",
    ):
        await run(session, statement)

    await migrate(session)

    constraints = await run(session, "SHOW CONSTRAINTS YIELD name")
    assert ["answer_request"] in constraints
    assert await run(session, "SHOW INDEXES YIELD name RETURN name ORDER BY name") == before


async def test_the_schema_is_what_the_migrations_say(world: World, session: AsyncSession) -> None:
    taken = await run(session, "MATCH (m:Migration) RETURN m.number, m.checksum ORDER BY 1")
    constraints = await run(session, "SHOW CONSTRAINTS YIELD name, type")
    online = await run(session, "SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name")

    assert taken[: len(MIGRATIONS)] == [[each.number, each.checksum] for each in MIGRATIONS]
    unique = {name for name, kind in constraints if "UNIQUENESS" in kind}
    assert unique >= set(CONSTRAINTS)
    assert {name for (name,) in online} >= {each.split()[2] for each in INDEXES}


def test_there_is_a_statement_for_each_type_and_each_index() -> None:
    assert set(finds.FIND) == set(records.INDEXES)
    for statements in (finds.WALK, puts.PUT, puts.DROP):
        assert set(statements) == set(records.RECORD_TYPES)


def statements_in(value: object) -> list[Statement]:
    """A statement, or those that a table or a tuple holds."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    held = value if isinstance(value, tuple) else (value,)
    return [each for each in held if isinstance(each, Statement)]


STATEMENTS = {
    statement.summary: statement
    for module in MODULES
    for value in vars(module).values()
    for statement in statements_in(value)
}
ROWS: dict[Statement, list[Any]] = {
    writes.ADD_EVENTS: [[1, "kind", "{}"]],
    puts.OPEN_PARENTS: [{"id": "x"}],
    puts.CLOSE_PARENTS: [{"id": "x"}],
    puts.CREATE_UNITS: [{"id": "x"}],
    **{each: [{"id": "x"}] for each in (*puts.PUT.values(), *puts.RELEASE.values())},
}


def operators(plan: Any) -> list[str]:
    below = [each for child in plan.get("children", []) for each in operators(child)]
    return [plan["operatorType"].partition("@")[0], *below]


@pytest.mark.parametrize("summary", STATEMENTS)
async def test_no_statement_looks_at_all_nodes(
    world: World, session: AsyncSession, summary: str
) -> None:
    statement = STATEMENTS[summary]
    result = await session.run(
        f"EXPLAIN {statement.cypher}",
        tenant="t", ids=["i"], parents=[""], rows=ROWS.get(statement, ["x"]), code="c", level="l",
        request_id="r", fingerprint="f", answer="{}", header="{}", empty="{}", position="p",
        limit=1, at=1, since=1, oldest=1, after=1, through=1, kept=1, sequence=1, tree_version=1,
        verified_since=1,
    )  # fmt: skip
    plan = (await result.consume()).plan

    scans = [each for each in operators(plan) if "Scan" in each]
    # Which tenants have a backlog is asked of all tenants, and of nothing else.
    assert scans == (["NodeByLabelScan"] if statement is outbox.BACKLOGS else [])


async def test_one_read_is_one_statement_however_many_are_asked(world: World) -> None:
    await world.start(*a_small_tree())
    ids = [row.id for row in (await world.graph.tree(world.tenant)).rows]
    graph, tenant = world.graph, world.tenant
    sent: list[str] = []
    original = Statement.run

    async def counting(statement: Statement, *args: Any, **kwargs: Any) -> Any:
        sent.append(statement.summary)
        return await original(statement, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statement, "run", counting)
        await graph.header(tenant)
        await graph.find(tenant, records.UNITS_BY_ID, ids * 1000)
        await graph.children(tenant, [None, *ids], limit=10)
        await graph.ancestors(tenant, ids)

    assert sent == ["read header", "find Unit by id", "read children", "read ancestors"]
