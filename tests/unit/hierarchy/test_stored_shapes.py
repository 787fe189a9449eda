"""What stores keep becomes the same value again, and has the columns that it is found by."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.adapters.records import (
    SHAPES,
    answer_from_json,
    answer_to_json,
    change_from_record,
    change_to_record,
    from_row,
    header_from_json,
    header_to_json,
    to_row,
)
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import ImportReport, LocalizedText, RowError, Unit
from services.hierarchy.domain.records import INDEXES, RECORD_TYPES, PastUnit, Record, joined_key
from services.hierarchy.domain.tenants import TenantHeader

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001  # the strategy wants bounds without a zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
NAMES = st.dictionaries(TEXT, TEXT, max_size=2).map(LocalizedText.of)


def some(of: Any) -> st.SearchStrategy[Any]:
    """Values of a type; instants are aware, and what maps tags to texts is in order."""
    if of is datetime:
        return INSTANTS
    if of is str or getattr(of, "__supertype__", None) is str:
        return TEXT
    if of is LocalizedText:
        return NAMES
    if of is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if of is int:
        return st.integers(0, 2**53)
    if hasattr(of, "__dataclass_fields__"):
        return st.builds(of, **{each.name: some(each.type) for each in fields(of)})
    return _some_of_many(of)


def _some_of_many(of: Any) -> st.SearchStrategy[Any]:
    inner, origin = get_args(of), get_origin(of)
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(some(inner[0]), max_size=3).map(tuple)
    if origin in (Union, UnionType):
        return st.one_of(*map(some, inner))
    if origin is Mapping:
        return st.dictionaries(some(inner[0]), some(inner[1]), max_size=3)
    assert origin is None, of
    return st.from_type(of)


@pytest.mark.parametrize("of", RECORD_TYPES, ids=lambda of: of.__name__)
@given(data=st.data())
def test_a_record_comes_back_from_its_row(of: type[Record], data: st.DataObject) -> None:
    record = data.draw(some(of))

    row = to_row(record)

    assert from_row(of, row) == record
    # A store may keep no column that has no value.
    assert from_row(of, {name: value for name, value in row.items() if value is not None}) == record
    assert all(value is None or type(value) in (str, int, float, bool) for value in row.values())
    assert tuple(sorted(row)) == tuple(sorted(SHAPES[of].columns))


def test_every_index_has_its_column() -> None:
    assert set(SHAPES) == set(RECORD_TYPES)
    for index in INDEXES:
        assert index.by in SHAPES[index.of].columns
    for shape in SHAPES.values():
        assert {shape.begins, shape.ends} - {""} <= set(shape.columns)


@given(unit=some(Unit), past=some(PastUnit))
def test_computed_columns_are_the_keys(unit: Unit, past: PastUnit) -> None:
    assert to_row(unit)["key"] == joined_key(unit.level, unit.code)
    row = to_row(past)
    assert (row["id"], row["unit_id"]) == (f"{past.unit.id}@{past.unit.revision}", past.unit.id)
    assert row["key"] == joined_key(*past.unit.key)


@given(header=some(TenantHeader))
def test_a_header_comes_back(header: TenantHeader) -> None:
    assert header_from_json(header_to_json(header)) == header


@pytest.mark.parametrize("of", get_args(Change), ids=lambda of: of.__name__)
@given(data=st.data())
def test_a_change_comes_back(of: type[Any], data: st.DataObject) -> None:
    change = data.draw(some(of))

    kind, content = change_to_record(change)

    assert change_from_record(kind, content) == change


@pytest.mark.parametrize(
    "of", [ImportReport, Unit, tuple[RowError, ...], tuple[Unit, ...]], ids=str
)
@given(data=st.data())
def test_an_answer_comes_back(of: Any, data: st.DataObject) -> None:
    answer = data.draw(some(of))

    assert answer_from_json(of, answer_to_json(of, answer)) == answer
