"""`OrgGraph` over Neo4j."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from neo4j import AsyncManagedTransaction

from kit.clock import Clock
from kit.errors import Unavailable
from kit.ids import Ids
from services.hierarchy.adapters.neo4j import counts, finds, tenants, units, writes
from services.hierarchy.adapters.neo4j.conversation import hold, look_up
from services.hierarchy.adapters.neo4j.forget import forget
from services.hierarchy.adapters.neo4j.nodes import HalfWritten
from services.hierarchy.adapters.neo4j.store import Neo4jStore
from services.hierarchy.adapters.records import answer_from_json, answer_to_json
from services.hierarchy.domain.errors import RequestIdReused
from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.operations import Found, Moment, Operation, Want
from services.hierarchy.domain.records import Index, R
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import Children, Read, SiblingKey, Tally, UnitChanges

_log = logging.getLogger(__name__)
T = TypeVar("T")
# How often a rehearsal that a write overtook begins anew before it keeps writers out.
_REHEARSALS = 3


class _Overtaken(Exception):
    """Somebody wrote between two looks."""


class Neo4jOrgGraph:
    """Records as nodes. A transaction that the driver repeats holds a fresh conversation."""

    def __init__(self, store: Neo4jStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def header(self, tenant: TenantId) -> TenantHeader:
        return await self._store.glance(tenants.read_header, tenant)

    async def settled_header(self, tenant: TenantId) -> TenantHeader:
        return await self._store.run(tenants.read_settled_header, tenant)

    async def find(
        self,
        tenant: TenantId,
        index: Index[R],
        keys: Collection[str],
        *,
        at: datetime | None = None,
    ) -> Read[Mapping[str, Sequence[R]]]:
        return await self._read(finds.find, tenant, index, keys, at)

    async def page(
        self, tenant: TenantId, of: type[R], *, after: str = "", limit: int
    ) -> Sequence[R]:
        return await self._read(finds.page, tenant, of, after, limit)

    async def children(
        self,
        tenant: TenantId,
        parents: Collection[UnitId | None],
        *,
        limit: int,
        after: SiblingKey | None = None,
    ) -> Read[Mapping[UnitId | None, Children]]:
        return await self._read(units.read_children, tenant, parents, after, limit)

    async def ancestors(
        self, tenant: TenantId, ids: Collection[UnitId]
    ) -> Read[Mapping[UnitId, Sequence[Unit]]]:
        return await self._read(units.read_ancestors, tenant, ids)

    async def tree(self, tenant: TenantId, *, at: datetime | None = None) -> TreeRows:
        return await self._store.run(units.read_tree, tenant, at)

    async def unit_changes(self, tenant: TenantId, *, since: int, limit: int) -> UnitChanges | None:
        return await self._store.run(units.read_changes, tenant, since, limit)

    async def units_with(self, tenant: TenantId, position: str, at: datetime) -> Collection[UnitId]:
        return await self._store.run(counts.read_units_with, tenant, position, at)

    async def tally(
        self,
        tenant: TenantId,
        *,
        units: Collection[UnitId] | None,
        at: datetime,
        verified_since: datetime,
    ) -> Sequence[Tally]:
        return await self._store.run(counts.read_tally, tenant, units, at, verified_since)

    async def write(self, tenant: TenantId, operation: Operation[T]) -> T:
        if operation.validate_only:
            return await self._rehearse(tenant, operation)
        answer, unsettled = await self._store.run(self._write, tenant, operation)
        if unsettled:
            await self._settle(tenant, unsettled)
        return answer

    async def tenants(self, *, after: str = "", limit: int) -> Sequence[TenantHeader]:
        return await self._store.run(tenants.read_tenants, after, limit)

    async def forget_tenant(self, tenant: TenantId, *, limit: int) -> int:
        return await self._store.run(forget, tenant, limit)

    async def _read(self, read: Callable[..., Awaitable[T]], *args: Any) -> T:
        return await self._store.run(_read_whole, read, args)

    async def _write(
        self, tx: AsyncManagedTransaction, tenant: TenantId, operation: Operation[T]
    ) -> tuple[T, TenantHeader | None]:
        """The answer, and the header whose versions are to be settled, if any."""
        standing = await tenants.lock_for_write(tx, tenant)
        now = self._clock.now()
        kept = await writes.read_answer(tx, tenant, operation.request_id, now)
        if kept:
            if kept.fingerprint != operation.request_fingerprint:
                raise RequestIdReused(operation.request_id)
            answer = answer_from_json(operation.answer_type, kept.answer)
            return answer, _unsettled(standing, standing.header)
        moment = Moment(standing.header, now, self._ids.new)
        decision = await hold(operation, moment, partial(look_up, tx, tenant))
        if decision.changes_anything:
            await writes.write_decision(tx, tenant, standing, decision, now)
        text = answer_to_json(operation.answer_type, decision.answer)
        kept = writes.Kept(operation.request_fingerprint, text)
        await writes.keep_answer(tx, tenant, operation.request_id, kept, now)
        return decision.answer, _unsettled(standing, decision.header or standing.header)

    async def _settle(self, tenant: TenantId, header: TenantHeader) -> None:
        try:
            await self._store.run(tenants.settle, tenant, header)
        except Unavailable:
            # The write has happened; reads name an older version until somebody settles a newer.
            _log.warning("versions not settled", exc_info=True)

    async def _rehearse(self, tenant: TenantId, operation: Operation[T]) -> T:
        """Hold the conversation and write nothing.

        Writers are kept out for each look, and not while it is decided, which may take seconds.
        """
        for _ in range(_REHEARSALS):
            standing = await self._store.run(tenants.lock, tenant)
            moment = Moment(standing.header, self._clock.now(), self._ids.new)
            look = partial(self._look, tenant, standing.write_count)
            try:
                return (await hold(operation, moment, look)).answer
            except _Overtaken:
                continue
        return await self._store.run(self._rehearse_locked, tenant, operation)

    async def _look(self, tenant: TenantId, write_count: int, want: Want) -> Found:
        return await self._store.run(_look_unless_overtaken, tenant, write_count, want)

    async def _rehearse_locked(
        self, tx: AsyncManagedTransaction, tenant: TenantId, operation: Operation[T]
    ) -> T:
        standing = await tenants.lock(tx, tenant)
        moment = Moment(standing.header, self._clock.now(), self._ids.new)
        return (await hold(operation, moment, partial(look_up, tx, tenant))).answer


def _unsettled(standing: tenants.Standing, header: TenantHeader) -> TenantHeader | None:
    return None if tenants.is_settled(header, standing.settled) else header


async def _read_whole(
    tx: AsyncManagedTransaction, read: Callable[..., Awaitable[T]], args: tuple[Any, ...]
) -> T:
    """Read without the tenant's lock, and with it what was half written then."""
    try:
        return await read(tx, *args)
    except HalfWritten:
        tenant, *_ = args
        await tenants.lock(tx, tenant)
        return await read(tx, *args, locked=True)


async def _look_unless_overtaken(
    tx: AsyncManagedTransaction, tenant: TenantId, write_count: int, want: Want
) -> Found:
    if (await tenants.lock(tx, tenant)).write_count != write_count:
        raise _Overtaken
    return await look_up(tx, tenant, want)
