"""`OrgGraph`: a write is one atomic step that is decided once and answered as often as asked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kit.errors import PreconditionFailed
from services.hierarchy.domain.errors import RequestIdReused
from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentChange,
    AppointmentsChanged,
    BlueprintChanged,
    Change,
    PersonsErased,
    TenantChanged,
    TreeChanged,
    WatchChange,
    WatchesChanged,
)
from services.hierarchy.domain.model import ImportReport, RowError, Unit
from services.hierarchy.domain.operations import Decision, Found, Moment, Operation, Steps, Want
from services.hierarchy.domain.people import Appointment
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_UNIT,
    RECORD_TYPES,
    UNITS_BY_ID,
    UNITS_BY_KEY,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.domain.tenants import (
    Counts,
    Quotas,
    SecretVersion,
    TenantHeader,
    TenantSecrets,
    TenantStatus,
)
from services.hierarchy.ports import ANSWERS_KEPT
from tests.builders_hierarchy import (
    BEGINNING,
    Done,
    a_blueprint,
    a_request_id,
    a_unit,
    a_watch,
    an_appointment,
    an_operation,
    one_of_each,
    operation_of,
)
from tests.org_graphs import STORES, World, open_world


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


class Refused(PreconditionFailed):
    """What the decisions of these tests raise."""

    reason = "REFUSED_BY_A_TEST"


async def test_everything_that_was_decided_is_written(world: World) -> None:
    header = TenantHeader(
        world.tenant,
        blueprint=replace(a_blueprint(), version=3),
        tree_version=7,
        levels_version=2,
        access_version=11,
        changed_until=BEGINNING.replace(microsecond=123_456),
        status=TenantStatus.SUSPENDED,
        quotas=Quotas(1, 2, 3),
        counts=Counts(4, 5, 6),
        used_levels={"state": 1, "booth": 2},
        secrets=TenantSecrets((SecretVersion(1, "wrapped", "key"),), (SecretVersion(2, "w", "k"),)),
    )

    await world.write(*one_of_each(), header=lambda _: header)

    assert await world.graph.header(world.tenant) == header
    assert [await world.all(of) for of in RECORD_TYPES] == [[each] for each in one_of_each()]


async def test_a_decision_begins_with_the_moment_and_finds_what_it_wants(world: World) -> None:
    await world.start()
    unit, held = a_unit(), an_appointment(unit_id=a_unit().id)
    ended = an_appointment(2, unit_id=unit.id, valid_to=BEGINNING + timedelta(seconds=1))
    await world.write(unit, held, ended, a_watch())
    world.clock.advance(3600)
    moments: list[Moment] = []
    found: list[Found] = []

    def decide(moment: Moment) -> Steps[Done]:
        moments.append(moment)
        first = yield Want({UNITS_BY_KEY: ["state/RJ", "state/MP", "state/RJ"], UNITS_BY_ID: []})
        second = yield Want({APPOINTMENTS_BY_UNIT: [unit.id, "absent"]})
        nothing = yield Want({})
        found.extend((first, second, nothing))
        return Decision(Done(moment.new_id()))

    answer = await world.graph.write(world.tenant, operation_of(decide))

    moment, (first, second, _) = moments[-1], found[-3:]
    assert moment.header == await world.graph.header(world.tenant)
    assert moment.now == world.clock.now()
    assert len({answer.note, moment.new_id(), moment.new_id()}) == 3
    assert first.one(UNITS_BY_KEY, "state/RJ") == unit
    assert first.all(UNITS_BY_KEY, "state/MP") == ()
    assert first.one(UNITS_BY_ID, unit.id) is None
    assert sorted(second.all(APPOINTMENTS_BY_UNIT, unit.id), key=lambda each: each.id) == sorted(
        [held, ended], key=lambda each: each.id
    )
    assert second.all(APPOINTMENTS_BY_UNIT, "absent") == ()


async def test_a_decision_may_want_nothing(world: World) -> None:
    def decide(moment: Moment) -> Steps[Done]:
        if moment.header.tree_version:
            yield Want({})
        return Decision(Done("at once"), puts=[a_unit()])

    assert await world.graph.write(world.tenant, operation_of(decide)) == Done("at once")
    assert await world.all(Unit) == [a_unit()]


async def test_a_stranger_begins_with_an_empty_header(world: World) -> None:
    headers: list[TenantHeader] = []

    def decide(moment: Moment) -> Steps[Done]:
        headers.append(moment.header)
        yield Want({})
        return Decision(Done())

    await world.graph.write(world.tenant, operation_of(decide, validate_only=True))
    await world.graph.write(world.tenant, operation_of(decide))

    assert len(headers) >= 2
    assert all(each == TenantHeader(world.tenant) for each in headers)
    assert await world.graph.header(world.tenant) == TenantHeader(world.tenant)


async def test_the_same_request_has_the_same_answer_without_another_decision(world: World) -> None:
    decisions = 0

    def decide(_moment: Moment) -> Steps[Done]:
        nonlocal decisions
        decisions += 1
        yield Want({})
        return Decision(Done(f"decision {decisions}"), changes=[TreeChanged(decisions)])

    operation = operation_of(decide)
    first = await world.graph.write(world.tenant, operation)
    made = decisions  # a store may have to repeat its transaction
    world.clock.advance(ANSWERS_KEPT - timedelta(microseconds=1))

    assert await world.graph.write(world.tenant, operation) == first == Done(f"decision {made}")
    assert decisions == made
    assert len((await world.dump()).events) == 1


@pytest.mark.parametrize(
    ("answer_type", "answer"),
    [
        (type(None), None),
        (tuple[Unit, ...], (a_unit(), a_unit("district", "JPR", parent_id="x"))),
        (tuple[Done, ...], ()),
        (ImportReport, ImportReport(1, 2, errors=(RowError(1, "code", "EMPTY", "it is"),))),
        (Appointment, an_appointment(valid_to=BEGINNING.replace(microsecond=1))),
    ],
    ids=["none", "units", "empty", "nested", "instants"],
)
async def test_an_answer_of_any_type_comes_back(
    world: World, answer_type: type[object], answer: object
) -> None:
    def decide(_moment: Moment) -> Steps[object]:
        yield Want({})
        return Decision(answer)

    operation = Operation("test", a_request_id(), "", "", answer_type, decide)

    assert await world.graph.write(world.tenant, operation) == answer
    assert await world.graph.write(world.tenant, operation) == answer


async def test_an_answer_is_kept_for_seven_days(world: World) -> None:
    request_id = a_request_id()
    ask = {"request_id": request_id, "fingerprint": "one"}
    await world.graph.write(world.tenant, an_operation(answer=Done("first"), **ask))  # type: ignore[arg-type]
    world.clock.advance(ANSWERS_KEPT)

    again = an_operation(answer=Done("second"), request_id=request_id, fingerprint="other")
    assert await world.graph.write(world.tenant, again) == Done("second")
    assert await world.graph.write(world.tenant, again) == Done("second")


@pytest.mark.parametrize(
    "other", [{"name": "another"}, {"asked_by": "somebody else"}, {"fingerprint": "another"}]
)
async def test_a_request_id_is_for_one_request_of_one_caller(
    world: World, other: dict[str, str]
) -> None:
    request_id = a_request_id()
    one = an_operation(answer=Done("one"), request_id=request_id, fingerprint="one")
    puts = an_operation(puts=[a_unit()], request_id=request_id, fingerprint="one")
    await world.graph.write(world.tenant, one)

    with pytest.raises(RequestIdReused) as refused:
        await world.graph.write(world.tenant, replace(puts, **other))  # type: ignore[arg-type]

    assert refused.value.fields() == {"request_id": request_id}
    assert await world.all(Unit) == []
    assert await world.graph.write(world.tenant, one) == Done("one")


async def test_an_answer_without_a_change_is_kept_too(world: World) -> None:
    request_id = a_request_id()
    await world.graph.write(world.tenant, an_operation(answer=Done("1"), request_id=request_id))

    again = an_operation(answer=Done("2"), request_id=request_id, puts=[a_unit()])

    assert await world.graph.write(world.tenant, again) == Done("1")
    assert await world.all(Unit) == []
    assert (await world.dump()).events == []


async def test_a_dry_run_answers_and_writes_nothing(world: World) -> None:
    await world.start()
    await world.write(a_unit())
    before = await world.dump()
    request_id = a_request_id()
    dry = an_operation(
        puts=[a_unit("state", "MP")],
        drops=[a_unit()],
        header=lambda it: replace(it, tree_version=9),
        changes=[TreeChanged(9)],
        wants={UNITS_BY_KEY: ["state/RJ"]},
        answer=Done("dry"),
        request_id=request_id,
        validate_only=True,
    )

    assert await world.graph.write(world.tenant, dry) == Done("dry")

    assert await world.dump() == before
    # Neither kept nor replayed: the id is as good as new, and what it is used for is no answer.
    wet = an_operation(answer=Done("wet"), request_id=request_id, fingerprint="wet")
    assert await world.graph.write(world.tenant, wet) == Done("wet")
    assert await world.graph.write(world.tenant, dry) == Done("dry")


@pytest.mark.parametrize("validate_only", [False, True])
async def test_a_decision_that_raises_changes_nothing(world: World, validate_only: bool) -> None:
    await world.start()
    before = await world.dump()
    request_id = a_request_id()

    def decide(_moment: Moment) -> Steps[Done]:
        yield Want({UNITS_BY_ID: ["1"]})
        raise Refused

    with pytest.raises(Refused):
        await world.graph.write(
            world.tenant, operation_of(decide, request_id, validate_only=validate_only)
        )

    assert await world.dump() == before
    again = an_operation(answer=Done("again"), request_id=request_id, fingerprint="another")
    assert await world.graph.write(world.tenant, again) == Done("again")


async def test_what_cannot_be_written_whole_is_not_written_at_all(world: World) -> None:
    await world.start()
    await world.write(a_unit("state", "RJ", unit_id="1"))
    before = await world.dump()
    request_id = a_request_id()
    double = an_operation(
        puts=[an_appointment(), a_unit("state", "MP"), a_unit("state", "RJ", unit_id="2")],
        header=lambda it: replace(it, tree_version=9),
        changes=[TreeChanged(9)],
        request_id=request_id,
    )

    with pytest.raises(RuntimeError):
        await world.graph.write(world.tenant, double)

    assert await world.dump() == before
    again = an_operation(answer=Done("again"), request_id=request_id, fingerprint="another")
    assert await world.graph.write(world.tenant, again) == Done("again")


async def test_dropped_records_are_gone(world: World) -> None:
    await world.write(*one_of_each(), a_watch(2))

    await world.write(drops=[*one_of_each(), a_watch(3)])

    assert [await world.all(of) for of in RECORD_TYPES if of is not Watch] == [[]] * 8
    assert await world.all(Watch) == [a_watch(2)]


async def test_records_that_were_dropped_may_come_back(world: World) -> None:
    await world.write(*one_of_each())
    await world.write(drops=one_of_each())

    await world.write(*one_of_each())

    assert [await world.all(of) for of in RECORD_TYPES] == [[each] for each in one_of_each()]


async def test_a_write_without_a_header_leaves_it(world: World) -> None:
    await world.start()
    before = await world.graph.header(world.tenant)

    await world.write(a_unit())

    assert await world.graph.header(world.tenant) == before


async def test_changes_are_told_in_their_order(world: World) -> None:
    held, watch = an_appointment(valid_to=BEGINNING), a_watch()
    changes: list[Change] = [
        AccessChanged(5),
        TreeChanged(2),
        AppointmentsChanged(
            (AppointmentChange(held.id, held.person_id, held.unit_id, "head", held.valid_to),)
        ),
        WatchesChanged((WatchChange(watch.id, watch.person_id, watch.unit_id, None),)),
        PersonsErased((held.person_id,)),
        TenantChanged(TenantStatus.DELETING),
        BlueprintChanged(1),
        TreeChanged(3),
    ]
    await world.write(changes=changes[:1])
    world.clock.advance(60)
    await world.write(changes=changes[1:])
    await world.write(a_unit())
    await world.write(changes=changes)

    events = (await world.dump()).events
    assert [event.change for event in events] == [*changes, *changes]
    assert [event.sequence for event in events] == list(range(1, 17))
    assert [(event.occurred_at - BEGINNING).total_seconds() for event in events] == [
        0.0, *[60.0] * 15,
    ]  # fmt: skip
    assert {event.tenant for event in events} == {world.tenant}


async def test_writers_take_turns(world: World) -> None:
    await world.start()
    count = 12

    def decide(moment: Moment) -> Steps[Done]:
        # Finds what the writers before it have put, and the header that they have left.
        number = moment.header.tree_version
        found = yield Want({UNITS_BY_KEY: [f"state/S{before}" for before in range(count)]})
        standing = [f"S{n}" for n in range(count) if found.one(UNITS_BY_KEY, f"state/S{n}")]
        assert standing == [f"S{before}" for before in range(number)]
        unit = a_unit("state", f"S{number}", revision=number + 1)
        header = replace(moment.header, tree_version=number + 1)
        return Decision(Done(unit.code), [unit], (), header, [TreeChanged(number + 1)])

    answers = await asyncio.gather(
        *((world.graph, world.twin)[n % 2].write(world.tenant, operation_of(decide))
          for n in range(count))
    )  # fmt: skip

    assert sorted(answer.note for answer in answers) == sorted(f"S{n}" for n in range(count))
    dump = await world.dump()
    assert dump.header.tree_version == dump.tree.tree_version == count
    told = [event.change for event in dump.events if isinstance(event.change, TreeChanged)]
    assert told == [TreeChanged(n + 1) for n in range(count)]


async def test_one_request_that_is_asked_many_times_at_once_is_done_once(world: World) -> None:
    await world.start()

    def decide(moment: Moment) -> Steps[Done]:
        yield Want({})
        header = replace(moment.header, tree_version=moment.header.tree_version + 1)
        return Decision(Done(f"version {header.tree_version}"), header=header)

    operation = operation_of(decide)
    answers = await asyncio.gather(
        *(world.graph.write(world.tenant, operation) for _ in range(6)),
        *(world.twin.write(world.tenant, operation) for _ in range(6)),
    )

    assert set(answers) == {Done("version 1")}
    assert (await world.graph.header(world.tenant)).tree_version == 1


async def test_thousands_of_records_are_put_at_once(world: World) -> None:
    units = [a_unit("booth", f"B{number}", revision=1) for number in range(3_000)]
    await world.write(*units)

    later = [replace(unit, revision=2) for unit in units[:2_000]]
    await world.write(*later, drops=units[2_500:])

    expected = sorted([*later, *units[2_000:2_500]], key=lambda unit: unit.id)
    assert await world.all(Unit) == expected
