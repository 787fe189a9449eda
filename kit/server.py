"""A grpc.aio server as every process runs it: health, reflection, readiness, drain on SIGTERM."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from kit import health
from kit.calls import CallInterceptor
from kit.clock import Clock, SystemClock
from kit.ids import Ids, SystemIds
from kit.tokens import TokenVerifier

READY_INTERVAL_SECONDS = 5.0
REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"

_OPTIONS: tuple[tuple[str, int], ...] = (
    # Otherwise Linux lets two servers share a port, and "port in use" is never said.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.max_send_message_length", 4 * 1024 * 1024),
    # Connections are renewed, so that callers find replicas that came later; running calls finish.
    ("grpc.max_connection_age_ms", 30 * 60 * 1000),
    ("grpc.max_connection_age_grace_ms", 10 * 60 * 1000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Our channels ping every 30 s; a little room, or a punctual client is sent away.
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_concurrent_streams", 1000),
)

ReadyCheck = Callable[[], Awaitable[str | None]]
"""Answers why the process is not ready, or None when it is."""

_log = logging.getLogger(__name__)


class CannotListen(OSError):
    """The address cannot be listened on: in use, not ours, or not allowed."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(f"cannot listen on {address}: is it in use?")


@dataclass(frozen=True, slots=True)
class ServiceRegistration:
    """One gRPC service: its full name, and how to add its servicer to a server."""

    name: str
    add: Callable[[grpc.aio.Server], None]


class Server:
    """A server that is ready when its checks say so and drains before it stops."""

    def __init__(
        self,
        server: grpc.aio.Server,
        status: health.Health,
        draining: asyncio.Event,
        ready_checks: Sequence[ReadyCheck] = (),
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self._server = server
        self._health = status
        self._ready_checks = tuple(ready_checks)
        self._credentials = credentials
        self._not_ready: str | None = "starting"
        self.draining = draining

    async def start(self, address: str) -> int:
        """Listen and answer, not yet ready.

        Args:
            address: `host:port`, port 0 for any, or `unix:/path`.

        Returns:
            The port, or 1 for a unix socket, as gRPC says it.

        Raises:
            CannotListen: when gRPC cannot bind.
        """
        try:
            port = self._bind(address)
        except RuntimeError as error:
            raise CannotListen(address) from error
        await self._server.start()
        return port

    def _bind(self, address: str) -> int:
        if self._credentials is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, self._credentials)

    async def set_serving(self, serving: bool) -> None:
        """Say whether the named services are ready."""
        await self._health.set_serving(serving)

    async def check_ready(self) -> str | None:
        """Run the checks, set the readiness accordingly, and say why not when not."""
        reasons = [await _reason(check) for check in self._ready_checks]
        not_ready = "; ".join(reason for reason in reasons if reason) or None
        if not_ready != self._not_ready:
            _log.info("readiness changed", extra={"ready": not not_ready, "reason": not_ready})
        self._not_ready = not_ready
        await self.set_serving(not_ready is None)
        return not_ready

    async def drain(self, grace: timedelta) -> None:
        """Say NOT_SERVING, take no new calls, let running ones finish within the grace, close."""
        self.draining.set()
        await self._health.drain()
        await self._server.stop(grace.total_seconds())

    async def wait_for_termination(self) -> None:
        """Return when the server has stopped."""
        await self._server.wait_for_termination()


def build_server(
    services: Sequence[ServiceRegistration],
    *,
    verifier: TokenVerifier,
    domain: str,
    reflection: bool = False,
    max_concurrent_rpcs: int = 1000,
    ready_checks: Sequence[ReadyCheck] = (),
    health_names: Sequence[str] = (),
    credentials: grpc.ServerCredentials | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Server:
    """A server for these services; call it inside the running event loop.

    Servicers' methods are async functions, or async generators for streams; they raise kit errors
    and read `kit.context.current()`.

    Args:
        services: what is served.
        verifier: verifies every caller; health and reflection need no identity.
        domain: who we are in errors, `<service>.chaupal`.
        reflection: whether the server describes its services to anybody who asks.
        max_concurrent_rpcs: how many calls run at once; more get `TOO_MANY_CALLS`.
        ready_checks: say why the process is not ready.
        health_names: further names whose readiness is told, for a process without services.
        credentials: TLS; plain text without.
        clock: for tests.
        ids: for tests.
    """
    draining = asyncio.Event()
    interceptor = CallInterceptor(
        verifier=verifier,
        domain=domain,
        max_concurrent_rpcs=max_concurrent_rpcs,
        draining=draining,
        clock=clock or SystemClock(),
        ids=ids or SystemIds(),
    )
    server = grpc.aio.server(interceptors=[interceptor], options=_OPTIONS)
    for service in services:
        service.add(server)
    names = [service.name for service in services]
    status = health.Health([*names, *health_names])
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    if reflection:
        _add_reflection(server, [*names, health.SERVICE_NAME])
    return Server(server, status, draining, ready_checks, credentials)


async def serve(
    server: Server,
    address: str,
    *,
    drain: timedelta,
    ready: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Args:
        server: from `build_server`.
        address: `host:port` or `unix:/path`.
        drain: how long running calls may go on.
        ready: told the port once the process is ready for the first time.
        stop: serve until this is set, instead of until a signal.

    Raises:
        CannotListen: when the address cannot be listened on.
    """
    async with _stop_signal(stop) as stopping:
        port = await server.start(address)
        _log.info("listening", extra={"address": address, "port": port})
        try:
            async with asyncio.TaskGroup() as tasks:
                checking = tasks.create_task(_keep_checking(server, port, ready))
                await stopping.wait()
                checking.cancel()
        finally:
            _log.info("draining", extra={"grace_seconds": drain.total_seconds()})
            await server.drain(drain)


async def _keep_checking(server: Server, port: int, ready: Callable[[int], None] | None) -> None:
    told = False
    while True:
        if await server.check_ready() is None and not told:
            told = True
            if ready is not None:
                ready(port)
        # Quick until ready for the first time: somebody waits for the process to start.
        await asyncio.sleep(READY_INTERVAL_SECONDS if told else 0.1)


async def _reason(check: ReadyCheck) -> str | None:
    try:
        async with asyncio.timeout(READY_INTERVAL_SECONDS):
            return await check()
    except Exception as error:  # noqa: BLE001  # a check that fails is a reason, not a crash
        return f"{type(error).__name__}: {error}"


@asynccontextmanager
async def _stop_signal(given: asyncio.Event | None) -> AsyncIterator[asyncio.Event]:
    """The given event, or one that SIGTERM and SIGINT set."""
    if given is not None:
        yield given
        return
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for each in signals:
        loop.add_signal_handler(each, stopping.set)
    try:
        yield stopping
    finally:
        for each in signals:
            with suppress(RuntimeError):
                loop.remove_signal_handler(each)


def _add_reflection(server: grpc.aio.Server, names: Sequence[str]) -> None:
    """Reflection v1alpha, and v1 by the same servicer: v1 only renamed the package."""
    servicer = reflection.aio.ReflectionServicer([*names, reflection.SERVICE_NAME, REFLECTION_V1])
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for name in (reflection.SERVICE_NAME, REFLECTION_V1):
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}),)
        )
