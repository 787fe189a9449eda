"""The port `Counting` against counting by hand."""

from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidInput
from kit.ids import uuid_text
from services.messaging.adapters import counting
from services.messaging.adapters.counting import NumpyCounting
from services.messaging.domain.deliveries import SETTLED, DeliveryState
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import UnitId
from services.messaging.domain.progress import Counts, Ledger, Split
from tests.unit.messaging.support import group_ids

LEVELS = ("state", "district", "booth")


@st.composite
def a_counted(draw: st.DrawFn) -> tuple[Ledger, Frame]:
    """A ledger and a frame over it, where each unit may have deliveries of its own."""
    parents, levels, starts, ends = array("i"), array("i"), array("i"), array("i")
    count = 0

    def add(level: int, parent: int) -> None:
        nonlocal count
        at = len(parents)
        for values, value in ((parents, parent), (levels, level), (starts, count), (ends, 0)):
            values.append(value)
        count += draw(st.integers(0, 2))
        if level + 1 < len(LEVELS):
            for _ in range(draw(st.integers(0, 3))):
                # A level may be left out.
                add(draw(st.integers(level + 1, len(LEVELS) - 1)), at)
        ends[at] = count

    for _ in range(draw(st.integers(1, 2))):
        add(0, -1)
    states = draw(st.binary(min_size=count, max_size=count).map(lambda raw: bytes(map(_low, raw))))
    return Ledger((1,), states), Frame(
        LEVELS, group_ids(len(parents)), parents, levels, starts, ends
    )


def _low(byte: int) -> int:
    return byte % 8


def by_hand(states: bytes) -> Counts:
    found = Counter(states)
    return Counts(tuple(found[state] for state in DeliveryState))


@given(a_counted(), st.sampled_from(LEVELS), st.data())
def test_counts_are_those_of_the_slices(
    counted: tuple[Ledger, Frame], level: str, data: st.DataObject
) -> None:
    ledger, frame = counted
    within = data.draw(st.none() | st.integers(0, frame.size - 1))
    unit_id = None if within is None else UnitId(uuid_text(frame.unit_at(within)))

    tally = NumpyCounting().tally(ledger, frame, Split(level, unit_id))

    assert tally.counts == by_hand(ledger.states)
    rows = [
        row
        for row in range(frame.size)
        if LEVELS[frame.unit_levels[row]] == level and _lies_in(frame, row, within)
    ]
    assert [each.unit_id for each in tally.by_unit] == [
        uuid_text(frame.unit_at(row)) for row in rows
    ]
    assert [each.counts for each in tally.by_unit] == [
        by_hand(ledger.states[frame.starts[row] : frame.ends[row]]) for row in rows
    ]


def _lies_in(frame: Frame, row: int, within: int | None) -> bool:
    while within is not None and row >= 0:
        if row == within:
            return True
        row = frame.parents[row]
    return within is None


@given(a_counted(), st.sets(st.sampled_from(list(DeliveryState)), min_size=1), st.integers(1, 9))
def test_selects_the_first_in_the_range(
    counted: tuple[Ledger, Frame], states: set[DeliveryState], limit: int
) -> None:
    ledger, _ = counted
    end = max(0, len(ledger.states) - 1)
    found = NumpyCounting().select(ledger, states, (1, end), limit)
    expected = [at for at in range(1, end) if ledger.states[at] in states]
    assert found == expected[:limit]


@given(st.binary(min_size=1).map(lambda raw: bytes(map(_low, raw))))
def test_all_settled_means_all(states: bytes) -> None:
    expected = all(state in SETTLED for state in states)
    assert NumpyCounting().all_settled(Ledger((1,), states)) == expected


def test_a_ledger_that_changes_is_counted_anew_by_the_labels_that_are_kept() -> None:
    frame = Frame(
        LEVELS, group_ids(1), array("i", [-1]), array("i", [0]), array("i", [0]), array("i", [3])
    )
    counter = NumpyCounting()
    for states in (b"\0\0\0", b"\4\0\0", b"\4\5\7"):
        [unit] = counter.tally(Ledger((1,), states), frame, Split("state")).by_unit
        assert unit.counts == by_hand(states)


def test_a_split_that_would_not_fit_an_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_ROWS", 2)
    size = 3
    frame = Frame(
        LEVELS,
        group_ids(size),
        array("i", [-1] * size),
        array("i", [0] * size),
        array("i", range(size)),
        array("i", range(1, size + 1)),
    )
    with pytest.raises(InvalidInput) as refused:
        NumpyCounting().tally(Ledger((1,), bytes(size)), frame, Split("state"))
    assert refused.value.reason == "SPLIT_TOO_LARGE"
    assert refused.value.violations[0].field == "split.level"
