"""`OrgGraph`: the tree as it was, and what became of units since a version."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.hierarchy.domain.model import Unit
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.ports import UnitChanges
from tests.builders_hierarchy import BEGINNING, LEVELS, a_past_unit, a_row, a_small_tree, a_unit
from tests.org_graphs import STORES, World, open_world

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def change(
    world: World, *after: Unit, closing: tuple[Unit, ...] = (), version: int, at: datetime
) -> None:
    """Let units be so from then on, as a decision would."""
    before = {unit.id: unit for unit in await world.all(Unit)}
    puts = [replace(unit, since=at, revision=version) for unit in after]
    past = [PastUnit(before[unit.id], at, version, False) for unit in after if unit.id in before]
    ended = [PastUnit(before[unit.id], at, version, True) for unit in closing]
    await world.write(
        *puts, *past, *ended, drops=closing, header=lambda it: replace(it, tree_version=version)
    )


async def edges(world: World, at: datetime | None) -> set[tuple[str, str]]:
    """Each unit's code under its parent's."""
    tree = await world.graph.tree(world.tenant, at=at)
    codes = {row.id: row.code for row in tree.rows}
    assert len(codes) == len(tree.rows)
    families: dict[str | None, list[tuple[str, str]]] = {}
    for row in tree.rows:
        families.setdefault(row.parent_id, []).append((row.code, row.level))
    assert all(family == sorted(family) for family in families.values())
    return {(codes[row.parent_id] if row.parent_id else "", row.code) for row in tree.rows}


async def test_the_tree_is_told_as_it_was_at_each_instant(world: World) -> None:
    await world.start(a_row(*RJ), *(a_row(*key, under=RJ) for key in (JPR, AJM)))
    mandal = a_unit(*M1, parent_id=a_unit(*JPR).id)
    began, moved, renamed, closed = (BEGINNING + HOUR * n for n in (1, 2, 3, 4))
    await change(world, mandal, version=2, at=began)
    await change(world, replace(mandal, parent_id=a_unit(*AJM).id), version=3, at=moved)
    await change(
        world, replace(mandal, parent_id=a_unit(*AJM).id, code="M9"), version=4, at=renamed
    )
    await change(world, closing=(mandal,), version=5, at=closed)

    districts = {("", "RJ"), ("RJ", "JPR"), ("RJ", "AJM")}
    assert await edges(world, BEGINNING - MICROSECOND) == set()
    assert await edges(world, BEGINNING) == districts
    assert await edges(world, began - MICROSECOND) == districts
    assert await edges(world, began) == {*districts, ("JPR", "M1")}
    assert await edges(world, moved - MICROSECOND) == {*districts, ("JPR", "M1")}
    assert await edges(world, moved) == {*districts, ("AJM", "M1")}
    assert await edges(world, renamed) == {*districts, ("AJM", "M9")}
    assert await edges(world, closed - MICROSECOND) == {*districts, ("AJM", "M9")}
    assert await edges(world, closed) == districts
    assert await edges(world, closed + 1000 * HOUR) == await edges(world, None) == districts


async def test_a_slice_of_no_length_never_was(world: World) -> None:
    await world.start(a_row(*RJ))
    district = a_unit(*JPR, parent_id=a_unit(*RJ).id)
    await change(world, district, version=2, at=BEGINNING + HOUR)
    await change(world, closing=(district,), version=3, at=BEGINNING + HOUR)

    assert await edges(world, BEGINNING + HOUR) == {("", "RJ")}


async def test_a_former_tree_has_the_version_and_the_levels_of_now(world: World) -> None:
    await world.start(*a_small_tree())
    await world.load(a_row("booth", "B3", under=M1))

    tree = await world.graph.tree(world.tenant, at=BEGINNING - HOUR)

    assert (tree.tree_version, tree.level_keys, list(tree.rows)) == (2, LEVELS, [])


async def changes_since(world: World, since: int, limit: int = 100) -> UnitChanges:
    found = await world.graph.unit_changes(world.tenant, since=since, limit=limit)
    assert found is not None
    return found


async def test_changes_are_told_since_any_version(world: World) -> None:
    await world.start(a_row(*RJ), a_row(*AJM, under=RJ))
    first, second = (a_unit(*key, parent_id=a_unit(*RJ).id) for key in (JPR, M1))
    await change(world, first, version=2, at=BEGINNING + HOUR)
    await change(world, second, version=3, at=BEGINNING + HOUR * 2)
    await change(world, replace(first, code="J2"), version=4, at=BEGINNING + HOUR * 3)
    await change(world, closing=(second,), version=5, at=BEGINNING + HOUR * 4)

    expected: list[tuple[set[str], set[str]]] = [
        ({"RJ", "AJM", "J2"}, {second.id}),
        ({"J2"}, {second.id}),
        ({"J2"}, {second.id}),
        ({"J2"}, {second.id}),
        (set(), {second.id}),
        (set(), set()),
    ]
    for since, (changed, closed) in enumerate(expected):
        found = await changes_since(world, since)
        assert found.tree_version == 5
        assert ({unit.code for unit in found.units}, set(found.closed)) == (changed, closed)
        assert len(found.units) == len(changed)
    (as_it_stands,) = (await changes_since(world, 3)).units
    assert as_it_stands == await world.unit("district", "J2")


async def test_too_many_changes_are_not_told_at_all(world: World) -> None:
    await world.start(*a_small_tree())
    booth = await world.unit("booth", "B2")
    await change(world, closing=(booth,), version=2, at=BEGINNING + HOUR)

    graph, tenant = world.graph, world.tenant
    assert await graph.unit_changes(tenant, since=0, limit=6) is None
    found = await changes_since(world, 0, limit=7)
    assert (len(found.units), set(found.closed)) == (6, {booth.id})
    assert await graph.unit_changes(tenant, since=1, limit=0) is None
    assert set((await changes_since(world, 1, limit=1)).closed) == {booth.id}
    nothing = await changes_since(world, 2, limit=0)
    assert (nothing.tree_version, len(nothing.units), len(nothing.closed)) == (2, 0, 0)


async def test_a_former_state_of_a_unit_that_goes_on_is_no_end(world: World) -> None:
    await world.start(a_row(*RJ))
    past = a_past_unit(await world.unit(*RJ), BEGINNING + HOUR, ended_by=2)
    await world.write(past)

    assert set((await changes_since(world, 1)).closed) == set()


async def test_a_stranger_has_no_changes(world: World) -> None:
    found = await changes_since(world, 0, limit=0)

    assert (found.tree_version, len(found.units), len(found.closed)) == (0, 0, 0)
