"""Constraints and indexes, as numbered steps: one that was released is never edited."""

import asyncio
import hashlib
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from neo4j import AsyncSession
from neo4j.exceptions import ClientError, DatabaseError, TransientError

from kit.retry import delays
from services.hierarchy.adapters.neo4j.schema import CONSTRAINTS, INDEXES

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


MIGRATIONS = (Migration(1, (*CONSTRAINTS.values(), *INDEXES, "CALL db.awaitIndexes(300)")),)

_TAKEN = "MATCH (m:Migration) RETURN m.number, m.checksum"
# Indexes under the name of a constraint that is not there; other indexes are nobody's leavings.
_LEFT_BEHIND = """SHOW INDEXES YIELD name, owningConstraint
WHERE name IN $constraints AND owningConstraint IS NULL
RETURN name"""
_DROP_INDEX = "DROP INDEX $name IF EXISTS"
_OF_SCHEMA = "Neo.ClientError.Schema."
_ATTEMPTS = 12
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
        await _insist(session, statement, {})
    values = {"number": migration.number, "checksum": migration.checksum}
    await _insist(session, _NOTE, values)
    _log.info("migration taken", extra={"number": migration.number})


async def _insist(session: AsyncSession, statement: LiteralString, values: dict[str, Any]) -> None:
    """Run a statement through the quarrels of starts that meet.

    Neo4j lets two of them deadlock, ends one, and that one can leave behind the index of a
    constraint that was never made; then the name is taken, for ever.
    """
    for pause in delays(_ATTEMPTS, maximum=timedelta(seconds=1)):
        try:
            await (await session.run(statement, values)).consume()
        except TransientError:
            await asyncio.sleep(pause)
        except ClientError as error:
            # "Exists already", although the statement says IF NOT EXISTS: another start is at it.
            if not (error.code or "").startswith(_OF_SCHEMA):
                raise
            await asyncio.sleep(pause)
            await _drop_left_behind(session)
        else:
            return
    await (await session.run(statement, values)).consume()


async def _drop_left_behind(session: AsyncSession) -> None:
    """Drop the indexes that were made for a constraint which is not there."""
    result = await session.run(_LEFT_BEHIND, {"constraints": list(CONSTRAINTS)})
    for (name,) in await result.values():
        # One that a start is just making belongs to its constraint by now, or is locked.
        with suppress(ClientError, DatabaseError, TransientError):
            await (await session.run(_DROP_INDEX, {"name": name})).consume()
            _log.warning("index without its constraint dropped", extra={"index": name})
