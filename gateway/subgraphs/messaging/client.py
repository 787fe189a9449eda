"""Thin typed wrapper over the stub of `chaupal.messaging.v1`."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import grpc.aio
from chaupal.messaging.v1 import messaging_pb2 as pb
from chaupal.messaging.v1 import messaging_pb2_grpc as stubs

from gateway.context import Context
from gateway.graph.peer import Peer
from kit.errors import ChaupalError, Unavailable
from kit.retry import Backoff
from kit.status import status_to_error

SERVICE = "chaupal.messaging.v1.MessagingService"
# CreateBroadcast and StartBroadcast carry a request_id, so trying them again does nothing twice.
RETRYABLE = (
    "CreateBroadcast",
    "GetBroadcast",
    "BatchGetBroadcasts",
    "ListBroadcasts",
    "StartBroadcast",
    "BatchGetProgress",
    "ListDeliveries",
)
# About ten seconds with the kit's waits: longer than a rolling restart of one pod takes.
_WATCH_ATTEMPTS = 8


class MessagingClient:
    """The calls that the graph makes; every one raises the service's errors as kinds."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.MessagingServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def create(self, broadcast: pb.Broadcast, request_id: str) -> pb.Broadcast:
        """A new draft."""
        request = pb.CreateBroadcastRequest(broadcast=broadcast, request_id=request_id)
        paths = {"broadcast": "input", "request_id": "input.requestId"}
        reply = await self._peer.call("CreateBroadcast", self._stub.CreateBroadcast, request, paths)
        return reply.broadcast

    async def start(self, broadcast_id: str, request_id: str) -> pb.Broadcast:
        """A draft, started."""
        request = pb.StartBroadcastRequest(id=broadcast_id, request_id=request_id)
        paths = {"id": "input.broadcastId", "request_id": "input.requestId"}
        reply = await self._peer.call("StartBroadcast", self._stub.StartBroadcast, request, paths)
        return reply.broadcast

    async def broadcasts(self, ids: Sequence[str]) -> list[pb.Broadcast | ChaupalError]:
        """Broadcasts by id, in the order of the ids."""
        request = pb.BatchGetBroadcastsRequest(ids=ids)
        reply = await self._peer.call("BatchGetBroadcasts", self._stub.BatchGetBroadcasts, request)
        return [
            each.broadcast if each.HasField("broadcast") else status_to_error(each.status)
            for each in reply.results
        ]

    async def page_of_broadcasts(
        self, page_size: int, page_token: str
    ) -> pb.ListBroadcastsResponse:
        """A page of broadcasts, newest first."""
        request = pb.ListBroadcastsRequest(page_size=page_size, page_token=page_token)
        return await self._peer.call("ListBroadcasts", self._stub.ListBroadcasts, request)

    async def progress(
        self, ids: Sequence[str], split: pb.ProgressSplit
    ) -> list[pb.Progress | ChaupalError]:
        """The progress of each broadcast, in the order of the ids."""
        request = pb.BatchGetProgressRequest(broadcast_ids=ids, split=split)
        paths = {"split": "progress"}
        reply = await self._peer.call(
            "BatchGetProgress", self._stub.BatchGetProgress, request, paths
        )
        return [
            each.progress if each.HasField("progress") else status_to_error(each.status)
            for each in reply.results
        ]

    async def page_of_deliveries(
        self, request: pb.ListDeliveriesRequest
    ) -> pb.ListDeliveriesResponse:
        """A page of one broadcast's deliveries."""
        return await self._peer.call("ListDeliveries", self._stub.ListDeliveries, request)

    async def watch(
        self, broadcast_id: str, split: pb.ProgressSplit
    ) -> AsyncGenerator[pb.Progress, None]:
        """The progress now and whenever it changes, until the broadcast is over.

        A stream that breaks because the service goes away is opened again: it begins with the
        present state, so nothing is missed that still matters.
        """
        request = pb.WatchProgressRequest(broadcast_id=broadcast_id, split=split)
        backoff = Backoff()
        while True:
            try:
                stream = self._peer.stream("WatchProgress", self._stub.WatchProgress, request)
                async with aclosing(stream):
                    async for reply in stream:
                        backoff.reset()
                        yield reply.progress
                return
            except Unavailable:
                if backoff.failures + 1 >= _WATCH_ATTEMPTS:
                    raise
                await backoff.wait()
