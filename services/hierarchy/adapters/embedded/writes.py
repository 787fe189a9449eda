"""The statements that write. All run inside a write transaction, which is the tenants' lock."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from services.hierarchy.adapters.embedded import tables
from services.hierarchy.adapters.records import (
    SHAPES,
    Scalar,
    answer_from_json,
    answer_to_json,
    change_to_record,
    header_to_json,
    microseconds,
)
from services.hierarchy.domain.errors import RequestIdReused
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.operations import Decision, Operation
from services.hierarchy.domain.records import Record
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import ANSWERS_KEPT

T = TypeVar("T")

_PUT_HEADER = """INSERT INTO tenant (id, tree_version, header) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET tree_version = excluded.tree_version, header = excluded.header"""
# Takes the tenant's next so many numbers; answers the last of them.
_TAKE_SEQUENCES = """UPDATE tenant SET event_sequence = event_sequence + ? WHERE id = ?
    RETURNING event_sequence"""
_ADD_EVENT = """INSERT INTO event (tenant, sequence, occurred_at, kind, content)
    VALUES (?, ?, ?, ?, ?)"""
_ANSWER = """SELECT fingerprint, answer FROM answer
    WHERE tenant = ? AND request_id = ? AND answered_at > ?"""
_KEEP_ANSWER = """INSERT INTO answer (tenant, request_id, answered_at, fingerprint, answer)
    VALUES (?, ?, ?, ?, ?)"""
_FORGET_OLD_ANSWERS = "DELETE FROM answer WHERE tenant = ? AND answered_at <= ?"
# Some of the tenant's answers, some of its events.
_FORGET_ANSWERS = """DELETE FROM answer WHERE tenant = ?1
    AND request_id IN (SELECT request_id FROM answer WHERE tenant = ?1 LIMIT ?2)"""
_FORGET_EVENTS = """DELETE FROM event WHERE tenant = ?1
    AND sequence IN (SELECT sequence FROM event WHERE tenant = ?1 LIMIT ?2)"""
_FORGET = (*tables.FORGET.values(), _FORGET_ANSWERS, _FORGET_EVENTS)


def write_header(connection: sqlite3.Connection, tenant: TenantId, header: TenantHeader) -> None:
    """Make it the tenant's header; the first one makes the tenant."""
    values = (tenant, header.tree_version, header_to_json(header))
    connection.execute(_PUT_HEADER, values)


def write_decision(
    connection: sqlite3.Connection, tenant: TenantId, decision: Decision[T], now: datetime
) -> None:
    """Write all that was decided but its answer; the tenant is there."""
    drop_records(connection, tenant, decision.drops)
    put_records(connection, tenant, decision.puts)
    if decision.header is not None:
        write_header(connection, tenant, decision.header)
    if decision.changes:
        _add_events(connection, tenant, decision.changes, now)


def drop_records(
    connection: sqlite3.Connection, tenant: TenantId, records: Iterable[Record]
) -> None:
    """Remove records, if they are there."""
    for of, some in _by_type(records).items():
        _delete(connection, tenant, of, [record.id for record in some])


def put_records(
    connection: sqlite3.Connection, tenant: TenantId, records: Iterable[Record]
) -> None:
    """Put records in the place of those with their ids.

    All that stood under these ids goes before anything is put: what is unique, such as a code, may
    pass from one record to another within a write, and back.
    """
    for of, some in _by_type(records).items():
        to_row = SHAPES[of].to_row
        rows = {record.id: to_row(record) for record in some}
        _delete(connection, tenant, of, list(rows))
        connection.executemany(tables.INSERT[of], _of_tenant(tenant, rows.values()))


def read_answer(
    connection: sqlite3.Connection, tenant: TenantId, operation: Operation[T], now: datetime
) -> tuple[T] | None:
    """The first answer under the operation's request id, alone in a tuple, unless it is too old.

    Raises:
        RequestIdReused: it was another request's.
    """
    oldest = microseconds(now - ANSWERS_KEPT)
    row = connection.execute(_ANSWER, (tenant, operation.request_id, oldest)).fetchone()
    if row is None:
        return None
    fingerprint, answer = row
    if fingerprint != operation.request_fingerprint:
        raise RequestIdReused(operation.request_id)
    return (answer_from_json(operation.answer_type, answer),)


def keep_answer(
    connection: sqlite3.Connection,
    tenant: TenantId,
    operation: Operation[T],
    answer: T,
    now: datetime,
) -> None:
    """Keep the first answer under a request id, and forget those that are too old."""
    connection.execute(_FORGET_OLD_ANSWERS, (tenant, microseconds(now - ANSWERS_KEPT)))
    text = answer_to_json(operation.answer_type, answer)
    values = (tenant, operation.request_id, microseconds(now), operation.request_fingerprint, text)
    connection.execute(_KEEP_ANSWER, values)


def forget_tenant(connection: sqlite3.Connection, tenant: TenantId, limit: int) -> int:
    """Remove so many things of the tenant, all but its header; how many there were."""
    left = limit
    for statement in _FORGET:
        if left > 0:
            left -= connection.execute(statement, (tenant, left)).rowcount
    return limit - left


def _by_type(records: Iterable[Record]) -> dict[type[Record], list[Record]]:
    found: dict[type[Record], list[Record]] = {}
    for record in records:
        found.setdefault(type(record), []).append(record)
    return found


def _delete(
    connection: sqlite3.Connection, tenant: TenantId, of: type[Record], ids: Sequence[str]
) -> None:
    connection.execute(tables.DELETE[of], (tenant, json.dumps(ids)))


def _of_tenant(tenant: TenantId, rows: Iterable[dict[str, Scalar]]) -> Iterator[dict[str, Scalar]]:
    for row in rows:
        row["tenant"] = tenant
        yield row


def _add_events(
    connection: sqlite3.Connection, tenant: TenantId, changes: Sequence[Change], now: datetime
) -> None:
    (last,) = connection.execute(_TAKE_SEQUENCES, (len(changes), tenant)).fetchone()
    numbered = enumerate(changes, last - len(changes) + 1)
    at = microseconds(now)
    connection.executemany(
        _ADD_EVENT,
        ((tenant, sequence, at, *change_to_record(change)) for sequence, change in numbered),
    )
