"""How the deliveries of a broadcast are cut: partitions over the store's slots, chunks for work."""

from dataclasses import dataclass

from services.messaging.domain.broadcasts import Broadcast, Plan
from services.messaging.domain.ids import BroadcastId, TenantId

GROUP_ID_BYTES = 16

# A partition's ledger and targets are each one value of the store: 25 KB and 400 KB. Large enough
# that a lakh is four look-ups, small enough that reading one holds the store for microseconds.
PARTITION_SIZE = 25_000
# Chunks of 500 fan out two to five times faster than an entry for each delivery, and hold up an
# urgent broadcast by no more than the time of one.
CHUNK_SIZE = 500


@dataclass(frozen=True, slots=True)
class Partition:
    """A run of a broadcast's deliveries, in tree order, that lives in one slot of the store."""

    tenant: TenantId
    broadcast_id: BroadcastId
    generation: int
    number: int
    start: int
    size: int

    @property
    def end(self) -> int:
        """One past its last delivery, counted in the broadcast."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of a partition's deliveries, taken from its stream to be worked on.

    Attributes:
        entry_id: Its entry in the partition's stream.
        consumer: Who took it.
        delivery_count: How often it was taken; with `consumer` the fencing token.
        start: Position of its first delivery in the partition.
        group_ids: 16 bytes each, one after the other.
        attempt: Which attempt of its deliveries this is; with broadcast and group the
            idempotency key.
        traceparent: W3C trace context of its planner, or empty.
    """

    partition: Partition
    entry_id: str
    consumer: str
    delivery_count: int
    start: int
    group_ids: bytes
    attempt: int = 1
    traceparent: str = ""

    @property
    def size(self) -> int:
        """How many deliveries it has."""
        return len(self.group_ids) // GROUP_ID_BYTES


def partitions_of(tenant: TenantId, broadcast: Broadcast) -> tuple[Partition, ...]:
    """The partitions of a broadcast in the order of their deliveries; none before it is planned."""
    if broadcast.plan is None:
        return ()
    plan = broadcast.plan
    return tuple(
        partition_at(tenant, broadcast.id, plan, number)
        for number in range(-(-plan.delivery_count // plan.partition_size))
    )


def partition_at(tenant: TenantId, broadcast_id: BroadcastId, plan: Plan, number: int) -> Partition:
    """The partition of that number."""
    start = number * plan.partition_size
    size = min(plan.partition_size, plan.delivery_count - start)
    return Partition(tenant, broadcast_id, plan.generation, number, start, size)
