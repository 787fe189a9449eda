"""The statements that write. All run after `LOCK`, which is held until the commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.records import (
    Answer,
    blueprint_to_json,
    change_to_record,
    microseconds,
    names_to_json,
    report_from_json,
    report_to_json,
)
from services.hierarchy.domain.events import Change, TreeChanged
from services.hierarchy.domain.imports import Plan
from services.hierarchy.domain.model import Blueprint, TenantId, Unit
from services.hierarchy.ports import ANSWERS_KEPT

# Makes the tenant with its first blueprint, and takes its lock.
MAKE_TENANT = Statement(
    "make tenant",
    """MERGE (t:Tenant {id: $tenant})
    ON CREATE SET t.tree_version = 0, t.event_sequence = 0, t.relayed_through = 0
    SET t.locked = true""",
)
PUT_BLUEPRINT = Statement(
    "put blueprint", "MATCH (t:Tenant {id: $tenant}) SET t.blueprint = $blueprint"
)
SET_TREE_VERSION = Statement(
    "set tree version", "MATCH (t:Tenant {id: $tenant}) SET t.tree_version = $version"
)
CREATE_UNITS = Statement(
    "create units", "UNWIND $rows AS row CREATE (u:Unit {tenant: $tenant}) SET u += row"
)
UPDATE_UNITS = Statement(
    "update units",
    "UNWIND $rows AS row MATCH (u:Unit {tenant: $tenant, id: row.id}) SET u += row",
)
# Ends the present parent of each unit, if it has one.
CLOSE_EDGES = Statement(
    "close edges",
    """UNWIND $rows AS id
    MATCH (u:Unit {tenant: $tenant, id: id})-[edge:CHILD_OF]->(parent)
    CREATE (u)-[:WAS_CHILD_OF {valid_from: edge.valid_from, valid_to: $at}]->(parent)
    DELETE edge""",
)
# Gives each [unit, parent] its present parent.
OPEN_EDGES = Statement(
    "open edges",
    """UNWIND $rows AS pair
    MATCH (u:Unit {tenant: $tenant, id: pair[0]})
    MATCH (parent:Unit {tenant: $tenant, id: pair[1]})
    CREATE (u)-[:CHILD_OF {valid_from: $at}]->(parent)""",
)
# Takes the tenant's next number and writes the event under it.
ADD_EVENT = Statement(
    "add event",
    """MATCH (t:Tenant {id: $tenant})
    SET t.event_sequence = t.event_sequence + 1
    CREATE (:Event {tenant: $tenant, sequence: t.event_sequence, occurred_at: $at, kind: $kind,
        version: $version})""",
)
ANSWER = Statement(
    "read answer",
    """MATCH (a:Answer {tenant: $tenant, request_id: $request_id})
    WHERE a.answered_at > $oldest
    RETURN a.fingerprint, a.report""",
)
KEEP_ANSWER = Statement(
    "keep answer",
    """CREATE (:Answer {tenant: $tenant, request_id: $request_id, answered_at: $at,
        fingerprint: $fingerprint, report: $report})""",
)
FORGET_ANSWERS = Statement(
    "forget answers",
    """MATCH (a:Answer)
    WHERE a.tenant = $tenant AND a.request_id IS NOT NULL AND a.answered_at <= $oldest
    DELETE a""",
)


async def write_blueprint(
    tx: AsyncManagedTransaction, tenant: TenantId, blueprint: Blueprint
) -> None:
    """Make it the tenant's blueprint."""
    await PUT_BLUEPRINT.run(tx, tenant=tenant, blueprint=blueprint_to_json(blueprint))


async def write_plan(
    tx: AsyncManagedTransaction, tenant: TenantId, plan: Plan, now: datetime
) -> None:
    """Create and update the plan's units and tell of it."""
    at = microseconds(now)
    after = [update.after for update in plan.updates]
    moved = [update.after for update in plan.updates if update.is_move]
    created = [
        _present(unit) | {"valid_from": microseconds(unit.valid_from)} for unit in plan.creates
    ]
    await CREATE_UNITS.run_in_batches(tx, created, tenant=tenant)
    await UPDATE_UNITS.run_in_batches(tx, list(map(_present, after)), tenant=tenant)
    await CLOSE_EDGES.run_in_batches(tx, [unit.id for unit in moved], tenant=tenant, at=at)
    await OPEN_EDGES.run_in_batches(tx, _edges([*plan.creates, *moved]), tenant=tenant, at=at)
    await write_tree_version(tx, tenant, plan.report.tree_version, now)


async def write_tree_version(
    tx: AsyncManagedTransaction, tenant: TenantId, version: int, now: datetime
) -> None:
    """Set the tree's version and tell of it."""
    await SET_TREE_VERSION.run(tx, tenant=tenant, version=version)
    await add_event(tx, tenant, TreeChanged(version), now)


async def add_event(
    tx: AsyncManagedTransaction, tenant: TenantId, change: Change, now: datetime
) -> None:
    """Tell of a change under the tenant's next number."""
    kind, version = change_to_record(change)
    await ADD_EVENT.run(tx, tenant=tenant, at=microseconds(now), kind=kind, version=version)


async def read_answer(
    tx: AsyncManagedTransaction, tenant: TenantId, request_id: str, now: datetime
) -> Answer | None:
    """The first answer under a request id, unless it is too old."""
    oldest = microseconds(now - ANSWERS_KEPT)
    rows = await ANSWER.run(tx, tenant=tenant, request_id=request_id, oldest=oldest)
    return Answer(rows[0][0], report_from_json(rows[0][1])) if rows else None


async def keep_answer(
    tx: AsyncManagedTransaction, tenant: TenantId, request_id: str, answer: Answer, now: datetime
) -> None:
    """Keep the first answer under a request id, and forget those that are too old."""
    await FORGET_ANSWERS.run(tx, tenant=tenant, oldest=microseconds(now - ANSWERS_KEPT))
    await KEEP_ANSWER.run(
        tx,
        tenant=tenant,
        request_id=request_id,
        at=microseconds(now),
        fingerprint=answer.fingerprint,
        report=report_to_json(answer.report),
    )


def _present(unit: Unit) -> dict[str, Any]:
    """What may change of a unit, and its identity; null takes a property away."""
    return {
        "id": unit.id,
        "level": unit.level,
        "code": unit.code,
        "names": names_to_json(unit.names),
        "parent_id": unit.parent_id or "",
        "latitude": unit.place.latitude if unit.place else None,
        "longitude": unit.place.longitude if unit.place else None,
        "revision": unit.revision,
    }


def _edges(units: Sequence[Unit]) -> list[list[str]]:
    return [[unit.id, unit.parent_id] for unit in units if unit.parent_id]
