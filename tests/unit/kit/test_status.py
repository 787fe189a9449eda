"""Every kind survives error -> status -> error; everything else is masked."""

from datetime import timedelta

import grpc
import grpc.aio
import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from kit import errors
from kit.errors import KINDS, ChaupalError, FieldViolation, InvalidInput, kind_of
from kit.status import (
    DETAILS_KEY,
    KIND_OF_STATUS,
    STATUS_OF_KIND,
    error_to_status,
    from_rpc_error,
    status_to_error,
)

DOMAIN = "things.chaupal"

# api.md section 1, left and middle column.
TABLE = {
    "InvalidInput": "INVALID_ARGUMENT",
    "Unauthenticated": "UNAUTHENTICATED",
    "Forbidden": "PERMISSION_DENIED",
    "NotFound": "NOT_FOUND",
    "AlreadyExists": "ALREADY_EXISTS",
    "PreconditionFailed": "FAILED_PRECONDITION",
    "Conflict": "ABORTED",
    "LimitExceeded": "RESOURCE_EXHAUSTED",
    "Unavailable": "UNAVAILABLE",
    "DeadlineExceeded": "DEADLINE_EXCEEDED",
    "Internal": "INTERNAL",
}


class ThingGone(errors.PreconditionFailed):
    reason = "THING_GONE"
    thing_id: str


def test_the_table_is_the_convention() -> None:
    assert {kind.__name__: code.name for kind, code in STATUS_OF_KIND.items()} == TABLE
    assert set(KINDS) == set(STATUS_OF_KIND)
    assert set(KIND_OF_STATUS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}
    for kind, code in STATUS_OF_KIND.items():
        assert KIND_OF_STATUS[code] is kind


def through_the_wire(error: BaseException) -> ChaupalError:
    raw = error_to_status(error, DOMAIN).SerializeToString()
    return status_to_error(Status.FromString(raw))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.Internal])
def test_a_kind_comes_back_with_reason_message_fields_and_domain(kind: type[ChaupalError]) -> None:
    sent = kind.from_wire(reason="SOME_REASON", message="said so", fields={"a": "1", "b": "दो"})
    back = through_the_wire(sent)
    assert kind_of(back) is kind
    assert (back.reason, back.message, back.domain) == ("SOME_REASON", "said so", DOMAIN)
    assert back.fields() == {"a": "1", "b": "दो"}


def test_a_domain_error_comes_back_as_its_kind() -> None:
    back = through_the_wire(ThingGone("x"))
    assert type(back) is errors.PreconditionFailed
    assert (back.reason, back.fields()) == ("THING_GONE", {"thing_id": "x"})


@given(
    st.lists(
        st.builds(
            FieldViolation,
            st.from_regex(r"[a-z_]{1,10}(\[[0-9]\])?\.[a-z_]{1,10}", fullmatch=True),
            st.from_regex(r"[A-Z_]{1,12}", fullmatch=True),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_violations_come_back_as_they_were(violations: list[FieldViolation]) -> None:
    back = through_the_wire(InvalidInput(violations=tuple(violations)))
    assert isinstance(back, InvalidInput)
    assert back.violations == tuple(violations)


def test_retry_after_and_etag_come_back() -> None:
    limited = through_the_wire(errors.LimitExceeded(retry_after=timedelta(milliseconds=1500)))
    conflict = through_the_wire(errors.Conflict(current_etag="v7"))
    assert isinstance(limited, errors.LimitExceeded)
    assert limited.retry_after == timedelta(milliseconds=1500)
    assert isinstance(conflict, errors.Conflict)
    assert conflict.current_etag == "v7"


def test_no_retry_after_stays_none() -> None:
    back = through_the_wire(errors.LimitExceeded())
    assert isinstance(back, errors.LimitExceeded)
    assert back.retry_after is None


def test_an_error_that_passes_through_keeps_its_first_teller() -> None:
    first = through_the_wire(errors.NotFound())
    second = status_to_error(error_to_status(first, "gateway.chaupal"))
    assert second.domain == DOMAIN


@pytest.mark.parametrize(
    "secret", [ValueError("password is 123"), KeyError("x"), errors.Internal(), TimeoutError("t")]
)
def test_anything_else_is_masked(secret: Exception) -> None:
    status = error_to_status(secret, DOMAIN)
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert status.message == "internal error"
    assert b"password" not in status.SerializeToString()


def test_a_masked_peer_stays_masked() -> None:
    told = errors.Internal.from_wire(reason="X", message="stack trace", fields={"a": "b"})
    assert b"stack" not in error_to_status(told, DOMAIN).SerializeToString()


def test_five_thousand_violations_fit_and_are_counted() -> None:
    violations = tuple(
        FieldViolation(f"rows[{row}].name", "BAD_NAME", "नाम में संख्या नहीं हो सकती")
        for row in range(5000)
    )
    status = error_to_status(InvalidInput(violations=violations), DOMAIN)
    back = status_to_error(status)
    assert status.ByteSize() < 3300
    assert isinstance(back, InvalidInput)
    kept = back.violations[:-1]
    assert kept == violations[: len(kept)]
    assert len(kept) > 10
    assert back.violations[-1] == FieldViolation(
        "", "MORE_VIOLATIONS", f"and {5000 - len(kept)} more"
    )


def test_long_texts_are_cut_at_a_character() -> None:
    error = errors.NotFound.from_wire(
        reason="R", message="क" * 5000, fields={f"f{n}": "ख" * 500 for n in range(50)}
    )
    status = error_to_status(error, DOMAIN)
    back = status_to_error(status)
    assert status.ByteSize() < 3300
    assert back.message.endswith("…")
    assert set(back.message) == {"क", "…"}


def rpc_error(
    code: grpc.StatusCode, details: str = "", raw: bytes | None = None
) -> grpc.aio.AioRpcError:
    trailers = grpc.aio.Metadata(*([(DETAILS_KEY, raw)] if raw is not None else []))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, details)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code != grpc.StatusCode.OK])
def test_every_status_without_details_has_a_kind(code: grpc.StatusCode) -> None:
    error = from_rpc_error(rpc_error(code, "words"))
    assert type(error) is KIND_OF_STATUS[code]
    assert error.message == "words"
    assert error.reason == (
        error.__class__.reason if STATUS_OF_KIND[type(error)] is code else code.name
    )


def test_damaged_or_contradicting_details_yield_to_the_status() -> None:
    damaged = from_rpc_error(rpc_error(grpc.StatusCode.NOT_FOUND, "gone", b"\xff\xff"))
    other = error_to_status(errors.Forbidden(), DOMAIN).SerializeToString()
    contradicting = from_rpc_error(rpc_error(grpc.StatusCode.NOT_FOUND, "gone", other))
    for error in (damaged, contradicting):
        assert type(error) is errors.NotFound
        assert error.message == "gone"
