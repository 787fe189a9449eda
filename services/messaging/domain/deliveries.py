"""The states of a delivery and how evidence about one is joined.

Evidence comes from workers, from transports and late from their receipts: at least once, in any
order. Joining is therefore commutative, associative and idempotent (a semilattice), so that every
order of the same evidence ends in the same ledger and nothing ever moves a delivery backwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from services.messaging.domain.ids import GroupId


class DeliveryState(IntEnum):
    """Where one delivery stands; the value is its byte in the ledger, never its rank."""

    PLANNED = 0
    HELD = 1
    DISPATCHED = 2
    ACCEPTED = 3
    DELIVERED = 4
    READ = 5
    SKIPPED = 6
    FAILED = 7


# From no evidence to the strongest. A refusal beats an acceptance, because it came of it; proof
# that the message is in the group beats a refusal, because it is there. The Function library
# ledger.lua holds the same order.
STRENGTH: tuple[DeliveryState, ...] = (
    DeliveryState.PLANNED,
    DeliveryState.HELD,
    DeliveryState.DISPATCHED,
    DeliveryState.ACCEPTED,
    DeliveryState.SKIPPED,
    DeliveryState.FAILED,
    DeliveryState.DELIVERED,
    DeliveryState.READ,
)
_RANK: Mapping[DeliveryState, int] = {state: rank for rank, state in enumerate(STRENGTH)}

# Nothing more is needed for these; they are the strongest, so what is settled stays settled.
SETTLED = frozenset(STRENGTH[STRENGTH.index(DeliveryState.SKIPPED) :])
WITH_REASON = frozenset({DeliveryState.SKIPPED, DeliveryState.FAILED})


def join(first: DeliveryState, second: DeliveryState) -> DeliveryState:
    """What two pieces of evidence about one delivery say together."""
    return first if _RANK[first] >= _RANK[second] else second


@dataclass(frozen=True, slots=True)
class Standing:
    """A delivery's state, and why where the state has a reason (`WITH_REASON`)."""

    state: DeliveryState = DeliveryState.PLANNED
    reason: str = ""

    def join(self, other: "Standing") -> "Standing":
        """Both together. Two reasons for one state: the first in the order of their texts."""
        if self.state != other.state:
            return self if join(self.state, other.state) is self.state else other
        reasons = [each.reason for each in (self, other) if each.reason]
        return Standing(self.state, min(reasons, default=""))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is newly known about a run of deliveries of one partition.

    Attributes:
        start: Position of the first one in its partition.
        states: One `DeliveryState` a byte; `PLANNED` says nothing about its delivery.
        reasons: By position in the partition, only for states `WITH_REASON`; UPPER_SNAKE.
    """

    start: int
    states: bytes
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One broadcast to one group, as it stands."""

    group_id: GroupId
    state: DeliveryState
    reason: str = ""

    @property
    def attempt_count(self) -> int:
        """How often it was handed to the transport under a key of its own."""
        untouched = {DeliveryState.PLANNED, DeliveryState.HELD, DeliveryState.SKIPPED}
        return 0 if self.state in untouched else 1
