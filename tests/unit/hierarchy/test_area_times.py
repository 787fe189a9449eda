"""When areas were: of one kind and code never two at a time, whatever is told late."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidInput
from services.hierarchy.domain.area_changes import AreaEntry, PutAreas, decide_areas
from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import UnitKey
from services.hierarchy.domain.transfers import AreaRow, decide_area_rows
from tests.builders_hierarchy import a_request_id, a_small_tree, text
from tests.unit.hierarchy.deciding import HOUR, START, Deciding, only
from tests.unit.hierarchy.reorganising import refs

KIND = "seat"
UNITS = ("mandal M1", "mandal M2", "booth B1")
# What is told of one area: whether it ends, since how many hours ago (None: now), with which units.
TOLD = st.lists(
    st.tuples(
        st.booleans(), st.none() | st.integers(0, 6), st.none() | st.sets(st.sampled_from(UNITS))
    ),
    max_size=12,
)


@pytest.fixture
def tenant() -> Deciding:
    return started()


def started() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree())
    tenant.now = START + HOUR
    return tenant


def put(
    tenant: Deciding,
    *units: str,
    at: datetime | None = None,
    closed: bool = False,
    sets_units: bool = True,
) -> Sequence[Area]:
    said = refs(*units) if sets_units and not closed else None
    entry = AreaEntry(KIND, "45", text("Dudu"), said, closed)
    request = PutAreas(a_request_id(), (entry,), effective_at=at)
    return tenant.write(lambda moment: decide_areas(request, moment)).areas


def refusal(tenant: Deciding, at: datetime) -> tuple[str, str, str]:
    before = dict(tenant.records), tenant.header
    with pytest.raises(InvalidInput) as refused:
        put(tenant, at=at)
    assert (tenant.records, tenant.header) == before
    fault = only(refused.value.violations)
    return fault.field, fault.reason, fault.description


def ended_at_three(tenant: Deciding) -> Area:
    """An area that was from the first hour until the third; now it is the fifth."""
    put(tenant, "mandal M1")
    tenant.now = START + 3 * HOUR
    put(tenant, closed=True)
    tenant.now = START + 5 * HOUR
    return only(tenant.all(Area))


@pytest.mark.parametrize("hours", [0, 1, 2])
def test_an_area_does_not_begin_before_the_last_one_like_it_ended(
    tenant: Deciding, hours: int
) -> None:
    ended_at_three(tenant)

    assert refusal(tenant, START + hours * HOUR) == (
        "areas[0].area.code",
        "BEFORE_LAST_CHANGE",
        "another seat 45 ended at 2026-01-01T03:00:00+00:00: not before that",
    )


def test_it_begins_where_the_last_one_ended(tenant: Deciding) -> None:
    ended = ended_at_three(tenant)

    (area,) = put(tenant, at=START + 3 * HOUR)

    assert (area.valid_from, area.valid_to) == (ended.valid_to, None)
    assert area.id != ended.id


def test_one_that_never_was_is_in_nobodys_way(tenant: Deciding) -> None:
    """It was closed from before its beginning on."""
    put(tenant)
    put(tenant, closed=True, at=START)
    never = only(tenant.all(Area))
    assert never.valid_from == never.valid_to

    (area,) = put(tenant, at=START)

    assert area.valid_from == START


@pytest.mark.parametrize("by_rows", [False, True], ids=["put", "rows"])
def test_a_clock_that_is_behind_begins_where_another_ended(tenant: Deciding, by_rows: bool) -> None:
    """Of two processes, the one whose clock is behind is told of the area next."""
    ended = ended_at_three(tenant)
    tenant.now = START + 3 * HOUR - timedelta(milliseconds=5)

    if by_rows:
        rows = [AreaRow(2, KIND, "45", text("Dudu"), (UnitKey("mandal", "M1"),))]
        assert tenant.write(lambda moment: decide_area_rows(rows, moment)).created_count == 1
    else:
        put(tenant, "mandal M1")

    begun = only(area for area in tenant.all(Area) if area.valid_to is None)
    link = only(link for link in tenant.all(AreaLink) if link.valid_to is None)
    assert begun.valid_from == link.valid_from == ended.valid_to


@given(TOLD)
def test_whatever_is_told_no_time_has_two(
    told: Sequence[tuple[bool, int | None, set[str] | None]],
) -> None:
    tenant = started()
    for closed, hours, units in told:
        at = None if hours is None else tenant.now - hours * HOUR
        with suppress(InvalidInput):
            put(tenant, *(units or ()), at=at, closed=closed, sets_units=units is not None)
        tenant.now += HOUR

    areas = tenant.all(Area)
    assert_apart(areas)
    assert tenant.header.counts.areas == sum(area.valid_to is None for area in areas)
    for area in areas:
        links = [link for link in tenant.all(AreaLink) if link.area_id == area.id]
        for unit_id in {link.unit_id for link in links}:
            assert_apart(link for link in links if link.unit_id == unit_id)
        for link in links:
            assert area.valid_from <= link.valid_from
            assert area.valid_to is None or (link.valid_to and link.valid_to <= area.valid_to)


def assert_apart(records: Iterable[Area | AreaLink]) -> None:
    spans = sorted(
        (each.valid_from, each.valid_to or datetime.max.replace(tzinfo=START.tzinfo))
        for each in records
        if each.valid_to != each.valid_from
    )
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
