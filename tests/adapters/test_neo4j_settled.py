"""A Neo4j commit that is being applied shows its header before all of its records."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from neo4j import AsyncGraphDatabase, AsyncSession

from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.tenants import TenantHeader
from tests.builders_hierarchy import Done, a_person, a_small_tree, operation_of
from tests.org_graphs import World, open_neo4j

pytestmark = pytest.mark.neo4j
Auth = tuple[str, str] | None
DEADLINE_SECONDS = 30.0
# What waits for the tenant's lock.
BLOCKED = """SHOW TRANSACTIONS YIELD status, parameters
    WHERE status STARTS WITH 'Blocked' AND parameters.tenant = $tenant RETURN count(*)"""


@pytest.fixture
async def world(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> AsyncIterator[World]:
    async with open_neo4j(neo4j_uri, neo4j_auth, unique) as world:
        await world.start(*a_small_tree())
        yield world


@pytest.fixture
async def session(neo4j_uri: str, neo4j_auth: Auth) -> AsyncIterator[AsyncSession]:
    async with (
        AsyncGraphDatabase.driver(neo4j_uri, auth=neo4j_auth) as driver,
        driver.session(database="neo4j") as session,
    ):
        yield session


def next_access(header: TenantHeader) -> TenantHeader:
    return replace(header, access_version=header.access_version + 1)


@asynccontextmanager
async def writing(world: World) -> AsyncIterator[Callable[[], None]]:
    """A write of the next access version that holds the tenant's lock until it is let go."""
    began, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def decide(moment: Moment) -> Steps[Done]:
        yield Want({})
        loop.call_soon_threadsafe(began.set)
        go.wait(DEADLINE_SECONDS)
        return Decision(Done("done"), header=next_access(moment.header))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.graph.write(world.tenant, operation_of(decide)))
        try:
            await asyncio.wait_for(began.wait(), DEADLINE_SECONDS)
            yield go.set
        finally:
            go.set()


async def test_a_header_that_is_known_to_be_applied_waits_for_no_writer(world: World) -> None:
    await world.write(a_person(), header=next_access)
    standing = await world.graph.header(world.tenant)

    async with asyncio.timeout(DEADLINE_SECONDS), writing(world):
        assert await world.graph.settled_header(world.tenant) == standing


async def test_a_header_that_may_be_half_applied_waits_for_the_writer(
    world: World, session: AsyncSession
) -> None:
    """As after a process that died between its commit and saying so."""
    await world.write(a_person(), header=next_access)
    before = await world.graph.header(world.tenant)
    forget = "MATCH (s:Settled {tenant: $tenant}) SET s.access_version = 0"
    await (await session.run(forget, {"tenant": world.tenant})).consume()

    async with asyncio.timeout(DEADLINE_SECONDS), writing(world) as let_go:
        asked = asyncio.create_task(world.graph.settled_header(world.tenant))
        while not await blocked_count(session, world):
            assert not asked.done()
        let_go()
        assert await asked == next_access(before)


async def test_a_stranger_has_an_empty_header(world: World) -> None:
    assert await world.graph.settled_header(world.other) == TenantHeader(world.other)


async def blocked_count(session: AsyncSession, world: World) -> int:
    result = await session.run(BLOCKED, {"tenant": world.tenant})
    [[count]] = await result.values()
    return int(count)
