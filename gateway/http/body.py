"""What stands before GraphQL: only well-formed requests of bounded size get through.

After https://graphql.github.io/graphql-over-http/draft/. Whatever is sent, the answer is a 4xx with
a reason and never a 500: the parser is strict (UTF-8, no lone surrogates, no numbers beyond a
double), and the shape is checked before anything uses it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from starlette.requests import ClientDisconnect, Request

# GraphQL inputs nest a handful deep; what recurses below must not be made to.
MAX_JSON_DEPTH = 32
# A client that sends slower than this holds a connection and does nothing for it.
BODY_SECONDS = 15.0
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation as a client asks for it."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None


class RequestRefused(Exception):
    """The request is not one that can be read; says how to answer."""

    def __init__(
        self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = dict(headers or {})


async def read_post(request: Request, max_bytes: int) -> GraphQLRequest:
    """The operation in the body of a POST.

    Raises:
        RequestRefused: 400, 408, 413 or 415.
    """
    _check_content_type(request.headers.get("content-type", ""))
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise RequestRefused(415, "ENCODING_NOT_ACCEPTED", "send the body without an encoding")
    return parse_request(parse_json(await _body(request, max_bytes)))


def read_get(query_string: bytes) -> GraphQLRequest:
    """The operation in the parameters of a GET.

    Raises:
        RequestRefused: 400.
    """
    members: dict[str, Any] = {}
    for part in query_string.split(b"&"):
        name, _, value = part.partition(b"=")
        if name in (b"query", b"operationName"):
            members[name.decode()] = _text(value)
        elif name in (b"variables", b"extensions") and value:
            members[name.decode()] = parse_json(_text(value).encode())
    return parse_request(members)


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text, bounded in depth.

    Raises:
        RequestRefused: 400.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RequestRefused(400, "BAD_JSON", "the request is not strict JSON in UTF-8") from None
    if _deeper_than(value, MAX_JSON_DEPTH):
        raise RequestRefused(400, "TOO_DEEP", f"the request nests deeper than {MAX_JSON_DEPTH}")
    return value


def parse_request(value: object) -> GraphQLRequest:
    """The operation that a JSON value asks for.

    Raises:
        RequestRefused: 400, naming the member.
    """
    if not isinstance(value, dict):
        raise RequestRefused(400, "NOT_AN_OBJECT", "send one JSON object")
    query = value.get("query")
    if not isinstance(query, str) or not query.strip():
        raise RequestRefused(400, "QUERY_NEEDED", "`query` must be a document")
    variables = _optional(value, "variables", dict)
    _optional(value, "extensions", dict)
    return GraphQLRequest(query, variables, _optional(value, "operationName", str) or None)


def _optional(members: Mapping[str, Any], name: str, kind: type) -> Any:
    given = members.get(name)
    if given is not None and not isinstance(given, kind):
        what = "an object" if kind is dict else "a string"
        raise RequestRefused(400, "BAD_MEMBER", f"`{name}` must be {what} or null")
    return given


def _check_content_type(header: str) -> None:
    kind, *parameters = (part.strip().lower() for part in header.split(";"))
    if kind != _JSON:
        # A page of another origin can make a browser send forms and plain text, but no JSON.
        raise RequestRefused(415, "MEDIA_TYPE_NOT_ACCEPTED", f"send {_JSON}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise RequestRefused(415, "CHARSET_NOT_ACCEPTED", "send UTF-8")


async def _body(request: Request, max_bytes: int) -> bytes:
    too_large = RequestRefused(
        413, "TOO_LARGE", f"at most {max_bytes} bytes are read", {"Connection": "close"}
    )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > max_bytes):
        raise too_large
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > max_bytes:
                    raise too_large
    except (TimeoutError, ClientDisconnect):
        raise RequestRefused(
            408, "TOO_SLOW", "the body did not arrive", {"Connection": "close"}
        ) from None
    return bytes(chunks)


def _text(value: bytes) -> str:
    try:
        return unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestRefused(400, "BAD_UTF8", "the parameters are not UTF-8") from None


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            below
            for each in level
            if isinstance(each, dict | list)
            for below in (each.values() if isinstance(each, dict) else each)
            if isinstance(below, dict | list)
        ]
        if not level:
            return False
    return True
