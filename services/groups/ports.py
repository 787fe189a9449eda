"""What the use cases need of the world: the register's store, the organisation, the index."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from kit.deadline import Deadline
from services.groups.domain.access import Granted, Scope
from services.groups.domain.answers import (
    GroupCounts,
    GroupFilter,
    Page,
    Place,
    Preview,
    Resolved,
)
from services.groups.domain.audience import Audience
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import Group, GroupId, Identity, TenantId, UnitId

Column = Literal["id", "unit", "kind", "category", "state", "flags", "members"]
"""What a snapshot tells of every group by ordinal, without gaps, little-endian:

id, unit    the 16 bytes of a UUID
kind        u16, place in `kinds`
category    u16, place in `categories`, whose first is the empty key of those without one
state       u8, the number of the GroupState
flags       u8, bit n-1 for GroupFlag n
members     u32
"""


class Register(Protocol):
    """One tenant's register at one version. Immutable; what it says was true at one moment.

    A group's ordinal is its place in the order of registration, from 0; it never changes and is
    never given again.
    """

    @property
    def tenant(self) -> TenantId:
        """Whose register it is."""
        ...

    @property
    def version(self) -> int:
        """Grows by one with every change; 0 before the first."""
        ...

    @property
    def tree_version(self) -> int:
        """A version of the tree that has the unit of every group; 0 before the first."""
        ...

    @property
    def count(self) -> int:
        """How many groups there are: ordinals are 0 … count-1."""
        ...

    @property
    def kinds(self) -> Sequence[str]:
        """Every kind that a group has or had."""
        ...

    @property
    def categories(self) -> Sequence[str]:
        """The empty key, then every category that a group has or had."""
        ...

    @property
    def by_code(self) -> memoryview:
        """The ordinals in the order of the groups' codes (by bytes), as u32."""
        ...

    def column(self, name: Column) -> memoryview:
        """One value of every group, by ordinal; how it is packed is said at `Column`."""
        ...

    def code(self, ordinal: int) -> str:
        """The code of one group."""
        ...

    def ordinals(self, codes: Sequence[str]) -> Sequence[int]:
        """For each code the ordinal of its group, or -1."""
        ...

    def ordinals_of_ids(self, ids: Sequence[GroupId]) -> Sequence[int]:
        """For each id (canonical UUIDs only) the ordinal of its group, or -1."""
        ...

    def identities(self, ordinals: Sequence[int]) -> Sequence[Identity]:
        """For each ordinal the group's id and when it was registered."""
        ...

    def digests(self, ordinals: Sequence[int]) -> Sequence[bytes]:
        """For each ordinal the digest of the group's content."""
        ...


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What makes a repeated write the same write: the caller's id and a digest of what it asks."""

    request_id: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one tenant's register, made for the version of `base`.

    Attributes:
        base: the register that the change was worked out on.
        created: groups to register, with new ids and codes that `base` does not have.
        updated: groups with a new content, by ordinal; id and code are those that it has.
        tree_version: the tree in which the groups' units were found.
        request: what the answer is kept under.
        answer: what a repeat of the request is to be told.
    """

    base: Register
    created: Sequence[Group]
    updated: Sequence[tuple[int, Group]]
    tree_version: int
    request: RequestKey
    answer: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was told the first time."""

    content_hash: str
    text: str


class GroupRegistry(Protocol):
    """The store of every tenant's groups.

    Tenants: every method works on one tenant, and nothing it returns or changes is another's.
    Durability: what `commit` has answered survives a crash of this process and of the store.
    Siblings: any number of processes may read and commit; a `snapshot` that begins after a
    `commit` has answered, anywhere, shows that commit.

    Every method raises `Unavailable` when the store cannot be reached, and then a commit may or
    may not have happened: repeat it, and its request key decides.
    """

    async def snapshot(self, tenant: TenantId, known: Register | None) -> Register:
        """The tenant's register as it stands: a tenant that nobody wrote to has an empty one.

        Args:
            tenant: whose register.
            known: a register of the same tenant that the caller holds, returned itself when it is
                still current. One round trip then; otherwise the answer carries what changed, or
                the whole (128 bytes a group) when `known` is None or long outdated.

        Raises:
            RegisterUnreadable: it was written in a layout that this process does not know.
        """
        ...

    async def groups(self, register: Register, ordinals: Sequence[int]) -> Sequence[Group]:
        """The groups at these ordinals exactly as `register` has them, in the order asked for.

        Raises:
            RecordsGone: one of them was changed since, and its older form was dropped.
        """
        ...

    async def commit(self, change: Change) -> Answer | None:
        """Apply a change, all of it or nothing, in one step that nobody sees half of.

        The step checks, in this order and before it writes anything: whether the request was
        applied before, and whether the register still is at the version of `change.base`. It then
        writes groups, version, and answer. The answer is kept for seven days. A change without
        groups keeps the answer and leaves the version.

        The store is held for some milliseconds, whatever the size: the groups' records are laid
        down beforehand under names that nothing points to.

        Returns:
            None when the change was applied now; the first answer when the request id was used
            before, whatever its content hash, and nothing was changed.

        Raises:
            RegisterMoved: somebody else committed first; take a new snapshot and work it out again.
            RegisterFull: more than 65,535 kinds or categories were ever used, or more than
                4,000,000 groups would be registered.
        """
        ...

    async def answer(self, tenant: TenantId, request_id: str) -> Answer | None:
        """What the request was told when it was applied; None when it was not, or is forgotten."""
        ...

    async def durability_problems(self) -> Sequence[str]:
        """Why the store could lose what it has answered, in words; empty when it cannot."""
        ...


class Tree(Protocol):
    """A tenant's units at one version of the tree, in pre-order, siblings by code. Immutable.

    A unit's position is its place in that order, from 0; a subtree is the positions from the
    unit's own up to its end.
    """

    @property
    def version(self) -> int:
        """Grows by one with every change of the tree; 0 before the first unit."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """The keys of the levels from the top down."""
        ...

    @property
    def unit_ids(self) -> bytes:
        """The ids, 16 bytes each, by position."""
        ...

    @property
    def parents(self) -> memoryview:
        """i32 by position: the parent's position, -1 at a root."""
        ...

    @property
    def ends(self) -> memoryview:
        """i32 by position: one past the last position of the subtree."""
        ...

    @property
    def level_numbers(self) -> memoryview:
        """i32 by position: the place of the unit's level in `levels`."""
        ...

    @property
    def unit_count(self) -> int:
        """How many units there are."""
        ...

    def find(self, unit_id: UnitId) -> int | None:
        """The position of a unit; None for any text that is no unit's id."""
        ...

    def subtree(self, unit_id: UnitId) -> tuple[int, int] | None:
        """The position of a unit and the end of its subtree; None as for `find`."""
        ...

    def unit_at(self, level: str, code: str) -> UnitId | None:
        """The unit of that level with that code."""
        ...


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the peer that owns the organisation said of one tenant at one moment.

    Attributes:
        event_id: the tenant's last event that is known to be contained.
        confirmed_at: monotonic seconds when the peer last said that this is so.
        access_version: a version of the tenant's access rights that is known to be contained: what
            had changed by then, in who may do what and in the tree that rights are laid over.
    """

    tree: Tree
    blueprint: Blueprint
    event_id: str = field(compare=False)
    confirmed_at: float = field(compare=False)
    access_version: int = field(default=0, compare=False)


class Organisations(Protocol):
    """The organisations of all tenants, kept by a peer that may be away."""

    async def organisation(
        self,
        tenant: TenantId,
        known: Organisation | None,
        *,
        deadline: Deadline,
        ask: bool = False,
        at_least: int = 0,
    ) -> Organisation:
        """The tenant's organisation, with every change that the peer has announced.

        A tenant without units has an empty tree; one without a blueprint an empty blueprint.

        Args:
            tenant: whose organisation.
            known: the one that the caller holds; what is unchanged of it is returned itself, so
                that `is` tells whether a tree is the same.
            deadline: bounds the calls to the peer.
            ask: ask the peer even when it announced nothing: for somebody who names a thing that
                is not there, and may have made it a moment ago.
            at_least: a version of the access rights that the peer has told of, and that must be
                contained: rights are not laid over a tree that is older than they are.

        Raises:
            Unavailable, DeadlineExceeded: the peer is away, and `known` is None, known to be
                outdated, or not enough for somebody who asks.
        """
        ...


class Rights(Protocol):
    """What the organisation's peer says of who may do what, for as long as it holds.

    Nobody goes by what was true a second ago: what was told is used for a second after the
    question to which the peer said that it stands, and not at all once a newer version is known.
    """

    async def granted(self, tenant: TenantId, subject: str, *, at_least: int) -> Granted:
        """What a subject's appointments give; nothing when the organisation does not know it.

        No call while it is confirmed; otherwise one for all who wait.

        Args:
            tenant: whose organisation.
            subject: the `sub` of somebody's tokens.
            at_least: a version that was heard of, such as from an event; older is not good enough.

        Raises:
            Unconfirmed: the peer is away or does not answer within the second.
            Forbidden, NotFound: the tenant may not work.
        """
        ...

    async def version(self, tenant: TenantId) -> int:
        """The version as it stands: for somebody who is about to be refused, perhaps wrongly.

        Raises:
            Unconfirmed, Forbidden, NotFound: as `granted`.
        """
        ...


class AudienceIndex(Protocol):
    """One register in the order of one tree: everything that is counted, selected or listed.

    Immutable, and pure computation. Ordinals are the register's. Groups whose unit is not in the
    tree come last in tree order and lie in no subtree.
    """

    def preview(self, audience: Audience, blueprint: Blueprint, split_level: str) -> Preview:
        """What a valid audience means; `split_level` is a level of the tree, or empty."""
        ...

    def resolve(self, audience: Audience, blueprint: Blueprint) -> Resolved:
        """The groups that a valid audience means, with the units they lie in."""
        ...

    def counts(self, unit_ids: Sequence[UnitId]) -> Sequence[GroupCounts | None]:
        """Counts over each unit's subtree; None where the tree has no such unit."""
        ...

    def pages(
        self, narrow: GroupFilter, unit_ids: Sequence[UnitId | None], after: Place | None, size: int
    ) -> Sequence[Page | None]:
        """For each unit the groups of its subtree that the filter selects.

        Args:
            narrow: what narrows.
            unit_ids: the units; None stands for the whole register.
            after: begin after this place, wherever its unit now stands; None for the beginning.
            size: how many groups at most for each unit.

        Returns:
            A page for each unit in order; None where the tree has no such unit.
        """
        ...


class WholeIndex(AudienceIndex, Protocol):
    """An index of everything, for those who may see everything."""

    def within(self, scope: Scope) -> AudienceIndex:
        """The same as if there were nothing but what is in a scope on this index's tree.

        Other groups are not counted, selected or listed, other units are not there, and a unit
        whose parent is not there is a root. Cheap, also for many scopes: one bitmap each.
        """
        ...


class IndexBuilder(Protocol):
    """Makes an index. Some tens of milliseconds of CPU for 100,000 groups: run it in a thread."""

    def __call__(
        self, register: Register, tree: Tree, previous: AudienceIndex | None = None
    ) -> WholeIndex:
        """The index of this register in the order of this tree.

        Args:
            register: the groups.
            tree: their order.
            previous: an earlier index of the same tenant, whose work may be taken over.
        """
        ...


class Caller(Protocol):
    """Who calls, as the edge has verified it."""

    @property
    def subject(self) -> str:
        """Who it is; the organisation may know a person by it."""
        ...

    @property
    def is_service(self) -> bool:
        """Whether it is one of our own processes."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """What the credential gives by itself, over the whole tenant."""
        ...

    @property
    def tenant_id(self) -> str:
        """The tenant of the call. Raises `Unauthenticated` when the credential names none."""
        ...
