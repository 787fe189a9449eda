"""Persons over gRPC: what callers see of them, and what is refused without a change."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import (
    AlreadyExists,
    ChaupalError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
)
from services.hierarchy.domain.people import Person
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import a_request_id, text
from tests.people_server import PeopleServer, staffed

PHONE, DIGITS, MASKED = "+919876543210", "9876543210", "+91 ••••••3210"


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[PeopleServer]:
    async with staffed(tmp_path) as server:
        yield server


async def state_of(people: PeopleServer) -> tuple[object, ...]:
    graph = people.hierarchy.store.graph
    persons = await graph.page(people.tenant, Person, limit=100)
    return await graph.header(people.tenant), persons


async def refusal(people: PeopleServer, request: object, caller: object = None) -> ChaupalError:
    before = await state_of(people)
    with pytest.raises(ChaupalError) as refused:
        await people.call(request, caller)  # type: ignore[arg-type]
    assert await state_of(people) == before
    return refused.value


def put(**fields: object) -> pb.PutPersonRequest:
    return pb.PutPersonRequest(**{"request_id": a_request_id(), **fields})  # type: ignore[arg-type]


async def test_a_person_comes_back_masked_and_whole_where_it_is_asked_for(
    people: PeopleServer, caplog: pytest.LogCaptureFixture
) -> None:
    person = await people.person("Asha", "+91 98765 43210", subject="user-asha")
    assert person == pb.Person(
        id=person.id,
        names=names_to_proto(text("Asha")),
        phone=MASKED,
        phone_masked=True,
        subject="user-asha",
        etag="1",
    )

    with caplog.at_level(logging.INFO):
        (masked,) = await people.get(person.id)
        assert "phone numbers shown" not in caplog.text
        (whole,) = await people.get(person.id, unmask=True)

    assert masked.person == person
    assert (whole.person.phone, whole.person.phone_masked) == (PHONE, False)
    (look,) = [each for each in caplog.records if each.msg == "phone numbers shown"]
    shown = {name: getattr(look, name) for name in ("tenant", "subject", "person_ids")}
    assert shown == {"tenant": people.tenant, "subject": "user-1", "person_ids": [person.id]}


async def test_a_number_finds_its_person_however_it_is_typed(people: PeopleServer) -> None:
    person = await people.person("Asha", PHONE)

    for typed in (PHONE, "+91 98765-43210"):
        reply = await people.call(pb.FindPersonByPhoneRequest(phone=typed))
        assert reply.person == person
    refused = await refusal(people, pb.FindPersonByPhoneRequest(phone="+919876543211"))

    assert isinstance(refused, NotFound)
    assert (refused.reason, refused.fields()) == ("PERSON_NOT_FOUND", {})


async def test_before_any_number_was_put_none_is_found_and_no_secret_is_made(
    people: PeopleServer,
) -> None:
    refused = await refusal(people, pb.FindPersonByPhoneRequest(phone=PHONE))
    preview = await people.call(
        put(names=names_to_proto(text("Asha")), phone=PHONE, validate_only=True)
    )

    assert refused.reason == "PERSON_NOT_FOUND"
    assert (preview.person.phone, preview.person.phone_masked) == (MASKED, True)
    header, persons = await state_of(people)
    assert persons == []
    assert header.secrets.data_keys == ()  # type: ignore[attr-defined]


async def test_all_that_is_wrong_with_a_request_is_told_and_nothing_of_the_number(
    people: PeopleServer,
) -> None:
    request = put(
        id="7",
        names=names_to_proto(text(" ")),
        phone=f"{DIGITS}",
        clear_phone=True,
        subject=" asha",
        clear_subject=True,
        request_id="again",
    )

    refused = await refusal(people, request)

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [
        ("id", "BAD_ID"),
        ("request_id", "BAD_ID"),
        ("names.by_language.en", "MISSING"),
        ("phone", "BAD_PHONE"),
        ("clear_phone", "CONTRADICTION"),
        ("subject", "BAD_SUBJECT"),
        ("clear_subject", "CONTRADICTION"),
    ]
    assert DIGITS not in f"{refused} {refused.violations}"


async def test_a_new_person_has_names(people: PeopleServer) -> None:
    refused = await refusal(people, put(phone=PHONE))

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [("names", "MISSING")]


async def test_who_has_seen_a_person_says_whom(people: PeopleServer) -> None:
    """An etag without an id: there would be two of them."""
    refused = await refusal(people, put(names=names_to_proto(text("Asha")), etag="1"))

    assert isinstance(refused, InvalidInput)
    assert [(each.field, each.reason) for each in refused.violations] == [("etag", "CONTRADICTION")]


async def test_a_repeat_is_answered_as_at_first_and_another_number_is_another_request(
    people: PeopleServer,
) -> None:
    request = put(names=names_to_proto(text("Asha")), phone=PHONE)
    first = await people.call(request)

    again = await people.call(request)
    other = pb.PutPersonRequest()
    other.CopyFrom(request)
    other.phone = "+919876543211"
    refused = await refusal(people, other)

    assert again == first
    assert isinstance(refused, Conflict)
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_a_number_and_a_login_belong_to_one_person(people: PeopleServer) -> None:
    await people.person("Asha", PHONE, subject="user-asha")
    names = names_to_proto(text("Bela"))

    for request, reason in (
        (put(names=names, phone=PHONE), "PHONE_IN_USE"),
        (put(names=names, subject="user-asha"), "SUBJECT_IN_USE"),
    ):
        refused = await refusal(people, request)
        assert isinstance(refused, AlreadyExists)
        assert (refused.reason, refused.fields()) == (reason, {})


async def test_a_change_meets_the_person_that_was_seen(people: PeopleServer) -> None:
    person = await people.person("Asha", "+919876543211")
    names = names_to_proto(text("Asha Devi"))
    reply = await people.call(put(id=person.id, names=names, etag=person.etag))

    refused = await refusal(people, put(id=person.id, phone=PHONE, etag=person.etag))

    assert (reply.person.names, reply.person.etag) == (names, "2")
    assert isinstance(refused, Conflict)
    assert (refused.reason, refused.current_etag) == ("PERSON_CHANGED", "2")


async def test_a_batch_answers_for_each_id_in_order(people: PeopleServer) -> None:
    person = await people.person()
    unknown = a_request_id()

    results = await people.get(person.id, "x", unknown, person.id)

    assert [each.WhichOneof("result") for each in results] == [
        "person",
        "status",
        "status",
        "person",
    ]
    assert results[0] == results[3]
    assert [results[1].status.code, results[2].status.code] == [3, 5]
    for ids, reason in (([], "MISSING"), ([unknown] * 1_001, "TOO_MANY")):
        refused = await refusal(people, pb.BatchGetPersonsRequest(ids=ids))
        assert refused.reason == reason


async def test_an_erased_person_is_nobody_for_ever(people: PeopleServer) -> None:
    person = await people.person("Asha", PHONE, subject="user-asha")
    await people.appoint("booth", "B1", "president", person)
    as_asha = people.hierarchy.somebody("user-asha")
    assert [each.person.id for each in await people.get(person.id, caller=as_asha)] == [person.id]
    request = pb.ErasePersonRequest(id=person.id, request_id=a_request_id())

    erased = await people.call(request)
    again = await people.call(request)

    assert erased == again
    assert erased.person == pb.Person(id=person.id, erased=True, etag="2")
    assert erased.ended_count == 1
    assert (await people.get(person.id, unmask=True))[0].person == erased.person
    missing = await refusal(people, pb.FindPersonByPhoneRequest(phone=PHONE))
    assert missing.reason == "PERSON_NOT_FOUND"
    changed = await refusal(people, put(id=person.id, phone=PHONE))
    assert isinstance(changed, PreconditionFailed)
    assert changed.reason == "PERSON_ERASED"
    assert [each.status.code for each in await people.get(person.id, caller=as_asha)] == [5]
    await people.person("Bela", PHONE, subject="user-asha")


async def test_nothing_of_an_erased_person_is_left_in_the_store(people: PeopleServer) -> None:
    person = await people.person("Ashalata Unmistakable", PHONE, subject="user-ashalata")
    rename = names_to_proto(text("Ashadevi Unmistakable"))
    await people.call(put(id=person.id, names=rename))
    database = people.hierarchy.store.graph._store  # type: ignore[attr-defined]
    before = await database.read(lambda it: "\n".join(it.iterdump()))
    assert "Ashadevi Unmistakable" in before
    assert DIGITS not in before

    await people.call(pb.ErasePersonRequest(id=person.id, request_id=a_request_id()))

    dump = await database.read(lambda it: "\n".join(it.iterdump()))
    assert person.id in dump
    assert [each for each in ("Unmistakable", "user-asha", DIGITS, "3210") if each in dump] == []


async def test_only_who_administers_all_erases_and_gives_logins(people: PeopleServer) -> None:
    district = await people.hierarchy.unit("district", "JPR")
    convenor = await people.hierarchy.appoint("convenor", "district_convenor", district)
    person = await people.person("Asha", caller=convenor)

    for request in (
        pb.ErasePersonRequest(id=person.id, request_id=a_request_id()),
        put(id=person.id, subject="user-asha"),
        put(id=person.id, clear_subject=True),
    ):
        refused = await refusal(people, request, convenor)
        assert isinstance(refused, Forbidden)
        assert refused.fields() == {"capability": "administer", "unit_id": ""}
