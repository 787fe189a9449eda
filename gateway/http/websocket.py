"""GraphQL over WebSocket, protocol `graphql-transport-ws` and no other.

After https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. Written here rather than
taken from Strawberry, whose handler dies without a close code on a list or a deep message, shares
one context among all operations of a socket and never looks at the token again.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from gateway.engine import Answer, Asked, Engine
from gateway.http.body import RequestRefused, parse_json, parse_request
from gateway.http.errors import tell_kind, tell_masked, tell_request
from gateway.http.identity import request_id, verify
from kit import context
from kit.clock import Clock, SystemClock
from kit.errors import ChaupalError, Unauthenticated
from kit.ids import Ids, SystemIds
from kit.tokens import Caller, TenantRequired, TokenVerifier

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
_MAX_ID_CHARS = 128
_log = logging.getLogger(__name__)
_MAX_REASON_BYTES = 120  # RFC 6455 leaves 123 for the reason


class _Close(Exception):
    """Ends the socket with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Gone(Exception):
    """The client left."""


_GONE = (_Gone, WebSocketDisconnect, WebSocketDisconnected)


@dataclass(slots=True)
class SocketEndpoint:
    """Accepts sockets at `/graphql`.

    At most `max_sockets` of callers that are known at a time, and beside them at most
    `max_waiting` that have not said yet who they are: a crowd of strangers takes nobody's place.
    """

    engine: Engine
    verifier: TokenVerifier
    allowed_origins: frozenset[str]
    max_message_bytes: int
    max_operations: int
    max_sockets: int
    max_waiting: int
    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=SystemIds)
    _open: int = 0
    _waiting: "OrderedDict[_Connection, None]" = field(default_factory=OrderedDict)

    async def __call__(self, socket: WebSocket) -> None:
        """Serve one socket to its end."""
        if not self._is_origin_allowed(socket):
            await socket.close(1008)  # before it is accepted: the handshake is answered with 403
            return
        if PROTOCOL not in socket.scope["subprotocols"]:
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(PROTOCOL)
        connection = _Connection(self, socket)
        self._let_wait(connection)
        try:
            await connection.serve()
        finally:
            self.forget(connection)

    def _let_wait(self, connection: "_Connection") -> None:
        """Give a place among those that are not known yet.

        When all are taken, the one that has waited longest gives way: who means it says who they
        are at once, so a crowd would have to come anew in that moment to keep anybody out.
        """
        if len(self._waiting) >= self.max_waiting:
            oldest, _ = self._waiting.popitem(last=False)
            oldest.crowd_out()
        self._waiting[connection] = None

    def let_in(self, connection: "_Connection") -> bool:
        """Give a known caller's socket its place, if one is free."""
        if self._open >= self.max_sockets:
            return False
        self._waiting.pop(connection, None)
        self._open += 1
        connection.is_in = True
        return True

    def forget(self, connection: "_Connection") -> None:
        """Free the socket's place, whichever it has; nothing when it has none any more."""
        self._waiting.pop(connection, None)
        self._open -= connection.is_in
        connection.is_in = False

    def _is_origin_allowed(self, socket: WebSocket) -> bool:
        """Whether the page that opens the socket may. What is no browser says no origin."""
        origin = socket.headers.get("origin")
        if origin is None:
            return True
        return origin in self.allowed_origins or urlsplit(origin).netloc == socket.headers.get(
            "host", ""
        )


class _Connection:
    """One socket: one caller, some operations."""

    def __init__(self, endpoint: SocketEndpoint, socket: WebSocket) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self._caller: Caller | None = None
        self._init_seen = False
        self.is_in = False
        self._crowded_out = asyncio.Event()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._name = request_id(socket.headers.get("x-request-id"), endpoint.ids)

    async def serve(self) -> None:
        context.bind_request_id(self._name)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._read())
                self._before_init = (
                    tasks.create_task(self._expect_init()),
                    tasks.create_task(self._give_way()),
                )
        except* _Close as group:
            closing = _first(group)
            # Before the close and not after it: it takes as long as the client likes.
            self._endpoint.forget(self)
            with suppress(*_GONE):
                await self._socket.close(closing.code, _fit(closing.reason))
        except* _GONE:
            pass

    # Reading

    async def _read(self) -> None:
        handlers = {
            "connection_init": self._on_init,
            "ping": self._on_ping,
            "pong": self._on_pong,
            "subscribe": self._on_subscribe,
            "complete": self._on_complete,
        }
        while True:
            message = await self._receive()
            kind = message.get("type")
            handler = handlers.get(kind) if isinstance(kind, str) else None
            if handler is None:
                raise _Close(4400, "Unknown type of message")
            await handler(message)

    async def _receive(self) -> Mapping[str, Any]:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise _Gone
        text = event.get("text")
        if not isinstance(text, str):
            raise _Close(4400, "Messages are text")
        raw = text.encode("utf-8", "replace")
        if len(raw) > self._endpoint.max_message_bytes:
            raise _Close(1009, "Message too big")
        try:
            message = parse_json(raw)
        except RequestRefused as error:
            raise _Close(4400, error.message) from None
        if not isinstance(message, dict):
            raise _Close(4400, "Messages are objects")
        return message

    # The socket's own messages

    async def _expect_init(self) -> None:
        await self._endpoint.clock.sleep(INIT_SECONDS)
        if not self._init_seen:
            raise _Close(4408, "Connection initialisation timeout")

    def crowd_out(self) -> None:
        """Close the socket, because others need its place and it has not said whose it is."""
        self._crowded_out.set()

    async def _give_way(self) -> None:
        await self._crowded_out.wait()
        raise _Close(1013, "Too many sockets, try again later")

    async def _on_init(self, message: Mapping[str, Any]) -> None:
        if self._init_seen:
            raise _Close(4429, "Too many initialisation requests")
        self._init_seen = True
        self._before_init[0].cancel()
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise _Close(4400, "The payload of connection_init is an object")
        caller = await self._admit(payload.get("authorization", ""))
        if not self._endpoint.let_in(self):
            raise _Close(1013, "Too many sockets, try again later")
        self._before_init[1].cancel()
        self._caller = caller
        await self._send({"type": "connection_ack"})
        self._tasks.create_task(self._end_with_token(self._caller))

    async def _admit(self, authorization: object) -> Caller:
        if not isinstance(authorization, str):
            raise _Close(4400, "`authorization` is a string")
        try:
            return await verify(self._endpoint.verifier, authorization)
        except TenantRequired as error:
            raise _Close(4403, f"Forbidden: {error.reason}") from None
        except Unauthenticated as error:
            raise _Close(4401, f"Unauthorized: {error.reason}") from None
        except ChaupalError as error:
            raise _Close(1013, f"Try again later: {error.reason}") from None

    async def _end_with_token(self, caller: Caller) -> None:
        left = caller.expires_at - self._endpoint.clock.now()
        await self._endpoint.clock.sleep(left.total_seconds())
        raise _Close(4401, "Unauthorized: TOKEN_EXPIRED")

    async def _on_ping(self, message: Mapping[str, Any]) -> None:
        payload = message.get("payload")
        await self._send({"type": "pong"} | ({"payload": payload} if payload is not None else {}))

    async def _on_pong(self, _: Mapping[str, Any]) -> None:
        """Nothing to do: the socket's own pings watch over it."""

    # Operations

    async def _on_subscribe(self, message: Mapping[str, Any]) -> None:
        if self._caller is None:
            raise _Close(4401, "Unauthorized")
        id_ = _operation_id(message)
        if id_ in self._operations:
            raise _Close(4409, f"Subscriber for {id_} already exists")
        try:
            request = parse_request(message.get("payload"))
        except RequestRefused as error:
            raise _Close(4400, error.message) from None
        if len(self._operations) >= self._endpoint.max_operations:
            text = f"one socket runs at most {self._endpoint.max_operations} operations at once"
            told = tell_request(text, "TOO_MANY_OPERATIONS", self._name)
            await self._send({"id": id_, "type": "error", "payload": [told]})
            return
        asked = Asked(request, self._caller, self._endpoint.ids.new())
        self._operations[id_] = self._tasks.create_task(self._run(id_, asked))

    async def _on_complete(self, message: Mapping[str, Any]) -> None:
        task = self._operations.pop(_operation_id(message), None)
        if task is not None:
            task.cancel()

    async def _run(self, id_: str, asked: Asked) -> None:
        context.bind_request_id(asked.request_id)
        try:
            last: Mapping[str, Any] = await self._forward(id_, asked)
        except _GONE:
            raise
        except ChaupalError as error:
            last = {"type": "error", "payload": [tell_kind(error, asked.request_id)]}
        except Exception:  # noqa: BLE001  # the edge: other operations of the socket go on
            _log.exception("an operation failed")
            last = {"type": "error", "payload": [tell_masked(asked.request_id)]}
        # The id is free again as soon as the client can know that the operation is over.
        self._operations.pop(id_, None)
        await self._send({"id": id_, **last})

    async def _forward(self, id_: str, asked: Asked) -> Mapping[str, Any]:
        """Send every answer; the message that ends the operation is returned."""
        answers = self._answers(asked)
        async with aclosing(answers):
            async for answer in answers:
                if not answer.executed:
                    return {"type": "error", "payload": answer.errors}
                await self._send({"id": id_, "type": "next", "payload": answer.body})
        return {"type": "complete"}

    async def _answers(self, asked: Asked) -> AsyncGenerator[Answer, None]:
        engine = self._endpoint.engine
        document = engine.documents.get(asked.request.query)
        if document.type_of(asked.request.operation_name) is not OperationType.SUBSCRIPTION:
            yield await engine.execute(asked)
            return
        answers = engine.watch(asked)
        async with aclosing(answers):
            async for answer in answers:
                yield answer

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._socket.send_text(orjson.dumps(message).decode())


def _operation_id(message: Mapping[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 1 <= len(id_) <= _MAX_ID_CHARS:
        raise _Close(4400, f"`id` is a string of 1 to {_MAX_ID_CHARS} characters")
    return id_


def _first(group: BaseExceptionGroup[_Close]) -> _Close:
    found = group.exceptions[0]
    return found if isinstance(found, _Close) else _first(found)


def _fit(reason: str) -> str:
    return reason.encode()[:_MAX_REASON_BYTES].decode("utf-8", "ignore")
