"""The numbered tree against counting by hand, and the trees that are kept in memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from services.hierarchy.domain.imports import plan_import
from services.hierarchy.domain.model import TenantId, Unit, UnitRow
from services.hierarchy.domain.row_checks import Standing
from services.hierarchy.domain.tree import Tree, TreeRow, TreeRows
from services.hierarchy.ports import OrgGraph
from services.hierarchy.use_cases.trees import Trees
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree
from tests.org_graphs import World, open_embedded
from tests.strategies import valid_trees
from tests.unit.hierarchy.test_plan_import import NOW

RJ, M1 = ("state", "RJ"), ("mandal", "M1")


@pytest.fixture
async def world(tmp_path: Path, unique: str) -> AsyncIterator[World]:
    async with open_embedded(tmp_path / "hierarchy.sqlite3", unique) as world:
        yield world


def units_of(rows: list[UnitRow]) -> list[Unit]:
    numbers = iter(range(1, 10_000))
    made = plan_import(
        rows,
        Standing(a_blueprint(), 0, {}, set()),
        new_id=lambda: f"{next(numbers):08}-0000-4000-8000-000000000000",
        effective_at=NOW,
    )
    return [edit.after for edit in made.edits if edit.after]


@given(valid_trees())
def test_positions_counts_and_levels_are_as_counted_by_hand(rows: list[UnitRow]) -> None:
    units = units_of(rows)
    by_id = {unit.id: unit for unit in units}
    in_order = sorted(units, key=lambda unit: (unit.code, unit.level))
    tree = Tree.of(
        TreeRows(
            tree_version=1,
            level_keys=LEVELS,
            rows=[TreeRow(unit.id, unit.parent_id, unit.level, unit.code) for unit in in_order],
        )
    )

    def children(of: str | None) -> list[Unit]:
        return [unit for unit in in_order if unit.parent_id == of]

    def walk(of: str | None) -> list[Unit]:
        return [each for child in children(of) for each in (child, *walk(child.id))]

    expected = walk(None)
    assert list(tree.forest.ids) == [unit.id for unit in expected]
    assert list(tree.codes) == [unit.code for unit in expected]
    assert [LEVELS[level] for level in tree.levels] == [unit.level for unit in expected]
    for unit in units:
        counted = tree.count(unit)
        assert counted.child_count == len(children(unit.id))
        assert counted.subtree_count == 1 + len(walk(unit.id))
    assert tree.unit_count == len(by_id)


@dataclass
class Counting:
    """The graph itself, with a count of how often its whole tree was read."""

    graph: OrgGraph
    loads: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.graph, name)

    async def tree(self, tenant: TenantId) -> TreeRows:
        self.loads.append(tenant)
        return await self.graph.tree(tenant)


async def test_a_version_is_numbered_once_however_many_ask(world: World) -> None:
    await world.start(*a_small_tree())
    graph = Counting(world.graph)
    trees = Trees(graph)

    first = await asyncio.gather(*(trees.current(world.tenant) for _ in range(10)))
    again = await trees.current(world.tenant)

    assert len(graph.loads) == 1
    assert all(each is again for each in first)


async def test_a_new_version_is_seen_at_once(world: World) -> None:
    await world.start(*a_small_tree())
    graph = Counting(world.graph)
    trees = Trees(graph)
    old = await trees.current(world.tenant)

    await world.load(a_row("booth", "B3", under=M1))
    new = await trees.current(world.tenant)

    assert (old.tree_version, new.tree_version, new.unit_count) == (1, 2, 8)
    assert len(graph.loads) == 2
    # Who asks for less gets the newer one, without another load.
    assert await trees.at_least(world.tenant, 1) is new
    assert len(graph.loads) == 2


async def test_units_that_are_newer_than_their_version_are_counted_in_a_newer_tree(
    world: World,
) -> None:
    await world.start(*a_small_tree())
    trees = Trees(world.graph)
    await trees.current(world.tenant)
    await world.load(a_row("booth", "B3", under=M1))
    booth = await world.unit("booth", "B3")

    (counted,) = await trees.count(world.tenant, 1, [booth])

    assert (counted.child_count, counted.subtree_count) == (0, 1)


async def test_no_units_need_no_tree(world: World) -> None:
    await world.start(*a_small_tree())
    graph = Counting(world.graph)

    assert await Trees(graph).count(world.tenant, 1, []) == []
    assert graph.loads == []


async def test_the_levels_of_an_empty_tree_are_never_stale(world: World) -> None:
    await world.start()
    trees = Trees(world.graph)
    await trees.current(world.tenant)

    await world.graph.put_blueprint(world.tenant, a_blueprint(("state", "block")))

    assert (await trees.current(world.tenant)).level_keys == ("state", "block")


async def test_who_was_asked_longest_ago_is_forgotten_first(world: World) -> None:
    third = TenantId(f"{world.tenant}3")
    for tenant in (world.tenant, world.other, third):
        await world.start(*a_small_tree(), tenant=tenant)
    graph = Counting(world.graph)
    trees = Trees(graph, max_units=14)

    await trees.current(world.tenant)
    await trees.current(world.other)
    await trees.current(world.tenant)
    await trees.current(third)  # for this one, `other` goes
    await trees.current(world.tenant)
    assert graph.loads == [world.tenant, world.other, third]

    await trees.current(world.other)
    assert graph.loads == [world.tenant, world.other, third, world.other]


async def test_a_tree_larger_than_the_bound_is_still_answered_from_memory(world: World) -> None:
    await world.start(*a_small_tree())
    graph = Counting(world.graph)
    trees = Trees(graph, max_units=3)

    await trees.current(world.tenant)
    await trees.current(world.tenant)

    assert len(graph.loads) == 1


async def test_a_load_that_is_cancelled_leaves_the_next_one_free(world: World) -> None:
    await world.start(*a_small_tree())
    trees = Trees(world.graph)
    first = asyncio.create_task(trees.current(world.tenant))
    second = asyncio.create_task(trees.current(world.tenant))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).unit_count == 7
    with pytest.raises(asyncio.CancelledError):
        await first
