"""A TCP proxy before a Bolt server that can lose the reply of a commit, or cut everything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# A chunk of two bytes with the message COMMIT: a structure without fields, signature 0x12.
# https://neo4j.com/docs/bolt/current/bolt/message/#messages-commit
_COMMIT = b"\x00\x02\xb0\x12\x00\x00"


@dataclass
class BoltProxy:
    """`lose_commits` commits reach the server, which does them, and the client never hears."""

    upstream: tuple[str, int]
    port: int = 0
    lose_commits: int = 0
    lost: int = 0
    refuse: bool = False
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Close every connection; new ones are refused until `refuse` is false again."""
        self.refuse = True
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection(*self.upstream)
        self._open |= {writer, up_writer}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._to_server(reader, up_writer, writer))
                tasks.create_task(_to_client(up_reader, writer))
        except* OSError:
            pass
        finally:
            self._open -= {writer, up_writer}
            for each in (writer, up_writer):
                each.transport.abort()

    async def _to_server(
        self,
        reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(65536):
            if self.lose_commits and data.endswith(_COMMIT):
                self.lose_commits -= 1
                self.lost += 1
                # From here on the client hears nothing: the reply is read by nobody else.
                writer.transport.abort()
            up_writer.write(data)
            await up_writer.drain()
        up_writer.close()


async def _to_client(up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await up_reader.read(65536):
        if not writer.transport.is_closing():
            writer.write(data)
    writer.close()


@asynccontextmanager
async def proxy_before(uri: str) -> AsyncIterator[BoltProxy]:
    """A proxy on loopback before the server at this address."""
    address = urlsplit(uri)
    assert address.hostname
    proxy = BoltProxy((address.hostname, address.port or 7687))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.cut()
        server.close()
        with suppress(Exception):
            await server.wait_closed()
