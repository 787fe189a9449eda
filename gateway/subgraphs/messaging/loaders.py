"""Messaging's room in one operation: its loaders, and the calls that need none."""

from functools import partial
from typing import ClassVar

import grpc.aio
from chaupal.messaging.v1 import messaging_pb2 as pb

from gateway.context import Context
from gateway.graph.loader import Loader
from gateway.subgraphs.messaging.client import MessagingClient
from kit.errors import InvalidInput

_MAX_BROADCASTS = 500
_MAX_PROGRESS = 100


class MessagingRoom:
    """Broadcasts and their progress by batch."""

    subgraph: ClassVar[str] = "messaging"

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._context = context
        self.client = MessagingClient(context, channel)
        self.broadcasts: Loader[str, pb.Broadcast] = Loader(
            context, "broadcasts", self.client.broadcasts, _MAX_BROADCASTS
        )
        self._progress: dict[tuple[str, str], Loader[str, pb.Progress]] = {}
        self._listed_broadcast: str | None = None

    def progress(self, level: str, within_unit_id: str) -> Loader[str, pb.Progress]:
        """The loader of progress that is split that way."""
        arguments = (level, within_unit_id)
        loader = self._progress.get(arguments)
        if loader is None:
            split = pb.ProgressSplit(level=level, within_unit_id=within_unit_id)
            loader = self._progress[arguments] = Loader(
                self._context,
                "progress",
                partial(self.client.progress, split=split),
                _MAX_PROGRESS,
            )
        return loader

    async def deliveries(self, request: pb.ListDeliveriesRequest) -> pb.ListDeliveriesResponse:
        """A page of deliveries; of one broadcast in an operation, as no batch RPC lists many.

        Raises:
            InvalidInput: DELIVERIES_OF_ONE_BROADCAST when a second broadcast's are asked for.
        """
        if self._listed_broadcast not in (None, request.broadcast_id):
            raise InvalidInput.of(
                "deliveries",
                "DELIVERIES_OF_ONE_BROADCAST",
                "one operation can list the deliveries of one broadcast; ask for each by itself",
            )
        self._listed_broadcast = request.broadcast_id
        return await self.client.page_of_deliveries(request)
