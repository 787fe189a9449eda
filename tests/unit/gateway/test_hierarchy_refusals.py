"""What the hierarchy refuses: a member of the result where it is to be expected, else an error."""

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.graph.ids import encode_id
from kit import errors
from kit.errors import ChaupalError, FieldViolation
from services.hierarchy.domain import errors as ours
from services.hierarchy.domain import people_errors as people
from services.hierarchy.domain.area_changes import TooManyAreas

from .fakes.servers import Client
from .fakes.world import NOON, World, small_world, uid
from .test_hierarchy_changes import CHANGES, change

UNIT = uid("unit", "D0-00")
UNIT_ID = encode_id("Unit", UNIT)
OTHER = uid("other", "x")


@pytest.fixture
def world() -> World:
    world = small_world()
    world.replies = {each.name: each.answer for each in CHANGES.values()}
    return world


@dataclass(frozen=True)
class Refused:
    """What a change is refused with, and what is told of it."""

    name: str
    error: ChaupalError
    typename: str
    told: dict[str, Any]


REFUSED = [
    Refused(
        "CreateUnit",
        ours.NotAllowed("administer", UNIT),
        "NotAllowed",
        {"capability": "administer", "unitId": UNIT_ID},
    ),
    Refused(
        "PutBlueprint",
        ours.NotAllowed("administer"),
        "NotAllowed",
        {"capability": "administer", "unitId": None},
    ),
    Refused(
        "MoveUnit",
        ours.UnitNotFound(UNIT),
        "UnitNotFound",
        {"unitId": UNIT_ID, "level": None, "code": None},
    ),
    Refused(
        "Reorganise",
        ours.UnitKeyNotFound("district", "X"),
        "UnitNotFound",
        {"unitId": None, "level": "district", "code": "X"},
    ),
    Refused(
        "UpdateUnit",
        ours.UnitChangedMeanwhile(UNIT, current_etag="9"),
        "Conflict",
        {"reason": "UNIT_CHANGED", "currentEtag": "9", "currentTreeVersion": None},
    ),
    Refused(
        "Reorganise",
        ours.TreeChangedMeanwhile(12),
        "Conflict",
        {"reason": "TREE_CHANGED", "currentEtag": None, "currentTreeVersion": 12},
    ),
    Refused(
        "CloseUnit",
        ours.RequestIdReused("r"),
        "Conflict",
        {"reason": "REQUEST_ID_REUSED", "currentEtag": None},
    ),
    Refused("CreateUnit", ours.QuotaExceeded("units", 60_000), "LimitReached", {"limit": 60_000}),
    Refused("PutAreas", TooManyAreas(10_000), "LimitReached", {"limit": 10_000}),
    Refused("CreateUnit", ours.BlueprintNotFound(), "NotPossible", {}),
    Refused(
        "PutBlueprint",
        ours.BlueprintInUse(("state",), ("president", "head"), ()),
        "BlueprintInUse",
        {"levels": ["state"], "positions": ["president", "head"], "teamKinds": []},
    ),
    Refused("PutPerson", people.PhoneInUse(), "AlreadyInUse", {"reason": "PHONE_IN_USE"}),
    Refused("PutPerson", people.SubjectInUse(), "AlreadyInUse", {"reason": "SUBJECT_IN_USE"}),
    Refused("PutPerson", people.PersonErased(OTHER), "NotPossible", {"reason": "PERSON_ERASED"}),
    Refused(
        "ErasePerson",
        people.PersonNotFound(OTHER),
        "PersonNotFound",
        {"personId": encode_id("Person", OTHER)},
    ),
    Refused(
        "Appoint",
        people.SeatsTaken(UNIT, "president", 2, NOON),
        "SeatsTaken",
        {
            "unitId": UNIT_ID,
            "position": "president",
            "seats": 2,
            "at": "2026-11-01T12:00:00+00:00",
        },
    ),
    Refused(
        "Appoint",
        people.AlreadyAppointed(OTHER),
        "AlreadyAppointed",
        {"appointmentId": encode_id("Appointment", OTHER)},
    ),
    Refused(
        "EndAppointments",
        people.AppointmentNotFound(OTHER),
        "AppointmentNotFound",
        {"appointmentId": encode_id("Appointment", OTHER)},
    ),
    Refused("EndAppointments", people.AppointmentEnded(OTHER, NOON), "NotPossible", {}),
    Refused("VerifyAppointments", people.AppointmentNotInForce(OTHER), "NotPossible", {}),
    Refused(
        "PutTeam",
        people.TeamNotFound(OTHER),
        "TeamNotFound",
        {"teamId": encode_id("Team", OTHER)},
    ),
    Refused("PutTeam", people.TeamEnded(OTHER), "NotPossible", {"reason": "TEAM_ENDED"}),
    Refused("PutTeam", people.TooManyTeams(100), "LimitReached", {"limit": 100}),
    Refused("AssignWatch", people.NotAMonitor(OTHER, NOON), "NotPossible", {}),
    Refused(
        "AssignWatch",
        people.AlreadyWatching(OTHER),
        "AlreadyWatched",
        {"watchId": encode_id("Watch", OTHER)},
    ),
    Refused("AssignWatch", people.AlreadyCovered(OTHER), "AlreadyWatched", {}),
    Refused("AssignWatch", people.WatchPlanned(OTHER, NOON), "AlreadyWatched", {}),
    Refused(
        "EndWatch",
        people.WatchNotFound(OTHER),
        "WatchNotFound",
        {"watchId": encode_id("Watch", OTHER)},
    ),
    Refused("EndWatch", people.WatchEnded(OTHER, NOON), "NotPossible", {"reason": "WATCH_ENDED"}),
]


async def test_a_refusal_is_a_member_of_the_result(asking: Client) -> None:
    for each in REFUSED:
        asking.world.raising[each.name] = each.error
        told = await change(asking, each.name, CHANGES[each.name].given)
        expected = {
            "__typename": each.typename,
            "message": each.error.message,
            "reason": each.error.reason,
            **each.told,
        }
        assert {name: told[name] for name in expected} == expected


PATHS = [
    ("CreateUnit", "unit.names.by_language.hi", "unit.names.hi"),
    ("CreateUnit", "unit.parent.key.code", "unit.parent.key.code"),
    ("UpdateUnit", "id", "unitId"),
    ("UpdateUnit", "clear_place", "clearPlace"),
    ("MoveUnit", "parent_id", "parentId"),
    ("Reorganise", "steps[2].split.parts[0].take[3]", "steps[2].split.parts[0].take[3]"),
    (
        "PutBlueprint",
        "blueprint.team_kinds[0].max_members",
        "blueprint.teamKinds[0].maxMembers",
    ),
    ("PutAreas", "areas[0].area.names.by_language", "areas[0].area.names"),
    ("PutPerson", "id", "personId"),
    ("EndAppointments", "ids[3]", "appointmentIds[3]"),
    ("PutTeam", "team.members[1].person_id", "team.members[1].personId"),
    ("AssignWatch", "covers_watch_id", "coversWatchId"),
    ("EndWatch", "id", "watchId"),
]


async def test_faults_are_named_in_the_input_s_words(asking: Client) -> None:
    for name, field, told in PATHS:
        fault = FieldViolation(field, "BAD", "is bad")
        asking.world.raising[name] = errors.InvalidInput(violations=(fault,))
        refused = await change(asking, name, CHANGES[name].given)
        assert refused["__typename"] == "InvalidInput"
        assert refused["violations"] == [{"field": told, "reason": "BAD", "description": "is bad"}]
        assert refused["message"] == f"{told}: is bad"


async def test_of_many_faults_the_first_hundred_are_told(asking: Client) -> None:
    faults = tuple(FieldViolation(f"steps[{at}]", "BAD") for at in range(300))
    asking.world.raising["Reorganise"] = errors.InvalidInput(violations=faults)
    refused = await change(asking, "Reorganise", CHANGES["Reorganise"].given)
    assert len(refused["violations"]) <= 101
    assert refused["violations"][-1]["reason"] == "MORE_VIOLATIONS"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ours.TenantSuspended(), "FORBIDDEN"),
        (errors.Unavailable(), "SERVICE_UNAVAILABLE"),
        (ours.ImportsBusy(), "RATE_LIMITED"),
        # No member of this mutation's result.
        (people.TeamNotFound(OTHER), "NOT_FOUND"),
        (RuntimeError("password is hunter2"), "INTERNAL_SERVER_ERROR"),
    ],
    ids=lambda it: it if isinstance(it, str) else type(it).__name__,
)
async def test_what_nobody_expects_is_an_error(asking: Client, error: Exception, code: str) -> None:
    asking.world.raising["EndWatch"] = error
    body = await asking.ask(
        "mutation($input: EndWatchInput!) { endWatch(input: $input) { __typename } }",
        input=CHANGES["EndWatch"].given,
    )
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == code
