"""Asks the processes how they are: gRPC health (grpc.health.v1) and the gateway's /readyz."""

import asyncio
from collections.abc import Sequence

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.waiting import until

_PAUSE_SECONDS = 0.05
_CALL_SECONDS = 2.0
# A channel that was refused waits a second before it tries again; starting is quicker than that.
_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.enable_http_proxy", 0),
    # Or the channels of one process share that wait.
    ("grpc.use_local_subchannel_pool", 1),
)


async def grpc_health(target: str) -> str:
    """Return "serving" when all that a process serves is ready, or why not, in a word or two."""
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
        return await _grpc_health(channel)


async def http_health(host: str, port: int, path: str = "/readyz") -> str:
    """Return "serving" for an answer of 200, or why not."""
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                status = (await reader.readline()).decode("latin-1").split()
            finally:
                writer.close()
    except TimeoutError:
        return "no answer"
    except OSError:
        return "not reachable"
    code = status[1] if len(status) > 1 else "nothing"
    return "serving" if code == "200" else f"answers {code}"


async def wait_serving(target: str) -> None:
    """Wait until a process is ready; the caller sets the deadline."""
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:

        async def serving() -> bool:
            return await _grpc_health(channel) == "serving"

        await until(serving, _PAUSE_SECONDS)


async def wait_http_serving(host: str, port: int) -> None:
    """Wait until the gateway is ready; the caller sets the deadline."""

    async def serving() -> bool:
        return await http_health(host, port) == "serving"

    await until(serving, _PAUSE_SECONDS)


async def _grpc_health(channel: grpc.aio.Channel) -> str:
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        answer = await stub.List(health_pb2.HealthListRequest(), timeout=_CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        return _word(error.code())
    late = [
        name
        for name, each in answer.statuses.items()
        if each.status != health_pb2.HealthCheckResponse.SERVING
    ]
    return f"not ready: {', '.join(sorted(filter(None, late)))}" if late else "serving"


def _word(code: grpc.StatusCode) -> str:
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            return "not reachable"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return "no answer"
        case _:
            return str(code.name).lower().replace("_", " ")
