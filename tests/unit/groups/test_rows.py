"""Rows and runs: what a change writes, without a store."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.groups.adapters.redis import writing
from services.groups.adapters.redis.records import decode_group, encode_group
from services.groups.adapters.redis.rows import ROW, SortedColumn, empty_register
from services.groups.adapters.redis.runs import MOST_RUNS, runs_of
from services.groups.adapters.redis.writing import writing_of
from services.groups.domain.errors import RegisterFull
from services.groups.domain.model import Group
from services.groups.ports import Change, RequestKey
from tests.unit.groups.builders import TENANT, group, register_of
from tests.unit.groups.strategies import groups_of

SIZE = 5_000


def numbered(count: int) -> Any:
    rows = np.zeros(count, dtype=ROW)
    rows["members"] = np.arange(count)
    return rows


@given(st.lists(st.integers(0, SIZE - 1), max_size=200, unique=True), st.integers(0, 50))
def test_runs_bring_every_changed_row_and_no_wrong_one(changed: list[int], new: int) -> None:
    rows = numbered(SIZE + new)
    written = np.full(SIZE + new, -1, dtype=np.int64)
    for run in runs_of(rows, changed, SIZE):
        part = np.frombuffer(run.rows, dtype=ROW)
        written[run.start : run.start + len(part)] = part["members"]
    assert set(changed) | set(range(SIZE, SIZE + new)) <= set(np.flatnonzero(written >= 0).tolist())
    kept = np.flatnonzero(written >= 0)
    assert (written[kept] == kept).all()


def test_scattered_changes_are_still_few_runs() -> None:
    rows = numbered(400_000)
    runs = runs_of(rows, range(0, 400_000, 100), 400_000)
    assert len(runs) <= MOST_RUNS + 1


def test_far_changes_do_not_bring_what_lies_between() -> None:
    runs = runs_of(numbered(SIZE), [10, 4_000], SIZE)
    assert [(run.start, len(run.rows)) for run in runs] == [(10, 128), (4_000, 128)]


@given(st.data())
def test_a_column_that_grew_finds_what_a_new_one_finds(data: st.DataObject) -> None:
    words = st.lists(st.binary(min_size=1, max_size=3), unique=True, max_size=12)
    values = data.draw(words)
    cut = data.draw(st.integers(0, len(values)))
    asked = [*values, *data.draw(words)]
    # As ids are: all of one length, and NUL is a byte like any other.
    packed = np.array([each.ljust(4, b"x") for each in values], dtype="S4")
    wanted = np.array([each.ljust(4, b"x") for each in asked], dtype="S4")

    grown = SortedColumn.of(packed[:cut]).appended(packed[cut:])

    place = {each: index for index, each in enumerate(packed.tolist())}
    assert grown.find(wanted).tolist() == [place.get(each, -1) for each in wanted.tolist()]


@given(groups_of(["b-1", "b-2"], most=3))
def test_a_record_tells_its_group(groups: Sequence[Group]) -> None:
    for each in groups:
        assert decode_group(each.id, encode_group(each)) == each


@given(groups_of(["b-1", "b-2"], most=8))
def test_a_register_tells_its_groups(groups: Sequence[Group]) -> None:
    register = register_of(groups)
    ordinals = range(len(groups))
    assert register.identities(ordinals) == [each.identity for each in groups]
    assert register.digests(ordinals) == [each.content.digest() for each in groups]
    assert list(register.ordinals([each.content.code for each in groups])) == list(ordinals)
    assert list(register.ordinals_of_ids([each.id for each in groups])) == list(ordinals)


@pytest.mark.parametrize(("limit", "what"), [("MOST_GROUPS", "groups"), ("MOST_KEYS", "kinds")])
def test_a_register_that_is_full_says_what_of(
    monkeypatch: pytest.MonkeyPatch, limit: str, what: str
) -> None:
    monkeypatch.setattr(writing, limit, 2)
    created = [group("a", kind="x"), group("b", kind="y"), group("c", kind="z")]
    base = empty_register(TENANT)
    change = Change(base, created, [], 1, RequestKey("id", "hash"), "")
    with pytest.raises(RegisterFull) as full:
        writing_of(change, base, b"revision")
    assert full.value.fields() == {"what": what, "limit": "2"}
    assert full.value.message == f"a register holds at most 2 {what}"
