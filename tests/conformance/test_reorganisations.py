"""Re-organisations over each store: random ones against a plain model, and two at once."""

import asyncio
import contextlib
import os
import random
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from kit.clock import FakeClock
from kit.errors import InvalidInput
from kit.ids import SeededIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.adapters.neo4j import Neo4jOrgGraph, Neo4jStore
from services.hierarchy.domain.model import TenantId, Unit, UnitId, UnitKey
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.reorganisation import (
    CloseStep,
    MergeStep,
    MoveStep,
    Reorganisation,
    ReorganisationReport,
    Rights,
    Step,
    decide_reorganisation,
)
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import Tree
from services.hierarchy.ports import OrgGraph
from services.hierarchy.use_cases.slices import slices_by_id
from tests.builders_hierarchy import LEVELS, a_blueprint, a_request_id, an_operation
from tests.org_graphs import STORES, World, open_embedded, open_neo4j
from tests.reorganisation_machine import ReorganisationMachine, state_of
from tests.reorganisation_model import State
from tests.unit.hierarchy.reorganising import create

T = TypeVar("T")
# How many changes each of two callers makes.
CHANGES = 20


def reorganising(request: Reorganisation) -> Operation[ReorganisationReport]:
    return Operation(
        "reorganise",
        request.request_id,
        "",
        repr(request.steps),
        ReorganisationReport,
        partial(decide_reorganisation, request, Rights()),
        request.validate_only,
    )


class StoreMachine(ReorganisationMachine):
    """Over a store, through everything that reads units."""

    def open(self, folder: Path) -> AbstractAsyncContextManager[World]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.opened = self.open(Path(self.folder.name))
        self.world = self.run(self.opened.__aenter__())
        self.run(self.world.start())

    def teardown(self) -> None:
        self.run(self.opened.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    def run(self, waiting: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(waiting)

    def reorganise(self, request: Reorganisation) -> ReorganisationReport:
        return self.run(self.world.graph.write(self.world.tenant, reorganising(request)))

    def header(self) -> TenantHeader:
        return self.run(self.world.graph.header(self.world.tenant))

    def now(self) -> datetime:
        return self.world.clock.now()

    def advance(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    def tree(self, at: datetime | None) -> State:
        return self.run(self.read(at))

    async def read(self, at: datetime | None) -> State:
        tree = await self.world.graph.tree(self.world.tenant, at=at)
        ids = [row.id for row in tree.rows]
        read = await slices_by_id(self.world.graph, self.world.tenant, ids, at)
        units = {unit_id: each.unit for unit_id, each in read.value.items()}
        assert [(row.id, row.parent_id, row.level, row.code) for row in tree.rows] == [
            (unit.id, unit.parent_id, unit.level, unit.code)
            for unit in (units[each] for each in ids)
        ]
        names = {str(unit.id): unit.names.by_language["en"] for unit in units.values()}
        return state_of(tree.rows, names)


class EmbeddedMachine(StoreMachine):
    def open(self, folder: Path) -> AbstractAsyncContextManager[World]:
        return open_embedded(folder / "hierarchy.sqlite3", f"t{uuid.uuid4().hex[:8]}")


def at_most(examples: int, steps: int) -> settings:
    """The profile's settings within what this machine is worth: each step reads all the past."""
    profile = settings.default
    assert profile is not None
    return settings(
        max_examples=min(profile.max_examples, examples),
        stateful_step_count=min(profile.stateful_step_count, steps),
    )


@pytest.mark.timeout(900)
def test_trees_in_the_embedded_store_are_as_in_the_model_at_every_instant() -> None:
    run_state_machine_as_test(EmbeddedMachine, settings=at_most(100, 25))


@pytest.mark.timeout(900)
def test_trees_in_neo4j_are_as_in_the_model_at_every_instant(
    neo4j_uri: str, neo4j_auth: tuple[str, str] | None
) -> None:
    class Neo4jMachine(StoreMachine):
        def open(self, _folder: Path) -> AbstractAsyncContextManager[World]:
            return open_neo4j(neo4j_uri, neo4j_auth, f"t{uuid.uuid4().hex[:16]}")

    thorough = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
    run_state_machine_as_test(Neo4jMachine, settings=at_most(*((30, 20) if thorough else (2, 6))))


@asynccontextmanager
async def two_graphs(
    store: str, request: pytest.FixtureRequest, folder: Path
) -> AsyncIterator[tuple[OrgGraph, OrgGraph]]:
    """The same data through two stores, as two processes have it."""
    clock = FakeClock()
    if store == "neo4j":
        uri, auth = request.getfixturevalue("neo4j_uri"), request.getfixturevalue("neo4j_auth")
        async with Neo4jStore(uri, auth) as first, Neo4jStore(uri, auth) as second:
            await first.migrate()
            yield (
                Neo4jOrgGraph(first, clock, SeededIds(1)),
                Neo4jOrgGraph(second, clock, SeededIds(2)),
            )
    else:
        path = folder / "hierarchy.sqlite3"
        async with EmbeddedStore(path) as first, EmbeddedStore(path) as second:
            yield (
                EmbeddedOrgGraph(first, clock, SeededIds(1)),
                EmbeddedOrgGraph(second, clock, SeededIds(2)),
            )


@pytest.mark.parametrize("store", STORES)
async def test_two_who_change_the_tree_at_once_leave_a_tree(
    store: str, request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> None:
    tenant = TenantId(unique)
    async with two_graphs(store, request, tmp_path) as graphs:
        await plant(graphs[0], tenant)
        chances = random.Random(1), random.Random(2)
        outcomes = await asyncio.gather(
            *(change(graph, tenant, chance) for graph, chance in zip(graphs, chances, strict=True))
        )

        header = await graphs[0].header(tenant)
        assert outcomes == [CHANGES, CHANGES]
        assert header.tree_version == 1 + 2 * CHANGES
        for graph in graphs:
            await check_tree(graph, tenant, header)


async def plant(graph: OrgGraph, tenant: TenantId) -> None:
    """A state, with three of each level under each unit of the level above."""
    blueprint = replace(a_blueprint(), version=1)
    await graph.write(
        tenant, an_operation(header=lambda before: replace(before, blueprint=blueprint))
    )
    steps = [create("state S")]
    above = ["S"]
    for parent_level, level in pairwise(LEVELS):
        codes = [f"{parent}{number}" for parent in above for number in range(3)]
        steps += [create(f"{level} {code}", f"{parent_level} {code[:-1]}") for code in codes]
        above = codes
    await graph.write(tenant, reorganising(Reorganisation(a_request_id(), tuple(steps))))


async def change(graph: OrgGraph, tenant: TenantId, chance: random.Random) -> int:
    """Steps on what stands when each is made; what the other has changed may be refused."""
    applied = 0
    for _ in range(50 * CHANGES):
        tree = Tree.of(await graph.tree(tenant))
        request = Reorganisation(a_request_id(), (random_step(tree, chance),))
        with contextlib.suppress(InvalidInput):
            applied += (await graph.write(tenant, reorganising(request))).applied
        if applied == CHANGES:
            break
    return applied


def random_step(tree: Tree, chance: random.Random) -> Step:
    first, second = (UnitId(chance.choice(tree.forest.ids)) for _ in range(2))
    match chance.randrange(5):
        case 0:
            place = tree.forest.position(first)
            level = LEVELS[min(tree.levels[place] + 1, len(LEVELS) - 1)]
            return create(f"{level} N{chance.randrange(30)}", first, take=[second])
        case 1:
            same = [
                unit
                for unit in tree.forest.ids
                if tree.levels[tree.forest.position(unit)]
                == tree.levels[tree.forest.position(first)]
            ]
            return MergeStep((first,), UnitId(chance.choice(same)))
        case 2:
            return CloseStep(first)
        case _:
            return MoveStep(first, second)


async def check_tree(graph: OrgGraph, tenant: TenantId, header: TenantHeader) -> None:
    """One parent each, on a higher level; the snapshot and every neighbour say the same."""
    rows = await graph.tree(tenant)
    units = {unit.id: unit for unit in await graph.page(tenant, Unit, limit=1_000)}
    assert rows.tree_version == header.tree_version
    assert {row.id: row.parent_id for row in rows.rows} == {
        unit.id: unit.parent_id for unit in units.values()
    }
    keys = [UnitKey(*unit.key) for unit in units.values()]
    assert len(set(keys)) == len(keys) == header.counts.units
    order = {level: place for place, level in enumerate(LEVELS)}
    for unit in units.values():
        if unit.parent_id:
            assert order[units[unit.parent_id].level] < order[unit.level]
    tree = Tree.of(rows)
    ancestors = (await graph.ancestors(tenant, list(units))).value
    children = (await graph.children(tenant, [None, *units], limit=1_000)).value
    for unit_id in units:
        assert [each.id for each in ancestors[unit_id]] == tree.forest.ancestors(unit_id)
        assert [each.id for each in children[unit_id].units] == tree.forest.children(unit_id)
    assert [each.id for each in children[None].units] == tree.forest.roots()
