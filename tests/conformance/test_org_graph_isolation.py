"""Nothing that is called as one tenant returns or changes what is another's."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from hypothesis import given

from services.hierarchy.domain.model import UnitId, UnitKey, UnitRow
from services.hierarchy.ports import OrgGraph
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree, an_import
from tests.org_graphs import STORES, Dump, World, open_embedded, open_world
from tests.strategies import valid_trees


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def as_tenant(world: World, rows: Sequence[UnitRow]) -> None:
    """Everything that can be written, as the world's first tenant."""
    graph, tenant = world.graph, world.tenant
    await graph.put_blueprint(tenant, a_blueprint(("country", *LEVELS), name="Ours"))
    await graph.apply_import(tenant, an_import(*rows))
    await graph.apply_import(tenant, an_import(a_row("booth", "")))
    await graph.put_blueprint(tenant, a_blueprint(LEVELS, name="Ours again"))
    await world.outbox.mark_relayed(tenant, through=2)


async def seen_by_tenant(world: World, theirs: Dump) -> None:
    """Everything that can be read with what is theirs, as the world's first tenant."""
    graph, tenant, ours = world.graph, world.tenant, await world.dump()
    ids: list[UnitId] = list(theirs.units)
    assert (await graph.units(tenant, ids)).value == {
        each: ours.units[each] for each in ids if each in ours.units
    }
    children = (await graph.children(tenant, [None, *ids], limit=1000)).value
    assert set(children) == {None} | (set(ids) & set(ours.units))
    for parent, page in children.items():
        expected = [row.id for row in ours.tree.rows if row.parent_id == parent]
        assert [unit.id for unit in page.units] == expected
        assert all(ours.units[unit.id] == unit for unit in page.units)
        assert page.total_count == len(expected)
    ancestors = (await graph.ancestors(tenant, ids)).value
    assert set(ancestors) == set(ids) & set(ours.units)
    assert all(ours.units[unit.id] == unit for above in ancestors.values() for unit in above)
    our_keys = {unit.key: unit for unit in ours.units.values()}
    for unit in theirs.units.values():
        assert (await graph.unit_by_key(tenant, unit.key)).value == our_keys.get(unit.key)
    assert all(event.tenant == tenant for event in ours.events)


async def both_ways(world: World, ours: Sequence[UnitRow], theirs: Sequence[UnitRow]) -> None:
    """The other tenant is there first; its ids are ours too, as both graphs give the same."""
    await world.twin.put_blueprint(world.other, a_blueprint(LEVELS, name="Theirs"))
    await world.twin.apply_import(world.other, an_import(*theirs))
    before = await world.dump(world.other)

    await seen_by_tenant(world, before)
    await as_tenant(world, ours)
    await seen_by_tenant(world, before)

    assert await world.dump(world.other) == before
    backlogs = await world.outbox.backlogs(limit=100_000)
    assert [b.relayed_through for b in backlogs if b.tenant == world.other] == [0]


@given(ours=valid_trees(), theirs=valid_trees())
def test_whatever_two_tenants_hold_they_never_meet(
    ours: list[UnitRow], theirs: list[UnitRow]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(in_world(embedded(Path(folder)), ours, theirs))


async def test_two_tenants_with_the_same_ids_never_meet(world: World) -> None:
    await both_ways(world, a_small_tree()[:5], a_small_tree())

    ours, theirs = await world.dump(), await world.dump(world.other)
    assert set(ours.units) < set(theirs.units)  # so the test has tried what it says


async def test_one_tenants_id_is_no_parent_for_another(world: World) -> None:
    await world.start(tenant=world.other)
    await world.load(a_row("state", "RJ"), tenant=world.other)
    await world.start()

    report = await world.graph.apply_import(
        world.tenant, an_import(a_row("district", "JPR", under=("state", "RJ")))
    )

    assert [error.reason for error in report.errors] == ["UNKNOWN_PARENT"]
    assert (await world.dump()).units == {}


async def test_a_tenant_whose_name_begins_like_anothers_is_another(world: World) -> None:
    await world.start(*a_small_tree())
    longer = type(world.tenant)(world.tenant + "x")

    graph: OrgGraph = world.graph
    assert (await graph.unit_by_key(longer, UnitKey("state", "RJ"))).value is None
    assert list((await graph.tree(longer)).rows) == []
    assert await graph.blueprint(longer) is None


def embedded(folder: Path) -> AbstractAsyncContextManager[World]:
    return open_embedded(folder / "hierarchy.sqlite3", f"t{uuid.uuid4().hex[:8]}")


async def in_world(
    opening: AbstractAsyncContextManager[World], ours: list[UnitRow], theirs: list[UnitRow]
) -> None:
    async with opening as world:
        await both_ways(world, ours, theirs)
