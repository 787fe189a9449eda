"""`OrgGraph`: records by every index, and all of a type in pages."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.hierarchy.domain.model import LocalizedText, Place, Unit, UnitId
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_UNIT,
    AREAS_BY_KEY,
    INDEXES,
    PAST_UNITS_BY_ID,
    PERSONS_BY_ID,
    PERSONS_BY_PHONE,
    PERSONS_BY_SUBJECT,
    RECORD_TYPES,
    UNITS_BY_ID,
    UNITS_BY_KEY,
    UNITS_BY_PARENT,
    Index,
    PastUnit,
    Record,
    joined_key,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.ports import Read
from tests.builders_hierarchy import (
    BEGINNING,
    a_membership,
    a_past_unit,
    a_person,
    a_row,
    a_small_tree,
    a_team,
    a_unit,
    a_watch,
    an_appointment,
    an_area,
    an_area_link,
    an_id,
    one_of_each,
)
from tests.org_graph_model import key_of
from tests.org_graphs import STORES, World, open_world

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
INDEX_NAMES = [f"{index.of.__name__} by {index.by}" for index in INDEXES]


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


def others_of_each() -> list[Record]:
    """Records of every type with other ids and other keys than `one_of_each`."""
    unit = a_unit("state", "MP", parent_id=an_id("unit", 9))
    past = a_past_unit(a_unit("booth", "B1", parent_id=an_id("unit", 8)), BEGINNING + HOUR)
    return [unit, past, an_area(2), an_area_link(2), a_person(2), an_appointment(2), a_team(2),
            a_membership(2), a_watch(2)]  # fmt: skip


@pytest.mark.parametrize("index", INDEXES, ids=INDEX_NAMES)
async def test_a_record_is_found_by_each_of_its_keys(world: World, index: Index[Any]) -> None:
    await world.write(*one_of_each(), *others_of_each())
    (record,) = (each for each in one_of_each() if isinstance(each, index.of))
    key = key_of(record, index)
    assert key is not None

    assert await world.find(index, key) == {key: [record]}
    assert await world.find(index, "absent", key, "", key) == {key: [record]}
    assert await world.find(index, key.upper() + " ") == {}
    assert await world.find(index) == {}


@pytest.mark.parametrize(
    "index",
    [index for index in INDEXES if not index.unique],
    ids=[name for name, index in zip(INDEX_NAMES, INDEXES, strict=True) if not index.unique],
)
async def test_all_records_with_a_key_are_found(world: World, index: Index[Any]) -> None:
    (first,) = (each for each in one_of_each() if isinstance(each, index.of))
    if isinstance(first, PastUnit):
        second: Any = replace(first, unit=replace(first.unit, revision=7))
    elif isinstance(first, Unit):
        second = replace(a_unit("state", "MP"), parent_id=first.parent_id)
    else:
        second = replace(first, id=an_id("second", 1))
    key = key_of(first, index)
    assert key is not None
    await world.write(first, second)

    found = await world.find(index, key)

    assert found == {key: sorted([first, second], key=lambda each: str(each.id))}


async def test_a_stranger_has_no_records(world: World) -> None:
    for index in INDEXES:
        assert await world.graph.find(world.tenant, index, ["any"]) == Read(0, {})
        assert await world.graph.find(world.tenant, index, ["any"], at=BEGINNING) == Read(0, {})


async def test_a_find_names_the_version_that_it_saw(world: World) -> None:
    await world.start(*a_small_tree())
    await world.load(a_row("booth", "B3", under=("mandal", "M1")))

    read = await world.graph.find(world.tenant, UNITS_BY_KEY, ["state/RJ", "booth/B3"])

    assert read.tree_version == 2
    assert {key: [unit.revision for unit in units] for key, units in read.value.items()} == {
        "state/RJ": [1],
        "booth/B3": [2],
    }


async def test_every_value_of_a_record_comes_back(world: World) -> None:
    first = BEGINNING.replace(year=1950, microsecond=1)
    names = LocalizedText.of({"en": 'Jai "pur"\\', "hi": "जयपुर", "mr": ""})
    unit = replace(
        a_unit("state", "RJ/1"),
        names=names,
        place=Place(26.912434000000001, -75.787270000000007),
        valid_from=first,
        since=BEGINNING.replace(microsecond=999_999),
        revision=2**40,
    )
    past = PastUnit(
        unit, BEGINNING + MICROSECOND, 3, closed=True, successor_ids=(UnitId("b"), UnitId("a"))
    )
    erased = a_person(2, names=None, phone=None, subject=None, erased_at=BEGINNING)
    held = an_appointment(valid_to=BEGINNING + HOUR, verified_at=first, revision=5)
    watch = a_watch(covers=an_id("watch", 2), valid_to=BEGINNING)
    records: list[Record] = [unit, past, a_person(), erased, held, watch]

    await world.write(*records)

    for record in records:
        assert await world.all(type(record)) == sorted(
            (each for each in records if type(each) is type(record)), key=lambda each: str(each.id)
        )
    assert await world.find(UNITS_BY_KEY, "state/RJ/1") == {"state/RJ/1": [unit]}


@pytest.mark.parametrize("of", RECORD_TYPES, ids=lambda of: of.__name__)
async def test_a_record_that_is_put_again_is_replaced(world: World, of: type[Any]) -> None:
    (before,) = (each for each in one_of_each() if isinstance(each, of))
    after: Any
    match before:
        case PastUnit():
            after = replace(before, until=before.until + HOUR, closed=True)
        case Unit():
            after = replace(before, code="RJ2", parent_id=None, place=Place(1, 2), revision=9)
        case _:
            after = replace(before, revision=9)
    await world.write(before)

    await world.write(after)

    assert await world.all(of) == [after]
    for index in (each for each in INDEXES if each.of is of):
        old, new = key_of(before, index), key_of(after, index)
        assert await world.find(index, *filter(None, {old, new})) == ({new: [after]} if new else {})


async def test_what_a_person_no_longer_has_does_not_find_them(world: World) -> None:
    person = a_person()
    await world.write(person)
    erased = replace(person, names=None, phone=None, subject=None, erased_at=BEGINNING)

    await world.write(erased)

    assert await world.find(PERSONS_BY_ID, person.id) == {person.id: [erased]}
    assert await world.find(PERSONS_BY_PHONE, "hash-1", "", "None") == {}
    assert await world.find(PERSONS_BY_SUBJECT, "subject-1", "", "None") == {}


async def test_any_number_of_persons_have_no_phone_and_no_subject(world: World) -> None:
    persons = [a_person(number, phone=None, subject=None) for number in range(3)]

    await world.write(*persons)

    assert await world.all(Person) == sorted(persons, key=lambda each: each.id)


async def test_what_is_unique_passes_from_one_record_to_another_within_a_write(
    world: World,
) -> None:
    first, second = a_unit("state", "A", unit_id="1"), a_unit("state", "B", unit_id="2")
    ram, shyam = a_person(1), a_person(2)
    await world.write(first, second, ram, shyam)

    swapped = [replace(first, code="B"), replace(second, code="A")]
    others = [replace(ram, phone=shyam.phone), replace(shyam, phone=ram.phone)]
    await world.write(*swapped, *others)

    assert await world.find(UNITS_BY_KEY, "state/A", "state/B") == {
        "state/B": [swapped[0]],
        "state/A": [swapped[1]],
    }
    assert await world.find(PERSONS_BY_PHONE, "hash-1", "hash-2") == {
        "hash-2": [others[0]],
        "hash-1": [others[1]],
    }


async def test_a_code_passes_from_a_unit_that_is_dropped_to_one_that_is_put(world: World) -> None:
    old, new = a_unit("state", "RJ", unit_id="1"), a_unit("state", "RJ", unit_id="2")
    await world.write(old)

    await world.write(new, a_past_unit(old, BEGINNING + HOUR, closed=True), drops=[old])

    assert await world.find(UNITS_BY_KEY, "state/RJ") == {"state/RJ": [new]}
    assert await world.find(UNITS_BY_ID, "1", "2") == {"2": [new]}
    assert list(await world.find(PAST_UNITS_BY_ID, "1", "2")) == ["1"]


async def test_at_an_instant_a_unit_is_found_from_its_since_on(world: World) -> None:
    unit = replace(a_unit(parent_id=an_id("unit", 0)), since=BEGINNING + HOUR)
    await world.write(unit)
    keys = {UNITS_BY_ID: unit.id, UNITS_BY_KEY: "state/RJ", UNITS_BY_PARENT: an_id("unit", 0)}

    for index, key in keys.items():
        assert await world.find(index, key) == {key: [unit]}
        assert await world.find(index, key, at=unit.since) == {key: [unit]}
        assert await world.find(index, key, at=unit.since + 1000 * HOUR) == {key: [unit]}
        assert await world.find(index, key, at=unit.since - MICROSECOND) == {}


async def test_at_an_instant_a_past_unit_is_found_from_its_since_until_its_end(
    world: World,
) -> None:
    unit = a_unit(parent_id=an_id("unit", 0))
    past = a_past_unit(unit, BEGINNING + HOUR)
    later = a_past_unit(unit, BEGINNING + 2 * HOUR, since=past.until, revision=2)
    nothing = a_past_unit(unit, later.until, since=later.until, revision=3, closed=True)
    await world.write(past, later, nothing)

    for index in (each for each in INDEXES if each.of is PastUnit):
        key = key_of(past, index)
        assert key is not None
        assert len((await world.find(index, key))[key]) == 3
        assert await world.find(index, key, at=BEGINNING - MICROSECOND) == {}
        assert await world.find(index, key, at=BEGINNING) == {key: [past]}
        assert await world.find(index, key, at=past.until - MICROSECOND) == {key: [past]}
        assert await world.find(index, key, at=past.until) == {key: [later]}
        assert await world.find(index, key, at=later.until) == {}


@pytest.mark.parametrize(
    "index",
    [index for index in INDEXES if hasattr(index.of, "valid_to")],
    ids=[
        name
        for name, index in zip(INDEX_NAMES, INDEXES, strict=True)
        if hasattr(index.of, "valid_to")
    ],
)
async def test_at_an_instant_what_is_valid_is_found(world: World, index: Index[Any]) -> None:
    (first,) = (each for each in one_of_each() if isinstance(each, index.of))
    ended: Any = replace(first, valid_to=BEGINNING + HOUR)
    open_now = replace(first, valid_from=BEGINNING + HOUR)
    key = key_of(ended, index)
    assert key is not None

    await world.write(ended)
    assert await world.find(index, key) == {key: [ended]}
    assert await world.find(index, key, at=BEGINNING - MICROSECOND) == {}
    assert await world.find(index, key, at=BEGINNING) == {key: [ended]}
    assert await world.find(index, key, at=BEGINNING + HOUR - MICROSECOND) == {key: [ended]}
    assert await world.find(index, key, at=BEGINNING + HOUR) == {}

    await world.write(open_now)
    assert await world.find(index, key, at=BEGINNING + HOUR - MICROSECOND) == {}
    assert await world.find(index, key, at=BEGINNING + HOUR) == {key: [open_now]}
    assert await world.find(index, key, at=BEGINNING + 10**5 * HOUR) == {key: [open_now]}


async def test_persons_are_found_at_any_instant(world: World) -> None:
    erased = a_person(1, erased_at=BEGINNING)
    await world.write(erased)

    for at in (BEGINNING - 1000 * HOUR, BEGINNING + 1000 * HOUR):
        assert await world.find(PERSONS_BY_ID, erased.id, at=at) == {erased.id: [erased]}


async def test_areas_that_ended_share_their_key_with_the_one_that_stands(world: World) -> None:
    old = an_area(1, code="A1", valid_to=BEGINNING + HOUR)
    new = an_area(2, code="A1", valid_from=BEGINNING + HOUR)
    await world.write(old, new)
    key = joined_key(*new.key)

    assert {each.id for each in (await world.find(AREAS_BY_KEY, key))[key]} == {old.id, new.id}
    assert await world.find(AREAS_BY_KEY, key, at=BEGINNING + HOUR) == {key: [new]}


async def test_thousands_of_keys_are_found_at_once(world: World) -> None:
    units = [a_unit("booth", f"B{number}") for number in range(2_000)]
    held = [
        an_appointment(number, unit_id=unit.id, person_id=PersonId(an_id("person", number % 2)))
        for number, unit in enumerate(units)
    ]
    await world.write(*units, *held)
    keys = [unit.id for unit in units]

    found = await world.find(APPOINTMENTS_BY_UNIT, *keys, *map(str.upper, keys), *keys)

    assert found == {each.unit_id: [each] for each in held}


@pytest.mark.parametrize("of", RECORD_TYPES, ids=lambda of: of.__name__)
async def test_a_walk_meets_every_record_of_a_type_once(world: World, of: type[Any]) -> None:
    await world.write(*one_of_each(), *others_of_each())
    (first,) = (each for each in one_of_each() if isinstance(each, of))
    records: list[Any] = [first]
    for number in range(6):
        more: Any = an_id("more", number)
        match first:
            case PastUnit():
                records.append(replace(first, unit=replace(first.unit, id=more)))
            case Unit():
                records.append(replace(first, id=more, code=f"C{number}"))
            case Person():
                records.append(a_person(10 + number, id=more))
            case _:
                records.append(replace(first, id=more))
    await world.write(*records)
    expected = sorted(
        {each.id: each for each in [*records, *others_of_each()] if isinstance(each, of)}.items()
    )

    walked: list[Any] = []
    while page := await world.graph.page(
        world.tenant, of, after=walked[-1].id if walked else "", limit=3
    ):
        assert len(page) <= 3
        walked += page

    assert walked == [each for _, each in expected]
    assert await world.graph.page(world.tenant, of, after="~", limit=3) == []


async def test_a_walk_orders_ids_as_bytes(world: World) -> None:
    ids = ["a", "B", "é", "z", "10", "9"]
    await world.write(*(a_watch(1, id=each) for each in ids))

    walked = [watch.id for watch in await world.all(Watch)]

    assert walked == sorted(ids, key=lambda each: each.encode())
