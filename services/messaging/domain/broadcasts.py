"""Broadcasts: what one is, and which state may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.messaging.domain.ids import BroadcastId, UnitId


class BroadcastState(StrEnum):
    """Where a broadcast stands; the value is what the store keeps."""

    DRAFT = "draft"
    PLANNING = "planning"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


# The only moves there are. Stores move a broadcast by naming both ends and refuse any other.
NEXT: Mapping[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.DRAFT: frozenset({BroadcastState.PLANNING}),
    BroadcastState.PLANNING: frozenset({BroadcastState.RUNNING, BroadcastState.FAILED}),
    BroadcastState.RUNNING: frozenset({BroadcastState.COMPLETED}),
    BroadcastState.COMPLETED: frozenset(),
    BroadcastState.FAILED: frozenset(),
}


def origin(state: BroadcastState) -> BroadcastState:
    """The one state from which `state` is reached."""
    (before,) = (each for each, after in NEXT.items() if state in after)
    return before


def is_over(state: BroadcastState) -> bool:
    """Whether nothing follows `state`."""
    return not NEXT[state]


@dataclass(frozen=True, slots=True)
class AudienceTerm:
    """One product of facets; an empty one does not narrow."""

    unit_ids: tuple[UnitId, ...] = ()
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """The union of `include` without the union of `exclude`."""

    include: tuple[AudienceTerm, ...] = ()
    exclude: tuple[AudienceTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What an author decides."""

    title: str
    texts: Mapping[str, str]
    audience: Audience
    transport: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a broadcast's deliveries were written down.

    Attributes:
        generation: Which planner's work counts; part of every partition's name, so that the
            work of one that was overtaken is never read.
        delivery_count: All of them.
        partition_size: Deliveries in each partition but the last, which may be smaller.
    """

    generation: int
    delivery_count: int
    partition_size: int


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message to one audience, with its life cycle."""

    id: BroadcastId
    draft: Draft
    author: str
    created_at: datetime
    state: BroadcastState = BroadcastState.DRAFT
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failure_reason: str = ""
    plan: Plan | None = None
    revision: int = field(default=1)

    @property
    def delivery_count(self) -> int:
        """Groups it goes to; 0 before it is planned."""
        return self.plan.delivery_count if self.plan else 0

    @property
    def etag(self) -> str:
        """Changes whenever the broadcast does."""
        return f"{self.id}.{self.revision}"
