"""The statements that write. All run inside a write transaction, which is the tenants' lock."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

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
from services.hierarchy.domain.imports import Plan, Update
from services.hierarchy.domain.model import Blueprint, TenantId, Unit
from services.hierarchy.ports import ANSWERS_KEPT

_PUT_BLUEPRINT = """INSERT INTO tenant (id, blueprint) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET blueprint = excluded.blueprint"""
_SET_TREE_VERSION = "UPDATE tenant SET tree_version = ? WHERE id = ?"
_CREATE_UNIT = """INSERT INTO unit (tenant, id, level, code, names, parent_id, latitude, longitude,
    valid_from, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE_UNIT = """UPDATE unit SET names = ?, parent_id = ?, latitude = ?, longitude = ?,
    revision = ? WHERE tenant = ? AND id = ?"""
_OPEN_EDGE = """INSERT INTO parent_edge (tenant, unit_id, since_version, parent_id, valid_from)
    VALUES (?, ?, ?, ?, ?)"""
_CLOSE_EDGE = """UPDATE parent_edge SET valid_to = ?
    WHERE tenant = ? AND unit_id = ? AND valid_to IS NULL"""
# Takes the tenant's next number and writes the event under it.
_NEXT_SEQUENCE = """UPDATE tenant SET event_sequence = event_sequence + 1 WHERE id = ?
    RETURNING event_sequence"""
_ADD_EVENT = """INSERT INTO event (tenant, sequence, occurred_at, kind, version)
    VALUES (?, ?, ?, ?, ?)"""
_ANSWER = """SELECT fingerprint, report FROM answer
    WHERE tenant = ? AND request_id = ? AND answered_at > ?"""
_KEEP_ANSWER = """INSERT INTO answer (tenant, request_id, answered_at, fingerprint, report)
    VALUES (?, ?, ?, ?, ?)"""
_FORGET_ANSWERS = "DELETE FROM answer WHERE tenant = ? AND answered_at <= ?"


def write_blueprint(connection: sqlite3.Connection, tenant: TenantId, blueprint: Blueprint) -> None:
    """Make it the tenant's blueprint; the first one makes the tenant."""
    connection.execute(_PUT_BLUEPRINT, (tenant, blueprint_to_json(blueprint)))


def write_plan(connection: sqlite3.Connection, tenant: TenantId, plan: Plan, now: datetime) -> None:
    """Create and update the plan's units and tell of it."""
    moves = [update for update in plan.updates if update.is_move]
    at = microseconds(now)
    connection.executemany(_CREATE_UNIT, _created(tenant, plan.creates))
    connection.executemany(_UPDATE_UNIT, _updated(tenant, plan.updates))
    connection.executemany(_CLOSE_EDGE, [(at, tenant, each.after.id) for each in moves])
    connection.executemany(_OPEN_EDGE, _edges(tenant, plan.creates, at))
    connection.executemany(_OPEN_EDGE, _edges(tenant, [each.after for each in moves], at))
    write_tree_version(connection, tenant, plan.report.tree_version, now)


def write_tree_version(
    connection: sqlite3.Connection, tenant: TenantId, version: int, now: datetime
) -> None:
    """Set the tree's version and tell of it."""
    connection.execute(_SET_TREE_VERSION, (version, tenant))
    add_event(connection, tenant, TreeChanged(version), now)


def add_event(
    connection: sqlite3.Connection, tenant: TenantId, change: Change, now: datetime
) -> None:
    """Tell of a change under the tenant's next number."""
    (sequence,) = connection.execute(_NEXT_SEQUENCE, (tenant,)).fetchone()
    record = change_to_record(change)
    connection.execute(_ADD_EVENT, (tenant, sequence, microseconds(now), *record))


def read_answer(
    connection: sqlite3.Connection, tenant: TenantId, request_id: str, now: datetime
) -> Answer | None:
    """The first answer under a request id, unless it is too old."""
    oldest = microseconds(now - ANSWERS_KEPT)
    row = connection.execute(_ANSWER, (tenant, request_id, oldest)).fetchone()
    return Answer(row[0], report_from_json(row[1])) if row else None


def keep_answer(
    connection: sqlite3.Connection,
    tenant: TenantId,
    request_id: str,
    answer: Answer,
    now: datetime,
) -> None:
    """Keep the first answer under a request id, and forget those that are too old."""
    connection.execute(_FORGET_ANSWERS, (tenant, microseconds(now - ANSWERS_KEPT)))
    at, report = microseconds(now), report_to_json(answer.report)
    connection.execute(_KEEP_ANSWER, (tenant, request_id, at, answer.fingerprint, report))


def _created(tenant: TenantId, units: Sequence[Unit]) -> Iterator[tuple[object, ...]]:
    for unit in units:
        names = names_to_json(unit.names)
        latitude, longitude = _degrees(unit)
        valid_from = microseconds(unit.valid_from)
        parent = unit.parent_id
        yield (tenant, unit.id, unit.level, unit.code, names, parent, latitude, longitude,
               valid_from, unit.revision)  # fmt: skip


def _updated(tenant: TenantId, updates: Sequence[Update]) -> Iterator[tuple[object, ...]]:
    for unit in (update.after for update in updates):
        names = names_to_json(unit.names)
        yield (names, unit.parent_id, *_degrees(unit), unit.revision, tenant, unit.id)


def _edges(tenant: TenantId, units: Sequence[Unit], at: int) -> Iterator[tuple[object, ...]]:
    for unit in units:
        if unit.parent_id:
            yield (tenant, unit.id, unit.revision, unit.parent_id, at)


def _degrees(unit: Unit) -> tuple[float | None, float | None]:
    return (unit.place.latitude, unit.place.longitude) if unit.place else (None, None)
