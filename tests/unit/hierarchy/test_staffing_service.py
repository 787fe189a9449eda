"""Appointments over gRPC, and the lists of what is to be done about them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import ChaupalError, InvalidInput, NotFound, PreconditionFailed
from services.hierarchy.domain.people import Appointment
from services.hierarchy.translate.values import timestamp
from services.hierarchy.use_cases import staffing
from tests.builders_hierarchy import BEGINNING, a_request_id, a_row
from tests.builders_people import DAY
from tests.hierarchy_server import a_caller
from tests.people_server import NEEM, PeopleServer, staffed

UNVERIFIED, VERIFIED, STALE = (
    pb.VERIFICATION_STATE_UNVERIFIED,
    pb.VERIFICATION_STATE_VERIFIED,
    pb.VERIFICATION_STATE_STALE,
)


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[PeopleServer]:
    async with staffed(tmp_path) as server:
        yield server


async def refusal(people: PeopleServer, request: Any) -> ChaupalError:
    with pytest.raises(ChaupalError) as refused:
        await people.call(request)
    return refused.value


async def many_booths(people: PeopleServer, count: int) -> None:
    rows = [a_row("booth", f"X{number:03}", under=("mandal", "M2")) for number in range(count)]
    report = await people.hierarchy.import_rows(*rows)
    assert report.created_count == count


async def test_an_appointment_comes_back_as_it_stands(people: PeopleServer) -> None:
    person = await people.person()
    made = await people.appoint("booth", "B1", "president", person)

    assert made == pb.Appointment(
        id=made.id,
        unit_id=await people.unit_id("booth", "B1"),
        position="president",
        person_id=person.id,
        valid_from=timestamp(BEGINNING),
        verification=UNVERIFIED,
        etag="1",
    )


async def test_one_of_two_who_ask_at_once_gets_the_seat(people: PeopleServer) -> None:
    unit = await people.unit_id("booth", "B1")
    persons = [await people.person(f"Person {number}") for number in range(6)]
    requests = [
        pb.AppointRequest(
            unit_id=unit, position="president", person_id=each.id, request_id=a_request_id()
        )
        for each in persons
    ]

    outcomes = await asyncio.gather(
        *(people.call(each) for each in requests), return_exceptions=True
    )

    made = [each for each in outcomes if isinstance(each, pb.AppointResponse)]
    refused = [each for each in outcomes if isinstance(each, PreconditionFailed)]
    assert (len(made), len(refused)) == (1, 5)
    assert {each.reason for each in refused} == {"SEATS_TAKEN"}
    kept = await people.hierarchy.store.graph.page(NEEM, Appointment, limit=10)
    assert [each.id for each in kept] == [made[0].appointment.id]
    header = await people.hierarchy.store.graph.header(NEEM)
    assert header.counts.appointments == 1


async def test_a_repeat_is_answered_as_at_first(people: PeopleServer) -> None:
    person = await people.person()
    request = pb.AppointRequest(
        unit_id=await people.unit_id("booth", "B1"),
        position="president",
        person_id=person.id,
        request_id=a_request_id(),
    )

    preview = pb.AppointRequest(validate_only=True)
    preview.MergeFrom(request)
    previewed = await people.call(preview)
    assert previewed.appointment.person_id == person.id
    assert await people.hierarchy.store.graph.page(NEEM, Appointment, limit=10) == []
    assert await people.call(request) == await people.call(request)
    request.position = "treasurer"
    assert (await refusal(people, request)).reason == "REQUEST_ID_REUSED"


async def test_units_and_persons_list_what_is_in_force_or_ever_was(people: PeopleServer) -> None:
    asha, bela = await people.person("Asha"), await people.person("Bela")
    unit = await people.unit_id("mandal", "M1")
    first = await people.appoint("mandal", "M1", "secretary", asha)
    people.clock.advance(DAY)
    await people.call(pb.EndAppointmentsRequest(ids=[first.id], request_id=a_request_id()))
    second = await people.appoint("mandal", "M1", "secretary", bela)

    async def of_unit(**more: Any) -> list[str]:
        request = pb.BatchListUnitAppointmentsRequest(unit_ids=[unit], **more)
        (result,) = (await people.call(request)).results
        return [each.id for each in result.appointments.appointments]

    assert await of_unit() == [second.id]
    assert await of_unit(as_of=timestamp(BEGINNING)) == [first.id]
    assert await of_unit(as_of=timestamp(BEGINNING + DAY)) == [second.id]
    assert await of_unit(with_ended=True) == [first.id, second.id]
    assert await of_unit(with_ended=True, positions=["president"]) == []
    request = pb.BatchListPersonAppointmentsRequest(
        person_ids=[asha.id, bela.id, a_request_id(), "x"], with_ended=True
    )
    one, other, missing, bad = (await people.call(request)).results
    assert [each.id for each in one.appointments.appointments] == [first.id]
    assert one.appointments.appointments[0].valid_to == timestamp(BEGINNING + DAY)
    assert [each.id for each in other.appointments.appointments] == [second.id]
    assert [missing.status.code, bad.status.code] == [5, 3]


async def test_offices_are_listed_as_in_the_blueprint(people: PeopleServer) -> None:
    asha, bela = await people.person("Asha"), await people.person("Bela")
    monitor = await people.appoint("state", "RJ", "monitor", asha)
    convenor = await people.appoint("state", "RJ", "state_convenor", bela)

    request = pb.BatchListUnitAppointmentsRequest(unit_ids=[await people.unit_id("state", "RJ")])
    listed = (await people.call(request)).results[0].appointments

    assert [each.id for each in listed.appointments] == [convenor.id, monitor.id]
    assert not listed.has_more


async def test_vacancies_come_in_pages_in_pre_order(people: PeopleServer) -> None:
    await many_booths(people, 7)
    await people.appoint("booth", "X003", "president", await people.person())
    request = pb.ListVacanciesRequest(position="president", level="booth", page_size=4)
    found: list[str] = []
    pages = 0

    while True:
        page = await people.call(request)
        assert (page.total_count, page.unit_count) == (9, 10)
        found += page.unit_ids
        pages += 1
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break

    codes = ["B1", "B2", "X000", "X001", "X002", "X004", "X005", "X006"]
    in_order = [await people.unit_id("booth", code) for code in ("C1", *codes)]
    assert (found, pages) == (in_order, 3)


async def test_a_page_token_fits_its_own_query_and_tenant(people: PeopleServer) -> None:
    await many_booths(people, 3)
    request = pb.ListVacanciesRequest(position="president", level="booth", page_size=2)
    request.page_token = (await people.call(request)).next_page_token
    other = pb.ListUnwatchedRequest(level="booth", page_token=request.page_token)

    refused = await refusal(people, other)
    with pytest.raises(InvalidInput) as elsewhere:
        await people.call(
            pb.ListWatchesRequest(page_token=request.page_token), a_caller(tenant="peepal")
        )

    assert refused.reason == elsewhere.value.reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize(
    ("position", "level", "field", "reason"),
    [
        ("", "booth", "position", "MISSING"),
        ("president", "Booth", "level", "BAD_KEY"),
        ("treasurer", "booth", "position", "UNKNOWN_POSITION"),
        ("president", "mandal", "level", "POSITION_NOT_AT_LEVEL"),
    ],
)
async def test_a_vacancy_is_of_an_office_that_the_level_has(
    people: PeopleServer, position: str, level: str, field: str, reason: str
) -> None:
    refused = await refusal(people, pb.ListVacanciesRequest(position=position, level=level))

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [(field, reason)]


async def test_the_queue_has_what_nobody_looked_at_lately(people: PeopleServer) -> None:
    await many_booths(people, 3)
    made = {
        code: await people.appoint("booth", code, "president", await people.person(code))
        for code in ("X000", "X001", "X002", "B1")
    }
    verified = [made[code].id for code in ("X000", "X001")]
    request = pb.VerifyAppointmentsRequest(ids=verified[:1], request_id=a_request_id())
    await people.call(request)
    people.clock.advance(20 * DAY)
    request = pb.VerifyAppointmentsRequest(ids=verified[1:], request_id=a_request_id())
    await people.call(request)
    people.clock.advance(10 * DAY)

    async def queue(state: "pb.VerificationState.ValueType", **more: Any) -> list[tuple[str, int]]:
        request = pb.ListVerificationQueueRequest(state=state, **more)
        page = await people.call(request)
        assert page.next_page_token == ""
        return [(each.id, each.verification) for each in page.appointments]

    stale = [(made["X000"].id, STALE)]
    unverified = [(made[code].id, UNVERIFIED) for code in ("B1", "X002")]
    both = [unverified[0], stale[0], unverified[1]]
    assert await queue(pb.VERIFICATION_STATE_UNSPECIFIED) == both
    assert await queue(STALE) == stale
    assert await queue(UNVERIFIED, position="president") == unverified
    assert await queue(UNVERIFIED, position="secretary") == []
    assert await queue(STALE, within_unit_id=await people.unit_id("mandal", "M1")) == []
    counts = (await people.call(pb.CountAppointmentsRequest())).counts
    assert [(each.position, each.verification, each.appointment_count) for each in counts] == [
        ("president", UNVERIFIED, 2),
        ("president", VERIFIED, 1),
        ("president", STALE, 1),
    ]
    wrong = await refusal(people, pb.ListVerificationQueueRequest(state=VERIFIED))
    assert wrong.reason == "BAD_STATE"


@pytest.mark.parametrize("looks", [1, 10])
async def test_the_queue_comes_in_pages_also_through_units_with_many(
    people: PeopleServer, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr(staffing, "UNITS_PER_LOOK", 2)
    monkeypatch.setattr(staffing, "LOOKS_PER_PAGE", looks)
    await many_booths(people, 5)
    state = [
        await people.appoint("state", "RJ", "monitor", await people.person(f"{number}"))
        for number in range(5)
    ]
    last = await people.appoint("booth", "X004", "president", await people.person("last"))
    request = pb.ListVerificationQueueRequest(page_size=2)
    found: list[str] = []

    for _ in range(20):
        page = await people.call(request)
        assert len(page.appointments) <= 2
        found += [each.id for each in page.appointments]
        request.page_token = page.next_page_token
        if found and len(found) == 2:
            # What was seen already does not matter any more.
            done = pb.EndAppointmentsRequest(ids=found, request_id=a_request_id())
            await people.call(done)
        if not page.next_page_token:
            break

    assert found == [*sorted(each.id for each in state), last.id]


async def test_counts_are_of_a_subtree(people: PeopleServer) -> None:
    for code in ("B1", "C1"):
        await people.appoint("booth", code, "president", await people.person(code))

    async def count(level: str, code: str) -> int:
        request = pb.CountAppointmentsRequest(within_unit_id=await people.unit_id(level, code))
        return sum(each.appointment_count for each in (await people.call(request)).counts)

    assert [
        await count("state", "RJ"),
        await count("district", "JPR"),
        await count("mandal", "N1"),
        await count("booth", "B2"),
    ] == [2, 1, 1, 0]
    missing = await refusal(people, pb.CountAppointmentsRequest(within_unit_id=a_request_id()))
    assert isinstance(missing, NotFound)
