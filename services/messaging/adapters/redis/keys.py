"""The names of keys. What is written together shares the hash tag in braces, and so a slot.

The tenant stands in every name: no two tenants' keys can be the same, because a tenant's id has
no colon and no brace.
"""

from dataclasses import dataclass

from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import Partition

TENANTS = "messaging:tenants"


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """A tenant's keys, all in one slot."""

    tenant: TenantId

    @property
    def index(self) -> str:
        """Sorted set of all broadcasts, by time of making."""
        return f"messaging:{{{self.tenant}}}:broadcasts"

    @property
    def jobs(self) -> str:
        """Stream of broadcasts to plan."""
        return f"messaging:{{{self.tenant}}}:jobs"

    @property
    def open(self) -> str:
        """Set of broadcasts whose partitions may have work."""
        return f"messaging:{{{self.tenant}}}:open"

    def broadcast(self, broadcast_id: BroadcastId) -> str:
        """Hash of one broadcast."""
        return f"messaging:{{{self.tenant}}}:broadcast:{broadcast_id}"

    def frame(self, broadcast_id: BroadcastId) -> str:
        """The units its deliveries lie in."""
        return f"messaging:{{{self.tenant}}}:frame:{broadcast_id}"

    def request(self, request_id: str) -> str:
        """What a request id was used for."""
        return f"messaging:{{{self.tenant}}}:request:{request_id}"


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """A partition's keys, all in one slot; other partitions are spread over other slots."""

    stream: str
    targets: str
    ledger: str
    version: str
    reasons: str

    @classmethod
    def of(cls, partition: Partition) -> "PartitionKeys":
        """The keys of this partition of this generation."""
        return cls.at(
            partition.tenant, partition.broadcast_id, partition.number, partition.generation
        )

    @classmethod
    def at(
        cls, tenant: TenantId, broadcast_id: BroadcastId, number: int, generation: int
    ) -> "PartitionKeys":
        """The keys of the partition of that number."""
        root = f"messaging:{{{tenant}:{broadcast_id}:{number}}}:{generation}"
        return cls(
            f"{root}:stream",
            f"{root}:targets",
            f"{root}:ledger",
            f"{root}:version",
            f"{root}:reasons",
        )

    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return (self.stream, self.targets, self.ledger, self.version, self.reasons)
