"""Rajasthan, re-organised twice: 7 divisions and 33 districts, then 10 and 50, then 7 and 41."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from services.hierarchy.translate.values import timestamp
from tests.builders_hierarchy import a_blueprint, a_request_id
from tests.hierarchy_server import Hierarchy, import_messages, running
from tests.unit.hierarchy.rajasthan import (
    BOOTHS,
    LEVELS,
    Change,
    Key,
    changes,
    read,
    rows_of_2023,
)

Parents = dict[Key, Key | None]
CONSTITUENCIES = 200
DAY = timedelta(days=1)
FIRST, SECOND = datetime(2023, 8, 7, tzinfo=UTC), datetime(2024, 12, 28, tzinfo=UTC)


def counts_with(divisions: int, districts: int) -> dict[str, int]:
    return {
        "state": 1,
        "division": divisions,
        "district": districts,
        "constituency": CONSTITUENCIES,
        "booth": CONSTITUENCIES * BOOTHS,
    }


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    """The tree of 2023, asked in 2025."""
    clock = FakeClock(datetime(2025, 1, 1, tzinfo=UTC))
    async with running(tmp_path, clock) as server:
        await server.put(a_blueprint(LEVELS))
        report = await server.send_import(
            import_messages(list(rows_of_2023()), effective_at=datetime(2023, 1, 1, tzinfo=UTC))
        )
        assert report.error_count == 0
        yield server


async def reorganise(
    hierarchy: Hierarchy, run: Sequence[Change], *, validate_only: bool = False
) -> pb.ReorganisationReport:
    request = pb.ReorganiseRequest(
        steps=[each.step for each in run],
        request_id=a_request_id(),
        validate_only=validate_only,
        effective_at=timestamp(run[0].effective_at),
    )
    reply: pb.ReorganiseResponse = await hierarchy.call("Reorganise", request)
    return reply.report


def runs() -> list[list[Change]]:
    """The changes of each day."""
    return [list(run) for _, run in groupby(changes(), key=lambda each: each.effective_at)]


async def counts(hierarchy: Hierarchy, at: datetime | None = None) -> dict[str, int]:
    request = pb.CountUnitsRequest(as_of=timestamp(at) if at else None)
    reply: pb.CountUnitsResponse = await hierarchy.call("CountUnits", request)
    return {each.level: each.unit_count for each in reply.counts}


async def parents_of_all(hierarchy: Hierarchy, at: datetime | None = None) -> Parents:
    """Who is under whom, as the descendants of nothing tell."""
    request = pb.ListDescendantsRequest(as_of=timestamp(at) if at else None)
    units: list[pb.Unit] = []
    async with hierarchy.around("ListDescendants") as options:
        stream: Any = hierarchy.stub.ListDescendants(request, **options)
        async for page in stream:
            assert len(page.units) <= 500
            units += page.units
    keys: dict[str, Key] = {unit.id: (unit.level, unit.code) for unit in units}
    assert len(set(keys.values())) == len(units), "a code stands twice"
    met = {""}
    for unit in units:
        assert unit.parent_id in met, "no parent before it"
        met.add(unit.id)
    return {keys[unit.id]: keys[unit.parent_id] if unit.parent_id else None for unit in units}


def expected() -> tuple[Parents, Parents, Parents]:
    """Who is under whom before, between and after."""
    before: Parents = {
        (row.key.level, row.key.code): (row.parent.level, row.parent.code)
        if row.has_parent
        else None
        for row in rows_of_2023()
    }
    states = [before]
    for run in runs():
        after = dict(states[-1])
        for each in run:
            each.apply(after)
        states.append(after)
    first, second, third = states
    return first, second, third


async def test_the_state_is_re_organised_twice_and_its_past_stays_true(
    hierarchy: Hierarchy,
) -> None:
    before, between, after = expected()
    assert await counts(hierarchy) == counts_with(7, 33)

    first, second = runs()
    reports = [await reorganise(hierarchy, run) for run in (first, second)]

    assert [(each.created_count, each.closed_count) for each in reports] == [(20, 0), (0, 12)]
    assert [each.applied for each in reports] == [True, True]
    for at, parents, divisions, districts in (
        (FIRST - DAY, before, 7, 33),
        (FIRST - timedelta(microseconds=1), before, 7, 33),
        (FIRST, between, 10, 50),
        (SECOND - DAY, between, 10, 50),
        (SECOND, after, 7, 41),
        (None, after, 7, 41),
    ):
        assert await counts(hierarchy, at) == counts_with(divisions, districts)
        assert await parents_of_all(hierarchy, at) == parents
        booths = [above for (level, _), above in parents.items() if level == "booth"]
        assert len(booths) == CONSTITUENCIES * BOOTHS
        assert {above[0] for above in booths if above} == {"constituency"}


async def test_a_preview_says_what_the_re_organisation_then_does(hierarchy: Hierarchy) -> None:
    run = runs()[0]
    preview = await reorganise(hierarchy, run, validate_only=True)
    assert await counts(hierarchy) == counts_with(7, 33)

    done = await reorganise(hierarchy, run)

    moved = 9 + sum(len(each.taken) for each in run)
    assert (preview.applied, done.applied) == (False, True)
    assert (preview.tree_version, done.tree_version) == (1, 2)
    for report in (preview, done):
        assert (report.created_count, report.moved_count) == (20, moved)
        assert report.updated_count == report.closed_count == 0
        assert len(report.changes) == 20 + moved
    assert preview.carried_count == done.carried_count == carried_by(run)


def carried_by(run: Sequence[Change]) -> int:
    """Units under those that move and not among them: each once."""
    before = expected()[0]
    moved = {key for each in run for key in (*each.taken, each.key) if key in before}

    def is_carried(key: Key) -> bool:
        above = before[key]
        while above is not None and above not in moved:
            above = before[above]
        return above is not None and key not in moved

    return sum(map(is_carried, before))


async def test_a_district_that_came_and_went_is_told_of(hierarchy: Hierarchy) -> None:
    for run in runs():
        await reorganise(hierarchy, run)
    dudu = pb.GetUnitRequest(
        key=pb.UnitKey(level="district", code="DDU"), as_of=timestamp(SECOND - DAY)
    )
    unit: pb.Unit = (await hierarchy.call("GetUnit", dudu)).unit

    request = pb.ListUnitHistoryRequest(unit_id=unit.id)
    history: pb.ListUnitHistoryResponse = await hierarchy.call("ListUnitHistory", request)

    (only,) = history.versions
    assert (only.names.by_language["hi"], only.code) == ("दूदू", "DDU")
    assert (only.since, only.valid_to) == (timestamp(FIRST), timestamp(SECOND))
    jaipur = await hierarchy.unit("district", "JPR")
    assert list(history.successor_ids) == [jaipur.id]


async def test_a_booth_lay_in_the_district_of_its_time(hierarchy: Hierarchy) -> None:
    for run in runs():
        await reorganise(hierarchy, run)
    # Of the constituency of Dudu, number 45.
    booth = await hierarchy.unit("booth", "45-1")

    async def line(at: datetime) -> list[str]:
        request = pb.ListAncestorsRequest(unit_id=booth.id, as_of=timestamp(at))
        reply: pb.ListAncestorsResponse = await hierarchy.call("ListAncestors", request)
        return [each.code for each in reply.units]

    assert await line(FIRST - DAY) == ["45", "JPR", "JPR", "RJ"]
    assert await line(FIRST) == ["45", "DDU", "JPR", "RJ"]
    assert await line(SECOND - DAY) == ["45", "DDU", "JPR", "RJ"]
    assert await line(SECOND) == ["45", "JPR", "JPR", "RJ"]


def test_the_facts_are_whole() -> None:
    assert [len(read(each)) for each in ("divisions", "districts")] == [7, 33]
    assert [each.row["seq"] for each in changes()] == [str(seq) for seq in range(1, 51)]
