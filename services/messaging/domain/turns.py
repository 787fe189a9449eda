"""Whose turn it is: tenants in turn, their broadcasts in turn, their partitions in turn.

One chunk a turn. A small broadcast therefore waits for at most one chunk of each other tenant and
of each other broadcast of its own, however large those are.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import Partition

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turn:
    """A partition that may have chunks to dispatch, and the transport that they go by."""

    partition: Partition
    transport: str


class Turns:
    """The partitions that take turns. A turn that comes up goes to the end of each queue."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[TenantId, OrderedDict[BroadcastId, OrderedDict[Turn, None]]] = (
            OrderedDict()
        )
        self._resting: dict[Turn, float] = {}

    def offer(self, turns: Iterable[Turn], now: float) -> None:
        """These are all the turns there are: take in the new, drop the others.

        Args:
            turns: Of all open broadcasts.
            now: A turn that rests until a later moment is not taken in.
        """
        offered = dict.fromkeys(turns)
        self._resting = {
            turn: until for turn, until in self._resting.items() if turn in offered and until > now
        }
        for turn in list(self):
            if turn not in offered:
                self._remove(turn)
        for turn in offered:
            if turn not in self._resting:
                self._add(turn)

    def next(self) -> Turn | None:
        """Whose turn it is; None when nobody waits."""
        if not self._tenants:
            return None
        tenant = _rotate(self._tenants)
        broadcast_id = _rotate(self._tenants[tenant])
        return _rotate(self._tenants[tenant][broadcast_id])

    def rest(self, turn: Turn, until: float) -> None:
        """It had nothing to do: leave it out until an `offer` from that moment on."""
        self._resting[turn] = until
        self._remove(turn)

    def __iter__(self) -> Iterator[Turn]:
        return (
            turn
            for broadcasts in self._tenants.values()
            for turns in broadcasts.values()
            for turn in turns
        )

    def _add(self, turn: Turn) -> None:
        partition = turn.partition
        broadcasts = self._tenants.setdefault(partition.tenant, OrderedDict())
        broadcasts.setdefault(partition.broadcast_id, OrderedDict()).setdefault(turn)

    def _remove(self, turn: Turn) -> None:
        tenant, broadcast_id = turn.partition.tenant, turn.partition.broadcast_id
        turns = self._tenants.get(tenant, OrderedDict()).get(broadcast_id, OrderedDict())
        if turn not in turns:
            return
        del turns[turn]
        if not turns:
            del self._tenants[tenant][broadcast_id]
        if not self._tenants[tenant]:
            del self._tenants[tenant]


def _rotate(queue: "OrderedDict[T, Any]") -> T:
    """The first key, which becomes the last."""
    first = next(iter(queue))
    queue.move_to_end(first)
    return first
