"""hierarchy and its database are killed amid 200 writes; then everything is counted.

Each write that was answered is there, once; whatever was asked for twice happened once; nothing is
there that nobody asked for; and the snapshot says what the edges say.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase

from services.hierarchy.domain.events import AccessChanged, AppointmentsChanged, TreeChanged
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import PastUnit
from tests.faults.hierarchy_platform import Served, environment_of, killing, served
from tests.faults.hierarchy_stores import open_world
from tests.faults.hierarchy_writers import (
    WRITERS,
    WRITES_EACH,
    Books,
    id_of,
    lay_out,
    write_everywhere,
)
from tests.hierarchy_server import a_caller
from tests.org_graphs import Dump
from tests.servers.neo4j.server import Neo4jServer

# Starts that take 2 s here, and 6 s of Neo4j, may take many times that on a busy machine.
pytestmark = pytest.mark.timeout(300)

WRITES = WRITERS * WRITES_EACH
# The longest that a blow comes after its point: some writes of either store take longer.
_LATEST_SECONDS = 0.03
# Of all requests every so many-th is sent once more in the end.
_REPEAT_EACH = 5


async def test_a_server_killed_amid_writes_loses_and_doubles_nothing(
    neo4j: Neo4jServer | None, tmp_path: Path, unique: str
) -> None:
    environ = environment_of(tmp_path, neo4j.uri if neo4j else None)
    async with served(tmp_path, environ, a_caller(tenant=f"{unique}-a")) as server:
        kills = 5 if neo4j is None else 3
        books = await written(server, server.kill, server.start, kills=kills, seed=1)
        assert server.attempts > len(books.asked) + kills, "nobody was hurt"
        await check(server, books, neo4j, unique)


async def test_a_database_killed_amid_writes_loses_and_doubles_nothing(
    own_neo4j: Neo4jServer, tmp_path: Path, unique: str
) -> None:
    environ = environment_of(tmp_path, own_neo4j.uri)
    async with served(tmp_path, environ, a_caller(tenant=f"{unique}-a")) as server:

        async def start_again() -> None:
            await asyncio.to_thread(own_neo4j.start)

        books = await written(server, own_neo4j.kill, start_again, kills=2, seed=2)
        await check(server, books, own_neo4j, unique)


async def written(
    server: Served,
    kill: Callable[[], None],
    start_again: Callable[[], Awaitable[None]],
    *,
    kills: int,
    seed: int,
) -> Books:
    """The books of 200 writes, amid which something was killed so often."""
    books = Books()
    grounds = await lay_out(server, books, seed)
    before = server.moments.count
    chance = random.Random(seed)
    # Not at the very end, where there is nobody left whom it could hurt.
    points = sorted(chance.sample(range(1, 2 * WRITES - 2 * WRITERS), kills))
    delays = [chance.uniform(0, _LATEST_SECONDS) for _ in points]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write_everywhere(server, books, grounds, seed))
        points = [before + each for each in points]
        tasks.create_task(killing(server.moments, points, delays, kill, start_again))
    return books


async def check(server: Served, books: Books, neo4j: Neo4jServer | None, unique: str) -> None:
    """What was answered is there once, and nothing else."""
    async with open_world(server.folder, neo4j, unique) as world:
        stored = await world.dump()
        check_units(stored, books)
        check_appointments(stored, books)
        check_events(stored, books)
        snapshot = await server.tree()
        check_snapshot(snapshot, stored, books)
        if neo4j:
            await check_edges(neo4j, world.tenant, books)

        for at in range(0, len(books.asked), _REPEAT_EACH):
            assert id_of(await server.insist(books.asked[at])) == books.ids[at]
        assert await world.dump() == stored, "a repeat changed something"
    assert sorted(await server.tree()) == sorted(snapshot)


def check_units(stored: Dump, books: Books) -> None:
    units: list[Any] = list(stored.records[Unit])
    slices: list[Any] = list(stored.records[PastUnit])
    assert {unit.id: unit.code for unit in units} == books.codes
    assert stored.header.counts.units == len(units) == len(books.codes)
    # Each write of a unit is one version of the tree, and each move one slice of the past.
    assert stored.header.tree_version == len(units) + books.moves
    parents: dict[str, list[Any]] = {unit.id: [] for unit in units}
    for each in sorted(slices, key=lambda each: each.unit.revision):
        parents[each.unit.id].append(each.unit.parent_id)
    for unit in units:
        parents[unit.id].append(unit.parent_id)
    assert parents == books.parents


def check_appointments(stored: Dump, books: Books) -> None:
    held: list[Any] = list(stored.records[Appointment])
    assert Counter((each.unit_id, each.person_id) for each in held) == Counter(
        books.presidents.items()
    )
    assert stored.header.counts.appointments == len(held)
    assert len(stored.records[Person]) == stored.header.counts.persons == WRITERS


def check_events(stored: Dump, books: Books) -> None:
    """One for each thing that happened, numbered without a gap."""
    assert [event.sequence for event in stored.events] == list(range(1, len(stored.events) + 1))
    told: dict[type[Any], list[Any]] = {}
    for event in stored.events:
        told.setdefault(type(event.change), []).append(event.change)
    versions = [each.tree_version for each in told[TreeChanged]]
    assert versions == list(range(1, stored.header.tree_version + 1))
    appointed = [item for each in told[AppointmentsChanged] for item in each.changes]
    assert Counter((each.unit_id, each.person_id) for each in appointed) == Counter(
        books.presidents.items()
    )
    access = [each.access_version for each in told[AccessChanged]]
    assert access == sorted(set(access))
    assert access[-1] == stored.header.access_version


def check_snapshot(snapshot: list[tuple[str, str | None, str]], stored: Dump, books: Books) -> None:
    """What peers are told, what the store lists, and what was asked for."""
    asked = sorted(
        (unit_id, parents[-1] or "", books.codes[unit_id])
        for unit_id, parents in books.parents.items()
    )
    assert sorted((unit_id, parent or "", code) for unit_id, parent, code in snapshot) == asked
    assert sorted((row.id, row.parent_id or "", row.code) for row in stored.tree.rows) == asked


async def check_edges(neo4j: Neo4jServer, tenant: TenantId, books: Books) -> None:
    """The relationships themselves, each once."""
    async with AsyncGraphDatabase.driver(neo4j.uri) as driver:
        found = await driver.execute_query(
            "MATCH (n:Unit {tenant: $tenant})-[:CHILD_OF]->(parent:Unit) RETURN n.id, parent.id",
            tenant=tenant,
        )
    asked = [(unit_id, parents[-1]) for unit_id, parents in books.parents.items() if parents[-1]]
    assert Counter(tuple(row.values()) for row in found.records) == Counter(asked)
