"""GraphQL over HTTP: methods, media types, statuses, identity, and what is refused and how."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from gateway.config import Settings
from kit.issuer import SigningKey

from .fakes.servers import Client, client, gateway, settings, token
from .fakes.world import World

QUERY = "{ viewer { tenant } }"
NEW = "application/graphql-response+json"
OLD = "application/json"


async def post(asking: Client, content: bytes | str, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"content-type": OLD, **asking.headers, **named}
    present = {name: value for name, value in given.items() if value}
    return await asking.http.post("/graphql", content=content, headers=present)


def reason_of(response: httpx2.Response) -> str:
    """The reason of the one error, which is all that there is."""
    body = response.json()
    assert set(body) == {"errors"}
    (error,) = body["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    reason: str = error["extensions"]["reason"]
    return reason


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", OLD),
        ("*/*", OLD),
        ("application/*", OLD),
        (OLD, OLD),
        (NEW, NEW),
        (f"{NEW}, {OLD};q=0.9", NEW),
        (f"{OLD}, {NEW};q=0.9", OLD),
        (f"{NEW};q=0, */*", OLD),
        (f"text/html, {NEW};charset=utf-8", NEW),
    ],
)
async def test_the_answer_is_in_the_media_type_that_is_wanted(
    asking: Client, accept: str, expected: str
) -> None:
    response = await post(asking, json.dumps({"query": QUERY}), accept=accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json() == {"data": {"viewer": {"tenant": "neem"}}}


@pytest.mark.parametrize("accept", ["text/html", f"{OLD};q=0", "application/json;q=x", "nonsense"])
async def test_an_answer_that_nobody_wants_is_406(asking: Client, accept: str) -> None:
    response = await post(asking, json.dumps({"query": QUERY}), accept=accept)
    assert response.status_code == 406
    assert reason_of(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_405(asking: Client, method: str) -> None:
    response = await asking.http.request(method, "/graphql", headers=asking.headers)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_queries_over_get(asking: Client) -> None:
    response = await asking.http.get(
        "/graphql",
        params={
            "query": "query A { viewer { tenant } }"
            " query B($l: String) { blueprint { name { text(language: $l) } } }",
            "operationName": "B",
            "variables": '{"l": "hi"}',
        },
        headers=asking.headers,
    )
    assert response.json() == {"data": {"blueprint": {"name": {"text": "नीम"}}}}


async def test_a_mutation_over_get_is_refused(asking: Client) -> None:
    mutation = (
        'mutation { startBroadcast(input: {requestId: "1", broadcastId: "1"}) { __typename } }'
    )
    response = await asking.http.get("/graphql", params={"query": mutation}, headers=asking.headers)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert reason_of(response) == "MUTATION_OVER_GET"
    assert asking.world.calls.log == []


async def test_a_subscription_over_http_is_refused(asking: Client) -> None:
    response = await asking.post('subscription { broadcastProgress(id: "1") { version } }')
    assert response.status_code == 400
    assert reason_of(response) == "NEEDS_WEBSOCKET"


@pytest.mark.parametrize(
    ("query_string", "reason"),
    [
        ("", "QUERY_NEEDED"),
        ("query=", "QUERY_NEEDED"),
        ("query=%ff", "BAD_UTF8"),
        ("query=%ED%A0%80", "BAD_UTF8"),
        (f"query={quote(QUERY)}&variables=x", "BAD_JSON"),
        (f"query={quote(QUERY)}&variables=%5B%5D", "BAD_MEMBER"),
        (f"query={quote(QUERY)}&extensions=1", "BAD_MEMBER"),
    ],
)
async def test_bad_parameters_are_400(asking: Client, query_string: str, reason: str) -> None:
    response = await asking.http.get(f"/graphql?{query_string}", headers=asking.headers)
    assert response.status_code == 400
    assert reason_of(response) == reason


DEEP = b'{"query": "{a}", "variables": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001
NESTED = json.dumps(
    {
        "query": QUERY,
        "variables": {"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},
    }
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "BAD_JSON"),
        (b"{", "BAD_JSON"),
        (b"null", "NOT_AN_OBJECT"),
        (b'"x"', "NOT_AN_OBJECT"),
        (b"7", "NOT_AN_OBJECT"),
        (b"[]", "NOT_AN_OBJECT"),
        (b'[{"query": "{ a }"}]', "NOT_AN_OBJECT"),
        (b"{}", "QUERY_NEEDED"),
        (b'{"query": null}', "QUERY_NEEDED"),
        (b'{"query": 1}', "QUERY_NEEDED"),
        (b'{"query": {"a": 1}}', "QUERY_NEEDED"),
        (b'{"query": " \\n "}', "QUERY_NEEDED"),
        (b'{"query": "{a}", "variables": "x"}', "BAD_MEMBER"),
        (b'{"query": "{a}", "variables": []}', "BAD_MEMBER"),
        (b'{"query": "{a}", "operationName": 7}', "BAD_MEMBER"),
        (b'{"query": "{a}", "operationName": {}}', "BAD_MEMBER"),
        (b'{"query": "{a}", "extensions": "x"}', "BAD_MEMBER"),
        (b'{"query": "\xff"}', "BAD_JSON"),
        (b'{"query": "\xed\xa0\x80"}', "BAD_JSON"),
        (b'{"query": "{a}", "operationName": "\\ud800"}', "BAD_JSON"),
        (b'{"query": "{a}", "variables": {"x": ' + b"9" * 5000 + b"}}", "BAD_JSON"),
        (b'{"query": "{a}", "variables": {"x": NaN}}', "BAD_JSON"),
        (b'{"query": "{a}", "variables": {"x": 1e999}}', "BAD_JSON"),
        (b"\xef\xbb\xbf{}", "BAD_JSON"),
        (DEEP, "BAD_JSON"),
        (NESTED.encode(), "TOO_DEEP"),
    ],
)
async def test_a_body_that_is_no_request_is_400_and_never_500(
    asking: Client, content: bytes, reason: str
) -> None:
    response = await post(asking, content)
    assert response.status_code == 400
    assert reason_of(response) == reason


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-but-not",
        "application/json; charset=utf-16",
    ],
)
async def test_only_json_is_taken(asking: Client, kind: str) -> None:
    """A page of another origin can make a browser send all the others."""
    response = await post(asking, json.dumps({"query": QUERY}), content_type=kind)
    assert response.status_code == 415


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
async def test_encoded_bodies_are_not_taken(asking: Client, encoding: str) -> None:
    response = await post(asking, json.dumps({"query": QUERY}), content_encoding=encoding)
    assert response.status_code == 415
    assert reason_of(response) == "ENCODING_NOT_ACCEPTED"


async def test_a_body_over_the_bound_is_413_with_and_without_a_declared_length(
    asking: Client,
) -> None:
    large = json.dumps({"query": QUERY + " " * 1024 * 1024})
    assert (await post(asking, large)).status_code == 413

    async def chunks() -> Any:
        for at in range(0, len(large), 65536):
            yield large[at : at + 65536].encode()

    response = await asking.http.post(
        "/graphql", content=chunks(), headers={"content-type": OLD, **asking.headers}
    )
    assert response.status_code == 413
    assert reason_of(response) == "TOO_LARGE"


@pytest.mark.parametrize("accept", [NEW, OLD])
@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ viewer { ", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { nothing } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { tenant } } query B { viewer { tenant } }", {}, "BAD_USER_INPUT"),
        ("query($id: ID!) { unit(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        ("query($n: Int) { units(first: $n) { totalCount } }", {"n": "x"}, "BAD_USER_INPUT"),
        ("query($n: Int) { units(first: $n) { totalCount } }", {"n": 2**40}, "BAD_USER_INPUT"),
        ("{ units(first: " + "9" * 5000 + ") { totalCount } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ unit(id: " + "9" * 5000 + ") { id } }", {}, "executed"),
    ],
)
async def test_a_document_that_cannot_be_executed(
    asking: Client, accept: str, query: str, variables: dict[str, Any], code: str
) -> None:
    """The new media type says so with 400; old clients get 200 and read the errors."""
    content = json.dumps({"query": query, "variables": variables})
    response = await post(asking, content, accept=accept)
    body = response.json()
    if code == "executed":
        assert response.status_code == 200
        assert body["errors"][0]["extensions"]["reason"] == "BAD_ID"
        return
    assert response.status_code == (400 if accept == NEW else 200)
    assert "data" not in body
    assert {each["extensions"]["code"] for each in body["errors"]} == {code}
    assert asking.world.calls.log == []


async def test_a_null_of_every_optional_member_is_fine(asking: Client) -> None:
    content = json.dumps(
        {"query": QUERY, "variables": None, "operationName": None, "extensions": None}
    )
    assert (await post(asking, content)).json() == {"data": {"viewer": {"tenant": "neem"}}}


async def test_an_unknown_operation_name_is_refused(asking: Client) -> None:
    response = await asking.post("query A { viewer { tenant } }", operationName="B")
    assert "data" not in response.json()
    assert "Unknown operation" in response.json()["errors"][0]["message"]


BAD_TOKENS = {
    "none": ("", "TOKEN_MISSING"),
    "another scheme": ("Basic abc", "TOKEN_MISSING"),
    "nonsense": ("Bearer nonsense", "TOKEN_INVALID"),
    "expired": (f"Bearer {token(lasting=timedelta(seconds=-1))}", "TOKEN_EXPIRED"),
    "another key": (f"Bearer {token(key=SigningKey.generate())}", "TOKEN_INVALID"),
    "no tenant": (f"Bearer {token(tenant=None)}", "TENANT_REQUIRED"),
}


@pytest.mark.parametrize("which", BAD_TOKENS)
async def test_who_is_nobody_gets_401_and_no_work_done(asking: Client, which: str) -> None:
    authorization, reason = BAD_TOKENS[which]
    asking.headers = {"authorization": authorization} if authorization else {}
    response = await asking.post("query($id: ID!) { unit(id: $id) { id } }")
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert reason_of(response) == reason
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert asking.world.calls.log == []


async def test_keys_that_cannot_be_had_are_503(configured: Settings, world: World) -> None:
    assert configured.oidc_jwks_file is not None
    configured.oidc_jwks_file.unlink()
    async with gateway(configured) as app, client(app, world, token()) as asking:
        response = await asking.post(QUERY)
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"


async def test_more_requests_than_are_answered_at_once_are_sent_away(
    tmp_path: Path, world: World
) -> None:
    configured = settings(tmp_path, max_operations=1)
    async with gateway(configured) as app, client(app, world, token()) as asking:
        arrived, released = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            arrived.set()
            await released.wait()
            yield json.dumps({"query": QUERY}).encode()

        headers = {"content-type": OLD, **asking.headers}
        first = asyncio.create_task(asking.http.post("/graphql", content=slow(), headers=headers))
        await arrived.wait()
        second = await asking.post(QUERY)
        released.set()
        assert (await first).json() == {"data": {"viewer": {"tenant": "neem"}}}
        third = await asking.post(QUERY)
    assert second.status_code == 503
    assert second.headers["retry-after"] == "1"
    assert reason_of(second) == "TOO_MANY_OPERATIONS"
    assert third.status_code == 200


async def test_probes(configured: Settings, world: World) -> None:
    async with gateway(configured) as app, client(app, world, None) as asking:
        for path in ("/livez", "/startupz", "/readyz"):
            response = await asking.http.get(path)
            assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    # The lifespan is over: alive, but no more requests.
    async with client(app, world, None) as asking:
        assert (await asking.http.get("/livez")).status_code == 200
        assert (await asking.http.get("/readyz")).status_code == 503


async def test_no_page_of_another_origin_may_read_answers(asking: Client) -> None:
    asking.headers["origin"] = "https://elsewhere.test"
    response = await asking.post(QUERY)
    assert "access-control-allow-origin" not in response.headers


def test_settings_of_a_gateway_have_defaults_for_all_but_identity(tmp_path: Any) -> None:
    made = settings(tmp_path)
    assert made.port == 8000
    assert made.operation_budget == timedelta(seconds=15)
