"""The present state of a tenant, read once for everybody who asks at the same time."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from kit.clock import Clock
from kit.deadline import Deadline
from services.groups.domain.model import TenantId
from services.groups.ports import (
    GroupRegistry,
    IndexBuilder,
    Organisation,
    Organisations,
    Register,
    WholeIndex,
)

# A caller who names things that are not there makes us ask the peer; this bounds how often.
_ASK_INTERVAL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Standing:
    """How one tenant stands: register and organisation, read together. Immutable."""

    register: Register
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class View:
    """How one tenant stands, and the index over it. Immutable."""

    standing: Standing
    index: WholeIndex

    @property
    def register(self) -> Register:
        """The register that was read."""
        return self.standing.register

    @property
    def organisation(self) -> Organisation:
        """The organisation that was read."""
        return self.standing.organisation

    @property
    def snapshot_id(self) -> str:
        """The versions of register and tree that were read, such as "12.7"."""
        return f"{self.register.version}.{self.organisation.tree.version}"


@dataclass(slots=True)
class _Turns:
    """Who reads now, and what was read last. Readings are counted when they begin."""

    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    indexing: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: int = 0
    done: int = 0
    asks_begun: int = 0
    asks_done: int = 0
    ask_not_before: float = 0.0
    standing: Standing | None = None
    view: View | None = None


class Views:
    """The views of the tenants that were asked for lately.

    A caller gets a reading that began after it asked, so it sees every write that was answered
    before; callers that wait for the same reading share it. A caller that is cancelled takes its
    own reading with it, and the next in line makes another.
    """

    def __init__(
        self,
        registry: GroupRegistry,
        organisations: Organisations,
        build_index: IndexBuilder,
        clock: Clock,
        most_tenants: int,
    ) -> None:
        self._registry = registry
        self._organisations = organisations
        self._build_index = build_index
        self._clock = clock
        self._most_tenants = most_tenants
        self._turns: OrderedDict[TenantId, _Turns] = OrderedDict()

    async def current(self, tenant: TenantId, deadline: Deadline) -> View:
        """The tenant as it stands now, with an index.

        Raises:
            Unavailable: the store is away, or the organisation is and was never read.
        """
        turns = self._turns_of(tenant)
        return await self._indexed(turns, await self._read(turns, tenant, deadline))

    async def asked(self, tenant: TenantId, deadline: Deadline) -> View:
        """The same, after asking the organisation's owner, whatever it announced.

        Raises:
            Unavailable: the store or the organisation's owner is away.
        """
        turns = self._turns_of(tenant)
        return await self._indexed(turns, await self._ask(turns, tenant, deadline))

    async def standing(
        self, tenant: TenantId, deadline: Deadline, *, ask: bool = False, at_least: int = 0
    ) -> Standing:
        """The tenant as it stands now, for who needs no index; raises what the others do.

        Args:
            tenant: which.
            deadline: bounds the calls.
            ask: ask the organisation's owner, whatever it announced.
            at_least: a version of the access rights that the organisation must contain.
        """
        turns = self._turns_of(tenant)
        if ask:
            return await self._ask(turns, tenant, deadline)
        return await self._read(turns, tenant, deadline, at_least=at_least)

    async def over(self, standing: Standing) -> View:
        """The index over a standing that was just read."""
        return await self._indexed(self._turns_of(standing.register.tenant), standing)

    async def _ask(self, turns: _Turns, tenant: TenantId, deadline: Deadline) -> Standing:
        ticket = turns.asks_begun
        async with turns.asking:
            if turns.standing is not None and turns.asks_done > ticket:
                return turns.standing
            wait = turns.ask_not_before - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            turns.ask_not_before = self._clock.monotonic() + _ASK_INTERVAL_SECONDS
            turns.asks_begun += 1
            begun = turns.asks_begun
            standing = await self._read(turns, tenant, deadline, ask=True)
            turns.asks_done = begun
            return standing

    async def _read(
        self,
        turns: _Turns,
        tenant: TenantId,
        deadline: Deadline,
        *,
        ask: bool = False,
        at_least: int = 0,
    ) -> Standing:
        ticket = turns.begun
        async with turns.reading:
            known = turns.standing
            is_new = known is not None and turns.done > ticket and not ask
            if known is not None and is_new and known.organisation.access_version >= at_least:
                return known
            turns.begun += 1
            begun = turns.begun
            turns.standing = await self._load(known, tenant, deadline, ask=ask, at_least=at_least)
            turns.done = begun
            return turns.standing

    async def _load(
        self,
        known: Standing | None,
        tenant: TenantId,
        deadline: Deadline,
        *,
        ask: bool,
        at_least: int,
    ) -> Standing:
        # The register first: the tree that is read after it has the units of its groups.
        register = await self._registry.snapshot(tenant, known.register if known else None)
        organisation = await self._organisations.organisation(
            tenant,
            known.organisation if known else None,
            deadline=deadline,
            ask=ask,
            at_least=at_least,
        )
        if organisation.tree.version < register.tree_version and not ask:
            # A sibling has seen a tree that was not announced to us yet.
            organisation = await self._organisations.organisation(
                tenant, organisation, deadline=deadline, ask=True
            )
        return Standing(register, organisation)

    async def _indexed(self, turns: _Turns, standing: Standing) -> View:
        async with turns.indexing:
            known = turns.view
            if known is None or not _same_groups(known.standing, standing):
                previous = known.index if known else None
                index = await asyncio.to_thread(
                    self._build_index, standing.register, standing.organisation.tree, previous
                )
            else:
                index = known.index
            turns.view = View(standing, index)
            return turns.view

    def _turns_of(self, tenant: TenantId) -> _Turns:
        turns = self._turns.setdefault(tenant, _Turns())
        self._turns.move_to_end(tenant)
        if len(self._turns) > self._most_tenants:
            # Whoever still waits in an evicted one holds it, and is answered by it.
            self._turns.popitem(last=False)
        return turns


def _same_groups(one: Standing, other: Standing) -> bool:
    """Whether what an index is made of is the same."""
    return one.register is other.register and one.organisation.tree is other.organisation.tree
