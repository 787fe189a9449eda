"""`OrgGraph.apply_import`: all or nothing, once per request id, in turns."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.hierarchy.domain.errors import BlueprintNotFound, RequestIdReused
from services.hierarchy.domain.events import BlueprintChanged, TreeChanged
from services.hierarchy.domain.model import ImportReport, Place, UnitRow
from services.hierarchy.domain.tree import TreeRow
from services.hierarchy.ports import ANSWERS_KEPT
from tests.builders_hierarchy import (
    a_blueprint,
    a_request_id,
    a_row,
    a_small_tree,
    an_import,
    text,
)
from tests.org_graphs import STORES, World, open_world

RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def test_new_rows_become_units(world: World) -> None:
    await world.start()

    report = await world.load(*a_small_tree())

    assert report == ImportReport(row_count=7, created_count=7, applied=True, tree_version=1)
    state = await world.unit("state", "RJ")
    assert (state.level, state.code) == ("state", "RJ")
    assert state.names == text("Rajasthan", "राजस्थान")
    assert state.place == Place(26.92, 75.78)
    assert state.parent_id is None
    assert state.valid_from == world.clock.now()
    assert state.revision == 1
    booth = await world.unit("booth", "B1")
    assert booth.place is None
    assert booth.parent_id == (await world.unit("mandal", "M1")).id
    assert len({row.id for row in (await world.dump()).tree.rows}) == 7


async def test_a_parent_may_stand_below_its_child_in_the_file(world: World) -> None:
    await world.start()

    await world.load(*reversed(a_small_tree()))

    assert (await world.unit("booth", "B2")).parent_id == (await world.unit("mandal", "M1")).id


async def test_a_parent_may_be_any_number_of_levels_above(world: World) -> None:
    await world.start(a_row(*RJ), a_row("booth", "B9", under=RJ))

    assert (await world.unit("booth", "B9")).parent_id == (await world.unit("state", "RJ")).id


async def test_rows_update_what_has_their_level_and_code(world: World) -> None:
    await world.start(*a_small_tree())
    before = await world.dump()
    world.clock.advance(60)
    renamed = a_row(*JPR, under=RJ, name="Jaipur", hindi="जयपुर", place=Place(-90, 180))

    report = await world.load(renamed, a_row(*AJM, under=RJ), a_row("district", "BKN", under=RJ))

    assert report == ImportReport(
        row_count=3,
        created_count=1,
        updated_count=1,
        unchanged_count=1,
        applied=True,
        tree_version=2,
    )
    after = await world.dump()
    jaipur = await world.unit("district", "JPR")
    was = before.units[jaipur.id]
    assert (jaipur.names, jaipur.place) == (text("Jaipur", "जयपुर"), Place(-90, 180))
    assert (jaipur.valid_from, jaipur.parent_id) == (was.valid_from, was.parent_id)
    assert (jaipur.revision, was.revision) == (2, 1)
    assert jaipur.etag != was.etag
    untouched = set(before.units) - {jaipur.id}
    assert {each: after.units[each] for each in untouched} == {
        each: before.units[each] for each in untouched
    }


async def test_a_row_without_a_place_takes_it_away(world: World) -> None:
    await world.start(a_row(*RJ, place=Place(1, 2)))

    await world.load(a_row(*RJ))

    assert (await world.unit("state", "RJ")).place is None


async def test_a_row_with_another_parent_moves_the_unit_with_its_subtree(world: World) -> None:
    await world.start(*a_small_tree())

    report = await world.load(a_row(*M1, under=AJM))

    assert (report.updated_count, report.tree_version) == (1, 2)
    booth = await world.unit("booth", "B1")
    above = (await world.graph.ancestors(world.tenant, [booth.id])).value[booth.id]
    assert [unit.code for unit in above] == ["M1", "AJM", "RJ"]
    assert booth.revision == 1
    jaipur = await world.unit("district", "JPR")
    children = (await world.graph.children(world.tenant, [jaipur.id], limit=9)).value[jaipur.id]
    assert [unit.code for unit in children.units] == ["M2"]


async def test_a_unit_can_move_there_and_back(world: World) -> None:
    await world.start(*a_small_tree())

    await world.load(a_row(*M1, under=AJM))
    await world.load(a_row(*M1, under=JPR))

    assert (await world.unit("mandal", "M1")).parent_id == (await world.unit("district", "JPR")).id
    assert await world.graph.tree_version(world.tenant) == 3


async def test_rows_that_change_nothing_write_nothing(world: World) -> None:
    await world.start(*a_small_tree())
    before = await world.dump()

    report = await world.load(*a_small_tree())

    assert report == ImportReport(row_count=7, unchanged_count=7, tree_version=1)
    assert await world.dump() == before


async def test_each_import_that_writes_is_told_once(world: World) -> None:
    await world.start(*a_small_tree())
    world.clock.advance(5)
    await world.load(a_row(*M1, under=AJM))

    events = (await world.dump()).events

    assert [event.change for event in events] == [
        BlueprintChanged(1),
        TreeChanged(1),
        TreeChanged(2),
    ]
    assert [event.sequence for event in events] == [1, 2, 3]
    assert events[2].occurred_at == world.clock.now()


async def test_one_wrong_row_refuses_all_and_every_wrong_row_is_named(world: World) -> None:
    await world.start(*a_small_tree())
    before = await world.dump()
    rows = [
        a_row("booth", "B3", under=M1),
        a_row("booth", "B 4", under=M1),
        a_row("booth", "B5", under=("mandal", "M9")),
        a_row(*M1, under=AJM),
        a_row("booth", "B3", under=M1),
        a_row("street", "S1", under=M1),
        a_row("mandal", "M7", under=("booth", "B1")),
    ]

    report = await world.graph.apply_import(world.tenant, an_import(*rows))

    assert [(error.row, error.field, error.reason) for error in report.errors] == [
        (3, "code", "BAD_CODE"),
        (4, "parent_code", "UNKNOWN_PARENT"),
        (6, "code", "DUPLICATE_CODE"),
        (7, "level", "UNKNOWN_LEVEL"),
        (8, "parent_level", "LEVEL_ORDER"),
    ]
    assert (report.row_count, report.error_count) == (7, 5)
    assert (report.applied, report.tree_version) == (False, 1)
    assert (report.created_count, report.updated_count, report.unchanged_count) == (0, 0, 0)
    assert await world.dump() == before


async def test_validating_reports_and_changes_nothing(world: World) -> None:
    await world.start(*a_small_tree())
    before = await world.dump()
    good = [a_row(*M1, under=AJM), a_row("mandal", "M5", under=JPR), a_row(*RJ, name="Raj")]
    request_id = a_request_id()

    report = await world.graph.apply_import(
        world.tenant, an_import(*good, request_id=request_id, validate_only=True)
    )

    assert report == ImportReport(
        row_count=3, created_count=1, updated_count=2, tree_version=1, applied=False
    )
    assert await world.dump() == before
    # The request id is still free: nothing was kept under it.
    other = await world.graph.apply_import(
        world.tenant, an_import(a_row("booth", "B7", under=M1), request_id=request_id)
    )
    assert other.applied


async def test_validating_names_wrong_rows(world: World) -> None:
    await world.start()

    report = await world.graph.apply_import(
        world.tenant, an_import(a_row("state", ""), validate_only=True)
    )

    assert [(error.row, error.reason) for error in report.errors] == [(2, "MISSING")]


@pytest.mark.parametrize("validate_only", [False, True])
async def test_rows_need_a_blueprint(world: World, validate_only: bool) -> None:
    before = await world.dump()

    with pytest.raises(BlueprintNotFound):
        await world.graph.apply_import(
            world.tenant, an_import(a_row(*RJ), validate_only=validate_only)
        )

    assert await world.dump() == before


async def test_the_same_request_again_gets_the_first_answer(world: World) -> None:
    await world.start()
    request = an_import(*a_small_tree())
    first = await world.graph.apply_import(world.tenant, request)
    await world.load(a_row(*M1, under=AJM))
    before = await world.dump()

    again = await world.graph.apply_import(world.tenant, request)

    assert again == first
    assert (again.created_count, again.tree_version, again.applied) == (7, 1, True)
    assert await world.dump() == before


async def test_a_refusal_is_an_answer_too(world: World) -> None:
    await world.start()
    request = an_import(a_row("district", "JPR", under=RJ))
    first = await world.graph.apply_import(world.tenant, request)
    await world.load(a_row(*RJ))  # the row would be right now

    assert await world.graph.apply_import(world.tenant, request) == first
    assert first.errors[0].reason == "UNKNOWN_PARENT"


@pytest.mark.parametrize(
    "rows",
    [
        [a_row("state", "RJ", name="Other name")],
        [a_row("state", "RJ"), a_row("state", "MP")],
        [a_row("state", "RJ", place=Place(1, 1))],
    ],
)
async def test_a_request_id_is_not_for_other_rows(world: World, rows: list[UnitRow]) -> None:
    await world.start()
    request_id = a_request_id()
    await world.graph.apply_import(world.tenant, an_import(a_row(*RJ), request_id=request_id))
    before = await world.dump()

    with pytest.raises(RequestIdReused) as refused:
        await world.graph.apply_import(world.tenant, an_import(*rows, request_id=request_id))

    assert refused.value.request_id == request_id
    assert await world.dump() == before


async def test_answers_are_forgotten_after_their_time(world: World) -> None:
    await world.start()
    request_id = a_request_id()
    request = an_import(a_row(*RJ), request_id=request_id)
    first = await world.graph.apply_import(world.tenant, request)

    world.clock.advance(ANSWERS_KEPT - timedelta(seconds=1))
    assert await world.graph.apply_import(world.tenant, request) == first

    world.clock.advance(timedelta(seconds=1))
    again = await world.graph.apply_import(world.tenant, request)
    assert (again.unchanged_count, again.applied) == (1, False)
    world.clock.advance(ANSWERS_KEPT)
    other = an_import(a_row("state", "MP"), request_id=request_id)
    assert (await world.graph.apply_import(world.tenant, other)).created_count == 1


async def test_request_ids_are_each_tenants_own(world: World) -> None:
    await world.start()
    await world.start(tenant=world.other)
    request_id = a_request_id()
    await world.graph.apply_import(world.tenant, an_import(a_row(*RJ), request_id=request_id))

    report = await world.graph.apply_import(
        world.other, an_import(a_row("state", "MP"), request_id=request_id)
    )

    assert report.created_count == 1


async def test_concurrent_imports_take_turns(world: World) -> None:
    await world.start(a_row(*RJ))
    imports = [
        an_import(
            a_row("district", f"D{number}", under=RJ),
            a_row("mandal", "SHARED", under=("district", f"D{number}")),
        )
        for number in range(6)
    ]

    reports = await asyncio.gather(
        *(world.graph.apply_import(world.tenant, request) for request in imports)
    )

    # Each saw the others' units or not, but never half of them.
    assert sorted(report.tree_version for report in reports) == [2, 3, 4, 5, 6, 7]
    assert sum(report.created_count for report in reports) == 7
    assert sum(report.updated_count for report in reports) == 5
    dump = await world.dump()
    assert dump.tree.tree_version == 7
    assert [event.sequence for event in dump.events] == list(range(1, 9))
    last = max(reports, key=lambda report: report.tree_version)
    shared = await world.unit("mandal", "SHARED")
    assert shared.parent_id is not None
    assert dump.units[shared.parent_id].code == f"D{reports.index(last)}"
    assert all(row.parent_id is None or row.parent_id in dump.units for row in dump.tree.rows)


async def test_concurrent_moves_never_break_the_tree(world: World) -> None:
    await world.start(*a_small_tree(), a_row("mandal", "M3", under=AJM))
    to_ajm = [a_row(*M1, under=AJM), a_row("booth", "B1", under=("mandal", "M3"))]
    to_jpr = [a_row(*M1, under=JPR), a_row("mandal", "M3", under=JPR)]

    await asyncio.gather(
        *(
            world.graph.apply_import(world.tenant, an_import(*rows))
            for rows in (to_ajm, to_jpr, to_ajm, to_jpr)
        )
    )

    dump = await world.dump()
    assert is_a_forest(dump.tree.rows)
    assert len(dump.tree.rows) == 8
    versions = [e.change.tree_version for e in dump.events if isinstance(e.change, TreeChanged)]
    assert versions == list(range(1, dump.tree.tree_version + 1))


async def test_one_request_sent_twice_at_once_is_applied_once(world: World) -> None:
    await world.start()
    request = an_import(*a_small_tree())

    reports = await asyncio.gather(
        *(world.graph.apply_import(world.tenant, request) for _ in range(5))
    )

    assert reports == [reports[0]] * 5
    assert reports[0].created_count == 7
    assert await world.graph.tree_version(world.tenant) == 1


async def test_an_import_and_the_loss_of_its_level_exclude_each_other(world: World) -> None:
    await world.start(a_row(*RJ))
    narrower = a_blueprint(("state", "district", "mandal"))

    results = await asyncio.gather(
        world.graph.apply_import(world.tenant, an_import(a_row("booth", "B1", under=RJ))),
        world.graph.put_blueprint(world.tenant, narrower),
        return_exceptions=True,
    )

    dump = await world.dump()
    assert dump.blueprint is not None
    levels = {unit.level for unit in dump.units.values()}
    assert levels <= set(dump.blueprint.level_keys)
    refused = [each for each in results if isinstance(each, BaseException)]
    assert len(refused) == (1 if "booth" in levels else 0)


def is_a_forest(rows: list[TreeRow] | tuple[TreeRow, ...] | object) -> bool:
    """Whether every unit reaches a root."""
    assert isinstance(rows, list | tuple)
    parents = {row.id: row.parent_id for row in rows}
    for start in parents:
        seen: set[str] = set()
        at: str | None = start
        while at is not None:
            if at in seen:
                return False
            seen.add(at)
            at = parents[at]
    return True
