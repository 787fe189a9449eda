"""Waiting longer after each failure, for loops that must not give up and must not hammer."""

import random
from collections.abc import Iterator
from datetime import timedelta

from kit.clock import Clock, SystemClock

_FIRST = timedelta(milliseconds=50)
_MAXIMUM = timedelta(seconds=5)


def delays(
    attempts: int,
    *,
    first: timedelta = _FIRST,
    maximum: timedelta = _MAXIMUM,
    rng: random.Random | None = None,
) -> Iterator[float]:
    """The waits in seconds between that many attempts: one fewer than attempts.

    Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015): each is uniform
    between zero and a ceiling that doubles from `first` up to `maximum`.
    """
    chance = rng or random.Random()  # noqa: S311  # spreads load, guards nothing
    ceiling = first.total_seconds()
    for _ in range(attempts - 1):
        yield chance.uniform(0.0, ceiling)
        ceiling = min(ceiling * 2, maximum.total_seconds())


class Backoff:
    """The wait of an endless loop after failures; `reset` after a success."""

    def __init__(
        self,
        *,
        first: timedelta = _FIRST,
        maximum: timedelta = _MAXIMUM,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._first = first.total_seconds()
        self._maximum = maximum.total_seconds()
        self._clock = clock or SystemClock()
        self._random = rng or random.Random()  # noqa: S311  # spreads load, guards nothing
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many waits there were since the last reset."""
        return self._failures

    def reset(self) -> None:
        """Start again from the first wait."""
        self._failures = 0

    def next(self) -> float:
        """Count one failure and say how many seconds to wait: half fixed, half jitter.

        Never zero, unlike `delays`: a loop that has no attempts to run out of must not spin.
        """
        # The exponent is bounded too, so that a year of failures does not overflow a float.
        ceiling = min(self._maximum, self._first * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return ceiling * self._random.uniform(0.5, 1.0)

    async def wait(self) -> None:
        """Count one failure and sleep."""
        await self._clock.sleep(self.next())
