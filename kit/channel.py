"""Calling a peer: a channel that retries what may be retried, and one way around every call."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import TypedDict

import grpc
import grpc.aio
from opentelemetry import trace
from opentelemetry.metrics import Histogram
from opentelemetry.semconv._incubating.metrics import rpc_metrics

from kit import telemetry
from kit.deadline import Deadline
from kit.errors import ChaupalError, kind_of
from kit.status import STATUS_OF_KIND, from_rpc_error

Metadata = tuple[tuple[str, str], ...]

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.max_send_message_length", 4 * 1024 * 1024),
    # A peer that vanished without a word is noticed while calls wait for it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Channels to one address would share a connection, and so the back-off after a refusal: a peer
    # that has just come up on a port would be UNAVAILABLE for what was there before it.
    ("grpc.use_local_subchannel_pool", 1),
    # The default is up to two minutes; a peer that restarts is back in seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
_NOT_A_HEADER = re.compile(r"[^\x20-\x7e]")


class CallOptions(TypedDict):
    """What every call is given; `await stub.Method(request, **options)`."""

    timeout: float
    metadata: Metadata


def open_channel(
    target: str,
    *,
    service: str,
    retryable: Sequence[str] = (),
    credentials: grpc.ChannelCredentials | None = None,
) -> grpc.aio.Channel:
    """A channel to one service; it connects when it is first used. Close it with the process.

    Args:
        target: a gRPC target: `host:port`, `dns:///host:port`, `unix:/path`. All addresses behind
            a name share the calls.
        service: full name, `chaupal.<service>.v1.<Service>`.
        retryable: methods that only read or carry a request id. While nothing was answered they
            are sent again when the peer is UNAVAILABLE, up to four times within the deadline, and
            not at all while most calls fail (gRFC A6). Those of another service behind the same
            address by their full name, `<service>/<Method>`.
        credentials: TLS; plain text without.
    """
    config = json.dumps(_service_config(service, retryable))
    options = (*_OPTIONS, ("grpc.service_config", config))
    if credentials is None:
        return grpc.aio.insecure_channel(target, options)
    return grpc.aio.secure_channel(target, credentials, options)


def _service_config(service: str, retryable: Sequence[str]) -> dict[str, object]:
    config: dict[str, object] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if retryable:
        config["methodConfig"] = [
            {
                "name": [_method_name(service, each) for each in retryable],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
        config["retryThrottling"] = {"maxTokens": 10, "tokenRatio": 0.1}
    return config


def _method_name(service: str, method: str) -> dict[str, str]:
    other, slash, name = method.rpartition("/")
    return {"service": other if slash else service, "method": name}


@asynccontextmanager
async def outgoing(
    method: str,
    *,
    deadline: Deadline,
    token: str,
    request_id: str = "",
    tenant: str | None = None,
) -> AsyncIterator[CallOptions]:
    """What stands around every call to a peer: span, duration, metadata, deadline, typed errors.

        async with outgoing("chaupal.hierarchy.v1.HierarchyService/GetUnit", ...) as options:
            reply = await stub.GetUnit(request, **options)

    Keep the whole reading of a stream inside the block. Not an interceptor: those cost a task a
    call and cannot see how a stream ended.

    Args:
        method: full name, `<service>/<Method>`.
        deadline: the request's; the call gets what is left of it.
        token: the caller's own, or this process's when it works without a user.
        request_id: handed on, so that logs of all services can be joined.
        tenant: only beside a service's own token; ignored by the peer beside a user's.

    Raises:
        ChaupalError: of the kind that the peer's status tells.
    """
    deadline.check()
    attributes = {telemetry.RPC_SYSTEM_NAME: "grpc", telemetry.RPC_METHOD: method}
    tracer = telemetry.tracer(__name__)
    started = time.perf_counter()
    code = "OK"
    with tracer.start_as_current_span(
        method,
        kind=trace.SpanKind.CLIENT,
        attributes=attributes,
        # Neither, as they would put the error's message, with its fields, into the span.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            with translate_rpc_errors():
                yield CallOptions(
                    timeout=deadline.remaining(), metadata=call_metadata(token, request_id, tenant)
                )
        except ChaupalError as error:
            code = STATUS_OF_KIND[kind_of(error)].name
            attributes[telemetry.ERROR_TYPE] = code
            span.set_status(trace.StatusCode.ERROR)
            raise
        except BaseException:  # not the peer's doing
            code = "CANCELLED"
            raise
        finally:
            attributes[telemetry.RPC_RESPONSE_STATUS_CODE] = code
            span.set_attributes(attributes)
            _duration().record(time.perf_counter() - started, attributes)


def call_metadata(token: str, request_id: str = "", tenant: str | None = None) -> Metadata:
    """The metadata that our services read, and `traceparent` of the current span."""
    metadata = [("authorization", f"Bearer {token}")]
    if request_id:
        metadata.append(("x-request-id", _NOT_A_HEADER.sub("", request_id)))
    if tenant is not None:
        metadata.append(("chaupal-tenant", tenant))
    metadata.extend(telemetry.trace_carrier().items())
    return tuple(metadata)


@contextmanager
def translate_rpc_errors() -> Iterator[None]:
    """Turn a failed call's status into the error that it tells. Cancelling passes."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error


@cache
def _duration() -> Histogram:
    # Made at the first call, when the process's provider is set.
    return telemetry.duration_histogram(
        telemetry.meter(__name__), rpc_metrics.RPC_CLIENT_CALL_DURATION, "Duration of a call."
    )
