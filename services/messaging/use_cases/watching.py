"""Watching progress: one reader for each watched broadcast, however many watch it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

from kit.clock import Clock
from kit.errors import Unavailable
from kit.retry import Backoff
from services.messaging.domain.broadcasts import Broadcast, is_over
from services.messaging.domain.errors import (
    BroadcastNotFound,
    Going,
    LedgerMissing,
    TooManyWatchers,
)
from services.messaging.domain.ids import BroadcastId
from services.messaging.domain.progress import Ledger, Progress, Split
from services.messaging.ports import Caller
from services.messaging.use_cases.access import VIEW, tenant_of
from services.messaging.use_cases.reading import ReadProgress, Topic

# At most five looks a second; people see nothing faster and each costs a read of what changed.
INTERVAL = timedelta(milliseconds=200)
MAX_WATCHERS = 500
_RETRY_AFTER = timedelta(seconds=5)


@dataclass(slots=True)
class _Look:
    """The latest look at one broadcast, shared by those who watch it."""

    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    watchers: int = 0
    number: int = 0
    broadcast: Broadcast | None = None
    ledger: Ledger | None = None
    error: Exception | None = None
    reader: "asyncio.Task[None] | None" = None


class WatchProgress:
    """Shares the reading among watchers; open it as a context, which owns the readers.

    A watcher that is slow skips looks and never holds up others: it is always told the latest.
    """

    def __init__(self, progress: ReadProgress, clock: Clock, limit: int = MAX_WATCHERS) -> None:
        self._progress = progress
        self._clock = clock
        self._limit = limit
        self._looks: dict[Topic, _Look] = {}
        self._going = False
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for look in self._looks.values():
            if look.reader is not None:
                look.reader.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    async def __call__(
        self, caller: Caller, broadcast_id: BroadcastId, split: Split
    ) -> AsyncGenerator[Progress, None]:
        """The progress now, whenever it changes, and a last time when the broadcast is over.

        Raises:
            Forbidden: The caller may not view.
            BroadcastNotFound: There is none.
            Going: This process is going; watch again to be told by another.
            TooManyWatchers: This process has as many as it takes; another may have room.
            LedgerMissing: The store has lost a part of the broadcast.
            InvalidInput: On `split.level`, as `Counting.tally`.
        """
        tenant = tenant_of(caller, VIEW)
        async with self._watching((tenant, broadcast_id)) as look:
            seen = 0
            while True:
                async with look.changed:
                    while look.number == seen and look.error is None:
                        await look.changed.wait()
                if look.error is not None:
                    raise look.error
                seen, broadcast, ledger = look.number, look.broadcast, look.ledger
                if broadcast is None or ledger is None:  # never: told before the first look
                    raise BroadcastNotFound(broadcast_id)
                yield await self._progress.of(tenant, broadcast, ledger, split)
                if is_over(broadcast.state):
                    return

    @property
    def watcher_count(self) -> int:
        """How many watch."""
        return sum(look.watchers for look in self._looks.values())

    @property
    def reader_count(self) -> int:
        """How many broadcasts are read for them."""
        return len(self._looks)

    async def hang_up(self) -> None:
        """End every watch, and refuse new ones: the process is going, others serve on."""
        self._going = True
        for look in list(self._looks.values()):
            await self._fail(look, Going())

    @asynccontextmanager
    async def _watching(self, topic: Topic) -> AsyncIterator[_Look]:
        if self._going:
            raise Going
        if self.watcher_count >= self._limit:
            raise TooManyWatchers(self._limit, retry_after=_RETRY_AFTER)
        look = self._looks.get(topic)
        if look is None:
            look = self._looks[topic] = _Look()
            look.reader = self._tasks.create_task(self._read(topic, look))
        look.watchers += 1
        try:
            yield look
        finally:
            look.watchers -= 1
            if not look.watchers and look.reader is not None:
                look.reader.cancel()
                self._forget(topic, look)

    def _forget(self, topic: Topic, look: _Look) -> None:
        if self._looks.get(topic) is look:
            del self._looks[topic]

    async def _read(self, topic: Topic, look: _Look) -> None:
        backoff = Backoff(clock=self._clock, first=INTERVAL)
        try:
            while look.broadcast is None or not is_over(look.broadcast.state):
                try:
                    await self._look(topic, look)
                except LedgerMissing:
                    # What the store has lost does not come back by looking again.
                    raise
                except Unavailable:
                    # The store restarts or fails over: the watch goes on when it is back.
                    await backoff.wait()
                else:
                    backoff.reset()
                    await self._clock.sleep(INTERVAL.total_seconds())
        except Exception as error:  # noqa: BLE001  # told to every watcher, whose edge masks it
            await self._fail(look, error)
        finally:
            # Whoever comes now begins anew.
            self._forget(topic, look)

    async def _look(self, topic: Topic, look: _Look) -> None:
        tenant, broadcast_id = topic
        [broadcast] = await self._progress.broadcasts.get(tenant, [broadcast_id])
        if broadcast is None:
            raise BroadcastNotFound(broadcast_id)
        # The state was read first: a broadcast that is over is shown with its last ledger.
        ledger = await self._progress.ledger(tenant, broadcast)
        known = look.ledger
        if known and broadcast == look.broadcast and ledger.version == known.version:
            return
        async with look.changed:
            look.broadcast, look.ledger = broadcast, ledger
            look.number += 1
            look.changed.notify_all()

    async def _fail(self, look: _Look, error: Exception) -> None:
        async with look.changed:
            look.error = error
            look.changed.notify_all()
