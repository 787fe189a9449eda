"""What became of a broadcast, as counts that are derived from its ledger and never stored."""

from dataclasses import dataclass
from datetime import datetime

from services.messaging.domain.broadcasts import BroadcastState
from services.messaging.domain.deliveries import DeliveryState
from services.messaging.domain.ids import BroadcastId, UnitId

# Of one answer, about 60 bytes each. Making them into messages takes some 50 ms.
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Ledger:
    """All deliveries of a broadcast, one `DeliveryState` a byte, in tree order.

    `version` is one number a partition; equal versions mean equal states.
    """

    version: tuple[int, ...] = ()
    states: bytes = b""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries stand where: one number for each byte of `DeliveryState`."""

    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.numbers)

    def of(self, *states: DeliveryState) -> int:
        """How many stand in any of these states."""
        return sum(self.numbers[state] for state in states)


@dataclass(frozen=True, slots=True)
class Split:
    """How to split counts: by the units of a level (empty: no split), within one unit's subtree."""

    level: str = ""
    within: UnitId | None = None


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """The counts of one unit's subtree."""

    unit_id: UnitId
    level: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of a ledger: over all of it (or one unit's subtree), and split."""

    counts: Counts
    by_unit: tuple[UnitCounts, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a broadcast so far, at one moment."""

    broadcast_id: BroadcastId
    state: BroadcastState
    version: str
    tally: Tally
    read_at: datetime
