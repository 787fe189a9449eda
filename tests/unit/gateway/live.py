"""The gateway behind its real server on loopback, for what needs a socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.app import Gateway
from gateway.config import Settings
from gateway.process import server_config
from tests.timing import wait_until

PROTOCOL = Subprotocol("graphql-transport-ws")


class Quiet(uvicorn.Server):
    """A server that leaves the signals to pytest."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)


@asynccontextmanager
async def live(settings: Settings, gateway: Gateway | None = None) -> AsyncIterator[str]:
    """Serve, and give the address as host:port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Quiet(server_config(settings, (gateway or Gateway(settings)).app()))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await wait_until(lambda: server.started or running.done(), 20, "listening")
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@dataclass
class Socket:
    """A client's end."""

    connection: ClientConnection
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(20):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        self.seen.append(message)
        return message

    async def init(self, token: str | None) -> None:
        payload = {"authorization": f"Bearer {token}"} if token else {}
        await self.send(type="connection_init", payload=payload)
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.send(id=id_, type="subscribe", payload=payload)

    async def closed(self) -> tuple[int | None, str | None]:
        """The code and reason with which the server closes."""
        async with asyncio.timeout(20):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def open_socket(
    address: str, *, token: str | None = None, **options: Any
) -> AsyncIterator[Socket]:
    """A socket of the protocol, already let in when a token is given."""
    given = {"subprotocols": [PROTOCOL], **options}
    async with connect(f"ws://{address}/graphql", **given) as connection:
        made = Socket(connection)
        if token is not None:
            await made.init(token)
        yield made
