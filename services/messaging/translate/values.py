"""Broadcasts, progress and deliveries as messages."""

from collections.abc import Mapping
from datetime import datetime

from chaupal.groups.v1 import audience_pb2
from chaupal.messaging.v1 import messaging_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.messaging.domain.broadcasts import (
    Audience,
    AudienceTerm,
    Broadcast,
    BroadcastState,
    Draft,
)
from services.messaging.domain.deliveries import Delivery, DeliveryState
from services.messaging.domain.ids import UnitId
from services.messaging.domain.progress import Counts, Progress, Split, UnitCounts

BROADCAST_STATES: Mapping[BroadcastState, pb.BroadcastState.ValueType] = {
    BroadcastState.DRAFT: pb.BROADCAST_STATE_DRAFT,
    BroadcastState.PLANNING: pb.BROADCAST_STATE_PLANNING,
    BroadcastState.RUNNING: pb.BROADCAST_STATE_RUNNING,
    BroadcastState.COMPLETED: pb.BROADCAST_STATE_COMPLETED,
    BroadcastState.FAILED: pb.BROADCAST_STATE_FAILED,
}
# The contract has no word for what is held back before it is handed over: it is still planned.
DELIVERY_STATES: Mapping[DeliveryState, pb.DeliveryState.ValueType] = {
    DeliveryState.PLANNED: pb.DELIVERY_STATE_PLANNED,
    DeliveryState.HELD: pb.DELIVERY_STATE_PLANNED,
    DeliveryState.DISPATCHED: pb.DELIVERY_STATE_DISPATCHED,
    DeliveryState.ACCEPTED: pb.DELIVERY_STATE_ACCEPTED,
    DeliveryState.DELIVERED: pb.DELIVERY_STATE_DELIVERED,
    DeliveryState.READ: pb.DELIVERY_STATE_READ,
    DeliveryState.SKIPPED: pb.DELIVERY_STATE_SKIPPED,
    DeliveryState.FAILED: pb.DELIVERY_STATE_FAILED,
}


def draft_from_proto(message: pb.Broadcast) -> Draft:
    """What an author decides; everything else in the message is ignored."""
    return Draft(
        title=message.title,
        texts=dict(message.texts),
        audience=audience_from_proto(message.audience),
        transport=message.transport,
    )


def broadcast_to_proto(broadcast: Broadcast) -> pb.Broadcast:
    """The whole broadcast."""
    draft = broadcast.draft
    return pb.Broadcast(
        id=broadcast.id,
        title=draft.title,
        texts=draft.texts,
        audience=audience_to_proto(draft.audience),
        transport=draft.transport,
        state=BROADCAST_STATES[broadcast.state],
        delivery_count=broadcast.delivery_count,
        failure_reason=broadcast.failure_reason,
        author=broadcast.author,
        created_at=_timestamp(broadcast.created_at),
        started_at=_timestamp(broadcast.started_at),
        completed_at=_timestamp(broadcast.completed_at),
        etag=broadcast.etag,
    )


def audience_from_proto(message: audience_pb2.Audience) -> Audience:
    """The rule."""
    return Audience(
        include=tuple(map(_term_from_proto, message.include)),
        exclude=tuple(map(_term_from_proto, message.exclude)),
    )


def audience_to_proto(audience: Audience) -> audience_pb2.Audience:
    """The rule."""
    return audience_pb2.Audience(
        include=map(_term_to_proto, audience.include), exclude=map(_term_to_proto, audience.exclude)
    )


def split_from_proto(message: pb.ProgressSplit) -> Split:
    """How to split."""
    within = message.within_unit_id
    return Split(level=message.level, within=UnitId(within) if within else None)


def progress_to_proto(progress: Progress) -> pb.Progress:
    """The counts and their split."""
    return pb.Progress(
        broadcast_id=progress.broadcast_id,
        state=BROADCAST_STATES[progress.state],
        version=progress.version,
        counts=counts_to_proto(progress.tally.counts),
        by_unit=map(_unit_to_proto, progress.tally.by_unit),
        read_at=_timestamp(progress.read_at),
    )


def counts_to_proto(counts: Counts) -> pb.DeliveryCounts:
    """How many stand where; they add up to the total."""
    return pb.DeliveryCounts(
        total=counts.total,
        planned=counts.of(DeliveryState.PLANNED, DeliveryState.HELD),
        dispatched=counts.of(DeliveryState.DISPATCHED),
        accepted=counts.of(DeliveryState.ACCEPTED),
        delivered=counts.of(DeliveryState.DELIVERED),
        read=counts.of(DeliveryState.READ),
        skipped=counts.of(DeliveryState.SKIPPED),
        failed=counts.of(DeliveryState.FAILED),
    )


def delivery_to_proto(delivery: Delivery) -> pb.Delivery:
    """One delivery."""
    return pb.Delivery(
        group_id=delivery.group_id,
        state=DELIVERY_STATES[delivery.state],
        attempt_count=delivery.attempt_count,
        reason=delivery.reason,
    )


def _unit_to_proto(unit: UnitCounts) -> pb.UnitProgress:
    return pb.UnitProgress(
        unit_id=unit.unit_id, level=unit.level, counts=counts_to_proto(unit.counts)
    )


def _term_from_proto(message: audience_pb2.AudienceTerm) -> AudienceTerm:
    return AudienceTerm(
        unit_ids=tuple(map(UnitId, message.unit_ids)),
        kinds=tuple(message.kinds),
        categories=tuple(message.categories),
    )


def _term_to_proto(term: AudienceTerm) -> audience_pb2.AudienceTerm:
    return audience_pb2.AudienceTerm(
        unit_ids=term.unit_ids, kinds=term.kinds, categories=term.categories
    )


def _timestamp(instant: datetime | None) -> Timestamp | None:
    if instant is None:
        return None
    message = Timestamp()
    message.FromDatetime(instant)
    return message
