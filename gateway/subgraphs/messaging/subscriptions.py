"""What messaging adds to Subscription."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry
from chaupal.messaging.v1 import messaging_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import subscription
from gateway.graph.ids import decode_id, optional_id
from gateway.subgraphs.messaging.loaders import MessagingRoom
from gateway.subgraphs.messaging.progress import BroadcastProgress
from gateway.subgraphs.messaging.types import SplitLevel, WithinUnitId


@strawberry.type
class Subscription:
    """Watching broadcasts."""

    @subscription(
        "The progress of a broadcast now and whenever it changes, at most five times"
        " a second; ends when the broadcast is over."
    )
    async def broadcast_progress(
        self,
        info: Info,
        id: Annotated[  # noqa: A002
            strawberry.ID, strawberry.argument(description="The broadcast.")
        ],
        split_level: SplitLevel = strawberry.UNSET,
        within_unit_id: WithinUnitId = strawberry.UNSET,
    ) -> AsyncGenerator[BroadcastProgress, None]:
        """Every look at the progress, until it is over or nobody listens."""
        uuid = decode_id(id, "Broadcast", "id")
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        split = pb.ProgressSplit(level=split_level or "", within_unit_id=within)
        looks = info.context.room(MessagingRoom).client.watch(uuid, split)
        async with aclosing(looks):
            async for progress in looks:
                yield BroadcastProgress.from_proto(progress)
