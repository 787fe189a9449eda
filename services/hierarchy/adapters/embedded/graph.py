"""`OrgGraph` over a SQLite file."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from kit.clock import Clock
from kit.ids import Ids
from services.hierarchy.adapters.embedded import reads, writes
from services.hierarchy.adapters.embedded.store import EmbeddedStore
from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.operations import Decision, Moment, Operation
from services.hierarchy.domain.records import Index, R
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import Children, Read, SiblingKey, Tally, UnitChanges

T = TypeVar("T")


class EmbeddedOrgGraph:
    """Records in a SQLite file. Its write lock is the whole file's, so tenants take turns too.

    Every read is one moment.
    """

    def __init__(self, store: EmbeddedStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def header(self, tenant: TenantId) -> TenantHeader:
        header = await self._store.read(lambda it: reads.read_header(it, tenant))
        return header or TenantHeader(tenant)

    async def settled_header(self, tenant: TenantId) -> TenantHeader:
        return await self.header(tenant)  # a write is there as a whole, or not at all

    async def find(
        self,
        tenant: TenantId,
        index: Index[R],
        keys: Collection[str],
        *,
        at: datetime | None = None,
    ) -> Read[Mapping[str, Sequence[R]]]:
        def work(connection: sqlite3.Connection) -> Read[Mapping[str, Sequence[R]]]:
            version = reads.read_tree_version(connection, tenant)
            return Read(version, reads.find(connection, tenant, index, keys, at))

        return await self._store.read(work)

    async def page(
        self, tenant: TenantId, of: type[R], *, after: str = "", limit: int
    ) -> Sequence[R]:
        return await self._store.read(lambda it: reads.read_page(it, tenant, of, after, limit))

    async def children(
        self,
        tenant: TenantId,
        parents: Collection[UnitId | None],
        *,
        limit: int,
        after: SiblingKey | None = None,
    ) -> Read[Mapping[UnitId | None, Children]]:
        def work(connection: sqlite3.Connection) -> Read[Mapping[UnitId | None, Children]]:
            named = reads.read_units(connection, tenant, [each for each in parents if each])
            found = {
                parent: reads.read_children(connection, tenant, parent, after, limit)
                for parent in dict.fromkeys(parents)
                if parent is None or parent in named
            }
            return Read(reads.read_tree_version(connection, tenant), found)

        return await self._store.read(work)

    async def ancestors(
        self, tenant: TenantId, ids: Collection[UnitId]
    ) -> Read[Mapping[UnitId, Sequence[Unit]]]:
        def work(connection: sqlite3.Connection) -> Read[Mapping[UnitId, Sequence[Unit]]]:
            version = reads.read_tree_version(connection, tenant)
            return Read(version, reads.read_ancestors(connection, tenant, ids))

        return await self._store.read(work)

    async def tree(self, tenant: TenantId, *, at: datetime | None = None) -> TreeRows:
        return await self._store.read(lambda it: reads.read_tree(it, tenant, at))

    async def unit_changes(self, tenant: TenantId, *, since: int, limit: int) -> UnitChanges | None:
        return await self._store.read(lambda it: reads.read_unit_changes(it, tenant, since, limit))

    async def units_with(self, tenant: TenantId, position: str, at: datetime) -> Collection[UnitId]:
        return await self._store.read(lambda it: reads.read_units_with(it, tenant, position, at))

    async def tally(
        self,
        tenant: TenantId,
        *,
        units: Collection[UnitId] | None,
        at: datetime,
        verified_since: datetime,
    ) -> Sequence[Tally]:
        return await self._store.read(
            lambda it: reads.read_tally(it, tenant, units, at, verified_since)
        )

    async def write(self, tenant: TenantId, operation: Operation[T]) -> T:
        if operation.validate_only:
            # Deciding on a large import takes seconds, so not in a thread that others wait for to
            # read; but in one transaction, so that all that it finds is of one moment.
            return await self._store.preview(partial(self._preview, tenant, operation))
        return await self._store.write(partial(self._write, tenant, operation))

    async def tenants(self, *, after: str = "", limit: int) -> Sequence[TenantHeader]:
        return await self._store.read(lambda it: reads.read_tenants(it, after, limit))

    async def forget_tenant(self, tenant: TenantId, *, limit: int) -> int:
        return await self._store.write(lambda it: writes.forget_tenant(it, tenant, limit))

    def _preview(
        self, tenant: TenantId, operation: Operation[T], connection: sqlite3.Connection
    ) -> T:
        header = reads.read_header(connection, tenant) or TenantHeader(tenant)
        moment = Moment(header, self._clock.now(), self._ids.new)
        return _decide(connection, tenant, operation, moment).answer

    def _write(
        self, tenant: TenantId, operation: Operation[T], connection: sqlite3.Connection
    ) -> T:
        now = self._clock.now()
        if kept := writes.read_answer(connection, tenant, operation, now):
            return kept[0]
        header = reads.read_header(connection, tenant)
        if header is None:
            header = TenantHeader(tenant)
            writes.write_header(connection, tenant, header)
        decision = _decide(connection, tenant, operation, Moment(header, now, self._ids.new))
        writes.write_decision(connection, tenant, decision, now)
        writes.keep_answer(connection, tenant, operation, decision.answer, now)
        return decision.answer


def _decide(
    connection: sqlite3.Connection, tenant: TenantId, operation: Operation[T], moment: Moment
) -> Decision[T]:
    steps = operation.decide(moment)
    try:
        want = next(steps)
        while True:
            want = steps.send(reads.find_wanted(connection, tenant, want))
    except StopIteration as end:
        decision: Decision[T] = end.value
        return decision
