"""Imports as a store writes them: what is past afterwards, when it was so, and how many may be."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidInput
from services.hierarchy.domain.errors import BlueprintNotFound, QuotaExceeded
from services.hierarchy.domain.events import AccessChanged, TreeChanged
from services.hierarchy.domain.imports import decide_import
from services.hierarchy.domain.model import UnitRow
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.domain.unit_changes import UnitEdit
from tests.builders_hierarchy import a_row, a_small_tree, an_import
from tests.strategies import valid_trees
from tests.unit.hierarchy.deciding import HOUR, START, Deciding, only

RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@pytest.fixture
def neem() -> Deciding:
    deciding = Deciding()
    deciding.start(*a_small_tree())
    return deciding


def test_the_header_knows_what_stands(neem: Deciding) -> None:
    header = neem.header
    assert header.used_levels == {"state": 1, "district": 2, "mandal": 2, "booth": 2}
    assert (header.counts.units, header.tree_version, header.access_version) == (7, 1, 2)
    assert header.changed_until == START
    assert neem.told[-2:] == [TreeChanged(1), AccessChanged(2)]


def test_a_move_ends_what_was(neem: Deciding) -> None:
    before = neem.unit(*M1)
    neem.now = START + HOUR

    report = neem.load(a_row(*M1, under=AJM), a_row(*JPR, under=RJ))

    assert (report.updated_count, report.unchanged_count, report.tree_version) == (1, 1, 2)
    after = neem.unit(*M1)
    assert (after.id, after.parent_id) == (before.id, neem.unit(*AJM).id)
    assert (after.valid_from, after.since, after.revision) == (START, START + HOUR, 2)
    assert only(neem.all(PastUnit)) == PastUnit(before, START + HOUR, 2, closed=False)


def test_two_changes_of_one_instant_leave_one_past(neem: Deciding) -> None:
    neem.now = START + HOUR
    neem.load(a_row(*RJ, name="First"))
    neem.load(a_row(*RJ, name="Second"))

    assert only(neem.past(*RJ)).unit.revision == 1
    assert (neem.unit(*RJ).revision, neem.unit(*RJ).since) == (3, START + HOUR)


def test_rows_may_be_true_from_an_instant_that_has_passed(neem: Deciding) -> None:
    neem.now = START + 3 * HOUR

    neem.load(a_row("booth", "B3", under=M1), effective_at=START + HOUR)

    booth = neem.unit("booth", "B3")
    assert (booth.valid_from, booth.since) == (START + HOUR, START + HOUR)
    assert neem.header.changed_until == START + HOUR
    neem.load(a_row("booth", "B4", under=M1))
    assert neem.unit("booth", "B4").since == START + 3 * HOUR


@pytest.mark.parametrize(
    ("hours", "reason"), [(1, "BEFORE_LAST_CHANGE"), (4, "IN_FUTURE")], ids=["past", "future"]
)
def test_rows_of_another_time_are_refused(neem: Deciding, hours: int, reason: str) -> None:
    neem.now = START + 3 * HOUR
    neem.load(a_row(*RJ, name="First"), effective_at=START + 2 * HOUR)
    request = an_import(a_row(*RJ, name="Other"), effective_at=START + hours * HOUR)

    with pytest.raises(InvalidInput) as refused:
        neem.write(partial(decide_import, request))

    violation = only(refused.value.violations)
    assert (violation.field, violation.reason) == ("header.effective_at", reason)


def test_what_changes_nothing_writes_nothing_and_moves_no_time(neem: Deciding) -> None:
    neem.now = START + HOUR

    decision = neem.decide(partial(decide_import, an_import(*a_small_tree())))

    assert not decision.changes_anything
    assert (decision.answer.unchanged_count, decision.answer.applied) == (7, False)


def test_a_preview_tells_and_counts(neem: Deciding) -> None:
    rows = [a_row("booth", "B3", under=M1)]
    preview = neem.decide(partial(decide_import, an_import(*rows, validate_only=True)))

    assert (preview.answer.created_count, preview.answer.applied) == (1, False)
    assert preview.answer.tree_version == 1


def test_more_units_than_the_tenant_may_have_are_refused(neem: Deciding) -> None:
    neem.quota(units=8)
    rows = [a_row("booth", f"N{n}", under=M1) for n in range(2)]

    for validate_only in (True, False):
        with pytest.raises(QuotaExceeded):
            neem.decide(partial(decide_import, an_import(*rows, validate_only=validate_only)))
    assert neem.load(rows[0]).created_count == 1
    assert neem.load(a_row(*RJ, name="Renamed")).updated_count == 1


def test_rows_need_levels() -> None:
    with pytest.raises(BlueprintNotFound):
        Deciding().decide(partial(decide_import, an_import(*a_small_tree())))


@given(st.lists(valid_trees(max_units=6), min_size=1, max_size=4))
def test_the_slices_of_a_unit_follow_each_other(files: list[list[UnitRow]]) -> None:
    """Whatever files come after each other: no gap, no overlap, and the sums hold."""
    deciding = Deciding()
    deciding.start()
    for rows in files:
        deciding.now += HOUR
        deciding.write(partial(decide_import, an_import(*rows)))

    units = [record for record in deciding.records.values() if not isinstance(record, PastUnit)]
    assert deciding.header.counts.units == len(units)
    assert sum(deciding.header.used_levels.values()) == len(units)
    for each in deciding.all(PastUnit):
        assert each.unit.since < each.until
        line = deciding.past(*each.unit.key)
        ends = [past.until for past in line]
        begins = [*(past.unit.since for past in line), deciding.unit(*each.unit.key).since]
        assert begins[1:] == ends
        assert begins[0] == each.unit.valid_from


def test_a_move_is_told_from_another_name(neem: Deciding) -> None:
    unit = neem.unit(*M1)
    assert not UnitEdit(unit, unit).is_move
    assert not UnitEdit(None, unit).is_move
    assert not UnitEdit(unit, None).is_move
