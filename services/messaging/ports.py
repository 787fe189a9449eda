"""What the use cases need from the world. Each docstring is a contract that every adapter keeps.

Errors that any method may raise: `Unavailable` when what stands behind the port cannot be reached;
then the caller does not know whether a write happened, and every write may be repeated.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from kit.deadline import Deadline
from services.messaging.domain.broadcasts import Audience, Broadcast, Plan
from services.messaging.domain.deliveries import Delivery, DeliveryState, Evidence
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import Chunk, Partition
from services.messaging.domain.progress import Ledger, Split, Tally

REPLAY_PERIOD = timedelta(days=7)


class Caller(Protocol):
    """Who is asking, as the verified credential says."""

    @property
    def subject(self) -> str:
        """The credential's subject."""
        ...

    @property
    def tenant_id(self) -> str:
        """The caller's tenant. Raises `Unauthenticated` when the credential has none."""
        ...

    def require(self, capability: str) -> None:
        """Raise `Forbidden` unless the caller has the capability."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A caller's own name for a write.

    Attributes:
        id: A UUID.
        fingerprint: Digest of everything that was asked; the same id with another fingerprint
            is another request.
    """

    id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class BroadcastsPage:
    """A page of broadcasts, with the cursor after each, and whether more come after the last."""

    broadcasts: tuple[Broadcast, ...]
    cursors: tuple[str, ...]
    has_more: bool


class Broadcasts(Protocol):
    """The broadcasts of every tenant. A tenant's are invisible under any other tenant.

    Moves of a broadcast are atomic compare-and-sets between the two states of one arrow of
    `domain.broadcasts.NEXT`; each raises the broadcast's revision by one.
    """

    async def create(self, tenant: TenantId, broadcast: Broadcast, request: Request) -> Broadcast:
        """Keep a draft and make its tenant known to `tenants`.

        Returns:
            The broadcast as kept: for a request that was made before (`REPLAY_PERIOD`), the
            draft that it made then, as it was then.

        Raises:
            RequestIdReused: The request's id was used for something else; nothing changed.
        """
        ...

    async def made_by(self, tenant: TenantId, request: Request) -> Broadcast | None:
        """The draft that a request made before, as `create` would answer it; None for a new one.

        Raises:
            RequestIdReused: The request's id was used for something else.
        """
        ...

    async def get(
        self, tenant: TenantId, broadcast_ids: Sequence[BroadcastId]
    ) -> list[Broadcast | None]:
        """One for each id, in their order; None where this tenant has none. One round trip,
        unless the drafts are more than one answer may hold.
        """
        ...

    async def first_of(
        self, tenant: TenantId, broadcast_ids: Sequence[BroadcastId]
    ) -> list[Broadcast | None]:
        """As `get`, for as many of the first ids as one answer may hold; at least for one."""
        ...

    async def page(self, tenant: TenantId, cursor: str, size: int) -> BroadcastsPage:
        """The next `size` broadcasts after `cursor` ("" for the first), newest first; fewer when
        their drafts are more than one answer may hold.

        Broadcasts of one instant are ordered by id. One that is made while pages are read comes
        before all pages and shifts none.
        """
        ...

    async def start(
        self,
        tenant: TenantId,
        broadcast_id: BroadcastId,
        request: Request,
        started_at: datetime,
        traceparent: str,
    ) -> Broadcast:
        """Move a draft to planning and write the job of planning it, both or neither.

        Returns:
            The broadcast as started; for a request that did it before, as it was then.

        Raises:
            BroadcastNotFound: There is none.
            BroadcastAlreadyStarted: It is no draft.
            RequestIdReused: The request's id was used for something else.
        """
        ...

    async def complete(
        self, tenant: TenantId, broadcast_id: BroadcastId, completed_at: datetime
    ) -> Broadcast:
        """Move a running broadcast to completed; one that is not running is left as it is.

        Raises:
            BroadcastNotFound: There is none.
        """
        ...

    async def frame(self, tenant: TenantId, broadcast: Broadcast) -> Frame:
        """The frame of its plan; empty before it is planned. Never changes after that."""
        ...

    async def tenants(self) -> list[TenantId]:
        """Every tenant that ever made a broadcast, in a fixed order."""
        ...

    async def open(self, tenant: TenantId) -> list[Broadcast]:
        """The planned broadcasts that were not closed, oldest first."""
        ...

    async def close(self, tenant: TenantId, broadcast_id: BroadcastId) -> None:
        """Take a broadcast out of `open`; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class PlanJob:
    """The task of planning one broadcast, held under a lease.

    `consumer` and `generation` (how often the job was taken) are the fencing token.
    """

    tenant: TenantId
    broadcast_id: BroadcastId
    entry_id: str
    consumer: str
    generation: int
    traceparent: str = ""


class PlanJobs(Protocol):
    """Broadcasts that wait to be planned. Each job is held by one consumer at a time.

    A holder that shows no life for a lease may lose its job to another; from then on whatever it
    does with it raises `LeaseLost` and changes nothing.
    """

    async def take(self, tenant: TenantId, consumer: str, lease: timedelta) -> PlanJob | None:
        """One job: one that nobody held or kept alive for `lease`, else the oldest new one."""
        ...

    async def hold(self, job: PlanJob) -> None:
        """Show life. Raises LeaseLost."""
        ...

    async def finalise(self, job: PlanJob, plan: Plan, frame: Frame) -> None:
        """Move the broadcast to running with this plan, make it open, and finish the job, as one.

        Idempotent: also true to say again when the plan is the broadcast's already.

        Raises:
            LeaseLost: Another holder has the job or has finished it.
        """
        ...

    async def fail(self, job: PlanJob, reason: str, failed_at: datetime) -> None:
        """Move the broadcast to failed and finish the job, as one. Raises LeaseLost."""
        ...


class DeliveryLog(Protocol):
    """The deliveries of planned broadcasts: who they go to, where they stand, who works on them.

    Everything about one partition that a method writes, it writes as one or not at all. Evidence
    is joined (`domain.deliveries.Standing.join`): late, repeated and reordered evidence never
    moves a delivery backwards. What was answered is durable.
    """

    async def write_partition(
        self, partition: Partition, group_ids: bytes, chunk_size: int, traceparent: str
    ) -> None:
        """Write down a partition's deliveries, all planned, and its chunks.

        Idempotent for the same groups; a partition is never written with others.
        """
        ...

    async def drop_generation(
        self, tenant: TenantId, broadcast_id: BroadcastId, generation: int, written: int = 0
    ) -> None:
        """Forget every partition of a generation that is not, and never can be, the plan's.

        Args:
            tenant: Whose broadcast it is.
            broadcast_id: The broadcast.
            generation: Of whose planner.
            written: Partitions with numbers below this may be there; of those from there on, all
                up to the first that is not. (An earlier call may have met a planner at work.)
        """
        ...

    async def take(self, partition: Partition, consumer: str, lease: timedelta) -> Chunk | None:
        """One chunk: one that nobody kept alive for `lease`, else the next; None when all are
        held or committed. One round trip.
        """
        ...

    async def hold(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Show life for these chunks; returns those that their consumers still hold."""
        ...

    async def commit(self, chunk: Chunk, evidence: Evidence) -> None:
        """Join the outcome of a whole chunk and acknowledge it. One round trip.

        Raises:
            LeaseLost: Somebody else took it over, or it is committed already. Nothing changed.
        """
        ...

    async def apply(self, partition: Partition, evidence: Sequence[Evidence]) -> bool:
        """Join evidence from outside of chunks; returns whether anything changed. One round trip.

        Evidence about a partition that does not exist changes nothing.
        """
        ...

    async def ledger(self, partitions: Sequence[Partition], known: Ledger | None = None) -> Ledger:
        """All states in the order of the partitions; what `known` still has right is not read.

        Each partition is read at one moment, all of them at nearly one. One round trip each.

        Raises:
            LedgerMissing: The store has lost a partition.
        """
        ...

    async def deliveries(
        self, partitions: Sequence[Partition], positions: Sequence[int]
    ) -> list[Delivery]:
        """The deliveries at these positions of the broadcast, in ascending order as given."""
        ...

    async def retire(self, partition: Partition) -> bool:
        """Give back what only unfinished chunks need. False, and nothing, while there are some."""
        ...


class Transport(Protocol):
    """A way into groups. Takes whole batches: a call for each delivery would cap the rate.

    `send` is idempotent under the key (broadcast, group, attempt): what was sent under a key is
    never posted again, and the answer is the first one.
    """

    async def send(self, chunk: Chunk) -> Evidence:
        """Hand over a chunk; says ACCEPTED or FAILED with a reason for each delivery.

        Raises:
            Unavailable: No answer; what was posted is not known. Send again under the same keys.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receipts:
    """Evidence that a transport has for a partition.

    `tokens` name it for `acknowledge`.
    """

    evidence: tuple[Evidence, ...]
    tokens: tuple[str, ...]


class ReceiptSource(Protocol):
    """Where a transport's later evidence comes from. At least once, in any order."""

    async def due(self, partition: Partition) -> Receipts:
        """What has come in and is not acknowledged; a bounded number, the oldest first."""
        ...

    async def acknowledge(self, partition: Partition, receipts: Receipts) -> None:
        """These are joined into the ledger and need not come again; idempotent."""
        ...

    async def expected(self, partition: Partition) -> bool:
        """Whether more may come by itself, now or later."""
        ...


class Audiences(Protocol):
    """What audiences mean, as the register of groups says. Always asked for one tenant."""

    async def count(self, tenant: TenantId, audience: Audience, deadline: Deadline) -> int:
        """How many groups would get a message now.

        Raises:
            InvalidInput: The rule names what does not exist; fields begin with `audience`.
        """
        ...

    def resolve(
        self, tenant: TenantId, audience: Audience, deadline: Deadline
    ) -> AsyncIterator[bytes | Frame]:
        """Read what the audience means now, as one consistent state.

        Yields:
            Pages of groups' ids, 16 bytes each, in tree order; at last, once, the frame.

        Raises:
            InvalidInput: As `count`.
            AudienceIncomplete: The stream ended early or contradicts itself.
        """
        ...


class Counting(Protocol):
    """Sums over ledgers. Pure; a lakh of deliveries takes well under a millisecond."""

    def tally(self, ledger: Ledger, frame: Frame, split: Split) -> Tally:
        """The counts of the whole ledger and of each unit of the split, in tree order.

        Raises:
            InvalidInput: On `split.level`: the frame has units but no such level (UNKNOWN_LEVEL),
                or more than `MAX_ROWS` of it (SPLIT_TOO_LARGE).
        """
        ...

    def select(
        self,
        ledger: Ledger,
        states: Collection[DeliveryState],
        within: tuple[int, int],
        limit: int,
    ) -> list[int]:
        """The first `limit` positions within [start, end) whose state is any of these."""
        ...

    def all_settled(self, ledger: Ledger) -> bool:
        """Whether every delivery is settled."""
        ...
