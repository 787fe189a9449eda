"""grpc.health.v1 for one process: liveness under "", readiness under each service's name.

Our own servicer, as the stock one keeps a watch open for ever: a drain would always take its whole
grace period. Here a watch ends once it has told that the process is going.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICE_NAME = "grpc.health.v1.Health"

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

Context = grpc.aio.ServicerContext[object, object]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated without types
    """What the process says about itself. Names begin NOT_SERVING; "" begins SERVING."""

    def __init__(self, names: Sequence[str]) -> None:
        self._status = {"": _SERVING, **dict.fromkeys(names, _NOT_SERVING)}
        self._names = tuple(names)
        self._changed = asyncio.Condition()
        self._draining = False

    async def set_serving(self, serving: bool) -> None:
        """Set the readiness of every named service; without effect once draining."""
        if not self._draining:
            await self._set(dict.fromkeys(self._names, _SERVING if serving else _NOT_SERVING))

    async def drain(self) -> None:
        """Tell everybody NOT_SERVING, for good, and end all watches."""
        self._draining = True
        await self._set(dict.fromkeys(self._status, _NOT_SERVING))

    async def _set(self, status: dict[str, int]) -> None:
        async with self._changed:
            self._status |= status
            self._changed.notify_all()

    async def Check(  # noqa: N802  # named by the contract
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """The present status, or NOT_FOUND for a service that is not here."""
        status = self._status.get(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(status=status)

    async def List(  # noqa: N802
        self, _request: health_pb2.HealthListRequest, _context: Context
    ) -> health_pb2.HealthListResponse:
        """The present status of everything."""
        return health_pb2.HealthListResponse(
            statuses={
                name: health_pb2.HealthCheckResponse(status=status)
                for name, status in self._status.items()
            }
        )

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, _context: Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The status now and after each change, until the process drains."""
        told: int | None = None
        while True:
            async with self._changed:
                while (status := self._status_of(request)) == told and not self._draining:
                    await self._changed.wait()
                last = self._draining
            if status != told:
                yield health_pb2.HealthCheckResponse(status=status)
            if last:
                return
            told = status

    def _status_of(self, request: health_pb2.HealthCheckRequest) -> int:
        return int(self._status.get(request.service, _UNKNOWN))
