"""Batches what the resolvers of one level ask for into one call.

Unlike Strawberry's loader, which fires on the next turn of the event loop, this one waits until a
turn brings no new key, since siblings may reach the same loader some turns apart (a stub that must
be hydrated first takes a few more). And each caller gets a future of its own, so that cancelling
one resolver does not cancel its siblings'.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from gateway.context import Context
from kit.errors import ChaupalError, NotFound
from kit.telemetry import tracer

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# A turn of the loop costs microseconds; keys that trickle in for longer than this go separately.
_MAX_TURNS = 32
_tracer = tracer(__name__)


class Loader(Generic[K, V]):
    """One (service, RPC, arguments) of one operation.

    Args:
        context: the operation; it owns the loader's tasks.
        name: what is loaded, for the span.
        fetch: the batch call: one value or error for each key, in the order of the keys. What it
            raises is the answer to every key.
        max_batch: most keys of one call; more are split, and the calls run side by side.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        fetch: Callable[[Sequence[K]], Awaitable[Sequence[V | ChaupalError]]],
        max_batch: int,
    ) -> None:
        self._context = context
        self._name = name
        self._fetch = fetch
        self._max_batch = max_batch
        self._known: dict[K, V | Exception] = {}
        self._waiting: dict[K, list[asyncio.Future[V]]] = defaultdict(list)
        self._in_flight: dict[K, list[asyncio.Future[V]]] = {}
        self._scheduled = False

    def load(self, key: K) -> Awaitable[V]:
        """The value of a key, or its error; asked for once in the whole operation."""
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        if key in self._known:
            _settle(future, self._known[key])
        elif key in self._in_flight:
            self._in_flight[key].append(future)
        else:
            self._waiting[key].append(future)
            if not self._scheduled:
                self._scheduled = True
                self._context.spawn(self._collect())
        return future

    async def _collect(self) -> None:
        seen = -1
        for _ in range(_MAX_TURNS):
            if len(self._waiting) == seen:
                break
            seen = len(self._waiting)
            await asyncio.sleep(0)
        self._scheduled = False
        batch, self._waiting = self._waiting, defaultdict(list)
        self._in_flight.update(batch)
        keys = list(batch)
        chunks = [keys[at : at + self._max_batch] for at in range(0, len(keys), self._max_batch)]
        await asyncio.gather(*(self._load(chunk) for chunk in chunks))

    async def _load(self, keys: Sequence[K]) -> None:
        with _tracer.start_as_current_span(
            f"load {self._name}", attributes={"chaupal.batch.size": len(keys)}
        ):
            outcomes = await self._outcomes(keys)
        for key, outcome in zip(keys, outcomes, strict=True):
            self._known[key] = outcome
            for future in self._in_flight.pop(key):
                _settle(future, outcome)

    async def _outcomes(self, keys: Sequence[K]) -> Sequence[V | Exception]:
        try:
            outcomes = await self._fetch(keys)
        except Exception as error:  # noqa: BLE001  # whoever asked gets it, and it is masked there
            return [error] * len(keys)
        if len(outcomes) != len(keys):
            wrong = RuntimeError(f"{self._name}: {len(outcomes)} results for {len(keys)} keys")
            return [wrong] * len(keys)
        return outcomes


def _settle(future: asyncio.Future[V], outcome: V | Exception) -> None:
    if future.done():  # its resolver was cancelled meanwhile
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # so that nobody is told off when a null above made it unneeded
    else:
        future.set_result(outcome)


async def found_or_none(loading: Awaitable[V]) -> V | None:
    """The value, or None when the service knows none: how a look-up by id answers."""
    try:
        return await loading
    except NotFound:
        return None
