"""Constraints and indexes, as numbered steps: one that was released is never edited."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from neo4j import AsyncManagedTransaction, AsyncSession
from neo4j.exceptions import ClientError, DatabaseError, TransientError

from kit.errors import PreconditionFailed, Unavailable
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


class SchemaBehind(Unavailable):
    """The database lacks steps that this version needs."""

    reason = "SCHEMA_BEHIND"
    sentence = "migrations {migrations} were not taken: `python -m services.hierarchy migrate`"
    migrations: tuple[int, ...]


class MigrationEdited(PreconditionFailed):
    """The database has taken a step that says something else now."""

    reason = "MIGRATION_EDITED"
    sentence = "migration {migration} is not the one that was taken"
    migration: int


class SchemaDrifted(PreconditionFailed):
    """Constraints or indexes that were made are not there, or do not work."""

    reason = "SCHEMA_DRIFTED"
    sentence = "constraints or indexes are gone: {names}"
    names: tuple[str, ...]


MIGRATIONS = (Migration(1, (*CONSTRAINTS.values(), *INDEXES, "CALL db.awaitIndexes(300)")),)

_TAKEN = "MATCH (m:Migration) RETURN m.number, m.checksum"
_ONLINE = "SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name"
# A constraint has an index under its name; that of an index is the third word.
_NAMES = frozenset(CONSTRAINTS) | {each.split()[2] for each in INDEXES}
# Indexes under the name of a constraint that is not there; other indexes are nobody's leavings.
_LEFT_BEHIND = """SHOW INDEXES YIELD name, owningConstraint
WHERE name IN $constraints AND owningConstraint IS NULL
RETURN name"""
_DROP_INDEX = "DROP INDEX $name IF EXISTS"
_OF_SCHEMA = "Neo.ClientError.Schema."
_ATTEMPTS = 12
_NOTE = "MERGE (m:Migration {number: $number}) SET m.checksum = $checksum"


async def check(tx: AsyncSession | AsyncManagedTransaction) -> None:
    """Return when the database has the schema that this version needs; changes nothing.

    Steps of a newer version of this program are left alone: they keep what this one needs, or
    they come in a roll-out of their own.

    Raises:
        SchemaBehind, MigrationEdited, SchemaDrifted: see there.
    """
    taken = dict(await (await tx.run(_TAKEN)).values())
    if missing := _missing(taken):
        raise SchemaBehind(tuple(each.number for each in missing))
    # A newer step may have taken an index away.
    if max(taken) == MIGRATIONS[-1].number:
        online = {name for (name,) in await (await tx.run(_ONLINE)).values()}
        if gone := _NAMES - online:
            raise SchemaDrifted(tuple(sorted(gone)))


async def migrate(session: AsyncSession) -> None:
    """Take the steps that the database has not behind it; two who do so at once do no harm.

    Raises:
        MigrationEdited, SchemaDrifted: see there.
    """
    taken = dict(await (await session.run(_TAKEN)).values())
    for each in _missing(taken):
        await _take(session, each)
    await check(session)


def _missing(taken: Mapping[int, str]) -> Sequence[Migration]:
    """The steps that were not taken. Raises `MigrationEdited` for one that was another."""
    for each in MIGRATIONS:
        if taken.get(each.number, each.checksum) != each.checksum:
            raise MigrationEdited(each.number)
    return [each for each in MIGRATIONS if each.number not in taken]


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
