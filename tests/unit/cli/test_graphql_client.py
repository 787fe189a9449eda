"""The small GraphQL client tells a refusal's reason, and never leaves people with a stack."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.clients.graphql import GraphQLClient
from cli.errors import Refusal
from cli.launcher.ports import choose_ports


class Gateway(HTTPServer):
    """Answers every POST with the same status and body, and keeps what it was asked."""

    status = 200
    body = b'{"data": {"a": 1}}'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/graphql"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def _refused(gateway: Gateway) -> Refusal:
    with GraphQLClient(gateway.url, "t") as client, pytest.raises(Refusal) as refused:
        client.execute("{ a }", {})
    return refused.value


def test_it_sends_the_operation_with_the_token_and_gives_the_data(gateway: Gateway) -> None:
    with GraphQLClient(gateway.url, "secret") as client:
        data = client.execute("query Q($n: Int) { a }", {"n": 1})

    path, headers, body = gateway.asked[0]
    assert data == {"a": 1}
    assert path == "/graphql"
    assert headers["Authorization"] == "Bearer secret"
    assert json.loads(body) == {"query": "query Q($n: Int) { a }", "variables": {"n": 1}}


def test_an_error_tells_its_reason_and_the_fields_at_fault(gateway: Gateway) -> None:
    violation = {"field": "input.title", "reason": "TOO_LONG", "description": "at most 120"}
    extensions = {"code": "BAD_USER_INPUT", "fieldViolations": [violation]}
    gateway.body = json.dumps(
        {"data": None, "errors": [{"message": "wrong", "extensions": extensions}]}
    ).encode()

    refusal = _refused(gateway)

    assert (refusal.reason, refusal.message) == ("BAD_USER_INPUT", "wrong")
    assert refusal.cure == "input.title: at most 120"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b"{}", b'{"data": 1}', b"\xff"])
def test_what_is_no_graphql_answer_is_named_with_its_status(gateway: Gateway, body: bytes) -> None:
    gateway.status, gateway.body = 502, body

    refusal = _refused(gateway)

    assert refusal.reason == "GATEWAY_ANSWER"
    assert "502" in refusal.message


def test_a_gateway_that_is_not_there_is_named_with_the_cure() -> None:
    url = f"http://127.0.0.1:{choose_ports(0, {})['gateway']}/graphql"

    with GraphQLClient(url, "t") as client, pytest.raises(Refusal) as refused:
        client.execute("{ a }", {})

    assert refused.value.reason == "GATEWAY_UNREACHABLE"
    assert "chaupal status" in refused.value.cure


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x/graphql", "http://"])
def test_what_is_no_http_address_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        GraphQLClient(url, "t")

    assert refused.value.reason == "URL_INVALID"


def test_a_capability_that_is_missing_names_the_roles_that_have_it(gateway: Gateway) -> None:
    extensions = {"code": "FORBIDDEN", "reason": "CAPABILITY_MISSING"}
    told = "this needs the capability compose, which the token does not give"
    gateway.body = json.dumps({"errors": [{"message": told, "extensions": extensions}]}).encode()

    refusal = _refused(gateway)

    assert refusal.message == told
    assert refusal.cure.startswith("Call in the role composer or administrator:")
