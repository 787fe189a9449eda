"""Constraints and indexes, as numbered steps: one that was released is never edited."""

import hashlib
import logging
from dataclasses import dataclass
from typing import LiteralString

from neo4j import AsyncSession

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """Statements that may run twice: a start may die between them, and starts may meet."""

    number: int
    statements: tuple[LiteralString, ...]

    @property
    def checksum(self) -> str:
        """Tells an edited step from the released one."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()


class MigrationEdited(Exception):
    """The database has taken a step that says something else now."""


MIGRATIONS = (
    Migration(
        1,
        (
            """CREATE CONSTRAINT migration_number IF NOT EXISTS
            FOR (m:Migration) REQUIRE m.number IS UNIQUE""",
            """CREATE CONSTRAINT tenant_id IF NOT EXISTS
            FOR (t:Tenant) REQUIRE t.id IS UNIQUE""",
            """CREATE CONSTRAINT unit_id IF NOT EXISTS
            FOR (u:Unit) REQUIRE (u.tenant, u.id) IS UNIQUE""",
            """CREATE CONSTRAINT unit_key IF NOT EXISTS
            FOR (u:Unit) REQUIRE (u.tenant, u.level, u.code) IS UNIQUE""",
            """CREATE INDEX unit_siblings IF NOT EXISTS
            FOR (u:Unit) ON (u.tenant, u.parent_id, u.code, u.level)""",
            """CREATE CONSTRAINT event_sequence IF NOT EXISTS
            FOR (e:Event) REQUIRE (e.tenant, e.sequence) IS UNIQUE""",
            """CREATE CONSTRAINT answer_request IF NOT EXISTS
            FOR (a:Answer) REQUIRE (a.tenant, a.request_id) IS UNIQUE""",
            "CALL db.awaitIndexes(60)",
        ),
    ),
)

_TAKEN = "MATCH (m:Migration) RETURN m.number, m.checksum"
_NOTE = "MERGE (m:Migration {number: $number}) SET m.checksum = $checksum"


async def migrate(session: AsyncSession) -> None:
    """Take the steps that the database has not behind it; two starts at once do no harm.

    Steps of a newer version of this program are left alone: it keeps to the schema of this one.

    Raises:
        MigrationEdited: see there.
    """
    result = await session.run(_TAKEN)
    taken = dict(await result.values())
    for each in MIGRATIONS:
        if each.number not in taken:
            await _take(session, each)
        elif taken[each.number] != each.checksum:
            raise MigrationEdited(f"migration {each.number} is not the one that was taken")


async def _take(session: AsyncSession, migration: Migration) -> None:
    # Each in a transaction of its own: schema and data cannot change in one.
    for statement in migration.statements:
        await (await session.run(statement)).consume()
    values = {"number": migration.number, "checksum": migration.checksum}
    await (await session.run(_NOTE, values)).consume()
    _log.info("migration taken", extra={"number": migration.number})
