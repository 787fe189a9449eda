"""What the use cases need from the world."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import (
    Blueprint,
    ImportReport,
    TenantId,
    Unit,
    UnitId,
    UnitImport,
    UnitKey,
)
from services.hierarchy.domain.tree import TreeRows

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
class Backlog:
    """A tenant with events above `relayed_through` that wait to be relayed."""

    tenant: TenantId
    relayed_through: int


class OrgGraph(Protocol):
    """Every tenant's blueprint, units and tree; each change adds to its `Outbox`.

    Tenants: each method speaks of the one tenant that is its first argument; nothing of another
    is ever returned or changed, also where ids, keys or request ids are equal. A tenant that
    never put a blueprint is like one without units, at tree version 0.

    Reading: at least as new as the last write that was answered, by whichever process. Each unit
    is whole. `tree` is one moment; other reads, when they meet a write that is just being applied,
    may show some units after it and others before it, and such a newer unit's revision is above
    the `tree_version` that comes with it. Absent units are absent from mappings; nothing is raised
    for them. Input collections may repeat ids and be empty.

    Writing: a write is one atomic step under the tenant's lock, so writers of one tenant take
    turns, in any number of processes. It is durable when it is answered. When it raises, nothing
    has changed and the caller may try again; when the answer is lost (a time-out, a cancelled
    call) it may have happened.

    Always true: each unit has at most one parent, of the same tenant and of a higher level;
    (level, code) is unique in a tenant; the tree version is 0 before the first unit and grows by
    exactly one with each write that changes units or, when there are units, the list of levels.

    Errors: `Unavailable` from any method when the store cannot be reached, is full or is busy for
    too long.
    """

    async def put_blueprint(
        self, tenant: TenantId, draft: Blueprint, *, validate_only: bool = False
    ) -> Blueprint:
        """Replace the blueprint and return it as it then stands, with its version.

        A draft that says what stands already changes nothing and returns that. Otherwise the
        version grows by one (from 1) and a `BlueprintChanged` is added; when there are units and
        the keys or the order of the levels differ, the tree version grows too and a `TreeChanged`
        is added before it. With `validate_only` the same is decided and returned, and nothing
        changes. The draft's own version is ignored.

        Raises:
            BlueprintInUse: a level that has units would go or change its order among such levels.
        """
        ...

    async def blueprint(self, tenant: TenantId) -> Blueprint | None:
        """The blueprint as last put, or None."""
        ...

    async def units(self, tenant: TenantId, ids: Collection[UnitId]) -> Read[Mapping[UnitId, Unit]]:
        """The units with these ids; one round trip for up to 1,000."""
        ...

    async def unit_by_key(self, tenant: TenantId, key: UnitKey) -> Read[Unit | None]:
        """The unit with this level and code, or None."""
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

    async def tree_version(self, tenant: TenantId) -> int:
        """The version of the tree; cheap enough to ask on every request."""
        ...

    async def tree(self, tenant: TenantId) -> TreeRows:
        """Every unit's place in the tree, siblings in the order of `children`.

        The level keys are those of the blueprint at the same moment; empty without one.
        """
        ...

    async def apply_import(self, tenant: TenantId, request: UnitImport) -> ImportReport:
        """Create and update units as the rows say, all or none, and report (`plan_import`).

        Units are found by level and code. A new unit gets a fresh id and `valid_from` now; a unit
        whose row names another parent moves, with its subtree. Everything written carries the new
        tree version as its revision, and one `TreeChanged` is added. Rows that change nothing
        write nothing: no version, no event.

        The first answer under a request id, also a refusal, is kept for `ANSWERS_KEPT` and
        returned to whoever asks the same again; with `validate_only` nothing is kept or replayed,
        and the report says what would happen (`applied` false, the tree version as it is).

        Raises:
            BlueprintNotFound: there is no blueprint to check the rows against.
            RequestIdReused: the id was used with other rows.
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

    def require(self, capability: str) -> None:
        """Raise `Forbidden` unless the caller has the capability."""
        ...
