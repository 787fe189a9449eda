"""Tenants' secrets at work: bound to their tenant, replaced in use, and never shown."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import people_pb2 as pb
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kit.errors import ChaupalError
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.people import Person
from services.hierarchy.domain.people_errors import KeyNotHeld, SecretUnreadable
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.use_cases.secrets import Rotation, Secrets
from tests.builders_hierarchy import a_request_id
from tests.hierarchy_server import a_caller
from tests.people_server import NEEM, PeopleServer, staffed
from tests.timing import wait_until

PEEPAL = TenantId("peepal")


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[PeopleServer]:
    async with staffed(tmp_path) as server:
        yield server


def phone(number: int) -> str:
    return f"+9198765{number:05}"


async def numbers(people: PeopleServer, ids: list[str]) -> list[str]:
    """What a caller who may see them sees, in the order of the ids."""
    return [each.person.phone for each in await people.get(*ids, unmask=True)]


async def persons(people: PeopleServer, count: int) -> list[str]:
    return [(await people.person(f"{number}", phone(number))).id for number in range(count)]


async def stored(people: PeopleServer, tenant: TenantId = NEEM) -> list[Person]:
    return list(await people.hierarchy.store.graph.page(tenant, Person, limit=1_000))


async def test_first_numbers_that_come_at_once_meet_the_same_secrets(people: PeopleServer) -> None:
    made = await asyncio.gather(*(people.person(f"{each}", phone(each)) for each in range(8)))

    header = await people.hierarchy.store.graph.header(NEEM)
    assert [each.version for each in header.secrets.data_keys] == [1]
    assert [each.version for each in header.secrets.peppers] == [1]
    assert await numbers(people, [each.id for each in made]) == [phone(each) for each in range(8)]


async def test_tenants_share_no_secret(people: PeopleServer) -> None:
    peepal = a_caller(tenant="peepal")
    await people.person("Asha", phone(1))
    await people.hierarchy.start(caller=peepal)
    await people.person("Asha", phone(1), caller=peepal)

    (ours,), (theirs,) = await stored(people), await stored(people, PEEPAL)

    assert ours.phone is not None
    assert theirs.phone is not None
    assert ours.phone.hash != theirs.phone.hash
    assert ours.phone.masked == theirs.phone.masked


@pytest.mark.parametrize("moved", ["tenant", "person", "secrets"])
async def test_what_was_carried_elsewhere_is_not_opened(people: PeopleServer, moved: str) -> None:
    """Whoever can write the database cannot have it read out to them."""
    await persons(people, 1)
    graph, secrets = people.hierarchy.store.graph, people.secrets()
    (person,), header = await stored(people), await graph.header(NEEM)
    match moved:
        case "tenant":
            await people.hierarchy.start(caller=a_caller(tenant="peepal"))
            await people.person("Bela", phone(2), caller=a_caller(tenant="peepal"))
            header = await graph.header(PEEPAL)
        case "person":
            person = replace(person, id=(await people.person("Bela")).id)  # type: ignore[arg-type]
        case _:
            header = replace(header, tenant=PEEPAL)

    with pytest.raises(SecretUnreadable):
        await secrets.open(header, [person])


async def test_a_rotation_goes_on_while_everybody_reads_and_writes(people: PeopleServer) -> None:
    ids = await persons(people, 25)
    before = await stored(people)
    other_process, done, looks = people.secrets(), asyncio.Event(), 0

    async def look() -> None:
        nonlocal looks
        while not done.is_set():
            assert await numbers(people, ids) == [phone(each) for each in range(25)]
            found = await people.call(pb.FindPersonByPhoneRequest(phone=phone(looks % 25)))
            assert found.person.id == ids[looks % 25]
            with pytest.raises(ChaupalError, match="another person"):
                await people.person("Twin", phone(looks % 25))
            looks += 1

    async def write() -> None:
        made = [await people.person(f"{each}", phone(each)) for each in range(100, 120)]
        ids_of_new.extend(each.id for each in made)

    ids_of_new: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(look())
        tasks.create_task(write())
        calls = [await other_process.rotate(NEEM, new_secrets=True, limit=4)]
        while not calls[-1].done:
            calls.append(await other_process.rotate(NEEM, new_secrets=False, limit=4))
        await wait_until(lambda: looks >= 2, 30, "two looks")
        done.set()

    header = await people.hierarchy.store.graph.header(NEEM)
    assert [each.version for each in header.secrets.data_keys] == [2]
    assert [each.version for each in header.secrets.peppers] == [2]
    assert header.secrets.carried_through == ""
    assert len(calls) > 6
    assert sum(each.carried_count for each in calls) >= 25
    after = await stored(people)
    assert {
        (each.phone.key_version, each.phone.pepper_version) for each in after if each.phone
    } == {(2, 2)}
    hashes = {each.phone.hash for each in after if each.phone}
    assert hashes.isdisjoint(each.phone.hash for each in before if each.phone)
    # Nobody could see it: no person changed.
    assert {each.revision for each in after} == {1}
    assert await numbers(people, ids) == [phone(each) for each in range(25)]
    assert await numbers(people, ids_of_new) == [phone(each) for each in range(100, 120)]


async def test_a_rotation_that_was_asked_for_twice_is_one(people: PeopleServer) -> None:
    await persons(people, 3)
    secrets = people.secrets()

    first = await secrets.rotate(NEEM, new_secrets=True, limit=1)
    rest = await asyncio.gather(*(secrets.rotate(NEEM, new_secrets=True) for _ in range(3)))
    nothing = await secrets.rotate(NEEM, new_secrets=False)

    assert first == Rotation(1, done=False)
    assert all(each.done for each in rest)
    assert nothing == Rotation(0, done=True)
    header = await people.hierarchy.store.graph.header(NEEM)
    versions = [each.version for each in header.secrets.data_keys]
    # Whoever came after the end of it began the next.
    assert len(versions) == 1
    assert versions[0] >= 2


async def test_a_tenant_without_secrets_has_nothing_to_rotate(people: PeopleServer) -> None:
    assert await people.secrets().rotate(NEEM, new_secrets=True) == Rotation(0, done=True)
    header = await people.hierarchy.store.graph.header(NEEM)
    assert header.secrets.data_keys == ()


async def test_another_key_encryption_key_takes_over(people: PeopleServer) -> None:
    ids = await persons(people, 2)
    graph, ids_of_store = people.hierarchy.store.graph, people.hierarchy.store.ids
    new_key = base64.b64encode(bytes([7]) * 32).decode()
    both, alone = people.folder / "both", people.folder / "alone"
    both.write_text(f"key-2 {new_key}\n{people.key_file.read_text()}")
    alone.write_text(f"key-2 {new_key}\n")
    for file in (both, alone):
        file.chmod(0o600)
    header = await graph.header(NEEM)
    with pytest.raises(KeyNotHeld):
        await Secrets(graph, KeyFile(alone), ids_of_store).keys(header)

    await Secrets(graph, KeyFile(both), ids_of_store).rotate(NEEM, new_secrets=False)

    after = await graph.header(NEEM)
    wrapped_by = {each.wrapped_by for each in (*after.secrets.data_keys, *after.secrets.peppers)}
    assert wrapped_by == {"key-2"}
    secrets = Secrets(graph, KeyFile(alone), ids_of_store)
    opened = await secrets.open(after, await stored(people))
    assert opened == {ids[0]: PhoneNumber(phone(0)), ids[1]: PhoneNumber(phone(1))}


async def test_secrets_that_were_used_longest_ago_are_forgotten(people: PeopleServer) -> None:
    await persons(people, 1)
    store = people.hierarchy.store
    secrets = Secrets(store.graph, KeyFile(people.key_file), store.ids, max_kept=1)
    header = await store.graph.header(NEEM)

    assert await secrets.keys(header) == await secrets.keys(header)
    assert len(secrets._kept) == 1


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer: Any = provider.get_tracer("test")
    monkeypatch.setattr("services.hierarchy.adapters.spans._tracer", tracer)
    monkeypatch.setattr("kit.telemetry.tracer", lambda _name: tracer)
    yield exporter
    provider.shutdown()


async def test_no_number_is_in_a_log_a_span_or_an_error(
    spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    async with staffed(tmp_path) as people:
        asha = await people.person("Asha", phone(1))
        await people.get(asha.id, unmask=True)
        await people.call(pb.FindPersonByPhoneRequest(phone=phone(1)))
        for request in (
            pb.PutPersonRequest(id=asha.id, phone="98765 00001", request_id=a_request_id()),
            pb.PutPersonRequest(
                names=asha.names, phone=phone(1), request_id=a_request_id(), validate_only=True
            ),
            pb.PutPersonRequest(names=asha.names, phone=phone(1), request_id=a_request_id()),
            pb.FindPersonByPhoneRequest(phone="9876500001"),
            pb.FindPersonByPhoneRequest(phone=f"{phone(1)}9"),
        ):
            with pytest.raises(ChaupalError) as refused:
                await people.call(request)
            told += [repr(refused.value), str(refused.value), repr(refused.value.fields())]
        # What cannot be opened is an error of ours, with a stack in the log.
        (person,) = await stored(people)
        assert person.phone is not None
        broken = replace(person, phone=replace(person.phone, sealed="AAAA"))
        await people.hierarchy.keep(broken)
        with pytest.raises(ChaupalError) as refused:
            await people.get(asha.id, unmask=True)
        told += [repr(refused.value), repr(await stored(people)), repr(broken)]
        told.append(repr(await people.hierarchy.store.graph.header(NEEM)))

    told += [f"{vars(each)} {each.getMessage()}" for each in caplog.records]
    told += [span.to_json() for span in spans.get_finished_spans()]
    assert any("FindPersonByPhone" in each for each in told)
    assert any("phone numbers shown" in each for each in told)
    shown = [each for each in told if "9876500001" in each or "98765 00001" in each]
    assert shown == []
