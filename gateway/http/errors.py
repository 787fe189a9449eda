"""How errors look to a client: one table from kinds to codes, and what nobody may see is masked."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLSyntaxError
from opentelemetry import trace

from gateway.graph.violations import bounded
from gateway.http.limits import DocumentTooLarge
from kit import errors
from kit.errors import ChaupalError, FieldViolation, InvalidInput, LimitExceeded, kind_of
from kit.status import STATUS_OF_KIND

CODE_OF_KIND: Mapping[type[ChaupalError], str] = {
    errors.InvalidInput: "BAD_USER_INPUT",
    errors.Unauthenticated: "UNAUTHENTICATED",
    errors.Forbidden: "FORBIDDEN",
    errors.NotFound: "NOT_FOUND",
    errors.AlreadyExists: "CONFLICT",
    errors.Conflict: "CONFLICT",
    errors.PreconditionFailed: "FAILED_PRECONDITION",
    errors.LimitExceeded: "RATE_LIMITED",
    errors.Unavailable: "SERVICE_UNAVAILABLE",
    errors.DeadlineExceeded: "TIMEOUT",
    errors.Internal: "INTERNAL_SERVER_ERROR",
}
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
BAD_REQUEST = "BAD_REQUEST"
INTERNAL = "INTERNAL_SERVER_ERROR"
MASKED = "internal error"
SERVICE = "gateway"
DEGRADED = frozenset({"SERVICE_UNAVAILABLE", "TIMEOUT"})
_DOMAIN = f"{SERVICE}.chaupal"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """The errors of one result as a client gets them, and which services are missing from it."""

    errors: Sequence[Mapping[str, Any]]
    degraded: Sequence[str]


def tell_results(found: Iterable[GraphQLError], request_id: str) -> Told:
    """The errors of an execution; a service that is down is told once, not once for each field."""
    told: list[Mapping[str, Any]] = []
    down: set[str] = set()
    for error in found:
        formatted = tell(error, request_id)
        extensions = formatted["extensions"]
        if extensions["code"] in DEGRADED:
            if extensions["serviceName"] in down:
                continue
            down.add(extensions["serviceName"])
        told.append(formatted)
    return Told(told, sorted(down))


def tell(error: GraphQLError, request_id: str) -> Mapping[str, Any]:
    """One error of an execution as a client gets it."""
    original = _original(error)
    if isinstance(original, ChaupalError):
        message, extensions = _of_kind(original)
    elif original is error and not _is_our_fault(error):
        message, extensions = error.message, {"code": BAD_USER_INPUT}
    else:
        _log.error("a resolver failed", exc_info=original, extra={"path": _path(error)})
        message, extensions = MASKED, {"code": INTERNAL}
    return _formatted(error, message, extensions, request_id)


def tell_refused(error: GraphQLError, request_id: str) -> Mapping[str, Any]:
    """One reason why a document is not executed."""
    code = PARSE_FAILED if isinstance(error, GraphQLSyntaxError) else VALIDATION_FAILED
    extensions: dict[str, Any] = {"code": code}
    if isinstance(error, DocumentTooLarge):
        extensions["reason"] = error.reason
    return _formatted(error, error.message, extensions, request_id)


def tell_kind(error: ChaupalError, request_id: str) -> Mapping[str, Any]:
    """An error that no field is about."""
    message, extensions = _of_kind(error)
    return _formatted(GraphQLError(message), message, extensions, request_id)


def tell_request(message: str, reason: str, request_id: str) -> Mapping[str, Any]:
    """A fault of the request itself, before there is a document."""
    extensions = {"code": BAD_REQUEST, "reason": reason}
    return _formatted(GraphQLError(message), message, extensions, request_id)


def tell_masked(request_id: str) -> Mapping[str, Any]:
    """A fault of ours that no field is about."""
    return _formatted(GraphQLError(MASKED), MASKED, {"code": INTERNAL}, request_id)


def _of_kind(error: ChaupalError) -> tuple[str, dict[str, Any]]:
    kind = kind_of(error)
    domain = error.domain or _DOMAIN
    extensions: dict[str, Any] = {
        "code": CODE_OF_KIND[kind],
        "serviceName": domain.removesuffix(".chaupal"),
    }
    if kind is errors.Internal:
        return MASKED, extensions
    extensions |= {"reason": error.reason, "domain": domain}
    if error.domain:  # it came over gRPC
        extensions["grpc"] = {"status": STATUS_OF_KIND[kind].name}
    match error:
        case InvalidInput(violations=violations) if violations:
            extensions["fieldViolations"] = [_violation(each) for each in bounded(violations)]
        case LimitExceeded(retry_after=retry_after) if retry_after is not None:
            extensions["retryAfterMs"] = round(retry_after.total_seconds() * 1000)
        case errors.Conflict(current_etag=etag) if etag is not None:
            extensions["currentEtag"] = etag
    return error.message, extensions


def _violation(violation: FieldViolation) -> Mapping[str, str]:
    return {
        "field": violation.field,
        "reason": violation.reason,
        "description": violation.description,
    }


def _formatted(
    error: GraphQLError, message: str, extensions: dict[str, Any], request_id: str
) -> Mapping[str, Any]:
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [each.formatted for each in error.locations]
    if error.path:
        formatted["path"] = error.path
    extensions.setdefault("serviceName", SERVICE)
    extensions["requestId"] = request_id
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        extensions["traceId"] = trace.format_trace_id(span.trace_id)
    formatted["extensions"] = extensions
    return formatted


def _original(error: GraphQLError) -> BaseException:
    """What a resolver raised; the error itself when graphql-core found it."""
    found: BaseException = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return error if isinstance(found, GraphQLError) else found


def _is_our_fault(error: GraphQLError) -> bool:
    """Whether a value of ours did not fit the schema, and not one that the client sent.

    graphql-core points at the field for the one and at an argument or variable for the other.
    """
    return any(isinstance(node, FieldNode) for node in error.nodes or ())


def _path(error: GraphQLError) -> str:
    return ".".join(str(each) for each in error.path or ())
