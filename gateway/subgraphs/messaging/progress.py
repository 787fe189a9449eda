"""What became of a broadcast so far."""

from datetime import datetime
from typing import Self

import strawberry
from chaupal.messaging.v1 import messaging_pb2 as pb

from gateway.graph.fields import MENTION, SPLIT
from gateway.graph.ids import encode_id
from gateway.graph.scalars import instant
from gateway.subgraphs.messaging.enums import BroadcastState

field = strawberry.field


@strawberry.federation.type(keys=[MENTION], extend=True)
class Unit:
    """A unit of the tree; here only its id is known."""

    id: strawberry.ID


@strawberry.type(description="How many deliveries stand where; they add up to `total`.")
class DeliveryCounts:
    """Deliveries by state."""

    total: int = field(description="All.")
    planned: int = field(description="Written down.")
    dispatched: int = field(description="Handed to the transport, no answer yet.")
    accepted: int = field(description="The transport took it.")
    delivered: int = field(description="In the group, not yet seen.")
    read: int = field(description="Seen in the group.")
    skipped: int = field(description="Not sent, on purpose.")
    failed: int = field(description="Refused for good.")

    @classmethod
    def from_proto(cls, message: pb.DeliveryCounts) -> Self:
        """The counts on the wire as the graph shows them."""
        return cls(
            total=message.total,
            planned=message.planned,
            dispatched=message.dispatched,
            accepted=message.accepted,
            delivered=message.delivered,
            read=message.read,
            skipped=message.skipped,
            failed=message.failed,
        )


@strawberry.type(description="The progress in one unit's subtree.")
class UnitProgress:
    """The share of one unit."""

    unit: Unit | None = field(description="The unit.")
    level: str = field(description="Key of its level.")
    counts: DeliveryCounts = field(description="Its deliveries.")


@strawberry.type(description="What became of a broadcast so far, at one moment.")
class BroadcastProgress:
    """Counts, in all and by unit."""

    broadcast_id: strawberry.ID = field(description="The broadcast.")
    state: BroadcastState = field(description="Its state at that moment.")
    version: str = field(description="Equal versions mean equal counts.")
    counts: DeliveryCounts = field(description="All deliveries.")
    by_unit: list[UnitProgress] = field(
        description="By unit of the split level, in tree order; only units with deliveries.",
        directives=SPLIT,
    )
    read_at: datetime = field(description="The moment.")

    @classmethod
    def from_proto(cls, message: pb.Progress) -> Self:
        """The progress on the wire as the graph shows it."""
        return cls(
            broadcast_id=encode_id("Broadcast", message.broadcast_id),
            state=BroadcastState(message.state),
            version=message.version,
            counts=DeliveryCounts.from_proto(message.counts),
            by_unit=[
                UnitProgress(
                    unit=Unit(id=encode_id("Unit", each.unit_id)),
                    level=each.level,
                    counts=DeliveryCounts.from_proto(each.counts),
                )
                for each in message.by_unit
            ],
            read_at=instant(message.read_at),
        )
