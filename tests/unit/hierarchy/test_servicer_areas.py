"""Areas over gRPC."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import Conflict, Forbidden, InvalidInput
from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import Grant, Position, TenantId
from services.hierarchy.translate.values import names_to_proto, timestamp
from tests.builders_hierarchy import LEVELS, a_blueprint, a_request_id, a_small_tree, text
from tests.hierarchy_server import Caller, Hierarchy, running

NEEM = TenantId("neem")
STRANGER = "00000000-0000-7000-8000-000000000000"
KIND = "assembly_constituency"
HEAD = Position("head", text("Head"), LEVELS, grants=(Grant("view"), Grant("administer")))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def hierarchy(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path, clock) as server:
        await server.start(*a_small_tree())
        await server.put(replace(a_blueprint(), positions=(HEAD,)))
        yield server


def an_area(code: str, kind: str = KIND) -> pb.Area:
    return pb.Area(kind=kind, code=code, names=names_to_proto(text(f"Area {code}", "क्षेत्र")))


def an_entry(code: str, *units: tuple[str, str], kind: str = KIND) -> pb.AreaEntry:
    refs = [pb.UnitRef(key=pb.UnitKey(level=level, code=unit)) for level, unit in units]
    return pb.AreaEntry(area=an_area(code, kind), sets_units=True, units=refs)


async def put(hierarchy: Hierarchy, *entries: pb.AreaEntry, **of: Any) -> list[pb.Area]:
    request = pb.PutAreasRequest(areas=entries, request_id=a_request_id(), **of)
    reply: pb.PutAreasResponse = await hierarchy.call("PutAreas", request)
    return list(reply.areas)


async def listed(
    hierarchy: Hierarchy, caller: Caller | None = None, **of: Any
) -> pb.ListAreasResponse:
    reply: pb.ListAreasResponse = await hierarchy.call(
        "ListAreas", pb.ListAreasRequest(**of), caller
    )
    return reply


async def of_units(
    hierarchy: Hierarchy, *unit_ids: str, caller: Caller | None = None, **of: Any
) -> list[Any]:
    """The codes of each unit's areas, or the reason why there are none."""
    request = pb.BatchListUnitAreasRequest(unit_ids=unit_ids, **of)
    reply: pb.BatchListUnitAreasResponse = await hierarchy.call(
        "BatchListUnitAreas", request, caller
    )
    return [
        [area.code for area in each.areas.areas]
        if each.WhichOneof("result") == "areas"
        else each.status.code
        for each in reply.results
    ]


async def kept(hierarchy: Hierarchy) -> tuple[list[Area], list[AreaLink]]:
    graph = hierarchy.store.graph
    areas = list(await graph.page(NEEM, Area, limit=1_000))
    return areas, list(await graph.page(NEEM, AreaLink, limit=1_000))


async def test_areas_are_put_and_listed_in_pages(hierarchy: Hierarchy) -> None:
    put_ones = await put(
        hierarchy, an_entry("46"), an_entry("45"), an_entry("1", kind="polling_area")
    )

    whole = await listed(hierarchy)
    assert [area.code for area in put_ones] == ["46", "45", "1"]
    assert list(whole.areas) == [put_ones[1], put_ones[0], put_ones[2]]
    assert whole.next_page_token == ""
    first = await listed(hierarchy, page_size=2)
    rest = await listed(hierarchy, page_size=2, page_token=first.next_page_token)
    assert [*first.areas, *rest.areas] == list(whole.areas)
    assert rest.next_page_token == ""
    assert [area.code for area in (await listed(hierarchy, kind="polling_area")).areas] == ["1"]
    with pytest.raises(InvalidInput):
        await listed(hierarchy, kind=KIND, page_token=first.next_page_token)


async def test_an_area_that_ended_is_listed_no_more(hierarchy: Hierarchy) -> None:
    await put(hierarchy, an_entry("45"), an_entry("46"))

    assert await put(hierarchy, pb.AreaEntry(area=an_area("45"), closed=True)) == []

    assert [area.code for area in (await listed(hierarchy)).areas] == ["46"]


async def test_units_lie_in_their_own_areas_and_in_those_above_them(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    await put(
        hierarchy,
        an_entry("9", ("booth", "B1"), ("mandal", "M2")),
        an_entry("45", ("mandal", "M1")),
        an_entry("1", ("district", "JPR"), ("booth", "B1")),
    )
    then = timestamp(clock.now())
    clock.advance(timedelta(hours=1))
    await put(hierarchy, an_entry("45", ("mandal", "M2")))
    booth, mandal = await hierarchy.unit("booth", "B1"), await hierarchy.unit("mandal", "M2")
    state = await hierarchy.unit("state", "RJ")

    asked = (booth.id, mandal.id, state.id, STRANGER, "x")
    assert await of_units(hierarchy, *asked) == [["1", "9"], ["1", "45", "9"], [], 5, 3]
    before = await of_units(hierarchy, booth.id, mandal.id, as_of=then)
    assert before == [["1", "45", "9"], ["1", "9"]]


async def test_a_trial_puts_nothing(hierarchy: Hierarchy) -> None:
    entry = an_entry("45", ("mandal", "M1"))

    (shown,) = await put(hierarchy, entry, validate_only=True)

    assert (shown.id, shown.code) == ("", "45")
    assert await kept(hierarchy) == ([], [])


async def test_a_request_that_is_repeated_is_answered_as_it_first_was(
    hierarchy: Hierarchy,
) -> None:
    request = pb.PutAreasRequest(areas=[an_entry("45")], request_id=a_request_id())
    first = await hierarchy.call("PutAreas", request)

    assert await hierarchy.call("PutAreas", request) == first
    request.areas[0].area.code = "46"
    with pytest.raises(Conflict):
        await hierarchy.call("PutAreas", request)
    assert len((await kept(hierarchy))[0]) == 1


async def test_who_administers_a_part_sees_areas_and_cannot_put_them(
    hierarchy: Hierarchy,
) -> None:
    await put(hierarchy, an_entry("45", ("mandal", "M1")), an_entry("1", ("state", "RJ")))
    mandal, other = await hierarchy.unit("mandal", "M1"), await hierarchy.unit("mandal", "M2")
    head = await hierarchy.appoint("user-2", "head", mandal)
    before = await kept(hierarchy)

    assert [area.code for area in (await listed(hierarchy, head)).areas] == ["1", "45"]
    assert await of_units(hierarchy, mandal.id, other.id, caller=head) == [["1", "45"], 5]
    request = pb.PutAreasRequest(areas=[an_entry("46")], request_id=a_request_id())
    with pytest.raises(Forbidden):
        await hierarchy.call("PutAreas", request, head)
    assert await kept(hierarchy) == before


@pytest.mark.parametrize(
    ("method", "request_", "expected"),
    [
        (
            "PutAreas",
            pb.PutAreasRequest(),
            {("request_id", "MISSING"), ("areas", "MISSING")},
        ),
        (
            "PutAreas",
            pb.PutAreasRequest(
                areas=[pb.AreaEntry(area=an_area("1"))] * 1_001, request_id=a_request_id()
            ),
            {("areas", "TOO_MANY")},
        ),
        (
            "PutAreas",
            pb.PutAreasRequest(
                areas=[
                    an_entry("1", *[("booth", "B1")] * 10_000),
                    an_entry("2", ("booth", "B1")),
                ],
                request_id=a_request_id(),
            ),
            {("areas[1].units", "TOO_MANY")},
        ),
        (
            "PutAreas",
            pb.PutAreasRequest(
                areas=[
                    pb.AreaEntry(area=an_area("1"), sets_units=True, units=[pb.UnitRef(id="x")]),
                    pb.AreaEntry(area=an_area("2"), units=[pb.UnitRef(id=STRANGER)]),
                ],
                request_id=a_request_id(),
            ),
            {("areas[0].units[0].id", "BAD_ID"), ("areas[1].sets_units", "MISSING")},
        ),
        (
            "PutAreas",
            pb.PutAreasRequest(
                areas=[pb.AreaEntry(), an_entry("2", ("booth", "NO"))], request_id=a_request_id()
            ),
            {
                ("areas[0].area.kind", "MISSING"),
                ("areas[0].area.code", "MISSING"),
                ("areas[0].area.names.by_language.en", "MISSING"),
                ("areas[1].units[0]", "UNKNOWN_UNIT"),
            },
        ),
        ("ListAreas", pb.ListAreasRequest(kind="No"), {("kind", "BAD_KEY")}),
        ("ListAreas", pb.ListAreasRequest(page_size=-1), {("page_size", "PAGE_SIZE_INVALID")}),
        ("BatchListUnitAreas", pb.BatchListUnitAreasRequest(), {("unit_ids", "MISSING")}),
        (
            "BatchListUnitAreas",
            pb.BatchListUnitAreasRequest(unit_ids=[STRANGER] * 1_001),
            {("unit_ids", "TOO_MANY")},
        ),
    ],
)
async def test_bad_requests_name_what_is_wrong_and_change_nothing(
    hierarchy: Hierarchy, method: str, request_: Any, expected: set[tuple[str, str]]
) -> None:
    before = await kept(hierarchy)

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call(method, request_)

    assert {(each.field, each.reason) for each in refused.value.violations} == expected
    assert await kept(hierarchy) == before
