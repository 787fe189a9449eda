"""A service that is down takes its own fields and nothing else; every call has its terms."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.graph.ids import encode_id
from kit.errors import DeadlineExceeded, LimitExceeded

from .fakes.servers import Client, client, gateway, services, settings, token
from .fakes.world import World, uid

STATE = encode_id("Unit", uid("unit", "RJ"))
WITHOUT = {
    "hierarchy": {"unit": None, "broadcast": {"title": "Broadcast 1"}, "group": {"unit": None}},
    "groups": {
        "unit": {"code": "RJ", "groupCounts": None, "groups": None},
        "broadcast": {"title": "Broadcast 1"},
        "group": None,
    },
    "messaging": {
        "unit": {"code": "RJ", "groupCounts": {"groupCount": 12}, "groups": {"totalCount": 12}},
        "broadcast": None,
        "group": {"unit": {"code": "D0-00"}},
    },
}


@pytest.mark.parametrize("missing", sorted(WITHOUT))
async def test_one_service_down_nulls_its_fields_with_one_error(
    tmp_path: Path, world: World, missing: str
) -> None:
    configured = settings(tmp_path, operation_budget=timedelta(seconds=5))
    group = encode_id("Group", uid("group", "G-D0-00-1"))
    broadcast = encode_id("Broadcast", uid("broadcast", "1"))
    async with (
        services(world, configured, [name for name in WITHOUT if name != missing]),
        gateway(configured) as app,
        client(app, world, token()) as asking,
    ):
        body = await asking.ask(
            """query($unit: ID!, $group: ID!, $broadcast: ID!) {
              unit(id: $unit) {
                code groupCounts { groupCount } groups(ownOnly: false) { totalCount } }
              group(id: $group) { unit { code } }
              broadcast(id: $broadcast) { title } }""",
            unit=STATE,
            group=group,
            broadcast=broadcast,
        )
    assert body["data"] == WITHOUT[missing]
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert error["extensions"]["serviceName"] == missing
    assert body["extensions"] == {"degraded": [missing]}


async def test_an_error_of_one_item_is_that_item_s(asking: Client) -> None:
    del asking.world.units[uid("unit", "D0-00")]
    data = await asking.ask("{ groups(first: 3) { nodes { code unit { code } } } }")
    nodes = data["data"]["groups"]["nodes"]
    assert [each["unit"] for each in nodes] == [None, None, {"code": "D0-01"}]
    paths = [each["path"] for each in data["errors"]]
    assert paths == [["groups", "nodes", at, "unit", "code"] for at in (0, 1)]
    assert {each["extensions"]["code"] for each in data["errors"]} == {"NOT_FOUND"}


async def test_a_fault_of_a_service_is_masked(asking: Client) -> None:
    asking.world.raising["BatchGetUnits"] = RuntimeError("password is hunter2")
    body = await asking.ask(
        "query($id: ID!) { unit(id: $id) { code } viewer { tenant } }", id=STATE
    )
    assert body["data"] == {"unit": None, "viewer": {"tenant": "neem"}}
    (error,) = body["errors"]
    assert error["message"] == "internal error"
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "hunter2" not in str(body)


async def test_a_service_that_is_too_slow_times_out(asking: Client) -> None:
    asking.world.raising["BatchGetUnits"] = DeadlineExceeded()
    body = await asking.ask("query($id: ID!) { unit(id: $id) { code } }", id=STATE)
    assert body["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert body["extensions"] == {"degraded": ["hierarchy"]}


async def test_a_limit_says_when_to_come_back(asking: Client) -> None:
    asking.world.raising["BatchGetUnits"] = LimitExceeded(retry_after=timedelta(seconds=2.5))
    response = await asking.post(
        "query($id: ID!) { unit(id: $id) { code } }", variables={"id": STATE}
    )
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterMs"] == 2500
    assert response.headers["retry-after"] == "3"


@pytest.fixture
async def hurried(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    """A gateway whose operations have 4 seconds."""
    configured = settings(tmp_path, operation_budget=timedelta(seconds=4))
    async with (
        services(world, configured),
        gateway(configured) as app,
        client(app, world, token()) as asking,
    ):
        yield asking


async def test_each_call_carries_the_caller_s_token_the_request_s_name_and_what_is_left(
    hurried: Client,
) -> None:
    hurried.headers["x-request-id"] = "desk-7"
    await hurried.data("{ units { nodes { children { nodes { code } } } } }")
    calls = hurried.world.calls
    assert calls.counts() == {"ListChildren": 1, "BatchListChildren": 1}
    assert set(calls.request_ids) == {"desk-7"}
    assert [f"Bearer {each}" for each in calls.tokens] == [hurried.headers["authorization"]] * 2
    # On the wire the time is rounded up to a few digits.
    assert all(0 < left < 4.01 for left in calls.seconds_left)


async def test_a_request_of_no_good_name_gets_one(configured: Settings, asking: Client) -> None:
    asking.headers["x-request-id"] = "two words"
    response = await asking.post("{ viewer { tenant } }")
    name = response.headers["x-request-id"]
    assert name != "two words"
    assert len(name) == 36
