"""`OrgGraph` over Neo4j."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from neo4j import AsyncManagedTransaction

from kit.clock import Clock
from kit.ids import Ids
from services.hierarchy.adapters.neo4j import reads, writes
from services.hierarchy.adapters.neo4j.store import Neo4jStore
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
    UnitRow,
)
from services.hierarchy.domain.row_checks import Standing
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import Children, Read, SiblingKey


class Neo4jOrgGraph:
    """Units as nodes. A transaction that the driver repeats finds the answer that it kept."""

    def __init__(self, store: Neo4jStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def put_blueprint(
        self, tenant: TenantId, draft: Blueprint, *, validate_only: bool = False
    ) -> Blueprint:
        work = self._try_blueprint if validate_only else self._put_blueprint
        return await self._store.run(work, tenant, draft)

    async def blueprint(self, tenant: TenantId) -> Blueprint | None:
        blueprint, _ = await self._store.run(reads.read_tenant, tenant)
        return blueprint

    async def units(self, tenant: TenantId, ids: Collection[UnitId]) -> Read[Mapping[UnitId, Unit]]:
        return await self._store.run(reads.read_units, tenant, ids)

    async def unit_by_key(self, tenant: TenantId, key: UnitKey) -> Read[Unit | None]:
        return await self._store.run(reads.read_unit_by_key, tenant, key)

    async def children(
        self,
        tenant: TenantId,
        parents: Collection[UnitId | None],
        *,
        limit: int,
        after: SiblingKey | None = None,
    ) -> Read[Mapping[UnitId | None, Children]]:
        return await self._store.run(reads.read_children, tenant, parents, after, limit)

    async def ancestors(
        self, tenant: TenantId, ids: Collection[UnitId]
    ) -> Read[Mapping[UnitId, Sequence[Unit]]]:
        return await self._store.run(reads.read_ancestors, tenant, ids)

    async def tree_version(self, tenant: TenantId) -> int:
        return await self._store.run(reads.read_tree_version, tenant)

    async def tree(self, tenant: TenantId) -> TreeRows:
        return await self._store.run(reads.read_tree, tenant)

    async def apply_import(self, tenant: TenantId, request: UnitImport) -> ImportReport:
        if request.validate_only:
            return await self._store.run(self._preview, tenant, request)
        content = await asyncio.to_thread(fingerprint, request.rows)
        return await self._store.run(self._import, tenant, request, content)

    async def _try_blueprint(
        self, tx: AsyncManagedTransaction, tenant: TenantId, draft: Blueprint
    ) -> Blueprint:
        await reads.LOCK.run(tx, tenant=tenant)
        old, _ = await reads.read_tenant(tx, tenant)
        used = await reads.read_used_levels(tx, tenant, old.level_keys if old else ())
        return plan_blueprint(old, draft, used).blueprint

    async def _put_blueprint(
        self, tx: AsyncManagedTransaction, tenant: TenantId, draft: Blueprint
    ) -> Blueprint:
        await writes.MAKE_TENANT.run(tx, tenant=tenant)
        old, tree_version = await reads.read_tenant(tx, tenant)
        used = await reads.read_used_levels(tx, tenant, old.level_keys if old else ())
        plan = plan_blueprint(old, draft, used)
        if plan.changes_blueprint:
            now = self._clock.now()
            await writes.write_blueprint(tx, tenant, plan.blueprint)
            if plan.changes_tree:
                await writes.write_tree_version(tx, tenant, tree_version + 1, now)
            change = BlueprintChanged(plan.blueprint.version)
            await writes.add_event(tx, tenant, change, now)
        return plan.blueprint

    async def _preview(
        self, tx: AsyncManagedTransaction, tenant: TenantId, request: UnitImport
    ) -> ImportReport:
        await reads.LOCK.run(tx, tenant=tenant)
        standing = await _standing(tx, tenant, request.rows)
        return (await self._plan(request, standing)).preview(standing)

    async def _import(
        self, tx: AsyncManagedTransaction, tenant: TenantId, request: UnitImport, content: str
    ) -> ImportReport:
        await reads.LOCK.run(tx, tenant=tenant)
        now = self._clock.now()
        answer = await writes.read_answer(tx, tenant, request.request_id, now)
        if answer:
            if answer.fingerprint != content:
                raise RequestIdReused(request.request_id)
            return answer.report
        plan = await self._plan(request, await _standing(tx, tenant, request.rows))
        if plan.changes_anything:
            await writes.write_plan(tx, tenant, plan, now)
        kept = Answer(content, plan.report)
        await writes.keep_answer(tx, tenant, request.request_id, kept, now)
        return plan.report

    async def _plan(self, request: UnitImport, standing: Standing) -> Plan:
        now = self._clock.now()
        return await asyncio.to_thread(
            plan_import, request.rows, standing, new_id=self._ids.new, now=now
        )


async def _standing(
    tx: AsyncManagedTransaction, tenant: TenantId, rows: Sequence[UnitRow]
) -> Standing:
    blueprint, version = await reads.read_tenant(tx, tenant)
    if blueprint is None:
        raise BlueprintNotFound
    return Standing(
        blueprint=blueprint,
        tree_version=version,
        units=await reads.read_units_by_key(tx, tenant, row_keys(rows)),
        used_levels=await reads.read_used_levels(tx, tenant, blueprint.level_keys),
    )
