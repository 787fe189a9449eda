"""Units as they stood: every answer of the past is the answer that was given then."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import InvalidInput, NotFound
from services.hierarchy.domain.model import Grant, Position, TenantId
from services.hierarchy.translate.values import timestamp
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree, text
from tests.hierarchy_operations import closing
from tests.hierarchy_server import Caller, Hierarchy, import_messages, running

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")
VIEWER = Position("viewer", text("Viewer"), LEVELS, seats=0, grants=(Grant("view"),))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
async def hierarchy(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path, clock) as server:
        await server.put(replace(a_blueprint(), positions=(VIEWER,)))
        await server.import_rows(*a_small_tree())
        yield server


@dataclass(frozen=True)
class Picture:
    """Everything that the reading methods tell of a tenant at one time."""

    units: dict[str, pb.Unit]
    children: dict[str, list[str]]
    ancestors: dict[str, list[str]]


async def picture(
    hierarchy: Hierarchy,
    ids: set[str],
    at: datetime | None = None,
    caller: Caller | None = None,
) -> Picture:
    """What is told of these units, which need not have been there; without `valid_to`."""
    as_of: dict[str, Any] = {"as_of": timestamp(at)} if at else {}
    asked = sorted(ids)
    units: dict[str, pb.Unit] = {}
    children: dict[str, list[str]] = {}
    ancestors: dict[str, list[str]] = {}
    call = partial(hierarchy.call, caller=caller)
    gets = await call("BatchGetUnits", pb.BatchGetUnitsRequest(ids=asked, **as_of))
    families = await call(
        "BatchListChildren", pb.BatchListChildrenRequest(parent_ids=asked, **as_of)
    )
    lines = await call("BatchListAncestors", pb.BatchListAncestorsRequest(unit_ids=asked, **as_of))
    for unit_id, got, family, line in zip(
        asked, gets.results, families.results, lines.results, strict=True
    ):
        there = {each.WhichOneof("result") != "status" for each in (got, family, line)}
        assert len(there) == 1, "one method knows the unit and another does not"
        if there == {True}:
            got.unit.ClearField("valid_to")
            units[unit_id] = got.unit
            children[unit_id] = [each.id for each in family.children.units]
            assert family.children.total_count == len(children[unit_id]) == got.unit.child_count
            ancestors[unit_id] = [each.id for each in line.ancestors.units]
    roots = await call("ListChildren", pb.ListChildrenRequest(**as_of))
    children[""] = [each.id for each in roots.units]
    return Picture(units, children, ancestors)


async def close(hierarchy: Hierarchy, level: str, code: str) -> None:
    unit = await hierarchy.unit(level, code)
    await hierarchy.store.graph.write(TenantId("neem"), closing(unit.id))


async def history(hierarchy: Hierarchy, clock: FakeClock) -> dict[datetime, Picture]:
    """Change something each day, and note in the evening of each what the answers are."""
    ids: set[str] = set()
    pictures: dict[datetime, Picture] = {}

    async def evening() -> None:
        clock.advance(DAY.total_seconds() / 2)
        _, pages = await hierarchy.stream_tree()
        ids.update(each for page in pages for each in page.ids)
        pictures[clock.now()] = await picture(hierarchy, ids)
        clock.advance(DAY.total_seconds() / 2)

    await evening()
    await hierarchy.import_rows(a_row(*M1, under=AJM), a_row(*RJ, name="Renamed"))
    await evening()
    await hierarchy.import_rows(a_row("booth", "B3", under=M1), a_row("state", "GJ"))
    await evening()
    await close(hierarchy, "booth", "B1")
    await close(hierarchy, "mandal", "M2")
    await evening()
    # The code of a unit that ended is free for another one.
    await hierarchy.import_rows(a_row("booth", "B1", under=JPR), a_row(*M1, under=JPR))
    await evening()
    return pictures


async def test_the_past_is_told_as_it_was_told_then(hierarchy: Hierarchy, clock: FakeClock) -> None:
    pictures = await history(hierarchy, clock)
    ids = {each for told in pictures.values() for each in told.units}

    assert [len(told.units) for told in pictures.values()] == [7, 7, 9, 7, 8]
    for at, told in pictures.items():
        assert await picture(hierarchy, ids, at) == told
    assert await picture(hierarchy, ids) == [*pictures.values()][-1]
    # A time to come is told as things stand.
    assert await picture(hierarchy, ids, clock.now() + DAY) == [*pictures.values()][-1]
    before = await picture(hierarchy, ids, START - INSTANT)
    assert before == Picture({}, {"": []}, {})


async def test_a_slice_holds_from_its_beginning_up_to_not_with_its_end(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    first = await hierarchy.unit(*RJ)
    clock.advance(DAY.total_seconds())
    await hierarchy.import_rows(a_row(*RJ, name="Renamed"))
    changed = await hierarchy.unit(*RJ)

    for at, expected in (
        (START, first),
        (START + DAY - INSTANT, first),
        (START + DAY, changed),
        (START + 9 * DAY, changed),
    ):
        unit = (await get(hierarchy, RJ, at)).unit
        if expected is first:
            assert unit.valid_to.ToDatetime(UTC) == START + DAY
            unit.ClearField("valid_to")
        assert unit == expected
    assert first.since == first.valid_from == changed.valid_from
    assert changed.since.ToDatetime(UTC) == START + DAY
    assert not changed.HasField("valid_to")


async def test_a_code_names_whoever_had_it_then(hierarchy: Hierarchy, clock: FakeClock) -> None:
    first = await hierarchy.unit("booth", "B1")
    clock.advance(DAY.total_seconds())
    await close(hierarchy, "booth", "B1")
    clock.advance(DAY.total_seconds())
    await hierarchy.import_rows(a_row("booth", "B1", under=("mandal", "M2")))
    second = await hierarchy.unit("booth", "B1")

    assert (await get(hierarchy, ("booth", "B1"), START)).unit.id == first.id != second.id
    assert (await get(hierarchy, ("booth", "B1"), START + 2 * DAY)).unit.id == second.id
    with pytest.raises(NotFound):
        await get(hierarchy, ("booth", "B1"), START + DAY)


async def test_children_of_the_past_come_in_pages_of_one_time(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    state = (await hierarchy.unit(*RJ)).id
    clock.advance(DAY.total_seconds())
    await hierarchy.import_rows(a_row("district", "ABC", under=RJ))
    request = pb.ListChildrenRequest(parent_id=state, page_size=1, as_of=timestamp(START))

    first = await hierarchy.call("ListChildren", request)
    request.page_token = first.next_page_token
    second = await hierarchy.call("ListChildren", request)

    assert [unit.code for unit in (*first.units, *second.units)] == ["AJM", "JPR"]
    assert (first.total_count, second.next_page_token) == (2, "")
    request.ClearField("as_of")
    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call("ListChildren", request)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


async def test_a_part_of_the_past_is_what_lay_below_the_units_of_today(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    ids: set[str] = {row.id for row in (await hierarchy.store.graph.tree(TenantId("neem"))).rows}
    viewer = await hierarchy.appoint("viewer", "viewer", await hierarchy.unit(*JPR))
    clock.advance(DAY.total_seconds())
    await hierarchy.import_rows(a_row(*M1, under=AJM))

    now = await picture(hierarchy, ids, caller=viewer)
    then = await picture(hierarchy, ids, START, viewer)

    district = (await hierarchy.unit(*JPR)).id
    assert sorted(unit.code for unit in now.units.values()) == ["JPR", "M2"]
    assert sorted(unit.code for unit in then.units.values()) == ["B1", "B2", "JPR", "M1", "M2"]
    assert now.children[""] == then.children[""] == [district]
    assert then.ancestors[district] == []


async def test_what_stood_on_a_level_that_is_gone_is_told(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    booth = await hierarchy.unit("booth", "B1")
    clock.advance(DAY.total_seconds())
    for code in ("B1", "B2"):
        await close(hierarchy, "booth", code)
    levels = LEVELS[:3]
    await hierarchy.put(replace(a_blueprint(levels), positions=(replace(VIEWER, levels=levels),)))

    told = (await get(hierarchy, ("booth", "B1"), START)).unit
    assert (told.id, told.level) == (booth.id, "booth")
    assert (await get(hierarchy, RJ, START)).unit.subtree_count == 7
    assert (await get(hierarchy, RJ, START + DAY)).unit.subtree_count == 5


async def test_rows_may_be_true_from_a_time_that_has_passed(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    clock.advance(3 * DAY.total_seconds())
    rows = [a_row("booth", "B3", under=M1)]

    await hierarchy.send_import(import_messages(rows, effective_at=START + DAY))

    booth = await hierarchy.unit("booth", "B3")
    assert booth.valid_from.ToDatetime(UTC) == booth.since.ToDatetime(UTC) == START + DAY
    assert (await get(hierarchy, RJ, START + DAY)).unit.subtree_count == 8
    assert (await get(hierarchy, RJ, START + DAY - INSTANT)).unit.subtree_count == 7


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (START + DAY, "BEFORE_LAST_CHANGE"),
        (START + 3 * DAY + INSTANT, "IN_FUTURE"),
    ],
)
async def test_rows_of_another_time_change_nothing(
    hierarchy: Hierarchy, clock: FakeClock, at: datetime, reason: str
) -> None:
    clock.advance(2 * DAY.total_seconds())
    await hierarchy.import_rows(a_row(*RJ, name="Renamed"))
    clock.advance(DAY.total_seconds())
    rows = [a_row("booth", "B3", under=M1)]

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.send_import(import_messages(rows, effective_at=at))

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("header.effective_at", reason)
    ]
    with pytest.raises(NotFound):
        await hierarchy.unit("booth", "B3")


async def test_a_time_out_of_this_world_is_refused(hierarchy: Hierarchy) -> None:
    state = (await hierarchy.unit(*RJ)).id
    for method, request in (
        ("GetUnit", pb.GetUnitRequest(key=pb.UnitKey(level="state", code="RJ"))),
        ("BatchGetUnits", pb.BatchGetUnitsRequest(ids=["x"])),
        ("ListChildren", pb.ListChildrenRequest()),
        ("BatchListChildren", pb.BatchListChildrenRequest(parent_ids=["x"])),
        ("ListAncestors", pb.ListAncestorsRequest(unit_id=state)),
        ("BatchListAncestors", pb.BatchListAncestorsRequest(unit_ids=["x"])),
    ):
        request.as_of.seconds = 2**60
        with pytest.raises(InvalidInput) as refused:
            await hierarchy.call(method, request)
        assert [(each.field, each.reason) for each in refused.value.violations] == [
            ("as_of", "OUT_OF_RANGE")
        ]


async def get(hierarchy: Hierarchy, key: tuple[str, str], at: datetime) -> pb.GetUnitResponse:
    level, code = key
    request = pb.GetUnitRequest(key=pb.UnitKey(level=level, code=code), as_of=timestamp(at))
    reply: pb.GetUnitResponse = await hierarchy.call("GetUnit", request)
    return reply
