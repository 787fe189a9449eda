"""GraphQL over HTTP: POST for everything, GET for queries.

After https://graphql.github.io/graphql-over-http/draft/.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import orjson
from graphql import OperationType
from opentelemetry import context as otel_context
from opentelemetry.semconv.attributes import http_attributes, url_attributes
from opentelemetry.semconv.metrics import http_metrics
from starlette.requests import Request
from starlette.responses import Response

from gateway.engine import Answer, Asked, Engine
from gateway.http.body import GraphQLRequest, RequestRefused, read_get, read_post
from gateway.http.errors import tell_kind, tell_request
from gateway.http.identity import request_id, verify
from gateway.http.negotiation import PLAIN_JSON, RESPONSE_JSON, choose
from kit import context
from kit.errors import ChaupalError, LimitExceeded, Unauthenticated
from kit.ids import Ids, SystemIds
from kit.telemetry import duration_histogram, meter, remote_context
from kit.tokens import TokenVerifier

_SOON = timedelta(seconds=1)


class TooManyOperations(LimitExceeded):
    """The gateway is answering all that it may answer at once."""

    reason = "TOO_MANY_OPERATIONS"


class Endpoint:
    """Answers `/graphql`.

    Args:
        engine: executes the operations.
        verifier: of the bearer tokens.
        max_body_bytes: largest body that is read.
        max_operations: how many requests are answered at once; more are refused, not queued.
        ids: names requests that come without a name.
    """

    def __init__(
        self,
        engine: Engine,
        verifier: TokenVerifier,
        *,
        max_body_bytes: int,
        max_operations: int,
        ids: Ids | None = None,
    ) -> None:
        self._engine = engine
        self._verifier = verifier
        self._max_body_bytes = max_body_bytes
        self._max_operations = max_operations
        self._running = 0
        self._duration = duration_histogram(
            meter(__name__), http_metrics.HTTP_SERVER_REQUEST_DURATION, "Duration of a request."
        )
        self._ids = ids or SystemIds()

    async def __call__(self, request: Request) -> Response:
        """The answer to one request."""
        name = request_id(request.headers.get("x-request-id"), self._ids)
        context.bind_request_id(name)
        token = otel_context.attach(remote_context(dict(request.headers)))
        started, status = time.perf_counter(), HTTPStatus.INTERNAL_SERVER_ERROR.value
        self._running += 1
        try:
            response = await self._answer(request, name)
            status = response.status_code
            return response
        finally:
            self._running -= 1
            self._duration.record(time.perf_counter() - started, _attributes(request, status))
            otel_context.detach(token)

    async def _answer(self, request: Request, name: str) -> Response:
        media_type = choose(request.headers.get("accept"))
        reply = _Reply(media_type or PLAIN_JSON, name)
        try:
            if self._running > self._max_operations:
                raise TooManyOperations(retry_after=_SOON)
            _check_form(request.method, media_type)
            # Before the body: who is unknown gets no work done.
            caller = await verify(self._verifier, request.headers.get("authorization", ""))
            asked = await self._read(request)
            self._check_type(request.method, asked)
            answer = await self._engine.execute(Asked(asked, caller, name))
        except RequestRefused as error:
            told = tell_request(error.message, error.reason, name)
            return reply.errors([told], error.status, error.headers)
        except Unauthenticated as error:
            challenge = {"WWW-Authenticate": 'Bearer realm="chaupal"'}
            return reply.errors([tell_kind(error, name)], HTTPStatus.UNAUTHORIZED, challenge)
        except ChaupalError as error:
            told = tell_kind(error, name)
            return reply.errors([told], HTTPStatus.SERVICE_UNAVAILABLE, _retry_after([told]))
        return reply.answer(answer)

    async def _read(self, request: Request) -> GraphQLRequest:
        if request.method == "POST":
            return await read_post(request, self._max_body_bytes)
        return read_get(request.scope["query_string"])

    def _check_type(self, method: str, asked: GraphQLRequest) -> None:
        """Refuse what this transport does not carry; unreadable documents are told later."""
        kind = self._engine.documents.get(asked.query).type_of(asked.operation_name)
        if kind is OperationType.SUBSCRIPTION:
            raise RequestRefused(400, "NEEDS_WEBSOCKET", "subscribe over graphql-transport-ws")
        if kind is OperationType.MUTATION and method == "GET":
            raise RequestRefused(405, "MUTATION_OVER_GET", "use POST", {"Allow": "POST"})


class _Reply:
    """Makes responses in one media type."""

    def __init__(self, media_type: str, name: str) -> None:
        self._media_type = media_type
        self._headers = {
            "x-request-id": name,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }

    def answer(self, answer: Answer) -> Response:
        # Old clients take every status but 200 for a broken connection; the new type says more.
        refused = not answer.executed and self._media_type == RESPONSE_JSON
        status = HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK
        return self._response(answer.body, status, _retry_after(answer.errors))

    def errors(
        self,
        errors: Sequence[Mapping[str, Any]],
        status: int,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        return self._response({"errors": errors}, status, headers or {})

    def _response(
        self, body: Mapping[str, Any], status: int, headers: Mapping[str, str]
    ) -> Response:
        return Response(
            orjson.dumps(body),
            status,
            {**self._headers, **headers},
            media_type=f"{self._media_type}; charset=utf-8",
        )


def _check_form(method: str, media_type: str | None) -> None:
    if media_type is None:
        raise RequestRefused(406, "NOT_ACCEPTABLE", f"accept {RESPONSE_JSON} or {PLAIN_JSON}")
    if method not in ("GET", "POST"):
        raise RequestRefused(405, "METHOD_NOT_ALLOWED", "use POST or GET", {"Allow": "GET, POST"})


def _attributes(request: Request, status: int) -> Mapping[str, str | int]:
    # A method of the client's own invention would be a time series of its own.
    known = request.method in ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
    return {
        http_attributes.HTTP_REQUEST_METHOD: request.method if known else "_OTHER",
        http_attributes.HTTP_ROUTE: "/graphql",
        http_attributes.HTTP_RESPONSE_STATUS_CODE: status,
        url_attributes.URL_SCHEME: request.url.scheme,
    }


def _retry_after(errors: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    waits = [each["extensions"].get("retryAfterMs", 0) for each in errors]
    longest = max(waits, default=0)
    return {"Retry-After": str(-(-longest // 1000))} if longest else {}
