"""A server's life: listening, readiness, health, reflection, drain."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from kit.channel import open_channel
from kit.server import REFLECTION_V1, CannotListen, Server, build_server, serve
from tests.channels import plain_channel
from tests.timing import wait_until
from tests.unit.kit.things import (
    DOMAIN,
    SERVICE,
    Gate,
    Stub,
    Things,
    a_server,
    a_token,
    a_verifier,
    echo,
    running,
    use,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
ASK = StringValue(value="hello")
# Made when the file is collected, so it must outlast the whole run: an hour.
AUTH = (("authorization", f"Bearer {a_token()}"),)


async def check(target: str, name: str = "") -> int:
    async with plain_channel(target) as channel:
        request = health_pb2.HealthCheckRequest(service=name)
        reply = await health_pb2_grpc.HealthStub(channel).Check(request)
        return int(reply.status)


@asynccontextmanager
async def serving(
    server: Server, drain: timedelta, stop: asyncio.Event | None
) -> AsyncIterator[tuple[str, "asyncio.Task[None]"]]:
    """A task that runs `serve`, and where it listens once it is ready."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(server, "127.0.0.1:0", drain=drain, ready=ready.set_result, stop=stop)
    )
    try:
        yield f"127.0.0.1:{await asyncio.wait_for(ready, 10)}", task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class TestHealth:
    async def test_liveness_and_readiness_are_told_to_anybody(self) -> None:
        async with running(echo) as on:
            assert await check(on.target) == SERVING
            assert await check(on.target, SERVICE) == SERVING
            await on.server.set_serving(False)
            # Not ready is still alive.
            assert await check(on.target) == SERVING
            assert await check(on.target, SERVICE) == NOT_SERVING
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await check(on.target, "other")
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    async def test_all_statuses_are_listed(self) -> None:
        async with (
            running(echo, health_names=["things.worker"]) as on,
            plain_channel(on.target) as channel,
        ):
            reply = await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest())
        told = {name: each.status for name, each in reply.statuses.items()}
        assert told == {"": SERVING, SERVICE: SERVING, "things.worker": SERVING}

    async def test_a_watch_tells_every_change_and_ends_with_the_drain(self) -> None:
        async with running(echo) as on, plain_channel(on.target) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
            stranger = stub.Watch(health_pb2.HealthCheckRequest(service="other"))
            assert (await watch.read()).status == SERVING
            assert (await stranger.read()).status == UNKNOWN
            await on.server.set_serving(False)
            assert (await watch.read()).status == NOT_SERVING
            await on.server.set_serving(True)
            assert (await watch.read()).status == SERVING
            async with asyncio.timeout(10):
                await on.server.drain(timedelta(seconds=60))
            assert (await watch.read()).status == NOT_SERVING
            assert await watch.read() is grpc.aio.EOF
            assert await stranger.read() is grpc.aio.EOF

    async def test_readiness_is_what_the_checks_say(self) -> None:
        reasons: dict[str, str | None] = {"a": "store is not durable", "b": None}

        async def a() -> str | None:
            return reasons["a"]

        async def b() -> str | None:
            if reasons["b"]:
                raise ConnectionError(reasons["b"])
            return None

        async with running(echo, (a, b)) as on:
            assert await check(on.target, SERVICE) == NOT_SERVING
            reasons["b"] = "refused"
            told = await on.server.check_ready()
            assert told == "store is not durable; ConnectionError: refused"
            reasons.update(a=None, b=None)
            assert await on.server.check_ready() is None
            assert await check(on.target, SERVICE) == SERVING

    async def test_a_process_without_services_has_health_all_the_same(self) -> None:
        server = build_server(
            [], verifier=a_verifier(), domain=DOMAIN, health_names=["things.worker"]
        )
        async with serving(server, timedelta(0), asyncio.Event()) as (target, _):
            assert await check(target, "things.worker") == SERVING


class TestServe:
    async def test_it_is_ready_only_when_the_checks_agree(self) -> None:
        asked = 0

        async def third_time() -> str | None:
            nonlocal asked
            asked += 1
            return None if asked == 3 else "not yet"

        server = a_server(Things(echo), ready_checks=[third_time])
        async with serving(server, timedelta(0), asyncio.Event()) as (target, _):
            assert asked == 3
            assert await check(target, SERVICE) == SERVING

    async def test_sigterm_lets_running_calls_finish_and_takes_no_new_ones(self) -> None:
        gate, things = Gate(), Things(echo)
        things.behave = gate
        server = a_server(things)
        async with (
            serving(server, timedelta(seconds=60), None) as (target, task),
            open_channel(target, service=SERVICE) as channel,
        ):
            first = asyncio.ensure_future(Stub(channel).Ask(ASK, metadata=AUTH))
            await gate.entered.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await wait_until(server.draining.is_set, 10)
            async with open_channel(target, service=SERVICE) as late:
                await wait_until(lambda: self.refused(late), 10)
            assert not task.done()
            gate.opened.set()
            assert (await first).value == "hello"
            async with asyncio.timeout(10):
                await task
        assert len(things.calls) == 1

    async def refused(self, channel: grpc.aio.Channel) -> bool:
        try:
            await Stub(channel).Ask(ASK, timeout=1)
        except grpc.aio.AioRpcError as error:
            # Before the listener closes it is refused for its missing token.
            return error.code() is grpc.StatusCode.UNAVAILABLE
        return False

    async def test_what_does_not_finish_in_time_is_cut_off(self) -> None:
        gate, stop = Gate(), asyncio.Event()
        things = Things(gate)
        server = a_server(things)
        async with (
            serving(server, timedelta(seconds=0.1), stop) as (target, task),
            open_channel(target, service=SERVICE) as channel,
        ):
            hanging = asyncio.ensure_future(Stub(channel).Ask(ASK, metadata=AUTH))
            await gate.entered.wait()
            stop.set()
            async with asyncio.timeout(10):
                await task
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await hanging
        assert refused.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert [type(error) for error in things.ended] == [asyncio.CancelledError]

    async def test_a_stream_without_an_end_can_end_with_the_drain(self) -> None:
        entered, stop = asyncio.Event(), asyncio.Event()

        async def until_draining(_text: str) -> str:
            entered.set()
            await things.calls[0].draining.wait()
            return "goodbye"

        things = Things(until_draining)
        async with (
            serving(a_server(things), timedelta(seconds=60), stop) as (target, task),
            open_channel(target, service=SERVICE) as channel,
        ):
            stream = Stub(channel).Tell(ASK, metadata=AUTH)
            told = [(await stream.read()).value, (await stream.read()).value]
            await entered.wait()
            stop.set()
            told.append((await stream.read()).value)
            assert await stream.read() is grpc.aio.EOF
            async with asyncio.timeout(10):
                await task
        assert told == ["one", "two", "goodbye"]

    async def test_a_port_in_use_is_named(self) -> None:
        async with running(echo) as on:
            with pytest.raises(CannotListen, match=on.target) as refused:
                await serve(a_server(Things(echo)), on.target, drain=timedelta(0))
            assert isinstance(refused.value, OSError)
            # The one that was there goes on.
            assert await use(on, "Ask") == ["hello"]

    async def test_a_unix_socket_will_do(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.mktemp("s") / "s"
        server = a_server(Things(echo))
        await server.start(f"unix:{path}")
        async with open_channel(f"unix:{path}", service=SERVICE) as channel:
            assert (await Stub(channel).Ask(ASK, metadata=AUTH)).value == "hello"
        await server.drain(timedelta(0))


async def services(target: str, version: str) -> list[str]:
    async with plain_channel(target) as channel:
        call: Any = channel.stream_stream(
            f"/{version}/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        ask = reflection_pb2.ServerReflectionRequest(list_services="*")
        async for reply in call(iter([ask])):
            return [each.name for each in reply.list_services_response.service]
    return []


class TestReflection:
    @pytest.mark.parametrize("version", ["grpc.reflection.v1alpha.ServerReflection", REFLECTION_V1])
    async def test_it_answers_in_both_versions_where_it_is_on(self, version: str) -> None:
        async with running(echo, reflection=True) as on:
            assert sorted(await services(on.target, version)) == [
                "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
                SERVICE,
            ]

    async def test_it_is_off_by_default(self) -> None:
        async with running(echo) as on:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await services(on.target, REFLECTION_V1)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
