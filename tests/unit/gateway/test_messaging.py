"""Messaging's room: broadcasts, progress, deliveries, and the results of mutations."""

import time
from typing import Any
from uuid import uuid4

import pytest

from gateway.graph.ids import encode_id

from .fakes.servers import Client, token
from .fakes.world import uid

STATE = encode_id("Unit", uid("unit", "RJ"))
FIRST = encode_id("Broadcast", uid("broadcast", "1"))
CREATE = """mutation($input: CreateBroadcastInput!) { createBroadcast(input: $input) {
  __typename
  ... on CreateBroadcastSuccess { broadcast { id title state transport author
    texts { language text } startedAt } }
  ... on InvalidAudience { message violations { field reason description } } } }"""
START = """mutation($input: StartBroadcastInput!) { startBroadcast(input: $input) {
  __typename
  ... on StartBroadcastSuccess { broadcast { id state startedAt } }
  ... on BroadcastNotFound { message broadcastId }
  ... on BroadcastAlreadyStarted { message broadcast { id state } } } }"""


def draft(**more: Any) -> dict[str, Any]:
    return {
        "requestId": str(uuid4()),
        "title": "Camp",
        "texts": [{"language": "hi", "text": "नमस्ते"}],
        "audience": {"include": [{"unitIds": [STATE]}]},
        **more,
    }


async def test_broadcasts_newest_first(asking: Client) -> None:
    data = await asking.data(
        """{ broadcasts(first: 1) { edges { node { title state deliveryCount failureReason author
          createdAt startedAt completedAt } } pageInfo { hasNextPage } } }"""
    )
    assert data["broadcasts"]["pageInfo"] == {"hasNextPage": True}
    assert data["broadcasts"]["edges"][0]["node"] == {
        "title": "Broadcast 2",
        "state": "DRAFT",
        "deliveryCount": 0,
        "failureReason": None,
        "author": "user-1",
        "createdAt": "2026-11-01T12:02:00+00:00",
        "startedAt": None,
        "completedAt": None,
    }


async def test_a_page_of_broadcasts_has_a_bound_of_its_own(asking: Client) -> None:
    body = await asking.ask("{ broadcasts(first: 201) { nodes { id } } }")
    assert body["errors"][0]["extensions"]["fieldViolations"][0]["field"] == "first"


async def test_progress_split_by_a_level(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!, $within: ID) { broadcast(id: $id) {
          progress(splitLevel: "division", withinUnitId: $within) { broadcastId state version
            counts { total planned dispatched accepted delivered read skipped failed }
            byUnit { level unit { code } counts { total } } readAt } } }""",
        id=FIRST,
        within=STATE,
    )
    assert data["broadcast"]["progress"] == {
        "broadcastId": FIRST,
        "state": "RUNNING",
        "version": "v4",
        "counts": {
            "total": 10,
            "planned": 6,
            "dispatched": 0,
            "accepted": 0,
            "delivered": 4,
            "read": 0,
            "skipped": 0,
            "failed": 0,
        },
        "byUnit": [
            {"level": "division", "unit": {"code": "D0"}, "counts": {"total": 10}},
            {"level": "division", "unit": {"code": "D1"}, "counts": {"total": 10}},
        ],
        "readAt": "2026-11-01T12:00:00+00:00",
    }


async def test_deliveries_with_their_groups(asking: Client) -> None:
    data = await asking.data(
        """query($id: ID!) { broadcast(id: $id) { deliveries(first: 2, states: [DELIVERED]) {
          edges { cursor node { state attemptCount reason group { code } } }
          pageInfo { hasNextPage } } } }""",
        id=FIRST,
    )
    page = data["broadcast"]["deliveries"]
    assert page["pageInfo"] == {"hasNextPage": True}
    assert page["edges"][0]["node"] == {
        "state": "DELIVERED",
        "attemptCount": 1,
        "reason": None,
        "group": {"code": "G-D0-00-1"},
    }


async def test_deliveries_of_a_list_of_broadcasts_are_refused(asking: Client) -> None:
    """No batch RPC lists the deliveries of many, so an operation lists those of one."""
    body = await asking.ask("{ broadcasts { nodes { deliveries { nodes { state } } } } }")
    assert body["errors"][0]["extensions"]["reason"] == "DELIVERIES_OF_ONE_BROADCAST"
    # Whether the first broadcast's was sent before the second's refusal nulled both is chance.
    assert asking.world.calls.counts().get("ListDeliveries", 0) <= 1


async def test_a_draft_is_made_with_the_caller_as_author(asking: Client) -> None:
    data = await asking.data(CREATE, input=draft())
    made = data["createBroadcast"]["broadcast"]
    assert data["createBroadcast"]["__typename"] == "CreateBroadcastSuccess"
    assert made["title"] == "Camp"
    assert made["texts"] == [{"language": "hi", "text": "नमस्ते"}]
    assert (made["state"], made["transport"], made["author"]) == ("DRAFT", "simulator", "user-1")
    found = await asking.data("query($id: ID!) { node(id: $id) { __typename } }", id=made["id"])
    assert found == {"node": {"__typename": "Broadcast"}}


async def test_an_unknown_unit_is_a_result_and_makes_nothing(asking: Client) -> None:
    before = dict(asking.world.broadcasts)
    unknown = encode_id("Unit", uid("unit", "nowhere"))
    audience = {"include": [{"unitIds": [STATE, unknown]}]}
    data = await asking.data(CREATE, input=draft(audience=audience))
    assert data["createBroadcast"] == {
        "__typename": "InvalidAudience",
        "message": "audience.include[0].unitIds[1]: there is no such unit",
        "violations": [
            {
                "field": "audience.include[0].unitIds[1]",
                "reason": "UNKNOWN_UNIT",
                "description": "there is no such unit",
            }
        ],
    }
    assert asking.world.broadcasts == before


async def test_more_unknown_units_than_the_service_tells_are_a_result_too(asking: Client) -> None:
    unknown = [encode_id("Unit", uid("unit", f"nowhere {at}")) for at in range(200)]
    audience = {"include": [{"unitIds": unknown}]}
    data = await asking.data(CREATE, input=draft(audience=audience))
    made = data["createBroadcast"]
    assert made["__typename"] == "InvalidAudience"
    assert made["message"] == "audience.include[0].unitIds[0]: there is no such unit (and 199 more)"
    *named, last = made["violations"]
    assert [each["field"] for each in named] == [
        f"audience.include[0].unitIds[{at}]" for at in range(len(named))
    ]
    assert (last["field"], last["reason"]) == ("", "MORE_VIOLATIONS")
    assert last["description"] == f"and {200 - len(named)} more"


async def test_something_that_is_no_id_in_an_audience_is_a_result(asking: Client) -> None:
    audience = {"include": [{"unitIds": ["?"]}]}
    data = await asking.data(CREATE, input=draft(audience=audience))
    (violation,) = data["createBroadcast"]["violations"]
    assert (violation["field"], violation["reason"]) == ("audience.include[0].unitIds[0]", "BAD_ID")
    assert asking.world.calls.log == []


async def test_an_audience_that_selects_nothing_is_a_result(asking: Client) -> None:
    audience = {"include": [{"unitIds": [STATE], "kinds": ["nothing"]}]}
    data = await asking.data(CREATE, input=draft(audience=audience))
    assert data["createBroadcast"]["violations"] == [
        {"field": "audience", "reason": "AUDIENCE_SELECTS_NOTHING", "description": "no group"}
    ]


async def test_of_many_bad_ids_in_a_draft_a_hundred_are_named(asking: Client) -> None:
    audience = {"include": [{"unitIds": ["?"] * 1_000}]}
    data = await asking.data(CREATE, input=draft(audience=audience))
    assert data["createBroadcast"]["__typename"] == "InvalidAudience"
    *named, last = data["createBroadcast"]["violations"]
    assert [each["field"] for each in named] == [
        f"audience.include[0].unitIds[{at}]" for at in range(100)
    ]
    assert (last["field"], last["reason"]) == ("", "MORE_VIOLATIONS")
    assert asking.world.calls.log == []


async def test_a_language_given_twice_is_found_in_time_linear_in_the_texts(
    asking: Client,
) -> None:
    texts = [{"language": f"{at:x}", "text": ""} for at in range(35_000)]
    started = time.process_time()
    body = await asking.ask(CREATE, input=draft(texts=[*texts, texts[-1]]))
    assert time.process_time() - started < 4  # comparing each with each took eight
    (violation,) = body["errors"][0]["extensions"]["fieldViolations"]
    assert (violation["field"], violation["reason"]) == (
        "input.texts[35000].language",
        "DUPLICATE_LANGUAGE",
    )


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"title": ""}, "input.title", "MISSING"),
        ({"requestId": "mine"}, "input.requestId", "BAD_REQUEST_ID"),
        (
            {"texts": [{"language": "hi", "text": "a"}, {"language": "hi", "text": "b"}]},
            "input.texts[1].language",
            "DUPLICATE_LANGUAGE",
        ),
    ],
)
async def test_other_faults_of_a_draft_are_errors_at_their_paths(
    asking: Client, change: dict[str, Any], field: str, reason: str
) -> None:
    before = dict(asking.world.broadcasts)
    body = await asking.ask(CREATE, input=draft(**change))
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    (violation,) = body["errors"][0]["extensions"]["fieldViolations"]
    assert (violation["field"], violation["reason"]) == (field, reason)
    assert asking.world.broadcasts == before


async def test_who_may_not_compose_is_forbidden(asking: Client) -> None:
    asking.headers["authorization"] = f"Bearer {token(capabilities=['view'])}"
    body = await asking.ask(CREATE, input=draft())
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert body["errors"][0]["extensions"]["reason"] == "CAPABILITY_MISSING"


async def test_a_draft_starts_once(asking: Client) -> None:
    given = {"requestId": str(uuid4()), "broadcastId": FIRST}
    started = (await asking.data(START, input=given))["startBroadcast"]
    assert started == {
        "__typename": "StartBroadcastSuccess",
        "broadcast": {
            "id": FIRST,
            "state": "PLANNING",
            "startedAt": "2026-11-01T12:00:00+00:00",
        },
    }
    again = (await asking.data(START, input=given))["startBroadcast"]
    assert again["__typename"] == "BroadcastAlreadyStarted"
    assert again["broadcast"] == {"id": FIRST, "state": "PLANNING"}


async def test_an_unknown_broadcast_is_a_result(asking: Client) -> None:
    unknown = encode_id("Broadcast", uid("broadcast", "nowhere"))
    given = {"requestId": str(uuid4()), "broadcastId": unknown}
    data = await asking.data(START, input=given)
    assert data["startBroadcast"]["__typename"] == "BroadcastNotFound"
    assert data["startBroadcast"]["broadcastId"] == unknown


async def test_another_tenant_sees_nothing(asking: Client) -> None:
    asking.headers["authorization"] = f"Bearer {token(tenant='peepal')}"
    data = await asking.data(
        """query($u: ID!, $b: ID!) {
          unit(id: $u) { id } broadcast(id: $b) { id } blueprint { style }
          node(id: $u) { id } units { nodes { id } } groups { totalCount }
          broadcasts { nodes { id } }
          viewer { tenant } }""",
        u=STATE,
        b=FIRST,
    )
    assert data == {
        "unit": None,
        "broadcast": None,
        "blueprint": None,
        "node": None,
        "units": {"nodes": []},
        "groups": {"totalCount": 0},
        "broadcasts": {"nodes": []},
        "viewer": {"tenant": "peepal"},
    }
    given = {"requestId": str(uuid4()), "broadcastId": FIRST}
    started = await asking.data(START, input=given)
    assert started["startBroadcast"]["__typename"] == "BroadcastNotFound"
