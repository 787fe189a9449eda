"""A small gRPC service for the tests of server and channel: all four shapes of a method."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
from google.protobuf.wrappers_pb2 import StringValue

from kit.channel import open_channel, outgoing, translate_rpc_errors
from kit.context import CallContext, current
from kit.deadline import Deadline
from kit.issuer import SigningKey, issue
from kit.jwks import KeySet
from kit.server import ReadyCheck, Server, ServiceRegistration, build_server
from kit.tokens import TokenVerifier

SERVICE = "test.v1.ThingService"
DOMAIN = "things.chaupal"
ISSUER = "http://issuer.test"
KEY = SigningKey.generate()

Context = grpc.aio.ServicerContext[StringValue, StringValue]
Behave = Callable[[str], Awaitable[str]]


@dataclass
class Things:
    """The servicer: does what the test says, and notes who called."""

    behave: Behave
    calls: list[CallContext] = field(default_factory=list)
    ended: list[BaseException | None] = field(default_factory=list)

    async def Ask(self, request: StringValue, _context: Context) -> StringValue:
        self.calls.append(current())
        try:
            answer = StringValue(value=await self.behave(request.value))
        except BaseException as error:
            self.ended.append(error)
            raise
        self.ended.append(None)
        return answer

    async def Tell(self, request: StringValue, _context: Context) -> AsyncIterator[StringValue]:
        """One, two, then what the test says; for ever when it says `again`."""
        self.calls.append(current())
        try:
            yield StringValue(value="one")
            yield StringValue(value="two")
            while (last := await self.behave(request.value)) == "again":
                yield StringValue(value="x" * 100_000)
            yield StringValue(value=last)
        except BaseException as error:
            self.ended.append(error)
            raise
        self.ended.append(None)

    async def Gather(self, requests: AsyncIterator[StringValue], _context: Context) -> StringValue:
        self.calls.append(current())
        texts = [request.value async for request in requests]
        return StringValue(value=await self.behave("+".join(texts)))

    async def First(self, requests: AsyncIterator[StringValue], _context: Context) -> StringValue:
        """Answers after the first request and reads no more."""
        self.calls.append(current())
        return StringValue(value=await self.behave((await anext(aiter(requests))).value[:5]))

    async def Chat(
        self, requests: AsyncIterator[StringValue], _context: Context
    ) -> AsyncIterator[StringValue]:
        self.calls.append(current())
        async for request in requests:
            yield StringValue(value=await self.behave(request.value))

    async def Wrong(self, _request: StringValue, _context: Context) -> object:
        return 5

    async def Abort(self, _request: StringValue, context: Context) -> StringValue:
        return await context.abort(grpc.StatusCode.OUT_OF_RANGE, "by hand")

    def Sync(self, request: StringValue, _context: object) -> StringValue:
        return request

    def add_to(self, server: grpc.aio.Server) -> None:
        parse, say = StringValue.FromString, StringValue.SerializeToString
        one, many = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        methods: dict[str, Any] = {
            "Ask": one(self.Ask, parse, say),
            "Read": one(self.Ask, parse, say),
            "Tell": many(self.Tell, parse, say),
            "Gather": grpc.stream_unary_rpc_method_handler(self.Gather, parse, say),
            "First": grpc.stream_unary_rpc_method_handler(self.First, parse, say),
            "Chat": grpc.stream_stream_rpc_method_handler(self.Chat, parse, say),
            "Wrong": one(self.Wrong, parse, say),
            "Abort": one(self.Abort, parse, say),
            "Sync": one(self.Sync, parse, say),
        }
        handler = grpc.method_handlers_generic_handler(SERVICE, methods)
        server.add_generic_rpc_handlers((handler,))


class Stub:
    """The client side, as generated code would be."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        say, parse = StringValue.SerializeToString, StringValue.FromString
        self.channel = channel
        for name in ("Ask", "Read", "Wrong", "Abort", "Sync", "Missing"):
            setattr(self, name, channel.unary_unary(f"/{SERVICE}/{name}", say, parse))
        self.Tell: Any = channel.unary_stream(f"/{SERVICE}/Tell", say, parse)
        self.Gather: Any = channel.stream_unary(f"/{SERVICE}/Gather", say, parse)
        self.First: Any = channel.stream_unary(f"/{SERVICE}/First", say, parse)
        self.Chat: Any = channel.stream_stream(f"/{SERVICE}/Chat", say, parse)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


async def keys() -> bytes:
    return json.dumps(KEY.jwks()).encode()


def a_verifier() -> TokenVerifier:
    return TokenVerifier(ISSUER, "chaupal", KeySet(keys), frozenset({"service:groups"}))


def a_token(**changes: Any) -> str:
    now = datetime.now(UTC)
    facts: dict[str, Any] = {
        "key": KEY,
        "issuer": ISSUER,
        "subject": "asha",
        "tenant": "neem",
        "capabilities": ["view"],
        "issued_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    return issue(**(facts | changes))


def a_server(things: Things, **options: Any) -> Server:
    facts: dict[str, Any] = {"verifier": a_verifier(), "domain": DOMAIN}
    return build_server([ServiceRegistration(SERVICE, things.add_to)], **(facts | options))


@dataclass
class Running:
    """A server on loopback, and a client's end."""

    things: Things
    server: Server
    target: str
    stub: Stub

    @property
    def auth(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {a_token()}"),)


@asynccontextmanager
async def running(
    behave: Behave, ready_checks: tuple[ReadyCheck, ...] = (), **options: Any
) -> AsyncIterator[Running]:
    things = Things(behave)
    server = a_server(things, ready_checks=ready_checks, **options)
    port = await server.start("127.0.0.1:0")
    await server.check_ready()
    target = f"127.0.0.1:{port}"
    channel = open_channel(target, service=SERVICE, retryable=["Read"])
    try:
        yield Running(things, server, target, Stub(channel))
    finally:
        await channel.close()
        await server.drain(timedelta(0))


async def use(on: Running, method: str, got: list[str] | None = None, **changes: Any) -> list[str]:
    """Call a method of any shape as peers do, and collect what it answers, also up to an error.

    Without a deadline, the call is made as a client of another make would, with `auth` alone.
    """
    answers = [] if got is None else got
    facts: dict[str, Any] = {"deadline": Deadline.after(10), "token": a_token()} | changes
    if facts["deadline"] is None:
        with translate_rpc_errors():
            await _use(on.stub, method, answers, {"metadata": on.auth})
    else:
        async with outgoing(f"{SERVICE}/{method}", **facts) as options:
            await _use(on.stub, method, answers, dict(options))
    return answers


async def _use(stub: Stub, method: str, answers: list[str], options: dict[str, Any]) -> None:
    hello = StringValue(value="hello")
    call = getattr(stub, method)
    match method:
        case "Tell" | "Chat":
            async for item in call(hello if method == "Tell" else said("a", "b"), **options):
                answers.append(item.value)  # noqa: PERF401  # what came before an error counts
        case "Gather":
            answers.append((await call(said("a", "b"), **options)).value)
        case _:
            answers.append((await call(hello, **options)).value)


async def said(*texts: str) -> AsyncIterator[StringValue]:
    for text in texts:
        yield StringValue(value=text)


async def echo(text: str) -> str:
    return text


class Gate:
    """A behaviour that waits until it is opened; says when somebody waits."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, text: str) -> str:
        self.entered.set()
        await self.opened.wait()
        return text
