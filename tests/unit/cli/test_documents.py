"""The issuer's documents over HTTP, as a verifier fetches them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest

from cli.identity.documents import serve_documents
from cli.identity.issuer import DevelopmentIssuer
from kit.issuer import SigningKey
from kit.jwks import KeySet, http_source

KEY = SigningKey.generate()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number: int = one.getsockname()[1]
    issuer = DevelopmentIssuer(KEY, f"http://127.0.0.1:{number}")
    async with serve_documents(issuer, "127.0.0.1", number):
        yield number


async def _ask(port: int, request: bytes) -> tuple[str, str, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, _, headers = head.decode().partition("\r\n")
    return status.removeprefix("HTTP/1.1 "), headers, body


async def test_a_verifiers_key_set_reads_the_key(port: int) -> None:
    keys = KeySet(http_source(f"http://127.0.0.1:{port}/jwks.json"))

    key = await keys.get(KEY.kid)

    assert key is not None
    assert key["kid"] == KEY.kid
    assert "d" not in key


async def test_discovery_names_the_issuer_and_the_keys(port: int) -> None:
    status, headers, body = await _ask(
        port, b"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    assert status == "200 OK"
    assert "Content-Type: application/json" in headers
    assert json.loads(body)["jwks_uri"] == f"http://127.0.0.1:{port}/jwks.json"


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /token", "404 Not Found"),
        ("GET /", "404 Not Found"),
        ("POST /jwks.json", "405 Method Not Allowed"),
        ("HEAD /jwks.json", "200 OK"),
        ("GET /jwks.json?fresh=1", "200 OK"),
    ],
)
async def test_nothing_else_is_served(port: int, request_line: str, status: str) -> None:
    answer, _, body = await _ask(port, f"{request_line} HTTP/1.1\r\n\r\n".encode())

    assert answer == status
    assert b"kty" not in body or request_line.startswith("GET /jwks")


@pytest.mark.parametrize("rubbish", [b"", b"\x16\x03\x01", b"A" * 20_000])
async def test_rubbish_ends_its_own_connection_only(port: int, rubbish: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(rubbish)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()

    status, _, _ = await _ask(port, b"GET /jwks.json HTTP/1.1\r\n\r\n")
    assert status == "200 OK"
