"""Messaging's enums, by the numbers of the contract."""

from enum import Enum

import strawberry
from chaupal.messaging.v1 import messaging_pb2 as pb

value = strawberry.enum_value


@strawberry.enum(description="Where a broadcast stands.")
class BroadcastState(Enum):
    """The contract's states by their numbers."""

    DRAFT = value(pb.BROADCAST_STATE_DRAFT, description="Written, not started.")
    PLANNING = value(
        pb.BROADCAST_STATE_PLANNING, description="Started; its deliveries are being written down."
    )
    RUNNING = value(pb.BROADCAST_STATE_RUNNING, description="Being dispatched.")
    COMPLETED = value(pb.BROADCAST_STATE_COMPLETED, description="Every delivery is settled.")
    FAILED = value(
        pb.BROADCAST_STATE_FAILED, description="It could not be planned. Nothing was sent."
    )


@strawberry.enum(description="Where one delivery stands.")
class DeliveryState(Enum):
    """The contract's states by their numbers."""

    PLANNED = value(pb.DELIVERY_STATE_PLANNED, description="Written down.")
    DISPATCHED = value(
        pb.DELIVERY_STATE_DISPATCHED, description="Handed to the transport, no answer yet."
    )
    ACCEPTED = value(pb.DELIVERY_STATE_ACCEPTED, description="The transport took it.")
    DELIVERED = value(pb.DELIVERY_STATE_DELIVERED, description="In the group.")
    READ = value(pb.DELIVERY_STATE_READ, description="Seen in the group.")
    SKIPPED = value(pb.DELIVERY_STATE_SKIPPED, description="Not sent, on purpose.")
    FAILED = value(pb.DELIVERY_STATE_FAILED, description="Refused for good.")
