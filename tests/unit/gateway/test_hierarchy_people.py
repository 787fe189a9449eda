"""What the hierarchy's room tells of people: offices, teams, watches, who is asking."""

from datetime import UTC, datetime
from typing import Any

import pytest
from chaupal.hierarchy.v1 import access_pb2, hierarchy_pb2, people_pb2
from google.protobuf.message import Message

from gateway.graph.ids import encode_id
from kit.errors import Unavailable

from .examples import examples
from .fakes.servers import Client
from .fakes.world import stamp, uid

STATE = encode_id("Unit", uid("unit", "RJ"))
DIVISION = encode_id("Unit", uid("unit", "D0"))
DISTRICT = encode_id("Unit", uid("unit", "D0-00"))
PRESIDENT = encode_id("Person", uid("person", "president of D0-00"))
THEN = "2026-10-01T05:30:00+05:30"
THEN_STAMP = stamp(datetime(2026, 10, 1, tzinfo=UTC))
NOON = "2026-11-01T12:00:00+00:00"


async def ask(asking: Client, name: str, **variables: Any) -> Any:
    """The data of an example operation."""
    response = await asking.post(examples("hierarchy")[name].text, variables=variables)
    body = response.json()
    assert "errors" not in body, body["errors"]
    return body["data"]


async def test_a_desk_has_everything_of_a_page_of_units(asking: Client) -> None:
    (unit, *others) = (await ask(asking, "UnitDesk", parentId=DIVISION))["units"]["nodes"]
    assert [each["code"] for each in others] == ["D0-01", "D0-02"]
    assert (unit["validFrom"], unit["since"], unit["validTo"], unit["etag"]) == (
        NOON,
        NOON,
        None,
        "1",
    )
    assert unit["areas"] == [
        {"kind": "constituency", "code": "D0-00", "name": {"text": "Area D0-00"}}
    ]
    tenure = {
        "id": encode_id("Appointment", uid("appointment", "D0-00")),
        "position": "president",
        "validFrom": NOON,
        "validTo": None,
        "verifiedAt": None,
        "verification": "UNVERIFIED",
        "person": {"id": PRESIDENT, "name": {"text": "president of D0-00"}},
    }
    assert unit["appointments"] == {"hasMore": False, "nodes": [tenure]}
    (team,) = unit["teams"]
    assert team["members"] == {
        "totalCount": 2,
        "nodes": [
            {"role": "lead", "validFrom": NOON, "person": {"name": {"text": "lead of D0-00"}}},
            {
                "role": "member",
                "validFrom": NOON,
                "person": {"name": {"text": "president of D0-00"}},
            },
        ],
    }
    line = unit["watchLine"]
    assert line["watches"] == [
        {
            "id": encode_id("Watch", uid("watch", "D0-00")),
            "validFrom": NOON,
            "validTo": "2026-12-01T12:00:00+00:00",
            "coversWatchId": None,
            "person": {"name": {"text": "monitor of D0-00"}},
            "unit": {"code": "D0-00"},
        }
    ]
    assert line["convenors"] == [tenure]
    assert line["centre"] == {"code": "RJ"}
    assert len(line["centreHeads"]) == 1


async def test_a_unit_of_a_date_gives_everything_of_that_date(asking: Client) -> None:
    await ask(asking, "UnitDesk", parentId=DIVISION, asOf=THEN)
    asked = asking.world.asked
    about_time = {
        name: getattr(request, "as_of")  # noqa: B009  # of some messages
        for name, request in asked.items()
        if "as_of" in request.DESCRIPTOR.fields_by_name
    }
    assert set(about_time) == {
        "ListChildren",
        "BatchGetUnits",
        "BatchListAncestors",
        "BatchListChildren",
        "BatchListUnitAreas",
        "BatchListUnitAppointments",
        "BatchListTeams",
        "BatchGetWatchLines",
    }
    assert list(about_time.values()) == [THEN_STAMP] * len(about_time)


async def test_without_a_date_nobody_is_asked_for_one(asking: Client) -> None:
    await ask(asking, "UnitDesk", parentId=DIVISION)
    for name, request in asking.world.asked.items():
        if "as_of" in request.DESCRIPTOR.fields_by_name:
            assert not request.HasField("as_of"), name


async def test_appointments_of_another_moment_than_the_unit(asking: Client) -> None:
    await asking.data(
        "query($id: ID!, $asOf: DateTime) { unit(id: $id) {"
        ' appointments(positions: ["president", "x"], asOf: $asOf, withEnded: true) {'
        " nodes { unit { code } } } } }",
        id=DISTRICT,
        asOf=THEN,
    )
    asked = asking.world.asked["BatchListUnitAppointments"]
    assert asked == people_pb2.BatchListUnitAppointmentsRequest(
        unit_ids=[uid("unit", "D0-00")],
        positions=["president", "x"],
        as_of=THEN_STAMP,
        with_ended=True,
    )
    # The unit of such an appointment is that of its moment.
    units = asking.world.asked["BatchGetUnits"]
    assert isinstance(units, hierarchy_pb2.BatchGetUnitsRequest)
    assert units.as_of == THEN_STAMP


async def test_lists_say_whether_there_are_more(asking: Client) -> None:
    world = asking.world
    world.appointments.append(world.appointments[0])
    data = await asking.data(
        """query($id: ID!) { unit(id: $id) {
          teams { members(first: 1) { totalCount nodes { role } } }
          one: appointments(first: 1) { hasMore nodes { id } }
          all: appointments(first: 2) { hasMore nodes { id } } } }""",
        id=DISTRICT,
    )
    assert data["unit"]["one"]["hasMore"] is True
    assert len(data["unit"]["one"]["nodes"]) == 1
    assert data["unit"]["all"]["hasMore"] is False
    assert data["unit"]["teams"][0]["members"] == {"totalCount": 2, "nodes": [{"role": "lead"}]}


async def test_a_phone_number_is_masked_unless_it_is_asked_for(asking: Client) -> None:
    query = """query($id: ID!) { person(id: $id) { phone { number isMasked }
      whole: phone(unmask: true) { number isMasked } } }"""
    data = await asking.data(query, id=PRESIDENT)
    assert data["person"] == {
        "phone": {"number": "+91 ••••••0000", "isMasked": True},
        "whole": {"number": "+919800000000", "isMasked": False},
    }
    assert asking.world.calls.counts() == {"BatchGetPersons": 2}


async def test_a_person_without_a_number_is_not_looked_at_for_one(asking: Client) -> None:
    asking.world.persons[uid("person", "president of D0-00")].phone = ""
    data = await asking.data(
        "query($id: ID!) { person(id: $id) { phone(unmask: true) { number } } }", id=PRESIDENT
    )
    assert data == {"person": {"phone": None}}
    assert asking.world.calls.counts() == {"BatchGetPersons": 1}


async def test_an_erased_person_is_nameless(asking: Client) -> None:
    asking.world.persons[uid("person", "president of D0-00")].CopyFrom(
        people_pb2.Person(id=uid("person", "president of D0-00"), erased=True, etag="2")
    )
    data = await asking.data(
        "query($id: ID!) { node(id: $id) { ... on Person { name { text } isErased subject } } }",
        id=PRESIDENT,
    )
    assert data["node"] == {"name": None, "isErased": True, "subject": None}


async def test_a_person_by_number_or_nobody(asking: Client) -> None:
    query = "query($phone: String!) { personByPhone(phone: $phone) { name { text } } }"
    found = await asking.data(query, phone="+919800000000")
    assert found == {"personByPhone": {"name": {"text": "president of D0-00"}}}
    assert await asking.data(query, phone="+919800000009") == {"personByPhone": None}


async def test_whom_the_caller_does_not_see_is_null(asking: Client) -> None:
    asking.world.persons.clear()
    data = await asking.data(
        """query($id: ID!, $person: ID!) { person(id: $person) { id } unit(id: $id) {
          appointments { nodes { person { id } } } } }""",
        id=DISTRICT,
        person=PRESIDENT,
    )
    assert data["person"] is None
    assert data["unit"]["appointments"]["nodes"] == [{"person": None}]


async def test_what_is_to_be_done(asking: Client) -> None:
    data = await ask(asking, "ToDo", level="district", position="president", within=STATE)
    assert data["vacancies"]["totalCount"] == 6
    assert data["vacancies"]["unitCount"] == 9
    assert [each["code"] for each in data["vacancies"]["nodes"]][:2] == ["D0-00", "D0-01"]
    assert data["verificationQueue"]["nodes"][0]["unit"]["code"] == "D0-00"
    assert data["appointmentCounts"] == [
        {"position": "president", "verification": "STALE", "appointmentCount": 6}
    ]
    assert len(data["unwatchedUnits"]["nodes"]) == 6
    assert data["unitCounts"][0] == {"level": "state", "unitCount": 1}
    asked = asking.world.asked
    state = uid("unit", "RJ")
    assert {name: _within(request) for name, request in asked.items() if _within(request)} == {
        "ListVacancies": state,
        "ListVerificationQueue": state,
        "CountAppointments": state,
        "ListUnwatched": state,
        "CountUnits": state,
    }


def _within(request: Message) -> str:
    for name in ("within_unit_id", "unit_id"):
        if name in request.DESCRIPTOR.fields_by_name:
            return str(getattr(request, name))
    return ""


async def test_counting_what_lacks_reads_no_unit(asking: Client) -> None:
    data = await asking.data(
        '{ vacancies(level: "district", position: "president") { totalCount unitCount } }'
    )
    assert data == {"vacancies": {"totalCount": 6, "unitCount": 9}}
    assert asking.world.calls.counts() == {"ListVacancies": 1}


async def test_pages_of_vacancies_leave_out_what_was_closed(asking: Client) -> None:
    query = """query($after: String) {
      vacancies(level: "district", position: "president", first: 2, after: $after) {
        edges { cursor node { code } } nodes { code } pageInfo { hasNextPage endCursor } } }"""
    asking.world.closed_meanwhile = uid("unit", "nowhere")
    first = (await asking.data(query))["vacancies"]
    assert [each["node"]["code"] for each in first["edges"]] == ["D0-00"]
    assert first["nodes"] == [{"code": "D0-00"}]
    second = (await asking.data(query, after=first["pageInfo"]["endCursor"]))["vacancies"]
    assert [each["node"]["code"] for each in second["edges"]] == ["D0-01", "D0-02"]
    same = (await asking.data(query, after=first["edges"][0]["cursor"]))["vacancies"]
    assert [each["node"]["code"] for each in same["edges"]] == ["D0-01"]


async def test_the_queue_is_narrowed(asking: Client) -> None:
    await asking.data(
        '{ verificationQueue(state: STALE, position: "president") { edges { cursor } } }'
    )
    asked = asking.world.asked["ListVerificationQueue"]
    assert isinstance(asked, people_pb2.ListVerificationQueueRequest)
    assert asked.state == people_pb2.VERIFICATION_STATE_STALE
    assert asked.position == "president"


async def test_watches_of_a_date(asking: Client) -> None:
    monitor = uid("person", "monitor of D0-00")
    data = await asking.data(
        """query($id: ID, $asOf: DateTime) { watches(personId: $id, asOf: $asOf) {
          edges { cursor node { unit { code } } } nodes { person { id } }
          pageInfo { hasNextPage } } }""",
        id=encode_id("Person", monitor),
        asOf=THEN,
    )
    assert [each["node"]["unit"]["code"] for each in data["watches"]["edges"]] == ["D0-00"]
    asked = asking.world.asked["ListWatches"]
    assert isinstance(asked, people_pb2.ListWatchesRequest)
    assert (asked.person_id, asked.as_of) == (monitor, THEN_STAMP)


async def test_the_viewer_in_the_organisation(asking: Client) -> None:
    data = await ask(asking, "Me")
    district = {"id": DISTRICT, "code": "D0-00", "name": {"text": "Unit D0-00"}}
    assert data["viewer"] == {
        "subject": "user-1",
        "person": {"id": PRESIDENT, "name": {"text": "president of D0-00"}},
        "appointments": [
            {"position": "president", "validFrom": NOON, "validTo": None, "unit": district}
        ],
        "grants": [
            {
                "capability": "view",
                "categories": ["farmers"],
                "groupKinds": [],
                "isWholeTenant": False,
                "unit": district,
            },
            {
                "capability": "compose",
                "categories": [],
                "groupKinds": [],
                "isWholeTenant": True,
                "unit": None,
            },
        ],
    }
    assert asking.world.asked["GetViewer"] == access_pb2.GetViewerRequest()


async def test_the_token_s_part_of_the_viewer_needs_no_service(asking: Client) -> None:
    asking.world.raising["GetViewer"] = Unavailable()
    body = await asking.ask("{ viewer { subject tenant person { id } grants { capability } } }")
    assert body["data"] == {
        "viewer": {"subject": "user-1", "tenant": "neem", "person": None, "grants": None}
    }
    assert body["extensions"] == {"degraded": ["hierarchy"]}


async def test_a_viewer_is_no_node(asking: Client) -> None:
    body = await asking.ask(
        "query($id: ID!) { node(id: $id) { id } }", id=encode_id("Viewer", uid("person", "x"))
    )
    assert body["errors"][0]["extensions"]["reason"] == "BAD_ID"


async def test_people_are_null_where_their_service_fails(asking: Client) -> None:
    asking.world.raising["BatchListTeams"] = Unavailable()
    body = await asking.ask("query($id: ID!) { unit(id: $id) { code teams { id } } }", id=DISTRICT)
    assert body["data"] == {"unit": {"code": "D0-00", "teams": None}}


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ('{ person(id: "nonsense") { id } }', "id", "BAD_ID"),
        ("{ watches(first: 0) { nodes { id } } }", "first", "OUT_OF_RANGE"),
        ('{ searchUnits(query: "x", first: 101) { nodes { id } } }', "first", "OUT_OF_RANGE"),
        ('{ unitCounts(withinUnitId: "x") { level } }', "withinUnitId", "BAD_ID"),
        ('{ unitCounts(asOf: "2026-10-01T00:00:00") { level } }', "asOf", "BAD_INSTANT"),
        ('{ unitCounts(asOf: "0001-01-01T00:00:00+14:00") { level } }', "asOf", "BAD_INSTANT"),
    ],
)
async def test_bad_arguments_are_named(asking: Client, query: str, field: str, reason: str) -> None:
    body = await asking.ask(query)
    (violation,) = body["errors"][0]["extensions"]["fieldViolations"]
    assert (violation["field"], violation["reason"]) == (field, reason)
    assert asking.world.calls.log == []


async def test_a_list_s_length_is_bounded(asking: Client) -> None:
    body = await asking.ask(
        "query($id: ID!) { unit(id: $id) { appointments(first: 1001) { hasMore } } }", id=DISTRICT
    )
    assert body["data"] == {"unit": {"appointments": None}}
    assert body["errors"][0]["extensions"]["fieldViolations"][0]["field"] == "first"
