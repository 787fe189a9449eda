"""A small GraphQL client over HTTP, of the standard library only."""

import http.client
import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from cli.errors import Refusal, Unreachable, role_for

_SECONDS = 30.0
# The codes of a service that is down or slow, see the gateway's table of errors.
_PASSING = frozenset({"SERVICE_UNAVAILABLE", "TIMEOUT"})


class GraphQLClient:
    """One connection to a gateway, kept open; calls with one token.

    Args:
        url: Such as http://127.0.0.1:8000/graphql.
        token: A caller's token.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Refusal("URL_INVALID", f"{url} is no http address", "Write http://HOST:PORT.")
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=_SECONDS)
        self._url = url
        self._path = parts.path or "/graphql"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/graphql-response+json, application/json",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def execute(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Return the `data` of an operation.

        Raises:
            Unreachable: The gateway, or a service behind it, does not answer.
            Refusal: The answer holds another error.
        """
        body = json.dumps({"query": query, "variables": variables})
        try:
            self._connection.request("POST", self._path, body, self._headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            # The next call opens a new connection.
            self._connection.close()
            raise Unreachable(
                "GATEWAY_UNREACHABLE",
                f"no answer from {self._url}: {error}",
                "Is the platform running? See `chaupal status`.",
            ) from error
        return _data(self._url, response.status, content)


def _data(url: str, status: int, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
        errors: Sequence[Mapping[str, Any]] = answer.get("errors") or ()
        data = answer.get("data")
    except (ValueError, AttributeError) as error:
        kind = Unreachable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Refusal
        raise kind(
            "GATEWAY_ANSWER", f"{url} answered {status} with something else than GraphQL"
        ) from error
    if errors:
        raise _refusal(errors[0])
    if not isinstance(data, dict):
        raise Refusal("GATEWAY_ANSWER", f"{url} answered {status} without data")
    return data


def _refusal(error: Mapping[str, Any]) -> Refusal:
    extensions: Mapping[str, Any] = error.get("extensions") or {}
    reason = extensions.get("reason") or extensions.get("code") or "GRAPHQL_ERROR"
    violations: Sequence[Mapping[str, str]] = extensions.get("fieldViolations") or ()
    lines = [
        f"{one.get('field')}: {one.get('description') or one.get('reason')}" for one in violations
    ]
    # The gateway tells which in its sentence only.
    missing = re.search(r".*\bcapability (\w+)", str(error.get("message", "")))
    if reason == "CAPABILITY_MISSING" and missing:
        lines.append(role_for(missing[1]))
    kind = Unreachable if extensions.get("code") in _PASSING else Refusal
    return kind(str(reason), str(error.get("message", "refused")), "\n".join(lines))
