"""A channel's connection is its own: what befell another channel to the address does not matter."""

from datetime import timedelta

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from kit.channel import open_channel, translate_rpc_errors
from kit.errors import Unavailable
from tests.unit.kit.things import SERVICE, Stub, Things, a_server, a_token, echo

AUTH = (("authorization", f"Bearer {a_token()}"),)
ASK = StringValue(value="hello")


async def test_a_new_server_on_an_old_address_is_reached_at_once() -> None:
    before = a_server(Things(echo))
    target = f"127.0.0.1:{await before.start('127.0.0.1:0')}"
    old, new = (open_channel(target, service=SERVICE) for _ in range(2))
    async with old, new:
        await Stub(old).Ask(ASK, metadata=AUTH)
        await before.drain(timedelta(0))
        # From here on the old channel waits between its attempts to connect.
        with pytest.raises(Unavailable), translate_rpc_errors():
            await Stub(old).Ask(ASK, metadata=AUTH)

        after = a_server(Things(echo))
        await after.start(target)
        try:
            answer = await Stub(new).Ask(ASK, metadata=AUTH)
        finally:
            await after.drain(timedelta(0))
    assert answer.value == "hello"


@pytest.mark.parametrize(
    ("service", "retryable", "answers"),
    [
        (SERVICE, ["Read"], True),
        ("chaupal.other.v1.OtherService", [f"{SERVICE}/Read"], True),
        ("chaupal.other.v1.OtherService", ["Read"], False),
    ],
    ids=["its own", "another service's by its full name", "not another's of the same name"],
)
async def test_what_may_be_tried_again_is_named_by_its_service(
    service: str, retryable: list[str], answers: bool
) -> None:
    async def down_at_first(_: str) -> str:
        if len(things.calls) == 1:
            raise Unavailable
        return "hello"

    things = Things(down_at_first)
    server = a_server(things)
    target = f"127.0.0.1:{await server.start('127.0.0.1:0')}"
    try:
        async with open_channel(target, service=service, retryable=retryable) as channel:
            if answers:
                assert (await Stub(channel).Read(ASK, metadata=AUTH)).value == "hello"
            else:
                with pytest.raises(Unavailable), translate_rpc_errors():
                    await Stub(channel).Read(ASK, metadata=AUTH)
    finally:
        await server.drain(timedelta(0))
    assert len(things.calls) == (2 if answers else 1)
