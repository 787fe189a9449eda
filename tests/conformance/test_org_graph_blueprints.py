"""`OrgGraph`: the blueprint, alone and against the units that stand on its levels."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.hierarchy.domain.errors import BlueprintInUse
from services.hierarchy.domain.events import BlueprintChanged, TreeChanged
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree, an_import
from tests.org_graphs import STORES, World, open_world


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def changes(world: World) -> list[TreeChanged | BlueprintChanged]:
    return [event.change for event in (await world.dump()).events]


async def test_a_tenant_begins_without_a_blueprint(world: World) -> None:
    assert await world.graph.blueprint(world.tenant) is None


async def test_the_first_put_makes_version_1_and_tells_of_it(world: World) -> None:
    stands = await world.graph.put_blueprint(world.tenant, a_blueprint())

    assert stands == replace(a_blueprint(), version=1)
    assert await world.graph.blueprint(world.tenant) == stands
    assert await changes(world) == [BlueprintChanged(1)]


async def test_every_put_that_differs_makes_the_next_version(world: World) -> None:
    await world.start()
    draft = replace(a_blueprint(name="Renamed"), version=77)  # the draft's version means nothing

    stands = await world.graph.put_blueprint(world.tenant, draft)

    assert stands == replace(draft, version=2)
    assert await world.graph.blueprint(world.tenant) == stands
    assert await changes(world) == [BlueprintChanged(1), BlueprintChanged(2)]


async def test_a_put_that_says_what_stands_changes_nothing(world: World) -> None:
    await world.start()
    before = await world.dump()

    stands = await world.graph.put_blueprint(world.tenant, a_blueprint())

    assert stands.version == 1
    assert await world.dump() == before


async def test_validating_says_what_would_stand_and_changes_nothing(world: World) -> None:
    draft = a_blueprint()
    assert (await world.graph.put_blueprint(world.tenant, draft, validate_only=True)).version == 1
    assert await world.graph.blueprint(world.tenant) is None

    await world.start(*a_small_tree())
    before = await world.dump()
    wider = a_blueprint((*LEVELS, "house"))

    stands = await world.graph.put_blueprint(world.tenant, wider, validate_only=True)

    assert stands == replace(wider, version=2)
    assert await world.dump() == before


@pytest.mark.parametrize(
    ("levels", "at_fault"),
    [
        (("state", "district", "mandal"), ("booth",)),
        (("district", "mandal", "booth"), ("state",)),
        (("country", "region"), LEVELS),
        (("district", "state", "mandal", "booth"), ("state", "district")),
        (("state", "booth", "mandal", "district"), ("district", "booth")),
    ],
)
@pytest.mark.parametrize("validate_only", [False, True])
async def test_levels_with_units_neither_go_nor_change_their_order(
    world: World, levels: tuple[str, ...], at_fault: tuple[str, ...], validate_only: bool
) -> None:
    await world.start(*a_small_tree())
    before = await world.dump()

    with pytest.raises(BlueprintInUse) as refused:
        await world.graph.put_blueprint(
            world.tenant, a_blueprint(levels), validate_only=validate_only
        )

    assert refused.value.levels == at_fault
    assert await world.dump() == before


async def test_levels_without_units_go_and_change_their_order(world: World) -> None:
    await world.start(a_row("state", "RJ"))

    stands = await world.graph.put_blueprint(
        world.tenant, a_blueprint(("mandal", "state", "booth"))
    )

    assert stands.level_keys == ("mandal", "state", "booth")


async def test_levels_may_be_added_anywhere_and_that_is_a_new_tree(world: World) -> None:
    await world.start(*a_small_tree())
    wider = ("country", "state", "division", "district", "mandal", "booth", "house")

    await world.graph.put_blueprint(world.tenant, a_blueprint(wider))

    tree = await world.graph.tree(world.tenant)
    assert (tree.tree_version, tree.level_keys) == (2, wider)
    assert await world.graph.tree_version(world.tenant) == 2
    assert (await changes(world))[2:] == [TreeChanged(2), BlueprintChanged(2)]


async def test_a_change_beside_the_levels_leaves_the_tree_as_it_is(world: World) -> None:
    await world.start(*a_small_tree())

    await world.graph.put_blueprint(world.tenant, a_blueprint(name="Renamed"))

    assert await world.graph.tree_version(world.tenant) == 1
    assert (await changes(world))[2:] == [BlueprintChanged(2)]


async def test_without_units_other_levels_make_no_tree(world: World) -> None:
    await world.start()

    await world.graph.put_blueprint(world.tenant, a_blueprint(("state", "block")))

    assert await world.graph.tree_version(world.tenant) == 0
    assert (await world.graph.tree(world.tenant)).level_keys == ("state", "block")


async def test_rows_are_checked_against_the_levels_that_stand_now(world: World) -> None:
    await world.start()
    await world.graph.put_blueprint(world.tenant, a_blueprint(("state", "block")))

    report = await world.graph.apply_import(world.tenant, an_import(a_row("district", "JPR")))

    assert [error.reason for error in report.errors] == ["UNKNOWN_LEVEL"]
