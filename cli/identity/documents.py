"""Serves the issuer's two public documents over HTTP on loopback: discovery and JWKS."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping

from cli.identity.issuer import DevelopmentIssuer

_REQUEST_SECONDS = 5.0
_MAX_HEADER_BYTES = 16 * 1024


@contextlib.asynccontextmanager
async def serve_documents(issuer: DevelopmentIssuer, host: str, port: int) -> AsyncIterator[None]:
    """Answer GET for the two documents while the block runs; everything else is 404 or 405."""
    documents = {
        "/.well-known/openid-configuration": issuer.discovery(),
        "/jwks.json": issuer.jwks(),
    }

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A peer that hangs up or dawdles is its own problem.
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, documents))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, host, port, limit=_MAX_HEADER_BYTES)
    async with server:
        yield


def _answer(head: bytes, documents: Mapping[str, Mapping[str, object]]) -> bytes:
    method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    document = documents.get(rest.partition(" ")[0].partition("?")[0])
    if document is None:
        return _response("404 Not Found", {})
    if method not in {"GET", "HEAD"}:
        return _response("405 Method Not Allowed", {}, "Allow: GET, HEAD\r\n")
    answer = _response("200 OK", document)
    return answer if method == "GET" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _response(status: str, document: Mapping[str, object], more: str = "") -> bytes:
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode() + body
