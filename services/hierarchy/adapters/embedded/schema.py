"""The tables, as numbered steps: a step that was released is never edited, only followed.

Instants are whole microseconds since 1970 (UTC). Every key begins with the tenant.
"""

import sqlite3

_STEP_1 = """
-- One row for each tenant that put a blueprint. Its update is the tenant's lock.
CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    blueprint TEXT NOT NULL,
    tree_version INTEGER NOT NULL DEFAULT 0,
    event_sequence INTEGER NOT NULL DEFAULT 0,
    relayed_through INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The present of each unit, its present parent included.
CREATE TABLE unit (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    level TEXT NOT NULL,
    code TEXT NOT NULL,
    names TEXT NOT NULL,
    parent_id TEXT,
    latitude REAL,
    longitude REAL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unit_key ON unit (tenant, level, code);
-- In the order of siblings; with the primary key it holds all that the tree is made of.
CREATE INDEX unit_siblings ON unit (tenant, parent_id, code, level);

-- Which parent a unit had from when to when; the open one repeats unit.parent_id.
CREATE TABLE parent_edge (
    tenant TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    since_version INTEGER NOT NULL,
    parent_id TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    PRIMARY KEY (tenant, unit_id, since_version)
) STRICT, WITHOUT ROWID;

-- The outbox.
CREATE TABLE event (
    tenant TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

-- The first answer under each request id.
CREATE TABLE answer (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (tenant, request_id)
) STRICT, WITHOUT ROWID;
"""

STEPS = (_STEP_1,)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the file has behind it."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that the file has not behind it; inside the caller's write transaction."""
    for number, step in enumerate(STEPS[version_of(connection) :], version_of(connection) + 1):
        for statement in _statements(step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")


def _statements(step: str) -> list[str]:
    # Not executescript, which would commit the transaction first.
    lines = [line for line in step.splitlines() if not line.startswith("--")]
    return [each for each in "\n".join(lines).split(";") if each.strip()]
