"""`OrgGraph` over a SQLite file."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from kit.clock import Clock
from kit.ids import Ids
from services.hierarchy.adapters.embedded import reads, writes
from services.hierarchy.adapters.embedded.store import EmbeddedStore
from services.hierarchy.adapters.records import Answer
from services.hierarchy.domain.blueprints import plan_blueprint
from services.hierarchy.domain.errors import BlueprintNotFound, RequestIdReused
from services.hierarchy.domain.events import BlueprintChanged
from services.hierarchy.domain.imports import Plan, fingerprint, plan_import, row_keys
from services.hierarchy.domain.model import (
    Blueprint,
    ImportReport,
    TenantId,
    Unit,
    UnitId,
    UnitImport,
    UnitKey,
)
from services.hierarchy.domain.row_checks import Standing
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import Children, Read, SiblingKey


class EmbeddedOrgGraph:
    """Units in a SQLite file. Its write lock is the whole file's, so tenants take turns too."""

    def __init__(self, store: EmbeddedStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def put_blueprint(
        self, tenant: TenantId, draft: Blueprint, *, validate_only: bool = False
    ) -> Blueprint:
        run = self._store.read if validate_only else self._store.write
        return await run(partial(self._put_blueprint, tenant, draft, validate_only))

    async def blueprint(self, tenant: TenantId) -> Blueprint | None:
        blueprint, _ = await self._store.read(lambda it: reads.read_tenant(it, tenant))
        return blueprint

    async def units(self, tenant: TenantId, ids: Collection[UnitId]) -> Read[Mapping[UnitId, Unit]]:
        def work(connection: sqlite3.Connection) -> Read[Mapping[UnitId, Unit]]:
            version = reads.read_tree_version(connection, tenant)
            return Read(version, reads.read_units(connection, tenant, ids))

        return await self._store.read(work)

    async def unit_by_key(self, tenant: TenantId, key: UnitKey) -> Read[Unit | None]:
        def work(connection: sqlite3.Connection) -> Read[Unit | None]:
            version = reads.read_tree_version(connection, tenant)
            return Read(version, reads.read_units_by_key(connection, tenant, [key]).get(key))

        return await self._store.read(work)

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
                for parent in parents
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

    async def tree_version(self, tenant: TenantId) -> int:
        return await self._store.read(lambda it: reads.read_tree_version(it, tenant))

    async def tree(self, tenant: TenantId) -> TreeRows:
        return await self._store.read(lambda it: reads.read_tree(it, tenant))

    async def apply_import(self, tenant: TenantId, request: UnitImport) -> ImportReport:
        if request.validate_only:
            return await self._preview(tenant, request)
        return await self._store.write(partial(self._import, tenant, request))

    def _put_blueprint(
        self,
        tenant: TenantId,
        draft: Blueprint,
        validate_only: bool,
        connection: sqlite3.Connection,
    ) -> Blueprint:
        old, tree_version = reads.read_tenant(connection, tenant)
        plan = plan_blueprint(old, draft, reads.read_used_levels(connection, tenant))
        if plan.changes_blueprint and not validate_only:
            now = self._clock.now()
            writes.write_blueprint(connection, tenant, plan.blueprint)
            if plan.changes_tree:
                writes.write_tree_version(connection, tenant, tree_version + 1, now)
            change = BlueprintChanged(plan.blueprint.version)
            writes.add_event(connection, tenant, change, now)
        return plan.blueprint

    async def _preview(self, tenant: TenantId, request: UnitImport) -> ImportReport:
        # The plan of a large import takes seconds: not in a thread that others wait for to read.
        standing = await self._store.read(lambda it: _standing(it, tenant, request))
        plan = partial(self._plan, request, standing, self._clock.now())
        return (await self._store.compute(plan)).preview(standing)

    def _plan(self, request: UnitImport, standing: Standing, now: datetime) -> Plan:
        return plan_import(request.rows, standing, new_id=self._ids.new, now=now)

    def _import(
        self, tenant: TenantId, request: UnitImport, connection: sqlite3.Connection
    ) -> ImportReport:
        now = self._clock.now()
        content = fingerprint(request.rows)
        if answer := writes.read_answer(connection, tenant, request.request_id, now):
            if answer.fingerprint != content:
                raise RequestIdReused(request.request_id)
            return answer.report
        standing = _standing(connection, tenant, request)
        plan = self._plan(request, standing, now)
        if plan.changes_anything:
            writes.write_plan(connection, tenant, plan, now)
        writes.keep_answer(
            connection, tenant, request.request_id, Answer(content, plan.report), now
        )
        return plan.report


def _standing(connection: sqlite3.Connection, tenant: TenantId, request: UnitImport) -> Standing:
    blueprint, version = reads.read_tenant(connection, tenant)
    if blueprint is None:
        raise BlueprintNotFound
    return Standing(
        blueprint=blueprint,
        tree_version=version,
        units=reads.read_units_by_key(connection, tenant, row_keys(request.rows)),
        used_levels=reads.read_used_levels(connection, tenant),
    )
