"""The wire of `chaupal.messaging.v1` over plain data."""
# ruff: noqa: ARG002  # the signatures are the contract's

from collections.abc import AsyncIterator
from typing import Any

from chaupal.messaging.v1 import messaging_pb2 as pb
from chaupal.messaging.v1.messaging_pb2_grpc import MessagingServiceServicer

from kit.context import current
from kit.errors import InvalidInput, NotFound, PreconditionFailed
from kit.ids import is_uuid
from kit.status import error_to_status

from .groups import check_audience, selected
from .recording import entered
from .world import NOON, World, page, stamp, uid

DOMAIN = "messaging.chaupal"


class BroadcastNotFound(NotFound):
    reason = "BROADCAST_NOT_FOUND"
    broadcast_id: str


class BroadcastAlreadyStarted(PreconditionFailed):
    reason = "BROADCAST_ALREADY_STARTED"
    broadcast_id: str


class FakeMessaging(MessagingServiceServicer):
    def __init__(self, world: World) -> None:
        self._world = world

    async def CreateBroadcast(self, request: pb.CreateBroadcastRequest, context: Any) -> Any:
        entered(self._world, "CreateBroadcast")
        current().caller.require("compose")
        if not is_uuid(request.request_id):
            raise InvalidInput.of("request_id", "BAD_REQUEST_ID", "must be a UUID")
        if not request.broadcast.title:
            raise InvalidInput.of("broadcast.title", "MISSING", "must not be empty")
        check_audience(self._world, request.broadcast.audience, "broadcast.audience")
        if not selected(self._world, request.broadcast.audience):
            raise InvalidInput.of("broadcast.audience", "AUDIENCE_SELECTS_NOTHING", "no group")
        made = pb.Broadcast()
        made.CopyFrom(request.broadcast)
        made.id = uid("made", request.request_id)
        made.state = pb.BROADCAST_STATE_DRAFT
        made.transport = made.transport or "simulator"
        made.author = current().caller.subject
        made.created_at.CopyFrom(stamp(NOON))
        self._world.broadcasts[made.id] = made
        return pb.CreateBroadcastResponse(broadcast=made)

    async def StartBroadcast(self, request: pb.StartBroadcastRequest, context: Any) -> Any:
        mine = entered(self._world, "StartBroadcast")
        broadcast = self._world.broadcasts.get(request.id)
        if broadcast is None or not mine:
            raise BroadcastNotFound(broadcast_id=request.id)
        if broadcast.state != pb.BROADCAST_STATE_DRAFT:
            raise BroadcastAlreadyStarted(broadcast_id=request.id)
        broadcast.state = pb.BROADCAST_STATE_PLANNING
        broadcast.started_at.CopyFrom(stamp(NOON))
        return pb.StartBroadcastResponse(broadcast=broadcast)

    async def BatchGetBroadcasts(self, request: pb.BatchGetBroadcastsRequest, context: Any) -> Any:
        mine = entered(self._world, "BatchGetBroadcasts", len(request.ids))
        return pb.BatchGetBroadcastsResponse(
            results=[
                pb.BroadcastResult(broadcast=self._world.broadcasts[each])
                if mine and each in self._world.broadcasts
                else pb.BroadcastResult(status=_unknown(each))
                for each in request.ids
            ]
        )

    async def ListBroadcasts(self, request: pb.ListBroadcastsRequest, context: Any) -> Any:
        mine = entered(self._world, "ListBroadcasts")
        newest = list(reversed(self._world.broadcasts)) if mine else []
        ids, next_token = page(newest, request.page_token, request.page_size, 50)
        return pb.ListBroadcastsResponse(
            broadcasts=[self._world.broadcasts[each] for each in ids], next_page_token=next_token
        )

    async def BatchGetProgress(self, request: pb.BatchGetProgressRequest, context: Any) -> Any:
        entered(self._world, "BatchGetProgress", len(request.broadcast_ids))
        return pb.BatchGetProgressResponse(
            results=[
                pb.ProgressResult(progress=progress(self._world, each, request.split))
                for each in request.broadcast_ids
            ]
        )

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Any) -> Any:
        entered(self._world, "ListDeliveries")
        found = [
            each
            for each in self._world.deliveries
            if not request.states or each.state in request.states
        ]
        places = [str(at) for at in range(len(found))]
        chosen, next_token = page(places, request.page_token, request.page_size, 500)
        return pb.ListDeliveriesResponse(
            deliveries=[found[int(at)] for at in chosen], next_page_token=next_token
        )

    async def WatchProgress(
        self, request: pb.WatchProgressRequest, context: Any
    ) -> AsyncIterator[pb.WatchProgressResponse]:
        entered(self._world, "WatchProgress")
        self._world.watchers += 1
        self._world.watches += 1
        try:
            while (look := await self._world.looks.get()) is not None:
                if isinstance(look, Exception):
                    raise look
                yield pb.WatchProgressResponse(progress=look)
        finally:
            self._world.watchers -= 1


def progress(world: World, broadcast_id: str, split: pb.ProgressSplit, delivered: int = 4) -> Any:
    counts = pb.DeliveryCounts(total=10, planned=10 - delivered, delivered=delivered)
    units = [each for each in world.units.values() if each.level == split.level]
    return pb.Progress(
        broadcast_id=broadcast_id,
        state=pb.BROADCAST_STATE_RUNNING,
        version=f"v{delivered}",
        counts=counts,
        by_unit=[
            pb.UnitProgress(unit_id=each.id, level=each.level, counts=counts) for each in units
        ],
        read_at=stamp(NOON),
    )


def _unknown(broadcast_id: str) -> Any:
    return error_to_status(BroadcastNotFound(broadcast_id=broadcast_id), DOMAIN)
