"""What happens around every call that a server takes: span, deadline, identity, errors.

One interceptor does all four in that order. Four interceptors would wrap each handler four times
over, and each layer costs as much as a small handler itself.
"""

import asyncio
import inspect
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.semconv._incubating.metrics import rpc_metrics

from kit import context, telemetry
from kit.clock import Clock
from kit.context import CallContext
from kit.deadline import Deadline
from kit.errors import ChaupalError, DeadlineExceeded, InvalidInput, LimitExceeded, Unavailable
from kit.ids import Ids
from kit.status import DETAILS_KEY, error_to_status
from kit.tokens import Caller, TokenExpired, TokenMissing, TokenVerifier

UNARY_SECONDS = 15.0
STREAM_SECONDS = 600.0
# How much longer than its deadline a call may hang where the deadline cannot reach it: in the
# writing of a message that nobody reads.
_BACKSTOP_SECONDS = 1.0
# How long, and how much, the rest of a request stream is read and dropped before a call ends.
_HEAR_OUT_SECONDS = 5.0
_HEAR_OUT_PAUSE_SECONDS = 0.25
_HEAR_OUT_BYTES = 64 * 1024 * 1024
_PUBLIC = ("/grpc.health.v1.Health/", "/grpc.reflection.")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
_CODES = {int(code.value[0]): code for code in grpc.StatusCode}
# The statuses that a server span calls errors: the server's faults, not the caller's
# (opentelemetry.io/docs/specs/semconv/rpc/grpc).
_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    Handler = grpc.RpcMethodHandler  # generic in its stubs only
Context = grpc.aio.ServicerContext[Any, Any]
_log = logging.getLogger(__name__)


class TooManyCalls(LimitExceeded):
    """The server is doing all that it may do at once."""

    reason = "TOO_MANY_CALLS"


@dataclass(slots=True)
class _Outcome:
    """How a call ended, for its span and its histogram."""

    code: grpc.StatusCode = grpc.StatusCode.OK


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Serves each call within its span and deadline, for a verified caller, with typed errors.

    Requests are parsed only after the caller was verified. Health and reflection pass untouched.

    Args:
        verifier: turns the bearer token into the caller.
        domain: who we are in errors, `<service>.chaupal`.
        max_concurrent_rpcs: how many calls run at once; more are refused, not queued.
        draining: set when the server is going; handed to servicers in the call's context.
        clock: measures deadlines.
        ids: names requests that come without `x-request-id`.
    """

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        domain: str,
        max_concurrent_rpcs: int,
        draining: asyncio.Event,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._verifier = verifier
        self._domain = domain
        self._max_concurrent_rpcs = max_concurrent_rpcs
        self._draining = draining
        self._clock = clock
        self._ids = ids
        self._running = 0
        # One wrapper for a method, not one for a call. Only methods that exist get in.
        self._wrapped: dict[str, Handler] = {}
        self._tracer = telemetry.tracer(__name__)
        self._duration = telemetry.duration_histogram(
            telemetry.meter(__name__),
            rpc_metrics.RPC_SERVER_CALL_DURATION,
            "Duration of an incoming call.",
        )

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method's handler, wrapped; None when there is no such method."""
        method = handler_call_details.method
        if method.startswith(_PUBLIC):
            return await continuation(handler_call_details)
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            wrapped = self._wrapped[method] = self._wrap(method, handler)
        return wrapped

    def _wrap(self, method: str, handler: Handler) -> Handler:
        """The same method for raw messages; parsing and serialising happen inside the call."""
        behaviour = _behaviour(handler)
        parse = _parse_stream if handler.request_streaming else _parse_one
        upload = _as_is if handler.request_streaming else _nothing
        serialize = handler.response_serializer or _as_is

        async def answer(raw: Any, servicer_context: Context) -> bytes:
            async with (
                self._call(method, servicer_context, UNARY_SECONDS, upload(raw)) as deadline,
                deadline.bound(),
            ):
                request = parse(handler.request_deserializer or _as_is, raw)
                return serialize(await behaviour(request, servicer_context))

        async def answers(raw: Any, servicer_context: Context) -> AsyncIterator[bytes]:
            async with self._call(
                method, servicer_context, STREAM_SECONDS, upload(raw)
            ) as deadline:
                request = parse(handler.request_deserializer or _as_is, raw)
                token_end = _token_end(context.current().caller, deadline, self._clock)
                async with aclosing(behaviour(request, servicer_context)) as items:
                    while True:
                        with _token_expiry(token_end, deadline):
                            async with token_end.bound():
                                item = await anext(items, _END)
                        if item is _END:
                            return
                        yield serialize(item)

        return _rebuilt(handler, answers if handler.response_streaming else answer)

    @asynccontextmanager
    async def _call(
        self,
        method: str,
        servicer_context: Context,
        default_seconds: float,
        upload: AsyncIterator[bytes] | None,
    ) -> AsyncIterator[Deadline]:
        metadata = _metadata(servicer_context)
        deadline = self._deadline(servicer_context, default_seconds)
        self._name_request(metadata)
        with self._observed(method, metadata) as outcome, _backstop(deadline):
            self._running += 1
            try:
                await self._admit(metadata, deadline)
                yield deadline
                await _hear_out(upload, deadline)
            except Exception as error:  # noqa: BLE001  # the edge: everything becomes a status
                await _hear_out(upload, deadline)
                await self._refuse(method, servicer_context, error, outcome)
            finally:
                self._running -= 1

    def _deadline(self, servicer_context: Context, default_seconds: float) -> Deadline:
        # The stub says float; gRPC says None when the caller set no deadline.
        remaining: float | None = servicer_context.time_remaining()
        seconds = default_seconds if remaining is None else remaining
        return Deadline.after(seconds, self._clock)

    def _name_request(self, metadata: Mapping[str, str]) -> None:
        given = metadata.get("x-request-id", "")
        context.bind_request_id(given if _REQUEST_ID.fullmatch(given) else self._ids.new())

    async def _admit(self, metadata: Mapping[str, str], deadline: Deadline) -> None:
        """Refuse the call, or make its context the current one."""
        if self._running > self._max_concurrent_rpcs:
            raise TooManyCalls(retry_after=timedelta(seconds=1))
        caller = await self._verifier.verify(
            _bearer(metadata.get("authorization", "")), metadata.get("chaupal-tenant")
        )
        context.bind(CallContext(caller, deadline, context.request_id(), self._draining))

    async def _refuse(
        self, method: str, servicer_context: Context, error: Exception, outcome: _Outcome
    ) -> NoReturn:
        """End the call with the error's status."""
        if isinstance(error, grpc.aio.AbortError):
            outcome.code = servicer_context.code()
            raise error
        if not isinstance(error, ChaupalError):
            _log.error("call failed", exc_info=error, extra={"method": method})
        elif isinstance(error, Unavailable):
            _log.warning(
                "dependency unavailable", exc_info=error, extra={"method": method} | _told(error)
            )
        status = error_to_status(error, self._domain)
        outcome.code = _CODES[status.code]
        details = ((DETAILS_KEY, status.SerializeToString()),)
        await servicer_context.abort(outcome.code, status.message, details)

    @contextmanager
    def _observed(self, method: str, metadata: Mapping[str, str]) -> Iterator[_Outcome]:
        """The call's span and its duration."""
        outcome = _Outcome()
        attributes = {telemetry.RPC_SYSTEM_NAME: "grpc", telemetry.RPC_METHOD: method[1:]}
        span = self._tracer.start_span(
            method[1:],
            telemetry.remote_context(metadata),
            trace.SpanKind.SERVER,
            attributes,
        )
        # Never detached: the call's task, and its context, end with the call. A stream's generator
        # may be closed from another task, where detaching would fail.
        otel_context.attach(trace.set_span_in_context(span))
        started = time.perf_counter()
        try:
            yield outcome
        except BaseException:
            if outcome.code is grpc.StatusCode.OK:  # nobody refused it, so it was cancelled
                outcome.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            attributes[telemetry.RPC_RESPONSE_STATUS_CODE] = outcome.code.name
            if outcome.code in _FAULTS:
                attributes[telemetry.ERROR_TYPE] = outcome.code.name
                span.set_status(trace.StatusCode.ERROR)
            span.set_attributes(attributes)
            self._duration.record(time.perf_counter() - started, attributes)
            span.end()


_END = object()


def _token_end(caller: Caller, deadline: Deadline, clock: Clock) -> Deadline:
    """A stream ends with its user's token; a service's is renewed while the stream runs."""
    if caller.is_service:
        return deadline
    return deadline.at_most((caller.expires_at - clock.now()).total_seconds())


@contextmanager
def _token_expiry(token_end: Deadline, deadline: Deadline) -> Iterator[None]:
    """Say that it was the token, where it ended before the call's own deadline."""
    try:
        yield
    except DeadlineExceeded:
        if token_end.expired and token_end.at_monotonic < deadline.at_monotonic:
            raise TokenExpired from None
        raise


@contextmanager
def _backstop(deadline: Deadline) -> Iterator[None]:
    """Cancel the call when it is still there some time after its deadline."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # grpc.aio runs each call in a task of its own
    timer = task.get_loop().call_later(deadline.remaining() + _BACKSTOP_SECONDS, task.cancel)
    try:
        yield
    finally:
        timer.cancel()


def _behaviour(handler: Handler) -> Callable[[Any, Context], Any]:
    behaviour: Any = (
        handler.unary_unary
        or handler.unary_stream
        or handler.stream_unary
        or getattr(handler, "stream_stream", None)
    )
    expected = (
        inspect.isasyncgenfunction if handler.response_streaming else inspect.iscoroutinefunction
    )
    if not expected(behaviour):
        raise TypeError(f"{behaviour}: a servicer's methods are async functions or generators")
    return behaviour  # type: ignore[no-any-return]  # one of the four, by now


def _rebuilt(handler: Handler, behaviour: Any) -> Handler:
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(behaviour)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(behaviour)
        case True, False:
            return grpc.stream_unary_rpc_method_handler(behaviour)
        case _:
            return grpc.stream_stream_rpc_method_handler(behaviour)


def _as_is(message: Any) -> Any:
    return message


def _nothing(_message: Any) -> None:
    return None


async def _hear_out(upload: AsyncIterator[bytes] | None, deadline: Deadline) -> None:
    """Read and drop the rest of a request stream, within bounds, before the call's end is told.

    A grpc.aio client that is still writing when the status arrives may lose it to its own failed
    write, and report INTERNAL instead (github.com/grpc/grpc/issues/36066, open in 1.85). A client
    that pauses is not waited for: it is not writing.
    """
    if upload is None:
        return
    room = _HEAR_OUT_BYTES
    ends_at = deadline.at_most(_HEAR_OUT_SECONDS)
    # Its end, its pause, its cancelling: whatever the client does, the call's end is told.
    with suppress(Exception):
        while room > 0:
            async with asyncio.timeout(min(_HEAR_OUT_PAUSE_SECONDS, ends_at.remaining())):
                room -= len(await anext(upload))


def _parse_one(parse: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return parse(raw)
    except DecodeError as error:
        raise InvalidInput.of("", "MALFORMED_REQUEST", "not a message of this method") from error


async def _parse_stream(
    parse: Callable[[bytes], Any], raw: AsyncIterator[bytes]
) -> AsyncIterator[Any]:
    async for message in raw:
        yield _parse_one(parse, message)


def _metadata(servicer_context: Context) -> dict[str, str]:
    """The call's text metadata; the first value of a repeated key."""
    first: dict[str, str] = {}
    for key, value in servicer_context.invocation_metadata() or ():
        if isinstance(value, str):
            first.setdefault(key, value)
    return first


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMissing
    return token.strip()


def _told(error: ChaupalError) -> dict[str, str]:
    return {"reason": error.reason, **error.fields()}
