"""Histories, counts and descendants over gRPC, in the scope of whoever asks, as of any time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import Forbidden, InvalidInput, NotFound
from services.hierarchy.domain.model import Grant, Position
from services.hierarchy.translate.values import names_to_proto, timestamp
from tests.builders_hierarchy import LEVELS, a_blueprint, a_request_id, a_row, a_small_tree, text
from tests.hierarchy_server import Caller, Hierarchy, running

STRANGER = "00000000-0000-7000-8000-000000000000"
HOUR = timedelta(hours=1)
VIEWER = Position("viewer", text("Viewer"), LEVELS, grants=(Grant("view"),))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def hierarchy(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path, clock) as server:
        await server.start(*a_small_tree())
        await server.put(replace(a_blueprint(), positions=(VIEWER,)))
        yield server


async def viewer_of(hierarchy: Hierarchy, level: str, code: str) -> Caller:
    return await hierarchy.appoint("user-2", "viewer", await hierarchy.unit(level, code))


def ref(level: str, code: str) -> pb.UnitRef:
    return pb.UnitRef(key=pb.UnitKey(level=level, code=code))


async def reorganise(hierarchy: Hierarchy, **step: Any) -> None:
    request = pb.ReorganiseRequest(steps=[pb.ReorganisationStep(**step)], request_id=a_request_id())
    await hierarchy.call("Reorganise", request)


async def rename(hierarchy: Hierarchy, level: str, code: str, english: str) -> None:
    names = names_to_proto(text(english))
    await reorganise(hierarchy, update=pb.UpdateStep(unit=ref(level, code), names=names))


async def merge(hierarchy: Hierarchy, level: str, code: str, into: str) -> None:
    step = pb.MergeStep(units=[ref(level, code)], into=ref(level, into))
    await reorganise(hierarchy, merge=step)


async def history(
    hierarchy: Hierarchy, unit_id: str, caller: Caller | None = None, **of: Any
) -> pb.ListUnitHistoryResponse:
    request = pb.ListUnitHistoryRequest(unit_id=unit_id, **of)
    reply: pb.ListUnitHistoryResponse = await hierarchy.call("ListUnitHistory", request, caller)
    return reply


async def counts(
    hierarchy: Hierarchy,
    unit_id: str = "",
    at: datetime | None = None,
    caller: Caller | None = None,
) -> list[tuple[str, int]]:
    request = pb.CountUnitsRequest(unit_id=unit_id, as_of=timestamp(at) if at else None)
    reply: pb.CountUnitsResponse = await hierarchy.call("CountUnits", request, caller)
    return [(each.level, each.unit_count) for each in reply.counts]


async def descendants(
    hierarchy: Hierarchy, caller: Caller | None = None, **of: Any
) -> list[list[pb.Unit]]:
    async with hierarchy.around("ListDescendants", caller) as options:
        stream: Any = hierarchy.stub.ListDescendants(pb.ListDescendantsRequest(**of), **options)
        return [list(page.units) async for page in stream]


async def codes(hierarchy: Hierarchy, caller: Caller | None = None, **of: Any) -> list[str]:
    pages = await descendants(hierarchy, caller, **of)
    return [unit.code for page in pages for unit in page]


async def test_a_history_is_told_newest_first(hierarchy: Hierarchy, clock: FakeClock) -> None:
    first = await hierarchy.unit("mandal", "M1")
    times = [clock.now()]
    for english in ("Second", "Third"):
        clock.advance(HOUR)
        times.append(clock.now())
        await rename(hierarchy, "mandal", "M1", english)

    told = await history(hierarchy, first.id)

    assert [unit.names.by_language["en"] for unit in told.versions] == [
        "Third",
        "Second",
        "mandal M1",
    ]
    assert [unit.since for unit in told.versions] == [timestamp(each) for each in times[::-1]]
    assert [unit.HasField("valid_to") for unit in told.versions] == [False, True, True]
    assert [unit.valid_to for unit in told.versions[1:]] == [
        timestamp(times[2]),
        timestamp(times[1]),
    ]
    assert {unit.child_count for unit in told.versions} == {0}
    assert (told.next_page_token, list(told.successor_ids)) == ("", [])


async def test_a_history_comes_in_pages(hierarchy: Hierarchy, clock: FakeClock) -> None:
    unit = await hierarchy.unit("mandal", "M1")
    for number in range(4):
        clock.advance(HOUR)
        await rename(hierarchy, "mandal", "M1", f"{number}")

    pages = [await history(hierarchy, unit.id, page_size=2)]
    while token := pages[-1].next_page_token:
        pages.append(await history(hierarchy, unit.id, page_size=2, page_token=token))

    names = [[unit.names.by_language["en"] for unit in page.versions] for page in pages]
    assert names == [["3", "2"], ["1", "0"], ["mandal M1"]]
    other = await hierarchy.unit("mandal", "M2")
    with pytest.raises(InvalidInput) as refused:
        await history(hierarchy, other.id, page_token=pages[0].next_page_token)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


async def test_what_was_closed_still_has_its_history(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    old, into = await hierarchy.unit("district", "JPR"), await hierarchy.unit("district", "AJM")
    near = await viewer_of(hierarchy, "district", "JPR")
    clock.advance(HOUR)
    await merge(hierarchy, "district", "JPR", "AJM")
    above = await hierarchy.appoint("user-3", "viewer", await hierarchy.unit("state", "RJ"))
    beside = await hierarchy.appoint("user-4", "viewer", into)

    told = await history(hierarchy, old.id)

    (only,) = told.versions
    assert (only.code, only.valid_to) == ("JPR", timestamp(clock.now()))
    assert list(told.successor_ids) == [into.id]
    assert await history(hierarchy, old.id, above) == told
    with pytest.raises(NotFound) as unseen:
        await history(hierarchy, old.id, beside)
    assert unseen.value.reason == "UNIT_NOT_FOUND"
    # Their appointment ended with the unit.
    with pytest.raises(Forbidden):
        await history(hierarchy, old.id, near)


async def test_a_unit_that_never_was_has_no_history(hierarchy: Hierarchy) -> None:
    with pytest.raises(NotFound) as refused:
        await history(hierarchy, STRANGER)
    assert refused.value.reason == "UNIT_NOT_FOUND"


async def test_units_are_counted_by_level(hierarchy: Hierarchy, clock: FakeClock) -> None:
    before = clock.now()
    clock.advance(HOUR)
    await merge(hierarchy, "district", "JPR", "AJM")
    district = await hierarchy.unit("district", "AJM")

    assert await counts(hierarchy) == [
        ("state", 1),
        ("district", 1),
        ("mandal", 2),
        ("booth", 2),
    ]
    assert await counts(hierarchy, at=before) == [
        ("state", 1),
        ("district", 2),
        ("mandal", 2),
        ("booth", 2),
    ]
    below = [("state", 0), ("district", 1), ("mandal", 2), ("booth", 2)]
    assert await counts(hierarchy, district.id) == below
    assert await counts(hierarchy, at=before - HOUR) == [(level, 0) for level in LEVELS]


async def test_only_what_somebody_sees_is_counted_and_listed(hierarchy: Hierarchy) -> None:
    caller = await viewer_of(hierarchy, "mandal", "M1")
    hidden = (await hierarchy.unit("mandal", "M2")).id

    assert await counts(hierarchy, caller=caller) == [
        ("state", 0),
        ("district", 0),
        ("mandal", 1),
        ("booth", 2),
    ]
    assert await codes(hierarchy, caller) == ["M1", "B1", "B2"]
    for unit_id in (hidden, STRANGER):
        with pytest.raises(NotFound):
            await counts(hierarchy, unit_id, caller=caller)
        with pytest.raises(NotFound):
            await codes(hierarchy, caller, unit_id=unit_id)


async def test_descendants_come_in_pre_order_with_their_counts(hierarchy: Hierarchy) -> None:
    district = await hierarchy.unit("district", "JPR")

    (page,) = await descendants(hierarchy, unit_id=district.id)

    assert [(unit.code, unit.subtree_count) for unit in page] == [
        ("M1", 3),
        ("B1", 1),
        ("B2", 1),
        ("M2", 1),
    ]
    assert await codes(hierarchy) == ["RJ", "AJM", "JPR", "M1", "B1", "B2", "M2"]


async def test_descendants_of_some_levels(hierarchy: Hierarchy) -> None:
    assert await codes(hierarchy, levels=["booth", "district"]) == ["AJM", "JPR", "B1", "B2"]


async def test_descendants_as_of_a_time(hierarchy: Hierarchy, clock: FakeClock) -> None:
    before = timestamp(clock.now())
    clock.advance(HOUR)
    await merge(hierarchy, "district", "JPR", "AJM")

    assert await codes(hierarchy) == ["RJ", "AJM", "M1", "B1", "B2", "M2"]
    assert await codes(hierarchy, as_of=before) == ["RJ", "AJM", "JPR", "M1", "B1", "B2", "M2"]


async def test_many_descendants_come_in_pages_of_five_hundred(hierarchy: Hierarchy) -> None:
    mandal = ("mandal", "M2")
    await hierarchy.import_rows(
        *(a_row("booth", f"N{number:04}", mandal) for number in range(1_001))
    )

    pages = await descendants(hierarchy, unit_id=(await hierarchy.unit(*mandal)).id)

    assert [len(page) for page in pages] == [500, 500, 1]
    listed = [unit.code for page in pages for unit in page]
    assert listed == [f"N{number:04}" for number in range(1_001)]


@pytest.mark.parametrize(
    ("method", "request_", "path", "reason"),
    [
        ("ListUnitHistory", pb.ListUnitHistoryRequest(), "unit_id", "MISSING"),
        ("ListUnitHistory", pb.ListUnitHistoryRequest(unit_id="x"), "unit_id", "BAD_ID"),
        (
            "ListUnitHistory",
            pb.ListUnitHistoryRequest(unit_id=STRANGER, page_size=-1),
            "page_size",
            "PAGE_SIZE_INVALID",
        ),
        (
            "ListUnitHistory",
            pb.ListUnitHistoryRequest(unit_id=STRANGER, page_token="?"),
            "page_token",
            "PAGE_TOKEN_INVALID",
        ),
        ("CountUnits", pb.CountUnitsRequest(unit_id="x"), "unit_id", "BAD_ID"),
        ("ListDescendants", pb.ListDescendantsRequest(unit_id="x"), "unit_id", "BAD_ID"),
        (
            "ListDescendants",
            pb.ListDescendantsRequest(levels=["booth", "hamlet"]),
            "levels[1]",
            "UNKNOWN_LEVEL",
        ),
        ("ListDescendants", pb.ListDescendantsRequest(levels=["booth"] * 17), "levels", "TOO_MANY"),
    ],
)
async def test_bad_requests_name_what_is_wrong(
    hierarchy: Hierarchy, method: str, request_: Any, path: str, reason: str
) -> None:
    async def ask() -> None:
        async with hierarchy.around(method) as options:
            call: Any = getattr(hierarchy.stub, method)(request_, **options)
            await (call.read() if method == "ListDescendants" else call)

    with pytest.raises(InvalidInput) as refused:
        await ask()

    assert [(each.field, each.reason) for each in refused.value.violations] == [(path, reason)]
