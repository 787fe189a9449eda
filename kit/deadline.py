"""The moment by which an answer must be there, handed down with the request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kit.clock import Clock, SystemClock
from kit.errors import DeadlineExceeded

_SYSTEM_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of a clock's monotonic time; every call below a request gets what is left."""

    at_monotonic: float
    clock: Clock = field(default=_SYSTEM_CLOCK, repr=False, compare=False)

    @classmethod
    def after(cls, seconds: float, clock: Clock = _SYSTEM_CLOCK) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(clock.monotonic() + seconds, clock)

    def remaining(self) -> float:
        """Seconds that are left, never negative: fit to be a gRPC timeout."""
        return max(0.0, self.at_monotonic - self.clock.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0.0

    def at_most(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and one that many seconds from now."""
        return min(self, Deadline.after(seconds, self.clock), key=lambda each: each.at_monotonic)

    def check(self) -> None:
        """Raise `DeadlineExceeded` when nothing is left; for loops that do not await."""
        if self.expired:
            raise DeadlineExceeded

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[None]:
        """Cancel the block when time runs out and raise `DeadlineExceeded` instead.

        Measured by the event loop, so a fake clock bounds only what is left on entry.
        """
        try:
            async with asyncio.timeout(self.remaining()) as scope:
                yield
        except TimeoutError as error:
            if scope.expired():
                raise DeadlineExceeded from error
            raise
