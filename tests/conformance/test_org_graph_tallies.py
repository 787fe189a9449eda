"""`OrgGraph`: who holds a position where, and how many have been verified lately."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.people import Verification
from tests.builders_hierarchy import BEGINNING, an_appointment, an_id
from tests.org_graphs import STORES, World, open_world

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
UNVERIFIED, VERIFIED, STALE = Verification.UNVERIFIED, Verification.VERIFIED, Verification.STALE
NORTH, SOUTH, EAST = (UnitId(an_id("unit", number)) for number in range(3))


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def units_with(world: World, position: str, at: datetime = BEGINNING) -> list[UnitId]:
    return sorted(await world.graph.units_with(world.tenant, position, at))


async def tally(
    world: World,
    units: Sequence[UnitId] | None = None,
    at: datetime = BEGINNING,
    verified_since: datetime = BEGINNING - 10 * HOUR,
) -> dict[tuple[str, Verification], int]:
    found = await world.graph.tally(world.tenant, units=units, at=at, verified_since=verified_since)
    counts = {(each.position, each.verification): each.count for each in found}
    assert len(counts) == len(found)
    return counts


async def test_units_with_a_holder_come_once(world: World) -> None:
    await world.write(
        an_appointment(1, unit_id=NORTH),
        an_appointment(2, unit_id=NORTH),
        an_appointment(3, unit_id=SOUTH),
        an_appointment(4, unit_id=EAST, position="secretary"),
    )

    assert await units_with(world, "president") == sorted([NORTH, SOUTH])
    assert await units_with(world, "secretary") == [EAST]
    assert await units_with(world, "treasurer") == []


async def test_a_holder_counts_from_the_beginning_up_to_the_end(world: World) -> None:
    end = BEGINNING + HOUR
    await world.write(an_appointment(1, unit_id=NORTH, valid_to=end))

    assert await units_with(world, "president", BEGINNING - MICROSECOND) == []
    assert await units_with(world, "president", BEGINNING) == [NORTH]
    assert await units_with(world, "president", end - MICROSECOND) == [NORTH]
    assert await units_with(world, "president", end) == []
    one = {("president", UNVERIFIED): 1}
    assert await tally(world, at=BEGINNING - MICROSECOND) == {}
    assert await tally(world, at=BEGINNING) == one
    assert await tally(world, at=end - MICROSECOND) == one
    assert await tally(world, at=end) == {}
    assert await tally(world, [NORTH], at=BEGINNING - MICROSECOND) == {}
    assert await tally(world, [NORTH], at=end - MICROSECOND) == one
    assert await tally(world, [NORTH], at=end) == {}


async def test_appointments_are_counted_by_position_and_verification(world: World) -> None:
    fresh, old = BEGINNING - HOUR, BEGINNING - 11 * HOUR
    await world.write(
        an_appointment(1, unit_id=NORTH, verified_at=fresh),
        an_appointment(2, unit_id=NORTH, verified_at=old),
        an_appointment(3, unit_id=SOUTH, verified_at=fresh),
        an_appointment(4, unit_id=SOUTH),
        an_appointment(5, unit_id=SOUTH, position="secretary"),
        an_appointment(6, unit_id=EAST, position="secretary"),
    )

    assert await tally(world) == {
        ("president", VERIFIED): 2,
        ("president", STALE): 1,
        ("president", UNVERIFIED): 1,
        ("secretary", UNVERIFIED): 2,
    }
    assert await tally(world, [NORTH]) == {("president", VERIFIED): 1, ("president", STALE): 1}
    assert await tally(world, [SOUTH, EAST, SOUTH, UnitId("absent")]) == {
        ("president", VERIFIED): 1,
        ("president", UNVERIFIED): 1,
        ("secretary", UNVERIFIED): 2,
    }
    assert await tally(world, []) == {}


async def test_what_was_verified_just_then_is_not_older(world: World) -> None:
    await world.write(an_appointment(verified_at=BEGINNING))

    assert await tally(world, verified_since=BEGINNING) == {("president", VERIFIED): 1}
    later = BEGINNING + MICROSECOND
    assert await tally(world, verified_since=later) == {("president", STALE): 1}


async def test_a_stranger_has_nobody(world: World) -> None:
    assert await units_with(world, "president") == []
    assert await tally(world) == {}
    assert await tally(world, [NORTH]) == {}
