"""Time as an injectable value, so that tests decide when things happen."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait.

    `now` is an aware UTC instant and may jump when the machine's clock is set; `monotonic` is
    seconds from an arbitrary origin and never goes back; `sleep` waits by the monotonic time.
    """

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary origin; for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero or less gives other tasks one turn."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary origin; for durations and deadlines."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero or less gives other tasks one turn."""
        await asyncio.sleep(max(0.0, seconds))


class FakeClock:
    """A clock that stands still until `advance` is called."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The start plus everything that was advanced."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Everything that was advanced, in seconds."""
        return self._elapsed

    @property
    def sleeping(self) -> int:
        """How many tasks wait in `sleep`; lets a test wait until they do."""
        return sum(not future.done() for _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed that much time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, future))
        await future

    def advance(self, by: timedelta | float) -> None:
        """Let time pass and wake, in order of their time, the sleepers whose time has come."""
        self._elapsed += by.total_seconds() if isinstance(by, timedelta) else by
        due = [item for item in self._sleepers if item[0] <= self._elapsed]
        self._sleepers = [item for item in self._sleepers if item[0] > self._elapsed]
        for _, future in sorted(due, key=lambda item: item[0]):
            if not future.done():
                future.set_result(None)
