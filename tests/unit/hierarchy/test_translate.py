"""Messages and values: what goes out comes back the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidInput
from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentChange,
    AppointmentsChanged,
    BlueprintChanged,
    Change,
    Event,
    PersonsErased,
    TenantChanged,
    TreeChanged,
    WatchChange,
    WatchesChanged,
)
from services.hierarchy.domain.model import (
    Grant,
    ImportReport,
    LocalizedText,
    Place,
    Position,
    RowError,
    TeamKind,
    TenantId,
    UnitId,
    UnitKey,
    UnitRow,
    UnitWithCounts,
)
from services.hierarchy.domain.people import AppointmentId, PersonId
from services.hierarchy.domain.teams import WatchId
from services.hierarchy.domain.tenants import TenantStatus
from services.hierarchy.ports import SiblingKey
from services.hierarchy.translate import requests
from services.hierarchy.translate.blueprints import (
    blueprint_from_proto,
    blueprint_to_proto,
    draft_from_proto,
)
from services.hierarchy.translate.events import event_to_bytes
from services.hierarchy.translate.imports import report_to_proto, row_from_proto
from services.hierarchy.translate.values import (
    instant,
    instant_or_none,
    names_from_proto,
    names_to_proto,
    place_from_proto,
    place_to_proto,
    timestamp,
    unit_to_proto,
)
from tests.builders_hierarchy import a_blueprint, a_unit, text
from tests.hierarchy_server import row_to_proto
from tests.strategies import NAMES, PLACES, valid_trees

INSTANTS = st.datetimes(timezones=st.just(UTC))
UNIT, PERSON = UnitId("a-unit"), PersonId("a-person")
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
APPOINTMENT = AppointmentChange(AppointmentId("one"), PERSON, UNIT, "president", None)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def test_blueprints() -> None:
    blueprint = replace(a_blueprint(), version=5)
    sent = blueprint_to_proto(blueprint)

    assert blueprint_from_proto(sent, version=5) == blueprint
    assert draft_from_proto(sent, "x") == replace(blueprint, version=0)


def test_positions_and_kinds_of_team() -> None:
    grants = (Grant("view"), Grant("compose", ("farmers",), ("category",)))
    blueprint = replace(
        a_blueprint(),
        positions=(
            Position("president", text("President"), ("state", "district"), 1, ("head",), grants),
            Position("member", text("Member"), ("state",), 0),
        ),
        team_kinds=(TeamKind("core", text("Core"), ("mandal",), 9),),
        centre_level="state",
        verification_days=90,
    )

    assert blueprint_from_proto(blueprint_to_proto(blueprint), version=0) == blueprint


def test_who_says_nothing_of_verification_means_180_days() -> None:
    assert blueprint_from_proto(pb.Blueprint(), version=0).verification_days == 180
    assert blueprint_from_proto(pb.Blueprint(verification_days=1), version=0).verification_days == 1


@given(NAMES)
def test_names(names: LocalizedText) -> None:
    assert names_from_proto(names_to_proto(names)) == names


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
    message = report_to_proto(report)
    assert (message.row_count, message.applied) == (report.row_count, report.applied)
    assert [(e.row, e.field, e.reason, e.description) for e in message.errors] == [
        (e.row, e.field, e.reason, e.description) for e in report.errors
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (TreeChanged(7), {"treeChanged": {"treeVersion": "7"}}),
        (BlueprintChanged(2), {"blueprintChanged": {"blueprintVersion": "2"}}),
        (
            AppointmentsChanged((APPOINTMENT, replace(APPOINTMENT, ends_at=LATER))),
            {
                "appointmentsChanged": {
                    "changes": [
                        {
                            "appointmentId": "one",
                            "personId": "a-person",
                            "unitId": "a-unit",
                            "position": "president",
                        }
                        | end
                        for end in ({}, {"endsAt": "2026-02-01T00:00:00Z"})
                    ]
                }
            },
        ),
        (
            WatchesChanged((WatchChange(WatchId("one"), PERSON, UNIT, LATER),)),
            {
                "watchesChanged": {
                    "changes": [
                        {
                            "watchId": "one",
                            "personId": "a-person",
                            "unitId": "a-unit",
                            "endsAt": "2026-02-01T00:00:00Z",
                        }
                    ]
                }
            },
        ),
        (PersonsErased((PERSON,)), {"personsErased": {"personIds": ["a-person"]}}),
        (AccessChanged(9), {"accessChanged": {"accessVersion": "9"}}),
        (TenantChanged(TenantStatus.SUSPENDED), {"tenantChanged": {"status": "suspended"}}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_events(change: Change, told: object) -> None:
    event = Event(TenantId("neem"), 3, LATER, change)

    message = pb.HierarchyEvent.FromString(event_to_bytes(event))

    frame = {"sequence": "3", "occurredAt": "2026-02-01T00:00:00Z"}
    assert MessageToDict(message) == frame | told  # type: ignore[operator]  # a mapping
    # The same event is the same bytes, so that a repeat can be told from another event.
    assert event_to_bytes(event) == event_to_bytes(replace(event))


@given(INSTANTS)
def test_instants(moment: datetime) -> None:
    assert instant(timestamp(moment), "x") == moment
    assert instant_or_none(pb.GetUnitRequest(as_of=timestamp(moment)), "as_of") == moment


def test_instants_may_be_absent_but_not_out_of_this_world() -> None:
    assert instant_or_none(pb.GetUnitRequest(), "as_of") is None
    for seconds, nanos in ((2**62, 0), (-(2**62), 0), (0, -5), (253402300800, 0)):
        request = pb.GetUnitRequest(as_of=Timestamp(seconds=seconds, nanos=nanos))
        with pytest.raises(InvalidInput) as refused:
            instant_or_none(request, "as_of")
        assert [(each.field, each.reason) for each in refused.value.violations] == [
            ("as_of", "OUT_OF_RANGE")
        ]


def test_units() -> None:
    unit = replace(a_unit(parent_id="p"), place=Place(0.0, 0.0))

    message = unit_to_proto(UnitWithCounts(unit, 2, 5))

    assert (message.id, message.parent_id, message.etag) == (unit.id, "p", unit.etag)
    assert message.HasField("place")  # zero degrees are a place
    assert (message.child_count, message.subtree_count) == (2, 5)
    assert message.since.ToDatetime(UTC) == unit.since
    assert not message.HasField("valid_to")
    past = unit_to_proto(UnitWithCounts(a_unit(), 0, 1, LATER))
    assert not past.HasField("place")
    assert past.valid_to.ToDatetime(UTC) == LATER


@pytest.mark.parametrize("at", [None, LATER])
@given(st.text("abz019._-", min_size=1, max_size=64), st.sampled_from(("booth", "mandal")))
def test_page_tokens(at: datetime | None, code: str, level: str) -> None:
    parent = UnitId("00000000-0000-4000-8000-000000000001")
    token = requests.children_page_token("neem", at, parent, UnitKey(level, code))
    as_of = timestamp(at) if at else None

    request = pb.ListChildrenRequest(parent_id=parent, page_token=token, as_of=as_of)

    page = requests.children_page_from_proto(request, "neem")
    assert page == requests.ChildrenPage(parent, 100, SiblingKey(code, level), at)
    with pytest.raises(InvalidInput):
        requests.children_page_from_proto(request, "peepal")
    request.as_of.CopyFrom(timestamp(datetime(2020, 1, 1, tzinfo=UTC)))
    with pytest.raises(InvalidInput):
        requests.children_page_from_proto(request, "neem")
