"""The calls that change units over gRPC: what they do, what they refuse without a change."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import Conflict, Forbidden, InvalidInput, LimitExceeded, NotFound
from services.hierarchy.domain.model import Grant, LocalizedText, Position, TenantId, UnitId
from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.records import RECORD_TYPES
from services.hierarchy.domain.teams import Watch, WatchId
from services.hierarchy.translate.values import names_to_proto, timestamp
from tests.builders_hierarchy import (
    LEVELS,
    a_blueprint,
    a_request_id,
    a_small_tree,
    an_operation,
    text,
)
from tests.hierarchy_server import Hierarchy, running

NEEM = TenantId("neem")
STRANGER = "00000000-0000-7000-8000-000000000000"
JPR, AJM, M1, M2 = ("district", "JPR"), ("district", "AJM"), ("mandal", "M1"), ("mandal", "M2")
HEAD = Position("head", text("Head"), LEVELS, grants=(Grant("view"), Grant("administer")))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def hierarchy(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path, clock) as server:
        await server.start(*a_small_tree())
        await server.put(replace(a_blueprint(), positions=(HEAD,)))
        clock.advance(timedelta(hours=1))
        yield server


async def state_of(hierarchy: Hierarchy) -> tuple[object, ...]:
    """Everything that the tenant has."""
    graph, outbox = hierarchy.store.graph, hierarchy.store.outbox
    records = [list(await graph.page(NEEM, each, limit=1_000)) for each in RECORD_TYPES]
    events = list(await outbox.events(NEEM, after=0, limit=1_000))
    return await graph.header(NEEM), records, events


def ref(level: str, code: str) -> pb.UnitRef:
    return pb.UnitRef(key=pb.UnitKey(level=level, code=code))


def names(english: str) -> pb.LocalizedText:
    return names_to_proto(text(english))


def creating(level: str, code: str, parent: pb.UnitRef | None, **of: Any) -> pb.CreateUnitRequest:
    new = pb.NewUnit(level=level, code=code, names=names(code), parent=parent)
    return pb.CreateUnitRequest(unit=new, request_id=a_request_id(), **of)


async def test_a_unit_is_created(hierarchy: Hierarchy, clock: FakeClock) -> None:
    reply: pb.CreateUnitResponse = await hierarchy.call(
        "CreateUnit", creating("mandal", "M3", ref(*JPR))
    )

    unit = await hierarchy.unit("mandal", "M3")
    assert reply.unit == unit
    assert (unit.child_count, unit.subtree_count) == (0, 1)
    assert unit.parent_id == (await hierarchy.unit(*JPR)).id
    assert unit.valid_from == unit.since == timestamp(clock.now())


async def test_a_unit_that_is_only_tried_has_no_id(hierarchy: Hierarchy) -> None:
    before = await state_of(hierarchy)

    reply: pb.CreateUnitResponse = await hierarchy.call(
        "CreateUnit", creating("mandal", "M3", ref(*JPR), validate_only=True)
    )

    assert (reply.unit.id, reply.unit.code, reply.unit.subtree_count) == ("", "M3", 1)
    assert await state_of(hierarchy) == before


async def test_a_request_that_is_repeated_is_answered_as_it_first_was(
    hierarchy: Hierarchy,
) -> None:
    request = creating("mandal", "M3", ref(*JPR))
    first = await hierarchy.call("CreateUnit", request)
    before = await state_of(hierarchy)

    assert await hierarchy.call("CreateUnit", request) == first
    request.unit.code = "M4"
    with pytest.raises(Conflict) as refused:
        await hierarchy.call("CreateUnit", request)
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert await state_of(hierarchy) == before


async def test_closing_again_under_the_same_id_says_what_was_closed(hierarchy: Hierarchy) -> None:
    unit = await hierarchy.unit("booth", "B1")
    request = pb.CloseUnitRequest(id=unit.id, request_id=a_request_id())
    first: pb.CloseUnitResponse = await hierarchy.call("CloseUnit", request)

    again = await hierarchy.call("CloseUnit", request)

    assert again == first
    assert (first.report.applied, first.report.closed_count) == (True, 1)
    (change,) = first.report.changes
    assert (change.what, change.before.code, change.HasField("after")) == ("closed", "B1", False)


async def test_a_unit_is_changed(hierarchy: Hierarchy) -> None:
    unit = await hierarchy.unit(*JPR)
    request = pb.UpdateUnitRequest(
        id=unit.id,
        names=names("Jaipur"),
        place=pb.Place(latitude=26.91, longitude=75.79),
        etag=unit.etag,
        request_id=a_request_id(),
    )

    reply: pb.UpdateUnitResponse = await hierarchy.call("UpdateUnit", request)

    assert reply.unit == await hierarchy.unit(*JPR)
    assert (reply.unit.names, reply.unit.code) == (names("Jaipur"), "JPR")
    assert (reply.unit.child_count, reply.unit.subtree_count) == (2, 5)
    assert reply.unit.etag != unit.etag
    request.request_id = a_request_id()
    with pytest.raises(Conflict) as refused:
        await hierarchy.call("UpdateUnit", request)
    assert (refused.value.reason, refused.value.current_etag) == ("UNIT_CHANGED", reply.unit.etag)


async def test_a_unit_that_stays_as_it_is_is_shown(hierarchy: Hierarchy) -> None:
    unit, before = await hierarchy.unit(*JPR), await hierarchy.store.graph.header(NEEM)
    request = pb.UpdateUnitRequest(id=unit.id, names=unit.names, request_id=a_request_id())

    reply: pb.UpdateUnitResponse = await hierarchy.call("UpdateUnit", request)

    assert reply.unit == unit
    assert await hierarchy.store.graph.header(NEEM) == before


async def test_a_move_says_what_goes_with_the_unit(hierarchy: Hierarchy) -> None:
    unit, under = await hierarchy.unit(*M1), await hierarchy.unit(*AJM)
    booth = await hierarchy.unit("booth", "B2")
    await hierarchy.appoint("user-2", "head", booth, unit, under)
    now, monitor = hierarchy.store.clock.now(), PersonId(STRANGER)
    watch = Watch(WatchId(STRANGER), UnitId(unit.id), monitor, None, now, None, 1)
    await hierarchy.keep(watch)
    request = pb.MoveUnitRequest(id=unit.id, parent_id=under.id, request_id=a_request_id())

    reply: pb.MoveUnitResponse = await hierarchy.call("MoveUnit", request)

    assert reply.unit == await hierarchy.unit(*M1)
    assert reply.unit.parent_id == under.id
    report = reply.report
    assert (report.moved_count, report.carried_count) == (1, 2)
    assert (report.appointment_carried_count, report.watch_carried_count) == (2, 1)
    assert (report.appointment_ended_count, report.watch_ended_count) == (0, 0)


async def test_a_unit_that_is_not_there_cannot_be_changed(hierarchy: Hierarchy) -> None:
    parent = (await hierarchy.unit(*JPR)).id
    for method, request in (
        ("UpdateUnit", pb.UpdateUnitRequest(id=STRANGER, request_id=a_request_id())),
        (
            "MoveUnit",
            pb.MoveUnitRequest(id=STRANGER, parent_id=parent, request_id=a_request_id()),
        ),
        ("CloseUnit", pb.CloseUnitRequest(id=STRANGER, request_id=a_request_id())),
    ):
        with pytest.raises(NotFound) as refused:
            await hierarchy.call(method, request)
        assert refused.value.reason == "UNIT_NOT_FOUND"


def reorganising(*steps: pb.ReorganisationStep, **of: Any) -> pb.ReorganiseRequest:
    return pb.ReorganiseRequest(steps=steps, request_id=a_request_id(), **of)


ALL_STEPS = (
    pb.ReorganisationStep(
        create=pb.CreateStep(
            unit=pb.NewUnit(
                level="district",
                code="UDP",
                names=names("Udaipur"),
                parent=ref("state", "RJ"),
                place=pb.Place(latitude=24.58, longitude=73.71),
            ),
            take=[ref(*M2)],
        )
    ),
    pb.ReorganisationStep(update=pb.UpdateStep(unit=ref(*AJM), names=names("Ajmer"), code="AJ")),
    pb.ReorganisationStep(move=pb.MoveStep(unit=ref(*M1), parent=ref("district", "UDP"))),
    pb.ReorganisationStep(
        merge=pb.MergeStep(units=[ref(*JPR)], into=ref("district", "AJ")),
    ),
    pb.ReorganisationStep(
        split=pb.SplitStep(
            unit=ref(*M1),
            parts=[
                pb.CreateStep(
                    unit=pb.NewUnit(code="M8", names=names("M8")), take=[ref("booth", "B1")]
                )
            ],
            keeps=True,
        )
    ),
    pb.ReorganisationStep(close=pb.CloseStep(unit=ref("district", "AJ"))),
)


async def test_all_kinds_of_steps_are_done_at_once(hierarchy: Hierarchy) -> None:
    version = (await hierarchy.store.graph.header(NEEM)).tree_version

    reply: pb.ReorganiseResponse = await hierarchy.call(
        "Reorganise", reorganising(*ALL_STEPS, tree_version=version)
    )

    report = reply.report
    assert (report.applied, report.tree_version) == (True, version + 1)
    sums = (report.created_count, report.updated_count, report.moved_count, report.closed_count)
    assert sums == (2, 0, 3, 2)
    assert [(each.step, each.what) for each in report.changes] == [
        (0, "created"),
        (0, "moved"),
        (1, "updated"),
        (2, "moved"),
        (3, "closed"),
        (4, "created"),
        (4, "moved"),
        (5, "closed"),
    ]
    district, part = await hierarchy.unit("district", "UDP"), await hierarchy.unit("mandal", "M8")
    assert (district.child_count, district.subtree_count) == (3, 6)
    assert part.parent_id == district.id
    with pytest.raises(Conflict) as refused:
        await hierarchy.call("Reorganise", reorganising(ALL_STEPS[0], tree_version=version))
    assert refused.value.reason == "TREE_CHANGED"


async def test_a_preview_changes_nothing(hierarchy: Hierarchy) -> None:
    before = await state_of(hierarchy)

    reply: pb.ReorganiseResponse = await hierarchy.call(
        "Reorganise", reorganising(*ALL_STEPS, validate_only=True)
    )

    assert (reply.report.applied, reply.report.closed_count) == (False, 2)
    assert await state_of(hierarchy) == before


async def test_a_report_that_is_too_large_tells_of_fewer_changes(hierarchy: Hierarchy) -> None:
    long = LocalizedText.of({f"{a}{b}": "म" * 200 for a in "abc" for b in "abc"} | {"en": "x"})
    booth = await hierarchy.unit(*M2)
    steps = []
    for number in range(700):
        new = pb.NewUnit(
            level="booth", code=f"N{number}", names=names("N"), parent=pb.UnitRef(id=booth.id)
        )
        steps.append(pb.ReorganisationStep(create=pb.CreateStep(unit=new)))
    await hierarchy.call("Reorganise", reorganising(*steps))
    steps = [
        pb.ReorganisationStep(
            update=pb.UpdateStep(unit=ref("booth", f"N{number}"), names=names_to_proto(long))
        )
        for number in range(700)
    ]
    await hierarchy.call("Reorganise", reorganising(*steps))
    steps = [
        pb.ReorganisationStep(move=pb.MoveStep(unit=ref("booth", f"N{number}"), parent=ref(*M1)))
        for number in range(700)
    ]

    reply: pb.ReorganiseResponse = await hierarchy.call("Reorganise", reorganising(*steps))

    assert reply.report.moved_count == 700
    assert 300 < len(reply.report.changes) < 700


BAD_REF = pb.UnitRef(id="x")
BAD: Sequence[tuple[str, Any, set[tuple[str, str]]]] = [
    (
        "CreateUnit",
        pb.CreateUnitRequest(unit=pb.NewUnit(parent=BAD_REF), request_id="x"),
        {("request_id", "BAD_ID"), ("unit.parent.id", "BAD_ID")},
    ),
    (
        "CreateUnit",
        pb.CreateUnitRequest(request_id=a_request_id()),
        {
            ("unit.level", "MISSING"),
            ("unit.code", "MISSING"),
            ("unit.names.by_language.en", "MISSING"),
        },
    ),
    (
        "UpdateUnit",
        pb.UpdateUnitRequest(),
        {("id", "MISSING"), ("request_id", "MISSING")},
    ),
    (
        "MoveUnit",
        pb.MoveUnitRequest(id="x", request_id=a_request_id()),
        {("id", "BAD_ID"), ("parent_id", "MISSING")},
    ),
    (
        "CloseUnit",
        pb.CloseUnitRequest(id="x", request_id="y"),
        {("id", "BAD_ID"), ("request_id", "BAD_ID")},
    ),
    (
        "Reorganise",
        pb.ReorganiseRequest(tree_version=-1),
        {("request_id", "MISSING"), ("steps", "MISSING"), ("tree_version", "OUT_OF_RANGE")},
    ),
    (
        "Reorganise",
        pb.ReorganiseRequest(
            request_id=a_request_id(),
            steps=[
                pb.ReorganisationStep(),
                pb.ReorganisationStep(create=pb.CreateStep(take=[pb.UnitRef()])),
                pb.ReorganisationStep(update=pb.UpdateStep(unit=ref("No", "a b"))),
                pb.ReorganisationStep(move=pb.MoveStep(unit=BAD_REF)),
                pb.ReorganisationStep(merge=pb.MergeStep(into=ref("", ""))),
                pb.ReorganisationStep(split=pb.SplitStep(unit=BAD_REF)),
                pb.ReorganisationStep(close=pb.CloseStep()),
            ],
        ),
        {
            ("steps[0]", "MISSING"),
            ("steps[1].create.take[0]", "MISSING"),
            ("steps[2].update.unit.key.level", "BAD_KEY"),
            ("steps[2].update.unit.key.code", "BAD_CODE"),
            ("steps[3].move.unit.id", "BAD_ID"),
            ("steps[3].move.parent", "MISSING"),
            ("steps[4].merge.units", "MISSING"),
            ("steps[4].merge.into.key.level", "MISSING"),
            ("steps[4].merge.into.key.code", "MISSING"),
            ("steps[5].split.unit.id", "BAD_ID"),
            ("steps[5].split.parts", "MISSING"),
            ("steps[6].close.unit", "MISSING"),
        },
    ),
    (
        "Reorganise",
        pb.ReorganiseRequest(
            request_id=a_request_id(),
            steps=[pb.ReorganisationStep(close=pb.CloseStep(unit=ref(*M2)))] * 10_001,
        ),
        {("steps", "TOO_MANY")},
    ),
    (
        "Reorganise",
        pb.ReorganiseRequest(
            request_id=a_request_id(),
            steps=[
                pb.ReorganisationStep(merge=pb.MergeStep(units=[ref(*M2)] * 1_001, into=ref(*M1)))
            ],
        ),
        {("steps[0].merge.units", "TOO_MANY")},
    ),
    (
        "Reorganise",
        pb.ReorganiseRequest(
            request_id=a_request_id(),
            steps=[
                pb.ReorganisationStep(close=pb.CloseStep(unit=ref(*M1))),
                pb.ReorganisationStep(move=pb.MoveStep(unit=ref(*M2), parent=ref("booth", "B1"))),
            ],
        ),
        {("steps[0].close.unit", "HAS_CHILDREN"), ("steps[1].move.parent", "LEVEL_ORDER")},
    ),
]


@pytest.mark.parametrize(
    ("method", "request_", "expected"), BAD, ids=[f"{each[0]}-{n}" for n, each in enumerate(BAD)]
)
async def test_bad_requests_name_what_is_wrong_and_change_nothing(
    hierarchy: Hierarchy, method: str, request_: Any, expected: set[tuple[str, str]]
) -> None:
    before = await state_of(hierarchy)

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call(method, request_)

    assert {(each.field, each.reason) for each in refused.value.violations} == expected
    assert await state_of(hierarchy) == before


async def test_who_heads_a_district_may_change_what_is_in_it(hierarchy: Hierarchy) -> None:
    district = await hierarchy.unit(*JPR)
    head = await hierarchy.appoint("user-2", "head", district)

    await hierarchy.call("CreateUnit", creating("mandal", "M3", ref(*JPR)), head)
    before = await state_of(hierarchy)

    for request, wrong in (
        (creating("mandal", "M4", ref(*AJM)), "unit.parent"),
        (creating("mandal", "M4", ref("district", "NO")), "unit.parent"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await hierarchy.call("CreateUnit", request, head)
        assert [(each.field, each.reason) for each in refused.value.violations] == [
            (wrong, "UNKNOWN_UNIT")
        ]
    close = pb.CloseUnitRequest(id=(await hierarchy.unit(*AJM)).id, request_id=a_request_id())
    with pytest.raises(NotFound):
        await hierarchy.call("CloseUnit", close, head)
    with pytest.raises(Forbidden):
        await hierarchy.call("CreateUnit", creating("state", "MP", None), head)
    assert await state_of(hierarchy) == before


async def test_who_may_only_look_may_change_nothing(hierarchy: Hierarchy) -> None:
    looking = Position("looker", text("Looker"), LEVELS, grants=(Grant("view"),))
    await hierarchy.put(replace(a_blueprint(), positions=(HEAD, looking)))
    caller = await hierarchy.appoint("user-3", "looker", await hierarchy.unit("state", "RJ"))

    with pytest.raises(Forbidden) as refused:
        await hierarchy.call("CreateUnit", creating("mandal", "M3", ref(*JPR)), caller)

    assert refused.value.reason == "CAPABILITY_MISSING"


async def test_the_quota_holds(hierarchy: Hierarchy) -> None:
    def with_quota(units: int) -> Any:
        return lambda header: replace(header, quotas=replace(header.quotas, units=units))

    await hierarchy.store.graph.write(NEEM, an_operation(header=with_quota(7)))

    with pytest.raises(LimitExceeded) as refused:
        await hierarchy.call("CreateUnit", creating("mandal", "M3", ref(*JPR)))

    assert refused.value.reason == "QUOTA_EXCEEDED"
