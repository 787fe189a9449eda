"""Changes of the organisation: what is asked of the service, and what is told of its answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2
from google.protobuf.message import Message
from graphql import (
    FieldNode,
    ObjectTypeDefinitionNode,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    validate,
)

from gateway import schema
from gateway.graph.ids import encode_id

from .examples import examples
from .fakes.servers import Client
from .fakes.world import NOON, World, small_world, stamp, uid

UNIT, PARENT = uid("unit", "D0-00"), uid("unit", "D1")
PERSON, MONITOR = uid("person", "president of D0-00"), uid("person", "monitor of D0-00")
APPOINTMENT = uid("appointment", "D0-00")
TEAM, WATCH, OTHER = uid("team", "D0-00"), uid("watch", "D0-00"), uid("watch", "D0-01")
REQUEST = uid("request", "1")
AT = "2026-11-01T17:30:00+05:30"
NAMES = [{"language": "en", "text": "Jaipur"}, {"language": "hi", "text": "जयपुर"}]
TEXT = pb.LocalizedText(by_language={"en": "Jaipur", "hi": "जयपुर"})
PLACE = {"latitude": 26.5, "longitude": 75.5}
KEY = {"level": "division", "code": "NEW"}
BY_KEY = pb.UnitRef(key=pb.UnitKey(level="division", code="NEW"))


def of_unit(uuid: str) -> str:
    return encode_id("Unit", uuid)


def of_person(uuid: str) -> str:
    return encode_id("Person", uuid)


def ref(uuid: str) -> pb.UnitRef:
    return pb.UnitRef(id=uuid)


NEW = {
    "level": "district",
    "code": "JPR",
    "names": NAMES,
    "parent": {"id": of_unit(PARENT)},
    "place": PLACE,
}
NEW_UNIT = pb.NewUnit(
    level="district",
    code="JPR",
    names=TEXT,
    parent=ref(PARENT),
    place=pb.Place(latitude=26.5, longitude=75.5),
)
STEPS: list[dict[str, Any]] = [
    {"create": {"unit": NEW, "take": [{"id": of_unit(UNIT)}, {"key": KEY}]}},
    {"update": {"unit": {"key": KEY}, "names": NAMES, "code": "X", "clearPlace": True}},
    {"move": {"unit": {"id": of_unit(UNIT)}, "parent": {"key": KEY}}},
    {"merge": {"units": [{"id": of_unit(UNIT)}], "into": {"key": KEY}}},
    {
        "split": {
            "unit": {"id": of_unit(UNIT)},
            "parts": [{"unit": {"code": "P", "names": NAMES}, "take": [{"key": KEY}]}],
            "keeps": True,
        }
    },
    {"close": {"unit": {"id": of_unit(UNIT)}}},
]
PROTO_STEPS = [
    pb.ReorganisationStep(create=pb.CreateStep(unit=NEW_UNIT, take=[ref(UNIT), BY_KEY])),
    pb.ReorganisationStep(
        update=pb.UpdateStep(unit=BY_KEY, names=TEXT, code="X", clear_place=True)
    ),
    pb.ReorganisationStep(move=pb.MoveStep(unit=ref(UNIT), parent=BY_KEY)),
    pb.ReorganisationStep(merge=pb.MergeStep(units=[ref(UNIT)], into=BY_KEY)),
    pb.ReorganisationStep(
        split=pb.SplitStep(
            unit=ref(UNIT),
            parts=[pb.CreateStep(unit=pb.NewUnit(code="P", names=TEXT), take=[BY_KEY])],
            keeps=True,
        )
    ),
    pb.ReorganisationStep(close=pb.CloseStep(unit=ref(UNIT))),
]
BLUEPRINT = {
    "style": "party",
    "names": NAMES,
    "levels": [{"key": "state", "names": NAMES}],
    "groupKinds": [{"key": "voters", "names": NAMES, "hasCategory": True}],
    "categories": [{"key": "farmers", "names": NAMES}],
    "positions": [
        {
            "key": "president",
            "names": NAMES,
            "levels": ["state"],
            "seats": 2,
            "roles": ["head"],
            "grants": [{"capability": "view", "categories": ["farmers"], "groupKinds": ["voters"]}],
        }
    ],
    "teamKinds": [{"key": "cell", "names": NAMES, "levels": ["state"], "maxMembers": 7}],
    "centreLevel": "state",
    "verificationDays": 30,
}
PROTO_BLUEPRINT = pb.Blueprint(
    style="party",
    names=TEXT,
    levels=[pb.Level(key="state", names=TEXT)],
    group_kinds=[pb.GroupKind(key="voters", names=TEXT, has_category=True)],
    categories=[pb.Category(key="farmers", names=TEXT)],
    positions=[
        pb.Position(
            key="president",
            names=TEXT,
            levels=["state"],
            seats=2,
            roles=["head"],
            grants=[pb.Grant(capability="view", categories=["farmers"], group_kinds=["voters"])],
        )
    ],
    team_kinds=[pb.TeamKind(key="cell", names=TEXT, levels=["state"], max_members=7)],
    centre_level="state",
    verification_days=30,
)
WORLD = small_world()
REPORT = pb.ReorganisationReport(
    applied=True,
    tree_version=8,
    effective_at=stamp(NOON),
    moved_count=1,
    carried_count=4,
    changes=[
        pb.UnitChange(step=0, what="moved", before=WORLD.units[UNIT], after=WORLD.units[UNIT]),
        pb.UnitChange(step=1, what="created", after=pb.Unit(code="N", since=stamp(NOON))),
    ],
)


@dataclass(frozen=True)
class Change:
    """An example mutation: its input, what the service is asked, what it answers."""

    name: str
    given: dict[str, Any]
    asked: Message
    answer: Message


def changes() -> list[Change]:
    unit, person = WORLD.units[UNIT], WORLD.persons[PERSON]
    appointment, team, watch = WORLD.appointments[0], WORLD.teams[0], WORLD.unit_watches[0]
    when = {"effectiveAt": AT, "requestId": REQUEST, "validateOnly": False}
    noon = stamp(NOON)
    return [
        Change(
            "CreateUnit",
            {"unit": NEW, **when},
            pb.CreateUnitRequest(unit=NEW_UNIT, request_id=REQUEST, effective_at=noon),
            pb.CreateUnitResponse(unit=unit),
        ),
        Change(
            "UpdateUnit",
            {"unitId": of_unit(UNIT), "names": NAMES, "place": PLACE, "etag": "4", **when},
            pb.UpdateUnitRequest(
                id=UNIT,
                names=TEXT,
                place=pb.Place(latitude=26.5, longitude=75.5),
                etag="4",
                request_id=REQUEST,
                effective_at=noon,
            ),
            pb.UpdateUnitResponse(unit=unit),
        ),
        Change(
            "MoveUnit",
            {"unitId": of_unit(UNIT), "parentId": of_unit(PARENT), "etag": "4", **when},
            pb.MoveUnitRequest(
                id=UNIT, parent_id=PARENT, etag="4", request_id=REQUEST, effective_at=noon
            ),
            pb.MoveUnitResponse(unit=unit, report=REPORT),
        ),
        Change(
            "CloseUnit",
            {"unitId": of_unit(UNIT), "etag": "4", **when},
            pb.CloseUnitRequest(id=UNIT, etag="4", request_id=REQUEST, effective_at=noon),
            pb.CloseUnitResponse(report=REPORT),
        ),
        Change(
            "Reorganise",
            {"steps": STEPS, "treeVersion": 7, **when},
            pb.ReorganiseRequest(
                steps=PROTO_STEPS, tree_version=7, request_id=REQUEST, effective_at=noon
            ),
            pb.ReorganiseResponse(report=REPORT),
        ),
        Change(
            "PutAreas",
            {
                "areas": [
                    {
                        "area": {"kind": "ward", "code": "1", "names": NAMES},
                        "units": [{"id": of_unit(UNIT)}],
                    },
                    {"area": {"kind": "ward", "code": "2", "names": NAMES}, "units": []},
                    {"area": {"kind": "ward", "code": "3", "names": NAMES}, "closed": True},
                ],
                **when,
            },
            pb.PutAreasRequest(
                areas=[
                    pb.AreaEntry(
                        area=pb.Area(kind="ward", code="1", names=TEXT),
                        sets_units=True,
                        units=[ref(UNIT)],
                    ),
                    pb.AreaEntry(area=pb.Area(kind="ward", code="2", names=TEXT), sets_units=True),
                    pb.AreaEntry(area=pb.Area(kind="ward", code="3", names=TEXT), closed=True),
                ],
                request_id=REQUEST,
                effective_at=noon,
            ),
            pb.PutAreasResponse(areas=[WORLD.areas[UNIT]]),
        ),
        Change(
            "PutBlueprint",
            {"blueprint": BLUEPRINT},
            pb.PutBlueprintRequest(blueprint=PROTO_BLUEPRINT),
            pb.PutBlueprintResponse(
                blueprint=PROTO_BLUEPRINT,
                differences=[pb.BlueprintDifference(path="style", before="", after="party")],
            ),
        ),
        Change(
            "PutPerson",
            {
                "personId": of_person(PERSON),
                "names": NAMES,
                "phone": "+919800000000",
                "subject": "asha",
                "etag": "2",
                "requestId": REQUEST,
            },
            people_pb2.PutPersonRequest(
                id=PERSON,
                names=TEXT,
                phone="+919800000000",
                subject="asha",
                etag="2",
                request_id=REQUEST,
            ),
            people_pb2.PutPersonResponse(person=person),
        ),
        Change(
            "ErasePerson",
            {"personId": of_person(PERSON), "requestId": REQUEST},
            people_pb2.ErasePersonRequest(id=PERSON, request_id=REQUEST),
            people_pb2.ErasePersonResponse(person=person, ended_count=3),
        ),
        Change(
            "Appoint",
            {
                "unitId": of_unit(UNIT),
                "position": "president",
                "personId": of_person(PERSON),
                "validFrom": AT,
                "validTo": "2027-11-01T12:00:00Z",
                "requestId": REQUEST,
            },
            people_pb2.AppointRequest(
                unit_id=UNIT,
                position="president",
                person_id=PERSON,
                valid_from=noon,
                valid_to=stamp(datetime(2027, 11, 1, 12, tzinfo=UTC)),
                request_id=REQUEST,
            ),
            people_pb2.AppointResponse(appointment=appointment),
        ),
        Change(
            "EndAppointments",
            {
                "appointmentIds": [encode_id("Appointment", APPOINTMENT)],
                "validTo": AT,
                "requestId": REQUEST,
            },
            people_pb2.EndAppointmentsRequest(ids=[APPOINTMENT], valid_to=noon, request_id=REQUEST),
            people_pb2.EndAppointmentsResponse(appointments=[appointment]),
        ),
        Change(
            "VerifyAppointments",
            {"appointmentIds": [encode_id("Appointment", APPOINTMENT)], "requestId": REQUEST},
            people_pb2.VerifyAppointmentsRequest(ids=[APPOINTMENT], request_id=REQUEST),
            people_pb2.VerifyAppointmentsResponse(appointments=[appointment]),
        ),
        Change(
            "PutTeam",
            {
                "team": {
                    "id": encode_id("Team", TEAM),
                    "unitId": of_unit(UNIT),
                    "kind": "it_cell",
                    "names": NAMES,
                    "members": [{"personId": of_person(PERSON), "role": "lead"}],
                },
                "closed": True,
                "requestId": REQUEST,
            },
            people_pb2.PutTeamRequest(
                team=people_pb2.Team(
                    id=TEAM,
                    unit_id=UNIT,
                    kind="it_cell",
                    names=TEXT,
                    members=[people_pb2.TeamMember(person_id=PERSON, role="lead")],
                ),
                closed=True,
                request_id=REQUEST,
            ),
            people_pb2.PutTeamResponse(team=team),
        ),
        Change(
            "AssignWatch",
            {
                "unitId": of_unit(UNIT),
                "personId": of_person(MONITOR),
                "coversWatchId": encode_id("Watch", OTHER),
                "validFrom": AT,
                "validTo": AT,
                "requestId": REQUEST,
            },
            people_pb2.AssignWatchRequest(
                unit_id=UNIT,
                person_id=MONITOR,
                covers_watch_id=OTHER,
                valid_from=noon,
                valid_to=noon,
                request_id=REQUEST,
            ),
            people_pb2.AssignWatchResponse(watch=watch, ended=[watch]),
        ),
        Change(
            "EndWatch",
            {"watchId": encode_id("Watch", WATCH), "validTo": AT, "requestId": REQUEST},
            people_pb2.EndWatchRequest(id=WATCH, valid_to=noon, request_id=REQUEST),
            people_pb2.EndWatchResponse(watch=watch),
        ),
    ]


CHANGES = {each.name: each for each in changes()}


async def change(asking: Client, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The result of an example mutation."""
    response = await asking.post(examples("hierarchy")[name].text, variables={"input": given})
    body = response.json()
    assert "errors" not in body, body["errors"]
    (result,) = body["data"].values()
    assert isinstance(result, dict)
    return result


@pytest.fixture
def world() -> World:
    world = small_world()
    world.replies = {each.name: each.answer for each in CHANGES.values()}
    return world


def own_fields(root: str) -> set[str]:
    """The fields that the hierarchy adds to a root type."""
    own = parse((schema.FOLDER / "schema" / "hierarchy.graphql").read_text())
    (found,) = [
        each
        for each in own.definitions
        if isinstance(each, ObjectTypeDefinitionNode) and each.name.value == root
    ]
    names = {each.name.value for each in found.fields or ()}
    return {each for each in names if not each.startswith("_")}


def test_every_example_is_valid() -> None:
    composed = build_schema((schema.FOLDER / "schema.graphql").read_text())
    for name, each in examples().items():
        assert validate(composed, parse(each.text)) == [], name


def test_every_query_and_mutation_is_in_an_example() -> None:
    asked: dict[OperationType, set[str]] = {kind: set() for kind in OperationType}
    for each in examples("hierarchy").values():
        (operation,) = [
            it for it in parse(each.text).definitions if isinstance(it, OperationDefinitionNode)
        ]
        asked[each.kind] |= {
            it.name.value for it in operation.selection_set.selections if isinstance(it, FieldNode)
        }
    # `viewer` is another subgraph's, to which this one adds.
    assert asked[OperationType.QUERY] == own_fields("Query") | {"viewer"}
    assert asked[OperationType.MUTATION] == own_fields("Mutation")
    assert {f"{name[0].lower()}{name[1:]}" for name in CHANGES} == own_fields("Mutation")


async def test_the_service_is_asked_what_the_input_says(asking: Client) -> None:
    for name, each in CHANGES.items():
        await change(asking, name, each.given)
        assert asking.world.asked[name] == each.asked, name


async def test_a_request_without_an_id_gets_one(asking: Client) -> None:
    named = [each for each in CHANGES.values() if "requestId" in each.given]
    assert len(named) == len(CHANGES) - 1  # a blueprint is what it is, however often it is put
    seen: set[str] = set()
    for each in [*named, *named]:
        given = {key: value for key, value in each.given.items() if key != "requestId"}
        await change(asking, each.name, given)
        request: Any = asking.world.asked[each.name]
        seen.add(str(UUID(request.request_id)))
    assert len(seen) == 2 * len(named)


async def test_a_request_s_id_may_be_spelt_otherwise(asking: Client) -> None:
    given = {**CHANGES["CloseUnit"].given, "requestId": REQUEST.replace("-", "").upper()}
    await change(asking, "CloseUnit", given)
    assert asking.world.asked["CloseUnit"] == CHANGES["CloseUnit"].asked


async def test_what_was_only_checked_is_not_shown(asking: Client) -> None:
    for name, field in (
        ("CreateUnit", "unit"),
        ("UpdateUnit", "unit"),
        ("MoveUnit", "unit"),
        ("PutPerson", "person"),
        ("Appoint", "appointment"),
        ("PutTeam", "team"),
        ("AssignWatch", "watch"),
    ):
        shown = await change(asking, name, {**CHANGES[name].given, "validateOnly": True})
        request: Any = asking.world.asked[name]
        assert request.validate_only, name
        assert shown[field] is None, name
        assert (await change(asking, name, CHANGES[name].given))[field] is not None, name


async def test_a_preview_s_report(asking: Client) -> None:
    given = {**CHANGES["Reorganise"].given, "validateOnly": True}
    report = (await change(asking, "Reorganise", given))["report"]
    assert (report["applied"], report["treeVersion"]) == (True, 8)
    assert (report["movedCount"], report["carriedCount"], report["closedCount"]) == (1, 4, 0)
    moved, created = report["changes"]
    assert (moved["what"], moved["before"]["code"]) == ("MOVED", "D0-00")
    assert moved["after"]["parent"] == {"code": "D0"}
    assert (created["what"], created["step"], created["before"]) == ("CREATED", 1, None)
    assert created["after"]["unitId"] is None


async def test_what_a_blueprint_s_change_means(asking: Client) -> None:
    shown = await change(asking, "PutBlueprint", CHANGES["PutBlueprint"].given)
    assert shown["differences"] == [
        {"path": "style", "before": None, "after": "party", "affectedCount": 0}
    ]


FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("CreateUnit", {"unit": {**NEW, "parent": {"id": "x"}}}, "unit.parent.id", "BAD_ID"),
    ("CreateUnit", {"unit": {**NEW, "parent": {"id": ""}}}, "unit.parent.id", "BAD_ID"),
    (
        "CreateUnit",
        {"unit": {**NEW, "names": [*NAMES, NAMES[1]]}},
        "unit.names[2].language",
        "DUPLICATE_LANGUAGE",
    ),
    ("UpdateUnit", {"unitId": of_person(PERSON)}, "unitId", "BAD_ID"),
    ("MoveUnit", {"unitId": of_unit(UNIT), "parentId": "x"}, "parentId", "BAD_ID"),
    (
        "CloseUnit",
        {"unitId": of_unit(UNIT), "effectiveAt": "2026-11-01T00:00:00"},
        "effectiveAt",
        "BAD_INSTANT",
    ),
    (
        "Reorganise",
        {"steps": [STEPS[0], {"merge": {"units": [{"id": "x"}], "into": {"key": KEY}}}]},
        "steps[1].merge.units[0].id",
        "BAD_ID",
    ),
    (
        "Reorganise",
        {
            "steps": [
                {
                    "split": {
                        "unit": {"key": KEY},
                        "parts": [{"unit": NEW, "take": [{"id": "x"}]}],
                    }
                }
            ]
        },
        "steps[0].split.parts[0].take[0].id",
        "BAD_ID",
    ),
    (
        "PutTeam",
        {"team": {"members": [{"personId": of_unit(UNIT), "role": "lead"}]}},
        "team.members[0].personId",
        "BAD_ID",
    ),
    ("EndAppointments", {"appointmentIds": ["x"]}, "appointmentIds[0]", "BAD_ID"),
    ("EndWatch", {"watchId": "x"}, "watchId", "BAD_ID"),
]


async def test_faults_of_an_input_are_named_without_a_call(asking: Client) -> None:
    for name, given, field, reason in FAULTS:
        refused = await change(asking, name, given)
        assert refused["__typename"] == "InvalidInput", field
        (violation,) = refused["violations"]
        assert (violation["field"], violation["reason"]) == (field, reason)
    assert asking.world.calls.log == []


@pytest.mark.parametrize(
    "steps", [[{}], [{"close": None}], [{"close": {"unit": {}}}], [{**STEPS[0], **STEPS[5]}]]
)
async def test_one_of_is_one_of(asking: Client, steps: list[dict[str, Any]]) -> None:
    response = await asking.post(
        examples("hierarchy")["Reorganise"].text, variables={"input": {"steps": steps}}
    )
    (error, *_) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert asking.world.calls.log == []
