"""One message to one division: previewed, sent once to each group, watched until it arrived."""

import os
import signal
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e import documents
from tests.e2e.platform import Platform
from tests.timing import wait_until_sync

SETTLED = {"DELIVERED", "READ", "SKIPPED", "FAILED"}


@pytest.fixture(scope="session")
def composer(platform: Platform) -> str:
    return platform.token("neem", "composer")


@pytest.fixture(scope="session")
def division(platform: Platform, composer: str) -> Any:
    variables = {"level": "division", "code": "JPR"}
    return platform.data(documents.UNIT, variables, token=composer)["unitByCode"]


def draft(unit_id: str, **term: Any) -> dict[str, Any]:
    return {
        "requestId": str(uuid.uuid4()),
        "title": "Meeting on Sunday",
        "texts": [
            {"language": "en", "text": "Meeting on Sunday at 11"},
            {"language": "hi", "text": "रविवार को 11 बजे बैठक"},
        ],
        "audience": {"include": [{"unitIds": [unit_id], **term}]},
    }


def create(platform: Platform, token: str, given: Mapping[str, Any]) -> str:
    answer = platform.data(documents.CREATE, {"input": given}, token=token)["createBroadcast"]
    assert answer["__typename"] == "CreateBroadcastSuccess", answer
    assert answer["broadcast"]["state"] == "DRAFT"
    return str(answer["broadcast"]["id"])


def start(platform: Platform, token: str, broadcast_id: str, request_id: str) -> Any:
    given = {"requestId": request_id, "broadcastId": broadcast_id}
    return platform.data(documents.START, {"input": given}, token=token)["startBroadcast"]


def pages(platform: Platform, token: str, document: str, variables: Any, *path: str) -> list[Any]:
    nodes: list[Any] = []
    after = None
    while True:
        found = platform.data(document, {**variables, "after": after}, token=token)
        for step in path:
            found = found[step]
        nodes += found["nodes"]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            return nodes


def reachable(platform: Platform, token: str, unit_id: str, kind: str) -> set[str]:
    """The groups that a message to this kind should reach, by listing them one by one."""
    variables = {"filter": {"unitId": unit_id, "kinds": [kind]}}
    return {
        group["id"]
        for group in pages(platform, token, documents.GROUPS, variables, "groups")
        if group["state"] in {"ACTIVE", "UNVERIFIED"} and "ORPHANED" not in group["flags"]
    }


async def test_a_message_to_a_division_reaches_each_of_its_groups_once(
    platform: Platform, composer: str, division: Any
) -> None:
    kind = "booth_voters"
    expected = reachable(platform, composer, division["id"], kind)
    given = draft(division["id"], kinds=[kind])

    preview = platform.data(
        documents.PREVIEW, {"audience": given["audience"], "split": "district"}, token=composer
    )["previewAudience"]
    assert preview["groupCount"] == len(expected) > 20
    assert sum(each["groupCount"] for each in preview["byUnit"]) == len(expected)
    assert preview["byKind"] == [{"key": kind, "groupCount": len(expected)}]

    broadcast_id = create(platform, composer, given)
    request_id = str(uuid.uuid4())
    answer = start(platform, composer, broadcast_id, request_id)
    assert answer["__typename"] == "StartBroadcastSuccess"

    looks = [
        look["data"]["broadcastProgress"]
        async for look in platform.subscribe(
            documents.PROGRESS, {"id": broadcast_id, "level": "district"}, token=composer
        )
    ]

    for look in looks:
        counts = dict(look["counts"])
        assert counts.pop("total") == sum(counts.values())
        for name in documents.COUNTS.split():
            assert look["counts"][name] == sum(unit["counts"][name] for unit in look["byUnit"])
    last = looks[-1]
    assert last["state"] == "COMPLETED"
    assert last["counts"]["total"] == len(expected)
    by_unit = {unit["unit"]["code"]: unit["counts"]["total"] for unit in last["byUnit"]}
    assert by_unit == {unit["unit"]["code"]: unit["groupCount"] for unit in preview["byUnit"]}

    deliveries = pages(
        platform, composer, documents.DELIVERIES, {"id": broadcast_id}, "broadcast", "deliveries"
    )
    assert Counter(each["group"]["id"] for each in deliveries) == Counter(expected)
    assert {each["state"] for each in deliveries} <= SETTLED
    assert {each["attemptCount"] for each in deliveries} == {1}
    assert all(each["reason"] for each in deliveries if each["state"] == "FAILED")


def test_a_broadcast_starts_once(platform: Platform, composer: str, division: Any) -> None:
    broadcast_id = create(platform, composer, draft(division["id"], kinds=["internal"]))
    request_id = str(uuid.uuid4())

    first = start(platform, composer, broadcast_id, request_id)
    repeat = start(platform, composer, broadcast_id, request_id)
    again = start(platform, composer, broadcast_id, str(uuid.uuid4()))

    assert first["__typename"] == repeat["__typename"] == "StartBroadcastSuccess"
    assert again["__typename"] == "BroadcastAlreadyStarted"
    assert again["broadcast"]["id"] == broadcast_id


def test_a_repeated_request_makes_one_draft(
    platform: Platform, composer: str, division: Any
) -> None:
    given = draft(division["id"], kinds=["internal"])

    assert create(platform, composer, given) == create(platform, composer, given)


def test_a_killed_worker_leaves_no_delivery_behind(platform: Platform, composer: str) -> None:
    """That nothing is posted twice either is shown where posts are counted: tests/faults."""
    state = platform.data(documents.UNIT, {"level": "state", "code": "RJ"}, token=composer)
    unit_id = state["unitByCode"]["id"]
    kinds = ["internal", "booth_voters"]
    expected = set().union(*(reachable(platform, composer, unit_id, kind) for kind in kinds))
    broadcast_id = create(platform, composer, draft(unit_id, kinds=kinds))

    start(platform, composer, broadcast_id, str(uuid.uuid4()))
    os.kill(platform.pids["messaging-worker"], signal.SIGKILL)

    def done() -> Any:
        found = platform.data(documents.BROADCAST, {"id": broadcast_id}, token=composer)
        return found["broadcast"]["state"] == "COMPLETED" and found["broadcast"]

    broadcast = wait_until_sync(done, 60, "the broadcast to complete after the kill")
    assert broadcast["deliveryCount"] == len(expected)
    deliveries = pages(
        platform, composer, documents.DELIVERIES, {"id": broadcast_id}, "broadcast", "deliveries"
    )
    assert Counter(each["group"]["id"] for each in deliveries) == Counter(expected)
