"""The table of kinds: what each becomes on gRPC is what GraphQL says of it."""

import json
from datetime import timedelta

import pytest
from graphql import GraphQLError

from gateway.http.errors import CODE_OF_KIND, tell, tell_results
from kit import errors
from kit.errors import ChaupalError, FieldViolation
from kit.status import error_to_status, status_to_error

TABLE = {
    errors.InvalidInput: ("BAD_USER_INPUT", "INVALID_ARGUMENT"),
    errors.Unauthenticated: ("UNAUTHENTICATED", "UNAUTHENTICATED"),
    errors.Forbidden: ("FORBIDDEN", "PERMISSION_DENIED"),
    errors.NotFound: ("NOT_FOUND", "NOT_FOUND"),
    errors.AlreadyExists: ("CONFLICT", "ALREADY_EXISTS"),
    errors.Conflict: ("CONFLICT", "ABORTED"),
    errors.PreconditionFailed: ("FAILED_PRECONDITION", "FAILED_PRECONDITION"),
    errors.LimitExceeded: ("RATE_LIMITED", "RESOURCE_EXHAUSTED"),
    errors.Unavailable: ("SERVICE_UNAVAILABLE", "UNAVAILABLE"),
    errors.DeadlineExceeded: ("TIMEOUT", "DEADLINE_EXCEEDED"),
}


def travelled(error: ChaupalError) -> ChaupalError:
    """The error as it comes out at the other end of a wire."""
    return status_to_error(error_to_status(error, "groups.chaupal"))


def told(error: Exception) -> dict[str, object]:
    formatted = tell(GraphQLError("ignored", original_error=error, path=["a"]), "request-1")
    json.dumps(formatted)
    return dict(formatted)


def test_every_kind_has_a_code() -> None:
    assert set(CODE_OF_KIND) == set(errors.KINDS)
    assert set(TABLE) | {errors.Internal} == set(errors.KINDS)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: str(kind.__name__))
def test_a_kind_keeps_its_meaning_over_the_wire(kind: type[ChaupalError]) -> None:
    code, status = TABLE[kind]
    formatted = told(travelled(kind()))
    assert formatted["path"] == ["a"]
    assert formatted["extensions"] == {
        "code": code,
        "serviceName": "groups",
        "reason": kind.reason,
        "domain": "groups.chaupal",
        "grpc": {"status": status},
        "requestId": "request-1",
    }


def test_violations_a_delay_and_an_etag_are_told() -> None:
    violation = FieldViolation("filter.unitId", "BAD_ID", "no")
    told_violations = told(errors.InvalidInput(violations=(violation,)))["extensions"]
    assert isinstance(told_violations, dict)
    assert told_violations["fieldViolations"] == [
        {"field": "filter.unitId", "reason": "BAD_ID", "description": "no"}
    ]
    assert told_violations["serviceName"] == "gateway"
    limited = told(travelled(errors.LimitExceeded(retry_after=timedelta(seconds=1.5))))
    assert isinstance(limited["extensions"], dict)
    assert limited["extensions"]["retryAfterMs"] == 1500
    conflict = told(travelled(errors.Conflict(current_etag="7")))
    assert isinstance(conflict["extensions"], dict)
    assert conflict["extensions"]["currentEtag"] == "7"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("password is hunter2"),
        KeyError("secret"),
        errors.Internal.from_wire(reason="INTERNAL", message="row 7 of table x", fields={}),
    ],
    ids=["our own fault", "another", "a peer's fault"],
)
def test_what_is_no_kind_is_masked(error: Exception) -> None:
    formatted = told(error)
    assert formatted["message"] == "internal error"
    assert isinstance(formatted["extensions"], dict)
    assert formatted["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert set(formatted["extensions"]) == {"code", "serviceName", "requestId"}


def test_a_service_that_is_down_is_told_once_and_others_apart() -> None:
    down = errors.Unavailable.from_wire(
        reason="UNAVAILABLE", message="down", fields={}, domain="groups.chaupal"
    )
    slow = errors.DeadlineExceeded.from_wire(
        reason="DEADLINE_EXCEEDED", message="slow", fields={}, domain="hierarchy.chaupal"
    )
    found = [
        GraphQLError("x", original_error=error, path=[at])
        for at, error in enumerate([down, down, errors.NotFound(), errors.NotFound(), slow])
    ]
    result = tell_results(found, "request-1")
    assert [each["path"] for each in result.errors] == [[0], [2], [3], [4]]
    assert result.degraded == ["groups", "hierarchy"]
