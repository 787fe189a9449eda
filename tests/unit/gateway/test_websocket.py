"""GraphQL over WebSocket: the protocol's codes, identity, cancelling, and what must not kill it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from gateway.app import Gateway
from gateway.config import Settings
from gateway.graph.ids import encode_id
from kit.clock import FakeClock
from kit.errors import NotFound, Unavailable
from tests.timing import wait_until

from .fakes.messaging import progress
from .fakes.servers import services, settings, token
from .fakes.world import World, uid
from .live import PROTOCOL, Socket, live, open_socket

FIRST = encode_id("Broadcast", uid("broadcast", "1"))
WATCH = """subscription($id: ID!) { broadcastProgress(id: $id, splitLevel: "division") {
  broadcastId state version counts { total delivered } byUnit { unit { code } } } }"""


@pytest.fixture
def configured(tmp_path: Path) -> Settings:
    return settings(
        tmp_path,
        max_subscriptions=3,
        max_sockets=3,
        max_waiting_sockets=2,
        max_message_bytes=64 * 1024,
    )


@pytest.fixture
async def address(world: World, configured: Settings) -> AsyncIterator[str]:
    async with services(world, configured), live(configured) as address:
        yield address


def look(world: World, delivered: int) -> messaging_pb2.Progress:
    split = messaging_pb2.ProgressSplit(level="division")
    made: messaging_pb2.Progress = progress(world, uid("broadcast", "1"), split, delivered)
    return made


async def until(condition: Callable[[], bool]) -> None:
    await wait_until(condition, 20)


async def test_progress_is_watched_to_its_end(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        for delivered in (4, 7):
            world.looks.put_nowait(look(world, delivered))
            message = await ws.receive()
            assert (message["type"], message["id"]) == ("next", "a")
            assert message["payload"] == {
                "data": {
                    "broadcastProgress": {
                        "broadcastId": FIRST,
                        "state": "RUNNING",
                        "version": f"v{delivered}",
                        "counts": {"total": 10, "delivered": delivered},
                        "byUnit": [{"unit": {"code": "D0"}}, {"unit": {"code": "D1"}}],
                    }
                }
            }
        world.looks.put_nowait(None)
        assert await ws.receive() == {"type": "complete", "id": "a"}
    # Each look has a context of its own: units are loaded for each, in one call each.
    assert world.calls.counts() == {"WatchProgress": 1, "BatchGetUnits": 2}


async def test_completing_cancels_the_call_behind(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        await until(lambda: world.watchers == 1)
        await ws.send(id="a", type="complete")
        await until(lambda: world.watchers == 0)
        # The id is free again, and the socket goes on.
        await ws.subscribe("a", "{ viewer { tenant } }")
        assert (await ws.receive())["payload"] == {"data": {"viewer": {"tenant": "neem"}}}
        assert await ws.receive() == {"type": "complete", "id": "a"}


async def test_leaving_cancels_the_call_behind(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        await ws.subscribe("b", WATCH, id=FIRST)
        await until(lambda: world.watchers == 2)
    await until(lambda: world.watchers == 0)


async def test_vanishing_cancels_the_call_behind(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        await until(lambda: world.watchers == 1)
        ws.connection.transport.abort()
        await until(lambda: world.watchers == 0)


async def test_a_stream_that_breaks_is_opened_again(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        world.looks.put_nowait(look(world, 1))
        assert (await ws.receive())["type"] == "next"
        world.looks.put_nowait(Unavailable())
        world.looks.put_nowait(look(world, 2))
        message = await ws.receive()
        assert message["payload"]["data"]["broadcastProgress"]["version"] == "v2"
    assert world.watches == 2


async def test_an_error_of_the_stream_ends_it_with_its_code(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        world.looks.put_nowait(NotFound())
        message = await ws.receive()
        assert (message["type"], message["id"]) == ("error", "a")
        assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        assert message["payload"][0]["extensions"]["serviceName"] == "messaging"


async def test_a_bad_id_is_an_error_of_the_operation(address: str) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id="nonsense")
        message = await ws.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["fieldViolations"][0]["field"] == "id"


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription {", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{" * 120, {}, "GRAPHQL_VALIDATION_FAILED"),
        (WATCH, {}, "BAD_USER_INPUT"),
    ],
)
async def test_a_document_that_cannot_run_is_an_error_and_the_socket_goes_on(
    address: str, query: str, variables: dict[str, Any], code: str
) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", query, **variables)
        message = await ws.receive()
        assert (message["type"], message["id"]) == ("error", "a")
        assert message["payload"][0]["extensions"]["code"] == code
        await ws.subscribe("a", "{ viewer { tenant } }")
        assert (await ws.receive())["type"] == "next"


async def test_queries_and_mutations_travel_too(address: str, world: World) -> None:
    mutation = """mutation($input: StartBroadcastInput!) {
      startBroadcast(input: $input) { __typename } }"""
    given = {"requestId": "0190f5a2-7c1e-7def-8abc-0123456789ab", "broadcastId": FIRST}
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", mutation, input=given)
        message = await ws.receive()
        assert message["payload"]["data"]["startBroadcast"] == {
            "__typename": "StartBroadcastSuccess"
        }
        assert await ws.receive() == {"type": "complete", "id": "a"}
        # A second look sees the change: nothing is kept from one operation to the next.
        for state in ("PLANNING", "RUNNING"):
            world.broadcasts[uid("broadcast", "1")].state = getattr(
                messaging_pb2, f"BROADCAST_STATE_{state}"
            )
            await ws.subscribe("b", f'{{ broadcast(id: "{FIRST}") {{ state }} }}')
            assert (await ws.receive())["payload"]["data"] == {"broadcast": {"state": state}}
            await ws.receive()


async def test_pings_are_answered(address: str) -> None:
    async with open_socket(address) as ws:
        await ws.send(type="ping", payload={"n": 1})
        assert await ws.receive() == {"type": "pong", "payload": {"n": 1}}
        await ws.send(type="pong")
        await ws.send(type="ping")
        assert await ws.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("bearer", "code", "reason"),
    [
        (None, 4401, "TOKEN_MISSING"),
        ("nonsense", 4401, "TOKEN_INVALID"),
        (token(lasting=timedelta(seconds=-1)), 4401, "TOKEN_EXPIRED"),
        (token(tenant=None), 4403, "TENANT_REQUIRED"),
    ],
    ids=["none", "nonsense", "expired", "no tenant"],
)
async def test_who_is_nobody_is_closed_with_a_reason(
    address: str, bearer: str | None, code: int, reason: str
) -> None:
    async with open_socket(address) as ws:
        payload = {"authorization": f"Bearer {bearer}"} if bearer else None
        await ws.send(type="connection_init", payload=payload)
        found, said = await ws.closed()
        assert found == code
        assert said is not None
        assert reason in said


async def test_a_socket_ends_with_its_token(address: str, world: World) -> None:
    async with open_socket(address, token=token(lasting=timedelta(seconds=2))) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        await until(lambda: world.watchers == 1)
        assert await ws.closed() == (4401, "Unauthorized: TOKEN_EXPIRED")
    await until(lambda: world.watchers == 0)


async def test_subscribing_before_the_init_is_unauthorized(address: str, world: World) -> None:
    async with open_socket(address) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        assert (await ws.closed())[0] == 4401
    assert world.calls.log == []


async def test_a_second_init_is_too_many(address: str) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.send(type="connection_init")
        assert (await ws.closed())[0] == 4429


async def test_an_id_in_use_is_refused(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", WATCH, id=FIRST)
        await ws.subscribe("a", WATCH, id=FIRST)
        assert await ws.closed() == (4409, "Subscriber for a already exists")
    await until(lambda: world.watchers == 0)


DEEP = '{"type": "ping", "payload": ' + '{"a":' * 5000 + "1" + "}" * 5001
BAD_MESSAGES: dict[str, str | bytes] = {
    "a list": "[]",
    "a string": '"x"',
    "null": "null",
    "no JSON": "{",
    "deep": DEEP,
    "rather deep": json.dumps({"type": "ping", "payload": eval("[" * 40 + "]" * 40)}),
    "no type": "{}",
    "another type": '{"type": "hello"}',
    "a type that is no text": '{"type": ["ping"]}',
    "a lone surrogate": '{"type": "\\ud800"}',
    "a payload that is no object": '{"type": "connection_init", "payload": [1]}',
    "a token that is no text": '{"type": "connection_init", "payload": {"authorization": 1}}',
    "bytes": b'{"type": "ping"}',
}


@pytest.mark.parametrize("which", BAD_MESSAGES)
async def test_a_message_that_is_none_closes_with_4400(address: str, which: str) -> None:
    async with open_socket(address) as ws:
        await ws.connection.send(BAD_MESSAGES[which])
        assert (await ws.closed())[0] == 4400
    # The server is none the worse for it.
    async with open_socket(address, token=token()) as ws:
        await ws.subscribe("a", "{ viewer { tenant } }")
        assert (await ws.receive())["type"] == "next"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "payload": {"query": "{ viewer { tenant } }"}},
        {"type": "subscribe", "id": 7, "payload": {"query": "{ viewer { tenant } }"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{ viewer { tenant } }"}},
        {"type": "subscribe", "id": "a" * 129, "payload": {"query": "{ viewer { tenant } }"}},
        {"type": "subscribe", "id": "a"},
        {"type": "subscribe", "id": "a", "payload": {"query": 7}},
        {"type": "subscribe", "id": "a", "payload": {"query": "{a}", "variables": []}},
        {"type": "complete"},
    ],
)
async def test_a_message_of_another_shape_closes_with_4400(
    address: str, message: dict[str, Any]
) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.send(**message)
        assert (await ws.closed())[0] == 4400


async def test_completing_what_is_not_there_is_nothing(address: str) -> None:
    async with open_socket(address, token=token()) as ws:
        await ws.send(type="complete", id="never")
        await ws.send(type="ping")
        assert await ws.receive() == {"type": "pong"}


async def test_a_message_over_the_bound_closes_the_socket(address: str) -> None:
    async with open_socket(address) as ws:
        await ws.connection.send(json.dumps({"type": "ping", "payload": {"a": "x" * 70_000}}))
        assert (await ws.closed())[0] == 1009


async def test_a_socket_runs_only_so_many_operations(address: str, world: World) -> None:
    async with open_socket(address, token=token()) as ws:
        for at in range(3):
            await ws.subscribe(str(at), WATCH, id=FIRST)
        await until(lambda: world.watchers == 3)
        await ws.subscribe("3", WATCH, id=FIRST)
        message = await ws.receive()
        assert (message["type"], message["id"]) == ("error", "3")
        assert message["payload"][0]["extensions"]["reason"] == "TOO_MANY_OPERATIONS"


async def test_only_so_many_sockets_of_known_callers_are_open(address: str) -> None:
    bearer = token()
    async with (
        open_socket(address, token=bearer) as first,
        open_socket(address, token=bearer),
        open_socket(address, token=bearer) as third,
    ):
        async with open_socket(address) as fourth:
            await fourth.send(type="connection_init", payload={"authorization": f"Bearer {bearer}"})
            assert (await fourth.closed())[0] == 1013
        await third.connection.close()
        await until_open(address)
        await first.subscribe("a", "{ viewer { tenant } }")
        assert (await first.receive())["type"] == "next"


async def test_a_crowd_that_says_nothing_keeps_nobody_out(address: str) -> None:
    """Of two places for those not known yet, the longest taken is given to who comes."""
    async with (
        open_socket(address, token=token()) as known,
        open_socket(address) as oldest,
        open_socket(address) as older,
        open_socket(address) as old,
    ):
        assert await oldest.closed() == (1013, "Too many sockets, try again later")
        async with open_socket(address, token=token()) as late:
            assert (await older.closed())[0] == 1013
            for each in (known, late):
                await each.subscribe("a", "{ viewer { tenant } }")
                assert (await each.receive())["type"] == "next"
        # A place that was left, by the one let in, is free: nobody gives way for it.
        async with open_socket(address) as another:
            for each in (old, another):
                await each.send(type="ping")
                assert await each.receive() == {"type": "pong"}


async def test_a_place_among_the_unknown_is_free_again_when_its_socket_ends(address: str) -> None:
    async with open_socket(address) as stays:
        for _ in range(5):
            async with open_socket(address) as nobody:
                await nobody.send(type="connection_init", payload={})
                assert (await nobody.closed())[0] == 4401
        await stays.init(token())


async def until_open(address: str) -> None:
    """A place that became free can be taken."""
    async with asyncio.timeout(20):
        while True:
            async with open_socket(address) as ws:
                await ws.send(
                    type="connection_init", payload={"authorization": f"Bearer {token()}"}
                )
                if (await first_or_close(ws)) == {"type": "connection_ack"}:
                    return


async def first_or_close(ws: Socket) -> dict[str, Any] | None:
    async for message in ws.connection:
        found: dict[str, Any] = json.loads(message)
        return found
    return None


@pytest.mark.parametrize("offered", [["graphql-ws"], None])
async def test_other_protocols_are_not_spoken(address: str, offered: Any) -> None:
    async with open_socket(address, subprotocols=offered) as ws:
        assert await ws.closed() == (4406, "Subprotocol not acceptable")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://{address}", True),
        ("https://console.test", True),
        ("https://elsewhere.test", False),
        ("https://console.test.elsewhere.test", False),
        ("null", False),
    ],
)
async def test_pages_of_other_origins_may_not_open_a_socket(
    world: World, tmp_path: Path, origin: str, allowed: bool
) -> None:
    configured = settings(tmp_path, allowed_origins=frozenset({"https://console.test"}))
    async with services(world, configured), live(configured) as address:
        said = Origin(origin.format(address=address))
        if allowed:
            async with open_socket(address, token=token(), origin=said):
                return
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://{address}/graphql", subprotocols=[PROTOCOL], origin=said)
        assert caught.value.response.status_code == 403


async def test_a_socket_that_says_nothing_is_closed(world: World, configured: Settings) -> None:
    clock = FakeClock(datetime.now(UTC))
    gateway = Gateway(configured, clock)
    async with live(configured, gateway) as address, open_socket(address) as ws:
        await until(lambda: clock.sleeping == 1)
        clock.advance(timedelta(seconds=11))
        assert await ws.closed() == (4408, "Connection initialisation timeout")
