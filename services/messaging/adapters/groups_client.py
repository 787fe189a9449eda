"""The `Audiences` port: the register of groups, asked over its public contract.

Asked under this service's own identity with the tenant named, also on behalf of a user, whose
rights the use case has checked.
"""

import logging
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
import numpy as np
from chaupal.groups.v1 import audience_pb2, groups_pb2, groups_pb2_grpc

from kit.channel import CallOptions, outgoing
from kit.context import request_id
from kit.deadline import Deadline
from kit.errors import Forbidden, Unauthenticated
from kit.tokens import TokenSource
from services.messaging.domain.broadcasts import Audience, AudienceTerm
from services.messaging.domain.errors import AudienceIncomplete, RegisterRefusedUs
from services.messaging.domain.frame import UNIT_ID_BYTES, Frame
from services.messaging.domain.ids import TenantId
from services.messaging.domain.partitions import GROUP_ID_BYTES

SERVICE_NAME = "chaupal.groups.v1.GroupsService"
RETRYABLE = ("PreviewAudience", "ResolveAudience")

_log = logging.getLogger(__name__)


class GroupsAudiences:
    """One channel to `groups`."""

    def __init__(self, channel: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._stub: groups_pb2_grpc.GroupsServiceAsyncStub = groups_pb2_grpc.GroupsServiceStub(
            channel
        )
        self._tokens = tokens

    async def count(self, tenant: TenantId, audience: Audience, deadline: Deadline) -> int:
        request = groups_pb2.PreviewAudienceRequest(audience=_to_proto(audience))
        async with self._calling("PreviewAudience", tenant, deadline) as options:
            answer = await self._stub.PreviewAudience(request, **options)
        return answer.group_count

    async def resolve(
        self, tenant: TenantId, audience: Audience, deadline: Deadline
    ) -> AsyncIterator[bytes | Frame]:
        request = groups_pb2.ResolveAudienceRequest(audience=_to_proto(audience))
        header = groups_pb2.ResolvedHeader()
        frame = _FrameReader()
        count = 0
        async with self._calling("ResolveAudience", tenant, deadline) as options:
            async for part in self._stub.ResolveAudience(request, **options):
                match part.WhichOneof("part"):
                    case "header":
                        header = part.header
                    case "targets":
                        count += len(part.targets.group_ids) // GROUP_ID_BYTES
                        yield part.targets.group_ids
                    case "frame":
                        frame.add(part.frame)
        whole = frame.finish(tuple(header.levels))
        if count != header.target_count or whole.size != header.frame_count:
            raise AudienceIncomplete(header.target_count, count)
        if not _agrees(whole, count):
            raise AudienceIncomplete(header.target_count, count)
        yield whole

    @asynccontextmanager
    async def _calling(
        self, method: str, tenant: TenantId, deadline: Deadline
    ) -> AsyncIterator[CallOptions]:
        """What to call `method` with.

        Raises:
            RegisterRefusedUs: Instead of `Unauthenticated` or `Forbidden`: those would tell our
                callers that it is their credential which is not good enough, and it is ours.
        """
        try:
            async with outgoing(
                f"{SERVICE_NAME}/{method}",
                deadline=deadline,
                token=await self._tokens.token(),
                request_id=request_id(),
                tenant=tenant,
            ) as options:
                yield options
        except (Unauthenticated, Forbidden) as error:
            _log.error("the register refuses our credential", extra={"reason": error.reason})
            raise RegisterRefusedUs(error.reason) from error


class _FrameReader:
    """Puts the pages of a frame together."""

    def __init__(self) -> None:
        self._unit_ids = bytearray()
        self._arrays = [array("i") for _ in range(4)]

    def add(self, page: groups_pb2.FramePage) -> None:
        self._unit_ids += page.unit_ids
        numbers = (page.parents, page.levels, page.starts, page.ends)
        for whole, run in zip(self._arrays, numbers, strict=True):
            whole.extend(run)

    def finish(self, levels: tuple[str, ...]) -> Frame:
        return Frame(levels, bytes(self._unit_ids), *self._arrays)


def _agrees(frame: Frame, count: int) -> bool:
    """Whether the arrays fit each other and lie within that many deliveries."""
    size = frame.size
    parents, levels, starts, ends = (
        np.frombuffer(each, np.intc)
        for each in (frame.parents, frame.unit_levels, frame.starts, frame.ends)
    )
    if {len(parents), len(levels), len(ends)} != {size}:
        return False
    return bool(
        len(frame.unit_ids) == size * UNIT_ID_BYTES
        and (starts >= 0).all()
        and (starts <= ends).all()
        and (ends <= count).all()
        and (levels >= 0).all()
        and (levels < len(frame.levels)).all()
        and (parents >= -1).all()
        and (parents < np.arange(size)).all()
    )


def _to_proto(audience: Audience) -> audience_pb2.Audience:
    return audience_pb2.Audience(
        include=map(_term_to_proto, audience.include), exclude=map(_term_to_proto, audience.exclude)
    )


def _term_to_proto(term: AudienceTerm) -> audience_pb2.AudienceTerm:
    return audience_pb2.AudienceTerm(
        unit_ids=term.unit_ids, kinds=term.kinds, categories=term.categories
    )
