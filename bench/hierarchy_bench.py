"""Measures hierarchy over Neo4j beside plain queries of the same database, and what a server needs.

    make bench ARGS=hierarchy

Both sides of a ratio run in turns, in one process, against one Neo4j (1 GB heap), on the reference
organisation: 60,000 units from the state down to the booth, in Hindi and English.

    row by row: `MATCH (:Unit {id})<-[:CHILD_OF*0..]-(n) RETURN n.id`, one record for each unit.
    bare UNWIND: the same nodes, 5,000 a time, then the same relationships, 5,000 a time, with the
        same constraints and indexes; decides, checks and tells nothing.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from neo4j import AsyncDriver, AsyncGraphDatabase

from bench.hierarchy_reference import (
    UNITS,
    Serving,
    begin,
    load,
    reference_rows,
    seconds,
    serving,
)
from bench.report import Figure
from services.hierarchy.bootstrap import COLLECT_AFTER
from services.hierarchy.domain.model import TenantId, UnitId, UnitRow
from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.records import UNITS_BY_KEY, joined_key
from services.hierarchy.domain.tree import Tree
from tests.builders_hierarchy import a_person, an_appointment, an_import
from tests.hierarchy_operations import importing
from tests.hierarchy_server import Caller, a_caller
from tests.org_graphs import World, open_neo4j
from tests.servers.neo4j.distribution import distribution, version_of
from tests.servers.neo4j.server import Neo4jServer

ROUNDS = 9
LOADS = 3
_BATCH = 5_000
_TESTS = 20_000
_CALLS = 60
_IDS = 500

ROW_BY_ROW = """MATCH (:Unit {tenant: $tenant, id: $id})<-[:CHILD_OF*0..]-(n:Unit)
RETURN n.id AS id"""
NODES = "UNWIND $rows AS row CREATE (n:Unit) SET n = row"
EDGES = """UNWIND $rows AS row
MATCH (n:Unit {tenant: row.tenant, id: row.id})
MATCH (parent:Unit {tenant: row.tenant, id: row.parent_id})
CREATE (n)-[:CHILD_OF {valid_from: row.since}]->(parent)"""
DELETE = "MATCH (n:Unit {tenant: $tenant}) CALL (n) { DETACH DELETE n } IN TRANSACTIONS"


@dataclass
class Report:
    """The figures, in the order in which they came."""

    figures: list[Figure] = field(default_factory=list)

    def of_many(self, name: str, values: Sequence[float], unit: str, scale: float = 1.0) -> None:
        self.figures.append(Figure.of_many(name, [each * scale for each in values], unit))

    def one(self, name: str, value: float, unit: str, note: str = "") -> None:
        self.figures.append(Figure(name, value, unit, note))


def figures() -> Iterator[Figure]:
    """All of them, over a Neo4j of their own."""
    with tempfile.TemporaryDirectory(prefix="chaupal-") as text:
        folder = Path(text)
        (folder / "neo4j").mkdir()
        with Neo4jServer(distribution(version_of()), folder / "neo4j") as server:
            report = Report()
            asyncio.run(_measure(server.uri, folder, report))
            yield from report.figures


async def _measure(uri: str, folder: Path, report: Report) -> None:
    rows = reference_rows()
    async with (
        open_neo4j(uri, None, "bench") as world,
        AsyncGraphDatabase.driver(uri, notifications_min_severity="OFF") as driver,
    ):
        await load(world, rows)
        await _load_figures(uri, driver, world.tenant, rows, report)
        caller = await _convenor(world)
        async with serving(folder, world.tenant, uri) as server:
            await _subtree_figures(server, driver, world, caller, report)
            await _batch_figures(server, report)
            report.one(
                "memory of the server, 60,000 units, after all this", server.resident_mb, "MB"
            )
        await asyncio.to_thread(
            _snapshot_figures, Tree.of(await world.graph.tree(world.tenant)), report
        )


async def _load_figures(
    uri: str, driver: AsyncDriver, tenant: TenantId, rows: Sequence[UnitRow], report: Report
) -> None:
    """Loads of the same units, in turns, each into a tenant of its own that is removed again."""
    found = await driver.execute_query(
        "MATCH (n:Unit {tenant: $tenant}) RETURN properties(n)", tenant=tenant
    )
    nodes = [row[0] | {"tenant": "bare"} for row in found.records]
    gc.set_threshold(*COLLECT_AFTER)  # as a server has it, for both
    ours, bare = [], []
    for number in range(LOADS):
        async with open_neo4j(uri, None, f"load-{number}") as world:
            await begin(world)
            started = time.perf_counter()
            await world.graph.write(world.tenant, importing(an_import(*rows)))
            ours.append(time.perf_counter() - started)
            await _delete(driver, world.tenant)
        started = time.perf_counter()
        await _load_bare(driver, nodes)
        bare.append(time.perf_counter() - started)
        await _delete(driver, "bare")
    report.of_many("load 60,000 units", ours, "s")
    report.of_many("load 60,000 units, bare UNWIND", bare, "s")
    ratios = [each / plain for each, plain in zip(ours, bare, strict=True)]
    report.of_many("load / bare UNWIND", ratios, "x")


async def _load_bare(driver: AsyncDriver, nodes: Sequence[Any]) -> None:
    for statement in (NODES, EDGES):
        for start in range(0, len(nodes), _BATCH):
            await driver.execute_query(statement, rows=nodes[start : start + _BATCH])


async def _delete(driver: AsyncDriver, tenant: str) -> None:
    async with driver.session() as session:  # what commits by itself wants no transaction around
        await (await session.run(DELETE, tenant=tenant)).consume()


async def _division(world: World) -> UnitId:
    key = joined_key("division", "000000")
    return (await world.find(UNITS_BY_KEY, key))[key][0].id


async def _convenor(world: World) -> Caller:
    """Somebody who sees one division."""
    person = a_person(0, subject="convenor", phone=None)
    appointment = an_appointment(
        0, unit_id=await _division(world), position="convenor", person_id=PersonId(person.id)
    )
    await world.write(person, appointment)
    return a_caller(tenant=world.tenant, capabilities=(), subject="convenor")


async def _subtree_figures(
    server: Serving, driver: AsyncDriver, world: World, caller: Caller, report: Report
) -> None:
    """All ids of one division, by whoever sees just that."""
    division = await _division(world)

    async def ours() -> set[str]:
        messages = await server.stream(pb.StreamTreeRequest(), caller)
        return {unit_id for each in messages for unit_id in each.page.ids}

    async def plain() -> set[str]:
        async with driver.session() as session:
            result = await session.run(ROW_BY_ROW, tenant=world.tenant, id=division)
            return {record["id"] async for record in result}

    ids = await ours()
    assert ids == await plain()
    service, rows = [], []
    for _ in range(ROUNDS):
        service += await seconds(ours, 1)
        rows += await seconds(plain, 1)
    name = f"ids of a division, {len(ids):,} units"
    report.of_many(f"{name}, through the service", service, "ms", 1e3)
    report.of_many(f"{name}, row by row from Neo4j", rows, "ms", 1e3)
    ratios = [plain / each for each, plain in zip(service, rows, strict=True)]
    report.of_many(f"{name}, row by row / service", ratios, "x")


async def _batch_figures(server: Serving, report: Report) -> None:
    """What the server computes for each unit of a batch that is asked again and again."""
    ids = (await server.ids("booth", 50_000))[:: 50_000 // _IDS][:_IDS]
    request = pb.BatchGetUnitsRequest(ids=ids)
    reply: pb.BatchGetUnitsResponse = await server.call(request)
    assert all(each.HasField("unit") for each in reply.results)
    spent = []
    for _ in range(ROUNDS):
        before = server.cpu_seconds
        for _ in range(_CALLS):
            await server.call(request)
        spent.append((server.cpu_seconds - before) / (_CALLS * _IDS))
    report.of_many("BatchGetUnits of 500, server CPU for each unit", spent, "us", 1e6)
    taken = await seconds(lambda: server.call(request), ROUNDS)
    report.of_many("BatchGetUnits of 500, whole call", taken, "ms", 1e3)


def _snapshot_figures(tree: Tree, report: Report) -> None:
    """The questions that every request asks of the tree in memory."""
    assert tree.unit_count == UNITS
    forest = tree.forest
    booths = forest.ids[:: UNITS // 1_000]
    above = [forest.ancestors(each)[-1] if forest.ancestors(each) else each for each in booths]
    for name, ask in (
        ("subtree test", lambda at: forest.is_within(booths[at], above[at])),
        ("ancestors", lambda at: forest.ancestors(booths[at])),
        ("range of a subtree", lambda at: forest.subtree(booths[at])),
    ):
        taken = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for number in range(_TESTS):
                ask(number % len(booths))
            taken.append((time.perf_counter() - started) / _TESTS)
        report.of_many(f"{name}, from the snapshot", taken, "ms", 1e3)
