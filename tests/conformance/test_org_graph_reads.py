"""`OrgGraph`: children, ancestors, the tree as it is."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import TreeRow
from services.hierarchy.ports import Children, Read, SiblingKey
from tests.builders_hierarchy import LEVELS, a_row, a_small_tree
from tests.org_graphs import STORES, World, open_world

RJ = ("state", "RJ")
STRANGER = UnitId(str(uuid.UUID(int=404)))


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def children_of(world: World, level: str, code: str) -> tuple[UnitId, list[str]]:
    parent = (await world.unit(level, code)).id
    found = (await world.graph.children(world.tenant, [parent], limit=100)).value[parent]
    return parent, [unit.code for unit in found.units]


async def test_a_tenant_without_a_blueprint_reads_as_empty(world: World) -> None:
    graph, tenant = world.graph, world.tenant

    assert await graph.header(tenant) == TenantHeader(tenant)
    assert await graph.ancestors(tenant, [STRANGER]) == Read(0, {})
    none = Children(units=(), total_count=0, has_more=False)
    found = await graph.children(tenant, [None, STRANGER], limit=5)
    assert (found.tree_version, dict(found.value)) == (0, {None: none})
    tree = await graph.tree(tenant)
    assert (tree.tree_version, tree.level_keys, list(tree.rows)) == (0, (), [])


async def test_children_are_ordered_by_code_and_then_by_level(world: World) -> None:
    rows = [a_row(level, code, under=RJ) for level in LEVELS[1:] for code in ("b", "a", "B", "10")]
    await world.start(a_row(*RJ), *rows)

    state = (await world.unit("state", "RJ")).id
    found = (await world.graph.children(world.tenant, [state], limit=100)).value[state]

    expected = sorted((row.key.code, row.key.level) for row in rows)
    assert [(unit.code, unit.level) for unit in found.units] == expected
    assert (found.total_count, found.has_more) == (12, False)


async def test_children_come_in_pages_that_neither_repeat_nor_skip(world: World) -> None:
    rows = [a_row(level, f"C{n}", under=RJ) for level in LEVELS[1:] for n in range(5)]
    await world.start(a_row(*RJ), *rows)
    state = (await world.unit("state", "RJ")).id
    seen: list[tuple[str, str]] = []
    after: SiblingKey | None = None
    more = True

    while more:
        read = await world.graph.children(world.tenant, [state], limit=4, after=after)
        page = read.value[state]
        assert page.total_count == 15
        assert 0 < len(page.units) <= 4
        seen += [(unit.code, unit.level) for unit in page.units]
        after = SiblingKey(page.units[-1].code, page.units[-1].level)
        more = page.has_more

    assert seen == sorted((row.key.code, row.key.level) for row in rows)


async def test_a_page_can_begin_behind_a_sibling_that_does_not_exist(world: World) -> None:
    await world.start(a_row(*RJ), *(a_row("district", code, under=RJ) for code in ("A", "C")))
    state = (await world.unit("state", "RJ")).id

    read = await world.graph.children(
        world.tenant, [state], limit=9, after=SiblingKey("B", "district")
    )

    assert [unit.code for unit in read.value[state].units] == ["C"]
    behind = SiblingKey("D", "district")
    read = await world.graph.children(world.tenant, [state], limit=9, after=behind)
    assert read.value[state] == Children(units=(), total_count=2, has_more=False)


async def test_an_exactly_full_page_is_the_last(world: World) -> None:
    await world.start(a_row(*RJ), *(a_row("district", code, under=RJ) for code in ("A", "B")))
    state = (await world.unit("state", "RJ")).id

    read = await world.graph.children(world.tenant, [state], limit=2)

    assert (len(read.value[state].units), read.value[state].has_more) == (2, False)


async def test_many_parents_are_answered_at_once(world: World) -> None:
    await world.start(*a_small_tree(), a_row("state", "MP"))
    codes = {code: (await world.unit(level, code)).id for level, code in (
        ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("booth", "B1"),
    )}  # fmt: skip

    read = await world.graph.children(
        world.tenant, [*codes.values(), None, STRANGER, codes["JPR"]], limit=1
    )

    shown = {
        parent: ([unit.code for unit in page.units], page.total_count, page.has_more)
        for parent, page in read.value.items()
    }
    assert read.tree_version == 1
    assert shown == {
        codes["RJ"]: (["AJM"], 2, True),
        codes["JPR"]: (["M1"], 2, True),
        codes["AJM"]: ([], 0, False),
        codes["B1"]: ([], 0, False),
        None: (["MP"], 2, True),
    }


async def test_no_parents_no_children(world: World) -> None:
    await world.start(*a_small_tree())

    assert await world.graph.children(world.tenant, [], limit=1) == Read(1, {})


async def test_ancestors_come_nearest_first(world: World) -> None:
    await world.start(*a_small_tree())
    units = [
        await world.unit(*key)
        for key in (("booth", "B1"), ("booth", "B2"), ("mandal", "M2"), ("state", "RJ"))
    ]

    read = await world.graph.ancestors(
        world.tenant, [*(unit.id for unit in units), STRANGER, units[0].id]
    )

    assert read.tree_version == 1
    shown = {start: [unit.code for unit in above] for start, above in read.value.items()}
    assert shown == {
        units[0].id: ["M1", "JPR", "RJ"],
        units[1].id: ["M1", "JPR", "RJ"],
        units[2].id: ["JPR", "RJ"],
        units[3].id: [],
    }
    assert list(read.value[units[2].id]) == [
        await world.unit("district", "JPR"),
        await world.unit("state", "RJ"),
    ]
    assert await world.graph.ancestors(world.tenant, []) == Read(1, {})


async def test_the_tree_holds_every_unit_with_siblings_in_order(world: World) -> None:
    await world.start(*a_small_tree(), a_row("booth", "JPR", under=RJ), a_row("state", "MP"))

    tree = await world.graph.tree(world.tenant)

    assert (tree.tree_version, tree.level_keys) == (1, LEVELS)
    by_id = {row.id: row for row in tree.rows}
    assert len(by_id) == len(tree.rows) == 9
    for row in tree.rows:
        unit = await world.unit(row.level, row.code)
        assert row == TreeRow(unit.id, unit.parent_id, unit.level, unit.code)
    families: dict[UnitId | None, list[tuple[str, str]]] = {}
    for row in tree.rows:
        families.setdefault(row.parent_id, []).append((row.code, row.level))
    assert all(family == sorted(family) for family in families.values())


async def test_reads_name_the_version_that_they_saw(world: World) -> None:
    await world.start(*a_small_tree())
    await world.load(a_row("booth", "B3", under=("mandal", "M1")))

    mandal, codes = await children_of(world, "mandal", "M1")

    assert codes == ["B1", "B2", "B3"]
    graph, tenant = world.graph, world.tenant
    assert (await graph.children(tenant, [mandal], limit=1)).tree_version == 2
    assert (await graph.ancestors(tenant, [mandal])).tree_version == 2
    assert (await graph.tree(tenant)).tree_version == 2
    assert (await graph.header(tenant)).tree_version == 2
