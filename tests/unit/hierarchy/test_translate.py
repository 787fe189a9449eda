"""Messages and values: what goes out comes back the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidInput
from services.hierarchy.adapters.records import (
    blueprint_from_json,
    blueprint_to_json,
    change_from_record,
    change_to_record,
    instant_of,
    microseconds,
    names_from_json,
    names_to_json,
    report_from_json,
    report_to_json,
)
from services.hierarchy.domain.events import BlueprintChanged, Event, TreeChanged
from services.hierarchy.domain.model import (
    ImportReport,
    LocalizedText,
    Place,
    RowError,
    TenantId,
    UnitId,
    UnitKey,
    UnitRow,
    UnitWithCounts,
)
from services.hierarchy.ports import SiblingKey
from services.hierarchy.translate import requests
from services.hierarchy.translate.imports import report_to_proto, row_from_proto
from services.hierarchy.translate.values import (
    blueprint_from_proto,
    blueprint_to_proto,
    draft_from_proto,
    event_to_bytes,
    names_from_proto,
    names_to_proto,
    place_from_proto,
    place_to_proto,
    unit_to_proto,
)
from tests.builders_hierarchy import a_blueprint, a_unit
from tests.hierarchy_server import row_to_proto
from tests.strategies import NAMES, PLACES, valid_trees

INSTANTS = st.integers(0, 7_000_000_000_000_000).map(instant_of)  # until the year 2191
REPORTS = st.builds(
    ImportReport,
    row_count=st.integers(0, 200_000),
    tree_version=st.integers(0, 2**40),
    created_count=st.integers(0, 200_000),
    error_count=st.integers(0, 10),
    errors=st.lists(
        st.builds(RowError, st.integers(0, 2**31 - 1), st.text(), st.text(), st.text()), max_size=3
    ).map(tuple),
    applied=st.booleans(),
)
EVENTS = st.builds(
    Event,
    tenant=st.just(TenantId("neem")),
    sequence=st.integers(1, 2**40),
    occurred_at=INSTANTS,
    change=st.builds(TreeChanged, st.integers(1, 2**40))
    | st.builds(BlueprintChanged, st.integers(1, 2**40)),
)


def test_blueprints() -> None:
    blueprint = replace(a_blueprint(), version=5)

    assert blueprint_from_proto(blueprint_to_proto(blueprint), version=5) == blueprint
    assert blueprint_from_json(blueprint_to_json(blueprint)) == blueprint
    assert draft_from_proto(blueprint_to_proto(blueprint), "x") == replace(blueprint, version=0)


@given(NAMES)
def test_names(names: LocalizedText) -> None:
    assert names_from_proto(names_to_proto(names)) == names
    assert names_from_json(names_to_json(names)) == names


@given(PLACES)
def test_places(place: Place | None) -> None:
    if place is not None:
        assert place_from_proto(place_to_proto(place)) == place


@given(valid_trees(max_units=8))
def test_rows(rows: list[UnitRow]) -> None:
    assert [row_from_proto(row_to_proto(row)) for row in rows] == rows


def test_a_row_with_half_a_parent_keeps_the_half() -> None:
    assert row_from_proto(pb.UnitRow(parent_code="RJ")).parent == UnitKey("", "RJ")
    assert row_from_proto(pb.UnitRow(parent_level="state")).has_parent
    assert not row_from_proto(pb.UnitRow()).has_parent


@given(REPORTS)
def test_reports(report: ImportReport) -> None:
    assert report_from_json(report_to_json(report)) == report
    message = report_to_proto(report)
    assert (message.row_count, message.applied) == (report.row_count, report.applied)
    assert [(e.row, e.field, e.reason, e.description) for e in message.errors] == [
        (e.row, e.field, e.reason, e.description) for e in report.errors
    ]


@given(EVENTS)
def test_events(event: Event) -> None:
    assert change_from_record(*change_to_record(event.change)) == event.change
    message = pb.HierarchyEvent.FromString(event_to_bytes(event))
    assert message.sequence == event.sequence
    assert message.occurred_at.ToDatetime(UTC) == event.occurred_at
    match event.change:
        case TreeChanged(version):
            assert message.tree_changed.tree_version == version
        case BlueprintChanged(version):
            assert message.blueprint_changed.blueprint_version == version
    # The same event is the same bytes, so that a repeat can be told from another event.
    assert event_to_bytes(event) == event_to_bytes(replace(event))


@given(INSTANTS)
def test_instants(instant: datetime) -> None:
    assert instant.tzinfo is UTC
    assert instant_of(microseconds(instant)) == instant


def test_units() -> None:
    unit = replace(a_unit(parent_id="p"), place=Place(0.0, 0.0))

    message = unit_to_proto(UnitWithCounts(unit, 2, 5))

    assert (message.id, message.parent_id, message.etag) == (unit.id, "p", unit.etag)
    assert message.HasField("place")  # zero degrees are a place
    assert (message.child_count, message.subtree_count) == (2, 5)
    assert not unit_to_proto(UnitWithCounts(a_unit(), 0, 1)).HasField("place")


@given(st.text("abz019._-", min_size=1, max_size=64), st.sampled_from(("booth", "mandal")))
def test_page_tokens(code: str, level: str) -> None:
    parent = UnitId("00000000-0000-4000-8000-000000000001")
    token = requests.children_page_token("neem", parent, UnitKey(level, code))

    request = pb.ListChildrenRequest(parent_id=parent, page_token=token)

    page = requests.children_page_from_proto(request, "neem")
    assert page == requests.ChildrenPage(parent, 100, SiblingKey(code, level))
    with pytest.raises(InvalidInput):
        requests.children_page_from_proto(request, "peepal")
