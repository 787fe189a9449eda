"""The trees that are kept in memory: never older than what was asked, and loaded once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.ids import SeededIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.domain.model import Level, TenantId, UnitRow
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import OrgGraph
from services.hierarchy.use_cases.trees import Trees
from tests.builders_hierarchy import a_blueprint, a_row, a_small_tree, an_import, text
from tests.hierarchy_operations import closing, importing, putting

NEEM, PEEPAL, THIRD = TenantId("neem"), TenantId("peepal"), TenantId("third")
RJ, M1 = ("state", "RJ"), ("mandal", "M1")
HOUR = timedelta(hours=1)


@dataclass
class Counting:
    """The graph itself, with a note of how often a whole tree was read."""

    graph: OrgGraph
    clock: FakeClock
    loads: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.graph, name)

    async def tree(self, tenant: TenantId, *, at: datetime | None = None) -> TreeRows:
        self.loads.append(f"{tenant} {at:%H}" if at else tenant)
        return await self.graph.tree(tenant, at=at)

    async def start(self, tenant: TenantId = NEEM, *rows: UnitRow) -> None:
        await self.graph.write(tenant, putting(a_blueprint()))
        await self.load(*(rows or a_small_tree()), tenant=tenant)

    async def load(self, *rows: UnitRow, tenant: TenantId = NEEM) -> None:
        """Import rows that are right, an hour after whatever was before."""
        report = await self.graph.write(tenant, importing(an_import(*rows)))
        assert report.applied
        self.clock.advance(HOUR.total_seconds())


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[Counting]:
    clock = FakeClock()
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        yield Counting(EmbeddedOrgGraph(store, clock, SeededIds(1)), clock)


async def test_a_version_is_numbered_once_however_many_ask(graph: Counting) -> None:
    await graph.start()
    trees = Trees(graph)

    first = await asyncio.gather(*(trees.current(NEEM) for _ in range(10)))
    again = await trees.current(NEEM)

    assert graph.loads == [NEEM]
    assert all(each is again for each in first)


async def test_a_new_version_is_seen_at_once(graph: Counting) -> None:
    await graph.start()
    trees = Trees(graph)
    old = await trees.current(NEEM)

    await graph.load(a_row("booth", "B3", under=M1))
    new = await trees.current(NEEM)

    assert (old.tree_version, new.tree_version, new.unit_count) == (1, 2, 8)
    # Who asks for less gets the newer one, without another load.
    assert await trees.at_least(NEEM, 1) is new
    assert graph.loads == [NEEM]


async def test_little_that_changed_is_laid_over_what_is_here(graph: Counting) -> None:
    await graph.start()
    trees = Trees(graph)
    await trees.current(NEEM)

    await graph.load(
        a_row("booth", "B3", under=M1), a_row("mandal", "M2", under=("district", "AJM"))
    )
    changed = await trees.current(NEEM)

    assert graph.loads == [NEEM]
    whole = await Trees(graph).current(NEEM)
    assert changed.forest.ids == whole.forest.ids
    assert (changed.codes, changed.tree_version) == (whole.codes, whole.tree_version)


async def test_other_levels_are_read_with_the_whole(graph: Counting) -> None:
    await graph.start()
    trees = Trees(graph)
    await trees.current(NEEM)

    levels = a_blueprint().levels
    ward = Level("ward", text("Ward"))
    await graph.write(NEEM, putting(replace(a_blueprint(), levels=(*levels, ward))))

    assert (await trees.current(NEEM)).level_keys[-1] == "ward"
    assert graph.loads == [NEEM, NEEM]


async def test_the_levels_of_an_empty_tree_are_never_stale(graph: Counting) -> None:
    await graph.write(NEEM, putting(a_blueprint()))
    trees = Trees(graph)
    await trees.current(NEEM)

    await graph.write(NEEM, putting(a_blueprint(("state", "block"))))

    assert (await trees.current(NEEM)).level_keys == ("state", "block")


async def test_who_was_asked_longest_ago_is_forgotten_first(graph: Counting) -> None:
    for tenant in (NEEM, PEEPAL, THIRD):
        await graph.start(tenant)
    trees = Trees(graph, max_units=14)

    for tenant in (NEEM, PEEPAL, NEEM, THIRD):  # for the third, PEEPAL goes
        await trees.current(tenant)
    await trees.current(NEEM)
    assert graph.loads == [NEEM, PEEPAL, THIRD]

    await trees.current(PEEPAL)
    assert graph.loads == [NEEM, PEEPAL, THIRD, PEEPAL]


async def test_a_tree_larger_than_the_bound_is_still_answered_from_memory(
    graph: Counting,
) -> None:
    await graph.start()
    trees = Trees(graph, max_units=3)

    await trees.current(NEEM)
    await trees.current(NEEM)

    assert len(graph.loads) == 1


async def test_a_load_that_is_cancelled_leaves_the_next_one_free(graph: Counting) -> None:
    await graph.start()
    trees = Trees(graph)
    first = asyncio.create_task(trees.current(NEEM))
    second = asyncio.create_task(trees.current(NEEM))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).unit_count == 7
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_time_of_the_past_is_numbered_once_for_each_version(graph: Counting) -> None:
    began = graph.clock.now()
    await graph.start()
    await graph.load(a_row("booth", "B3", under=M1))
    trees, header = Trees(graph), await graph.header(NEEM)

    trees_then = await asyncio.gather(*(trees.seen(header, began) for _ in range(10)))

    assert graph.loads == ["neem 00"]
    assert all(each is trees_then[0] for each in trees_then)
    assert trees_then[0].unit_count == 7
    assert (await trees.seen(header)).unit_count == 8
    # A later write may be true from an earlier time, so the past is asked for again after it.
    await graph.load(a_row("booth", "B4", under=M1))
    await trees.seen(await graph.header(NEEM), began)
    assert graph.loads == ["neem 00", NEEM, "neem 00"]


async def test_since_the_last_change_the_tree_of_then_is_the_present_one(
    graph: Counting,
) -> None:
    began = graph.clock.now()
    await graph.start()
    trees, header = Trees(graph), await graph.header(NEEM)
    now = await trees.current(NEEM)

    assert await trees.seen(header, began) is now
    assert await trees.seen(header, graph.clock.now() + HOUR) is now
    assert (await trees.seen(header, began - HOUR)).unit_count == 0
    assert graph.loads == [NEEM, "neem 23"]


async def test_who_saw_an_older_version_is_not_shown_a_newer_one_as_the_past(
    graph: Counting,
) -> None:
    """Their header says that nothing changed since, and the tree in memory knows better."""
    await graph.start()
    trees, header = Trees(graph), await graph.header(NEEM)
    between = graph.clock.now() - HOUR / 2
    booth = next(row for row in (await graph.graph.tree(NEEM)).rows if row.code == "B1")
    await graph.write(NEEM, closing(booth.id))
    assert (await trees.current(NEEM)).unit_count == 6

    assert (await trees.seen(header, between)).unit_count == 7


async def test_few_trees_of_the_past_are_kept(graph: Counting) -> None:
    began = graph.clock.now()
    await graph.start()
    for number in range(3):
        await graph.load(a_row("booth", f"N{number}", under=M1))
    trees, header = Trees(graph, max_past_units=16), await graph.header(NEEM)

    for hour in (0, 1, 2, 2, 1, 0):  # of 7, 8 and 9 units
        await trees.seen(header, began + hour * HOUR)

    assert graph.loads == ["neem 00", "neem 01", "neem 02", "neem 01", "neem 00"]
