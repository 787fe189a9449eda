"""A Cypher statement with a name, and how to run it inside a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from neo4j import AsyncManagedTransaction, AsyncSession

from services.hierarchy.adapters.spans import db_span


@dataclass(frozen=True, slots=True)
class Statement:
    """`summary` is for traces: what it does to what, without values."""

    summary: str
    cypher: LiteralString

    async def run(
        self, tx: AsyncManagedTransaction | AsyncSession, **parameters: Any
    ) -> list[list[Any]]:
        """The rows of the answer; empty for a statement that returns none.

        Over a session it is a transaction of its own.
        """
        with db_span("neo4j", self.summary):
            result = await tx.run(self.cypher, parameters)
            return await result.values()

    async def run_in_batches(
        self, tx: AsyncManagedTransaction, rows: Sequence[Any], **parameters: Any
    ) -> list[list[Any]]:
        """The rows of all answers, one for each run of `$rows`.

        5,000 a time: 63,000 units loaded in 5.5 s, against 8.5 s with 1,000.
        """
        answers: list[list[Any]] = []
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            answers += await self.run(tx, rows=batch, **parameters)
        return answers


_BATCH = 5_000
