"""What every write of units does beside the units themselves: slices, versions, sums, quota."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kit.errors import InvalidInput, LimitExceeded
from services.hierarchy.domain.errors import QuotaExceeded
from services.hierarchy.domain.events import AccessChanged, TreeChanged
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.operations import Moment
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.domain.tenants import Counts, Quotas, TenantHeader
from services.hierarchy.domain.unit_changes import UnitEdit, change_units, effective_time
from tests.builders_hierarchy import a_unit, text
from tests.unit.hierarchy.deciding import HOUR, START

LATER = START + HOUR
STATE, DISTRICT = a_unit("state", "RJ"), a_unit("district", "JPR", parent_id="x")
HEADER = TenantHeader(
    TenantId("neem"),
    tree_version=4,
    levels_version=2,
    access_version=9,
    changed_until=START,
    counts=Counts(units=2, persons=5),
    used_levels={"state": 1, "district": 1},
)


def renamed(unit: Unit) -> Unit:
    return replace(unit, names=text("Another name"))


def test_a_changed_unit_ends_its_slice_and_begins_another() -> None:
    changed = change_units(HEADER, [UnitEdit(STATE, renamed(STATE))], LATER)

    assert list(changed.units) == [replace(renamed(STATE), since=LATER, revision=5)]
    assert list(changed.past) == [PastUnit(STATE, LATER, 5, closed=False)]
    assert list(changed.puts) == [*changed.past, *changed.units]
    assert list(changed.drops) == []


def test_a_slice_of_no_length_is_not_kept() -> None:
    changed = change_units(HEADER, [UnitEdit(STATE, renamed(STATE))], STATE.since)

    assert list(changed.past) == []
    assert list(changed.units) == [replace(renamed(STATE), revision=5)]


@pytest.mark.parametrize("until", [START, LATER])
def test_a_unit_that_ends_leaves_its_last_slice_and_its_successors(until: datetime) -> None:
    changed = change_units(HEADER, [UnitEdit(DISTRICT, None, (STATE.id,))], until)

    assert list(changed.past) == [PastUnit(DISTRICT, until, 5, True, (STATE.id,))]
    assert list(changed.drops) == [DISTRICT]
    assert list(changed.units) == []


def test_a_unit_that_begins_has_no_past() -> None:
    booth = a_unit("booth", "B1", parent_id="x")
    changed = change_units(HEADER, [UnitEdit(None, booth)], LATER)

    assert list(changed.puts) == [replace(booth, since=LATER, revision=5)]


def test_versions_sums_and_time_go_on_and_nothing_else_changes() -> None:
    edits = [
        UnitEdit(None, a_unit("booth", "B1")),
        UnitEdit(None, a_unit("booth", "B2")),
        UnitEdit(STATE, renamed(STATE)),
        UnitEdit(DISTRICT, None),
    ]

    changed = change_units(HEADER, edits, LATER)

    assert changed.header == replace(
        HEADER,
        tree_version=5,
        access_version=10,
        changed_until=LATER,
        counts=Counts(units=3, persons=5),
        used_levels={"booth": 2, "state": 1},
    )
    assert changed.changes == (TreeChanged(5), AccessChanged(10))


def test_a_quota_is_for_what_stands() -> None:
    full = replace(HEADER, quotas=Quotas(units=3))
    new = [UnitEdit(None, a_unit("booth", f"B{n}")) for n in range(2)]

    assert change_units(full, new[:1], LATER).header.counts.units == 3
    with pytest.raises(QuotaExceeded) as refused:
        change_units(full, new, LATER)
    assert isinstance(refused.value, LimitExceeded)
    assert refused.value.retry_after is None
    assert refused.value.fields() == {"quota": "units", "limit": "3"}
    assert change_units(full, [*new, UnitEdit(STATE, None)], LATER).header.counts.units == 3


def test_whoever_has_too_many_may_still_change_and_end_them() -> None:
    over = replace(HEADER, quotas=Quotas(units=1))

    assert change_units(over, [UnitEdit(STATE, renamed(STATE))], LATER).header.counts.units == 2
    assert change_units(over, [UnitEdit(DISTRICT, None)], LATER).header.counts.units == 1


def moment(header: TenantHeader = HEADER) -> Moment:
    return Moment(header, LATER, lambda: pytest.fail("no id is needed"))


def test_a_change_is_of_now_unless_it_says_otherwise() -> None:
    assert effective_time(moment(), None, "effective_at") == LATER
    for asked in (START, START + HOUR / 2, LATER):
        assert effective_time(moment(), asked, "effective_at") == asked
    assert effective_time(moment(TenantHeader(TenantId("new"))), START - HOUR, "x") == START - HOUR


def test_nothing_changes_before_what_changed_last_or_in_the_future() -> None:
    instant = timedelta(microseconds=1)
    for asked, reason, said in (
        (START - instant, "BEFORE_LAST_CHANGE", "2026-01-01T00:00:00+00:00"),
        (LATER + instant, "IN_FUTURE", "planned ahead"),
    ):
        with pytest.raises(InvalidInput) as refused:
            effective_time(moment(), asked, "header.effective_at")
        (violation,) = refused.value.violations
        assert (violation.field, violation.reason) == ("header.effective_at", reason)
        assert said in violation.description


def test_after_a_clock_that_is_ahead_time_stands_still() -> None:
    ahead = replace(HEADER, changed_until=LATER + HOUR)

    assert effective_time(moment(ahead), None, "effective_at") == LATER + HOUR
    assert effective_time(moment(ahead), LATER + HOUR, "effective_at") == LATER + HOUR
    with pytest.raises(InvalidInput):
        effective_time(moment(ahead), LATER, "effective_at")
