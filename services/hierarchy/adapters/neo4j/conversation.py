"""How the store takes part in the conversation of an operation."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from neo4j import AsyncManagedTransaction

from services.hierarchy.adapters.neo4j.finds import find
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.operations import (
    Decision,
    Found,
    Moment,
    Operation,
    Steps,
    Want,
)

T = TypeVar("T")
Look = Callable[[Want], Awaitable[Found]]


async def hold(operation: Operation[T], moment: Moment, look: Look) -> Decision[T]:
    """A fresh conversation from its beginning to its end."""
    steps = operation.decide(moment)
    found: Found | None = None
    while True:
        # In a thread: the decision over a large import takes seconds.
        said = await asyncio.to_thread(_advance, steps, found)
        if isinstance(said, Decision):
            return said
        found = await look(said)


async def look_up(tx: AsyncManagedTransaction, tenant: TenantId, want: Want) -> Found:
    """What stands of what is wanted; under the tenant's lock."""
    found = {
        index: (await find(tx, tenant, index, keys, locked=True)).value
        for index, keys in want.keys.items()
    }
    return Found(found)


def _advance(steps: Steps[T], found: Found | None) -> Want | Decision[T]:
    try:
        # To a generator that was not begun, None is all that can be sent.
        return steps.send(found)  # type: ignore[arg-type]
    except StopIteration as end:  # cannot leave a thread through a future
        decision: Decision[T] = end.value
        return decision
