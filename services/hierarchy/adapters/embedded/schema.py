"""The tables, as numbered steps: a step that was released is never edited, only followed.

Instants are whole microseconds since 1970 (UTC). Every key begins with the tenant. A table of
records is named and has its columns as the record's shape has them, and for each way in which they
are found an index `<table>_by_<key>`.
"""

import sqlite3

_STEP_1 = """
-- One row for each tenant that was ever written. The tree's version repeats the header's, for
-- whoever needs nothing else of it.
CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    tree_version INTEGER NOT NULL,
    event_sequence INTEGER NOT NULL DEFAULT 0,
    relayed_through INTEGER NOT NULL DEFAULT 0,
    header TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Those with events to relay, which is asked several times a second.
CREATE INDEX tenant_backlog ON tenant (id, event_sequence, relayed_through)
    WHERE event_sequence > relayed_through;

CREATE TABLE unit (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    level TEXT NOT NULL,
    code TEXT NOT NULL,
    key TEXT NOT NULL,
    names TEXT NOT NULL,
    parent_id TEXT,
    latitude REAL,
    longitude REAL,
    valid_from INTEGER NOT NULL,
    since INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unit_by_key ON unit (tenant, key);
-- In the order of siblings; with the primary key it holds all that trees are made of.
CREATE INDEX unit_by_parent_id ON unit (tenant, parent_id, code, level, since);
CREATE INDEX unit_revision ON unit (tenant, revision);

CREATE TABLE past_unit (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    level TEXT NOT NULL,
    code TEXT NOT NULL,
    key TEXT NOT NULL,
    names TEXT NOT NULL,
    parent_id TEXT,
    latitude REAL,
    longitude REAL,
    valid_from INTEGER NOT NULL,
    since INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    until INTEGER NOT NULL,
    ended_by INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    successor_ids TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_unit_by_unit_id ON past_unit (tenant, unit_id);
CREATE INDEX past_unit_by_key ON past_unit (tenant, key);
CREATE INDEX past_unit_by_parent_id ON past_unit (tenant, parent_id);
-- For the tree as it stood: what ended after that instant.
CREATE INDEX past_unit_until ON past_unit (tenant, until);
CREATE INDEX past_unit_closed ON past_unit (tenant, ended_by, unit_id) WHERE closed;

CREATE TABLE area (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    key TEXT NOT NULL,
    names TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
-- Not unique: areas that ended leave their codes to others.
CREATE INDEX area_by_key ON area (tenant, key);

CREATE TABLE area_link (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    area_id TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX area_link_by_unit_id ON area_link (tenant, unit_id);
CREATE INDEX area_link_by_area_id ON area_link (tenant, area_id);

-- In unique indexes no null is equal to another.
CREATE TABLE person (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    names TEXT,
    phone_hash TEXT,
    pepper_version INTEGER,
    phone_sealed TEXT,
    key_version INTEGER,
    phone_masked TEXT,
    subject TEXT,
    created_at INTEGER NOT NULL,
    erased_at INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX person_by_phone_hash ON person (tenant, phone_hash)
    WHERE phone_hash IS NOT NULL;
CREATE UNIQUE INDEX person_by_subject ON person (tenant, subject)
    WHERE subject IS NOT NULL;

CREATE TABLE appointment (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    position TEXT NOT NULL,
    person_id TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    verified_at INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX appointment_by_person_id ON appointment (tenant, person_id);
-- Both hold all that tallies are made of, of some units or of all.
CREATE INDEX appointment_by_unit_id
    ON appointment (tenant, unit_id, position, valid_from, valid_to, verified_at);
CREATE INDEX appointment_position
    ON appointment (tenant, position, unit_id, valid_from, valid_to, verified_at);

CREATE TABLE team (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    names TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_by_unit_id ON team (tenant, unit_id);

CREATE TABLE membership (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    role TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_team_id ON membership (tenant, team_id);
CREATE INDEX membership_by_person_id ON membership (tenant, person_id);

CREATE TABLE watch (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    covers TEXT,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX watch_by_unit_id ON watch (tenant, unit_id);
CREATE INDEX watch_by_person_id ON watch (tenant, person_id);

-- The outbox.
CREATE TABLE event (
    tenant TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

-- The first answer under each request id.
CREATE TABLE answer (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (tenant, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_age ON answer (tenant, answered_at);
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
