"""`Rights` over the gRPC contract of `hierarchy`: its answers, kept while they are confirmed."""

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from typing import Any

from chaupal.hierarchy.v1 import access_pb2 as pb
from chaupal.hierarchy.v1.access_pb2_grpc import AccessServiceStub

from kit.channel import CallOptions, outgoing
from kit.clock import Clock
from kit.confirmed import BOUND, ConfirmedValues, Dated, Unconfirmed
from kit.context import request_id
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, Unauthenticated, Unavailable
from kit.tokens import TokenSource
from services.groups.domain.access import Granted, ScopedGrant
from services.groups.domain.model import TenantId, UnitId

SERVICE = "chaupal.hierarchy.v1.AccessService"
# Both only read.
RETRYABLE = (f"{SERVICE}/GetViewer", f"{SERVICE}/GetAccessVersion")

_log = logging.getLogger(__name__)


class AccessClient:
    """What appointments give, as `hierarchy` says.

    Args:
        channel: to `hierarchy`.
        tokens: this process's own identity, which names the subject and the tenant: what the
            caller's token gives is not asked, as the edge has verified it.
        clock: tells how old a confirmation is.
        bound: how long one is good for.
    """

    def __init__(
        self, channel: Any, tokens: TokenSource, clock: Clock, bound: timedelta = BOUND
    ) -> None:
        self._source = _Source(channel, tokens)
        self._clock = clock
        self._bound = bound.total_seconds()
        self._values: ConfirmedValues[Granted] = ConfirmedValues(self._source, clock, bound=bound)

    async def granted(self, tenant: TenantId, subject: str, *, at_least: int) -> Granted:
        self._values.at_least(tenant, at_least)
        return await self._values.get(tenant, subject)

    async def version(self, tenant: TenantId) -> int:
        deadline = Deadline.after(self._bound, self._clock)
        try:
            version = await self._source.version(tenant, deadline=deadline)
        except (Unavailable, DeadlineExceeded) as error:
            raise Unconfirmed from error
        self._values.at_least(tenant, version)
        return version


class _Source:
    """The peer, asked each time."""

    def __init__(self, channel: Any, tokens: TokenSource) -> None:
        self._stub: Any = AccessServiceStub(channel)
        self._tokens = tokens

    async def load(self, tenant: str, subject: str, *, deadline: Deadline) -> Dated[Granted]:
        async with self._calling("GetViewer", tenant, deadline) as options:
            request = pb.GetViewerRequest(subject=subject)
            reply: pb.GetViewerResponse = await self._stub.GetViewer(request, **options)
        granted = Granted(reply.access_version, tuple(_grants_of(reply.grants)))
        ends_at = reply.valid_until.ToDatetime(UTC) if reply.HasField("valid_until") else None
        return Dated(reply.access_version, granted, ends_at)

    async def version(self, tenant: str, *, deadline: Deadline) -> int:
        async with self._calling("GetAccessVersion", tenant, deadline) as options:
            request = pb.GetAccessVersionRequest()
            reply: pb.GetAccessVersionResponse = await self._stub.GetAccessVersion(
                request, **options
            )
        return reply.access_version

    @asynccontextmanager
    async def _calling(
        self, method: str, tenant: str, deadline: Deadline
    ) -> AsyncIterator[CallOptions]:
        """What to call `method` with.

        Raises:
            Unconfirmed: instead of `Unauthenticated`, which would tell our callers that it is
                their credential which is not good enough, and it is ours.
        """
        try:
            async with outgoing(
                f"{SERVICE}/{method}",
                deadline=deadline,
                token=await self._tokens.token(),
                request_id=request_id(),
                tenant=tenant,
            ) as options:
                yield options
        except Unauthenticated as error:
            _log.error("hierarchy refuses our credential", extra={"reason": error.reason})
            raise Unconfirmed from error


def _grants_of(messages: Iterable[pb.ScopedGrant]) -> Iterable[ScopedGrant]:
    return (
        ScopedGrant(
            each.grant.capability,
            UnitId(each.unit_id) if each.unit_id else None,
            tuple(each.grant.group_kinds),
            tuple(each.grant.categories),
        )
        for each in messages
    )
