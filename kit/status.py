"""Kind of error <-> gRPC status, both directions, one table.

Rich errors follow https://google.aip.dev/193: `google.rpc.Status` in the trailers, with ErrorInfo
always, and BadRequest, PreconditionFailure or RetryInfo where the kind has them.
"""

from collections.abc import Mapping
from datetime import timedelta

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status

from kit import errors
from kit.errors import ChaupalError, FieldViolation, kind_of

DETAILS_KEY = "grpc-status-details-bin"
MASKED_MESSAGE = "internal error"

STATUS_OF_KIND: Mapping[type[ChaupalError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.PreconditionFailed: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.LimitExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}

KIND_OF_STATUS: Mapping[grpc.StatusCode, type[ChaupalError]] = {
    **{status: kind for kind, status in STATUS_OF_KIND.items()},
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidInput,
    # A peer cancels what it cannot finish when it shuts down; our own cancelling never gets here.
    grpc.StatusCode.CANCELLED: errors.Unavailable,
    grpc.StatusCode.UNKNOWN: errors.Internal,
    grpc.StatusCode.UNIMPLEMENTED: errors.Internal,
    grpc.StatusCode.DATA_LOSS: errors.Internal,
}

_CODE_OF_NUMBER = {int(code.value[0]): code for code in grpc.StatusCode}

# gRPC allows 8 KiB of metadata by default, and a status travels twice: percent-encoded (three
# bytes for each of Devanagari) in `grpc-message` and base64 in the details.
_MESSAGE_BYTES = 600
_FIELD_BYTES = 160
_FIELDS_BYTES = 800
_STATUS_BYTES = 3 * 1024


def error_to_status(error: BaseException, domain: str) -> Status:
    """The rich status of an error; masked when it is none of ours.

    Args:
        error: what was raised.
        domain: `<service>.chaupal`, kept from the first teller when the error came from a peer.

    Long texts are cut and violations beyond the room of the trailers are counted in a last one,
    reason `MORE_VIOLATIONS`, so that the status always fits gRPC's default limits.
    """
    if not isinstance(error, ChaupalError) or kind_of(error) is errors.Internal:
        return _status(grpc.StatusCode.INTERNAL, MASKED_MESSAGE, "INTERNAL", domain, {})
    code = STATUS_OF_KIND[kind_of(error)]
    fields = _fitting(error.fields())
    message = _cut(error.message, _MESSAGE_BYTES)
    status = _status(code, message, error.reason, error.domain or domain, fields)
    match error:
        case errors.InvalidInput(violations=violations) if violations:
            status.details.add().Pack(_bad_request(violations, status.ByteSize()))
        case errors.LimitExceeded(retry_after=retry_after) if retry_after is not None:
            delay = Duration()
            delay.FromTimedelta(retry_after)
            status.details.add().Pack(RetryInfo(retry_delay=delay))
        case errors.PreconditionFailed():
            status.details.add().Pack(_precondition(error))
    return status


def status_to_error(status: Status) -> ChaupalError:
    """The error that a rich status tells: kind, reason, message, fields, violations, delay."""
    code = _CODE_OF_NUMBER.get(status.code, grpc.StatusCode.UNKNOWN)
    kind = KIND_OF_STATUS.get(code, errors.Internal)
    info = ErrorInfo()
    _unpack(status, info)
    error = kind.from_wire(
        reason=info.reason or _default_reason(kind, code),
        message=status.message or code.name.lower().replace("_", " "),
        fields=info.metadata,
        domain=info.domain,
    )
    match error:
        case errors.InvalidInput():
            error.violations = _violations(status)
        case errors.LimitExceeded():
            error.retry_after = _retry_after(status)
        case errors.Conflict():
            error.current_etag = info.metadata.get("current_etag")
    return error


def _retry_after(status: Status) -> timedelta | None:
    retry = RetryInfo()
    return retry.retry_delay.ToTimedelta() if _unpack(status, retry) else None


def from_rpc_error(error: grpc.aio.AioRpcError) -> ChaupalError:
    """The error that a failed call tells, with or without rich details. Raise it `from` the call's.

    A peer that cannot be reached is `Unavailable`; a deadline that passed on either side is
    `DeadlineExceeded`.
    """
    status = _rich_status(error)
    if status is None or status.code != error.code().value[0]:
        # No details, or details that contradict the status that gRPC itself reports: trust gRPC.
        number = int(error.code().value[0])
        status = Status(code=number, message=error.details() or "")
    return status_to_error(status)


def _rich_status(error: grpc.aio.AioRpcError) -> Status | None:
    trailers = error.trailing_metadata()
    raw = trailers.get(DETAILS_KEY) if trailers is not None else None
    if not isinstance(raw, bytes):
        return None
    try:
        return Status.FromString(raw)
    except DecodeError:
        return None


def _status(
    code: grpc.StatusCode, message: str, reason: str, domain: str, fields: Mapping[str, str]
) -> Status:
    status = Status(code=int(code.value[0]), message=message)
    info = ErrorInfo(reason=reason, domain=domain, metadata=fields)
    status.details.add().Pack(info)
    return status


def _bad_request(violations: tuple[FieldViolation, ...], used_bytes: int) -> BadRequest:
    details = BadRequest()
    for count, violation in enumerate(violations):
        details.field_violations.add(
            field=_cut(violation.field, _FIELD_BYTES),
            reason=violation.reason,
            description=_cut(violation.description, _FIELD_BYTES),
        )
        if used_bytes + details.ByteSize() > _STATUS_BYTES and count:
            details.field_violations.pop()
            details.field_violations.add(
                reason="MORE_VIOLATIONS", description=f"and {len(violations) - count} more"
            )
            break
    return details


def _precondition(error: ChaupalError) -> PreconditionFailure:
    subject = next(iter(error.fields().values()), "")
    details = PreconditionFailure()
    details.violations.add(
        type=error.reason, subject=_cut(subject, _FIELD_BYTES), description=_cut(error.message, 300)
    )
    return details


def _violations(status: Status) -> tuple[FieldViolation, ...]:
    details = BadRequest()
    _unpack(status, details)
    return tuple(
        FieldViolation(each.field, each.reason, each.description)
        for each in details.field_violations
    )


def _unpack(
    status: Status,
    into: ErrorInfo | BadRequest | RetryInfo,
) -> bool:
    try:
        return any(detail.Unpack(into) for detail in status.details)
    except DecodeError:  # a peer of another make; its code still counts
        return False


def _default_reason(kind: type[ChaupalError], code: grpc.StatusCode) -> str:
    return kind.reason if STATUS_OF_KIND[kind] is code else code.name


def _fitting(fields: Mapping[str, str]) -> dict[str, str]:
    """As many whole fields as the trailers have room for, in order, long values cut."""
    room = _FIELDS_BYTES
    kept: dict[str, str] = {}
    for name, value in fields.items():
        short = _cut(value, _FIELD_BYTES)
        room -= len(name) + len(short.encode())
        if room < 0:
            break
        kept[name] = short
    return kept


def _cut(text: str, limit_bytes: int) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit_bytes:
        return raw.decode()
    return raw[: limit_bytes - 3].decode("utf-8", "ignore") + "…"
