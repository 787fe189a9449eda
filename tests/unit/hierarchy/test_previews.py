"""Dry runs of imports, and those who read meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kit.clock import FakeClock
from kit.ids import SeededIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.domain.model import TenantId
from tests.builders_hierarchy import a_blueprint, a_row, a_small_tree, an_import
from tests.hierarchy_operations import importing, putting
from tests.timing import wait_until
from tests.unit.hierarchy.gated import GatedIds

NEEM, PEEPAL = TenantId("neem"), TenantId("peepal")
# More than the store has threads of any kind.
PREVIEWS = 12


@pytest.fixture
def ids() -> Iterator[GatedIds]:
    ids = GatedIds()
    yield ids
    ids.gate.set()


@pytest.fixture
async def graph(tmp_path: Path, ids: GatedIds) -> AsyncIterator[EmbeddedOrgGraph]:
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        plain = EmbeddedOrgGraph(store, FakeClock(), SeededIds(1))
        for tenant in (NEEM, PEEPAL):
            await plain.write(tenant, putting(a_blueprint()))
            await plain.write(tenant, importing(an_import(*a_small_tree())))
        yield EmbeddedOrgGraph(store, FakeClock(), ids)
        ids.gate.set()  # or the store would wait for its threads


async def test_reads_are_answered_while_previews_are_planned_one_at_a_time(
    graph: EmbeddedOrgGraph, ids: GatedIds
) -> None:
    preview_of_one = importing(an_import(a_row("state", "MP"), validate_only=True))
    async with asyncio.TaskGroup() as tasks:
        previews = [tasks.create_task(graph.write(NEEM, preview_of_one)) for _ in range(PREVIEWS)]
        try:
            await wait_until(lambda: ids.waiting, 10, "a preview is being planned")
            async with asyncio.timeout(10):
                for tenant in (PEEPAL, NEEM) * 5:
                    assert len((await graph.tree(tenant)).rows) == 7
            assert ids.waiting == 1
            assert not any(preview.done() for preview in previews)
        finally:
            ids.gate.set()

    for preview in previews:
        report = preview.result()
        assert (report.created_count, report.applied, report.tree_version) == (1, False, 1)
    assert len((await graph.tree(NEEM)).rows) == 7
