"""What the use cases need from the world."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.people import Verification
from services.hierarchy.domain.records import Index, R
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import TreeRows

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# A request id answers as it first did for this long; afterwards it is as good as new.
ANSWERS_KEPT = timedelta(days=7)
# Relayed events stay readable until this many newer ones of their tenant exist.
EVENTS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Read(Generic[T_co]):
    """What was read, and a version of the tenant's tree that the read is not older than."""

    tree_version: int
    value: T_co


@dataclass(frozen=True, slots=True)
class SiblingKey:
    """Where a unit stands among its siblings: by code, and by level where codes are equal."""

    code: str
    level: str


@dataclass(frozen=True, slots=True)
class Children:
    """Some of a unit's children in order, how many there are in all, and whether more follow."""

    units: Sequence[Unit]
    total_count: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class UnitChanges:
    """What became of a tenant's units after a version: `units` as they stand, `closed` are gone."""

    tree_version: int
    units: Sequence[Unit]
    closed: Collection[UnitId]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many appointments to one position are in one state."""

    position: str
    verification: Verification
    count: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """A tenant with events above `relayed_through` that wait to be relayed."""

    tenant: TenantId
    relayed_through: int


class OrgGraph(Protocol):
    """Every tenant's header, records and tree; each change adds to its `Outbox`.

    Tenants: each method speaks of the one tenant that is its first argument; nothing of another
    is ever returned or changed, also where ids, keys or request ids are equal. A tenant that was
    never written is like one with an empty header and no records.

    Reading: at least as new as the last write that was answered, by whichever process. Each record
    is whole. `tree` and `unit_changes` are one moment; other reads, when they meet a write that is
    just being applied, may show some records after it and others before it, and such a newer
    unit's revision is above the `tree_version` that comes with it. What is absent is absent from
    mappings; nothing is raised for it. Input collections may repeat keys and be empty.

    Writing: a write is one atomic step under the tenant's lock, so writers of one tenant take
    turns, in any number of processes. It is durable when it is answered. When it raises, nothing
    has changed and the caller may try again; when the answer is lost (a time-out, a cancelled
    call) it may have happened, and the same request tells.

    Errors: `Unavailable` from any method when the store cannot be reached, is full or is busy for
    too long.
    """

    async def header(self, tenant: TenantId) -> TenantHeader:
        """The tenant's header; cheap enough to ask on every request.

        When it meets a write that is just being applied it may be ahead of the records.
        """
        ...

    async def settled_header(self, tenant: TenantId) -> TenantHeader:
        """The tenant's header; what is read after it is not older than it.

        For whoever keeps what they read for as long as a version of the header stands: begun with
        `header`, they would keep for so long what a write had not reached yet. Waits for the
        tenant's writers where it must.
        """
        ...

    async def find(
        self,
        tenant: TenantId,
        index: Index[R],
        keys: Collection[str],
        *,
        at: datetime | None = None,
    ) -> Read[Mapping[str, Sequence[R]]]:
        """The records with these keys; one round trip for up to 5,000 of them.

        Records of one key come in no particular order; a key without any is absent.

        Args:
            tenant: whose.
            index: which records, and by what.
            keys: at most 60,000.
            at: only what was valid at this instant, from its beginning up to, not with, its end;
                for a unit `since` is the beginning. None finds also what has ended.
        """
        ...

    async def page(
        self, tenant: TenantId, of: type[R], *, after: str = "", limit: int
    ) -> Sequence[R]:
        """Up to `limit` records of a type with ids above `after`, in the order of ids (as bytes).

        Walks over all of them when each call begins behind the last id of the one before; a record
        that is put meanwhile may or may not be met.
        """
        ...

    async def children(
        self,
        tenant: TenantId,
        parents: Collection[UnitId | None],
        *,
        limit: int,
        after: SiblingKey | None = None,
    ) -> Read[Mapping[UnitId | None, Children]]:
        """Up to `limit` children of each of up to 500 parents, in one round trip.

        Children are ordered by code, then by level key, both as bytes. `None` stands for the
        parent of the roots and is always answered; a parent that does not exist is absent.

        Args:
            tenant: whose.
            parents: whose children to read.
            limit: at least 1, for each parent.
            after: begin behind this sibling, which need not exist any more.
        """
        ...

    async def ancestors(
        self, tenant: TenantId, ids: Collection[UnitId]
    ) -> Read[Mapping[UnitId, Sequence[Unit]]]:
        """The ancestors of each unit, nearest first: empty for a root, absent when unknown."""
        ...

    async def tree(self, tenant: TenantId, *, at: datetime | None = None) -> TreeRows:
        """Every unit's place in the tree, siblings in the order of `children`.

        The level keys are those of the blueprint at the same moment; empty without one.

        Args:
            tenant: whose.
            at: the tree as it stood then, with the level keys of now; None for now.
        """
        ...

    async def unit_changes(self, tenant: TenantId, *, since: int, limit: int) -> UnitChanges | None:
        """What became of the units after a tree version, or None when that is more than `limit`.

        A unit that was created and closed again since then may be among the closed ones.
        """
        ...

    async def units_with(self, tenant: TenantId, position: str, at: datetime) -> Collection[UnitId]:
        """The units in which somebody holds the position at an instant, each once."""
        ...

    async def tally(
        self,
        tenant: TenantId,
        *,
        units: Collection[UnitId] | None,
        at: datetime,
        verified_since: datetime,
    ) -> Sequence[Tally]:
        """How many appointments are in force, by position and by the state of their verification.

        Args:
            tenant: whose.
            units: of these units only, at most 60,000; None for all.
            at: in force when.
            verified_since: one whose last verification is older than this is stale.
        """
        ...

    async def write(self, tenant: TenantId, operation: Operation[T]) -> T:
        """Hold the operation's conversation under the tenant's lock, and write what it decides.

        The first answer under a request id is kept for `ANSWERS_KEPT` and returned to whoever asks
        the same again, without another decision. With `validate_only` nothing is written, kept or
        replayed.

        Raises:
            RequestIdReused: the id was used for another operation, by another caller, or with
                another fingerprint.
            ChaupalError: whatever the decision raises; nothing is written or kept then.
        """
        ...

    async def tenants(self, *, after: str = "", limit: int) -> Sequence[TenantHeader]:
        """Up to `limit` tenants with ids above `after`, in the order of ids; for operators."""
        ...

    async def forget_tenant(self, tenant: TenantId, *, limit: int) -> int:
        """Remove up to `limit` things of the tenant and return how many; 0 when nothing is left.

        Records go first, then answers, then events. The header stays as the last write left it,
        and with it the number of the last event: what is written under the id later, if anything,
        is not taken for a repeat by those who follow the events.
        """
        ...


class Outbox(Protocol):
    """The events of an `OrgGraph`'s writes, written in the same step as the change they tell of.

    Errors: `Unavailable` as in `OrgGraph`.
    """

    async def events(self, tenant: TenantId, *, after: int, limit: int) -> Sequence[Event]:
        """Up to `limit` events of the tenant with a sequence above `after`, in order.

        Sequences are 1, 2, 3 and so on without a gap, in the order of the writes. Events are kept
        until they are relayed and `EVENTS_KEPT` newer ones exist.
        """
        ...

    async def backlogs(self, *, limit: int) -> Sequence[Backlog]:
        """Up to `limit` tenants with events that were not relayed, ordered by tenant."""
        ...

    async def mark_relayed(self, tenant: TenantId, *, through: int) -> None:
        """Note that all events up to this sequence were relayed.

        Never goes back: a repeat, or a mark below one that was made, changes nothing.
        """
        ...


class EventStreams(Protocol):
    """Where peers read events: one stream per tenant, in order."""

    async def append(self, event: Event) -> None:
        """Add the event to its tenant's stream; durable when it returns.

        An event whose sequence the stream has reached already is not added again, so that a
        repeat after a crash changes nothing. Events of one tenant must be appended in order.

        Raises:
            Unavailable: it may or may not have been added; append it again.
        """
        ...


class Caller(Protocol):
    """Who is asking, as the verified credential says."""

    @property
    def tenant_id(self) -> str:
        """The caller's tenant. Raises `Unauthenticated` when the credential has none."""
        ...

    @property
    def subject(self) -> str:
        """The `sub` of the credential."""
        ...

    @property
    def is_service(self) -> bool:
        """Whether it is one of our own processes, which may do everything for the tenant."""
        ...

    @property
    def is_operator(self) -> bool:
        """Whether it is one of those who operate the platform, who have no tenant."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """Capabilities over the whole tenant that the credential itself gives."""
        ...


@dataclass(frozen=True, slots=True)
class WrappedSecret:
    """A secret as only the key-encryption key `key_id` can open it, in base64."""

    wrapped: str = field(repr=False)
    key_id: str


class KeyWrap(Protocol):
    """Wraps tenants' secrets under key-encryption keys, of which one is current.

    Each secret is bound to a context, without which it cannot be opened. Asynchronous, as a key
    management service is a call away; callers keep what they opened.

    Errors: `Unavailable` when the keys cannot be reached.
    """

    @property
    def current_key_id(self) -> str:
        """Which key wraps now; what others have wrapped can still be opened, or not."""
        ...

    async def wrap(self, secret: bytes, context: bytes) -> WrappedSecret:
        """The secret under the current key; each time another text."""
        ...

    async def unwrap(self, wrapped: WrappedSecret, context: bytes) -> bytes:
        """The secret again.

        Raises:
            KeyNotHeld: its key is not at hand.
            SecretUnreadable: it was wrapped in another context, or is damaged.
        """
        ...
