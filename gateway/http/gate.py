"""How much may be under execution at once in this process, by the operations' estimated cost.

A bound of each operation does not bound all of them: some hundred of the largest at once would hold
the loop for minutes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from kit.errors import LimitExceeded

_SOON = timedelta(seconds=1)


class TooCostlyNow(LimitExceeded):
    """What runs already leaves no room for this operation."""

    reason = "TOO_COSTLY_NOW"
    sentence = "the gateway is busy with as much as it runs at once: try again"


class CostGate:
    """Holds room for what runs. What comes while nothing runs is let in, whatever it costs.

    Args:
        limit: most cost at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0
        self._turns: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def running(self) -> int:
        """The cost of what runs now."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._turns)

    @contextmanager
    def hold(self, cost: int) -> Iterator[None]:
        """Room for the block, at once.

        Raises:
            TooCostlyNow: when there is none, or others wait for it.
        """
        if self._turns or not self._fits(cost):
            raise TooCostlyNow(retry_after=_SOON)
        self._running += cost
        try:
            yield
        finally:
            self._free(cost)

    @asynccontextmanager
    async def hold_in_turn(self, cost: int) -> AsyncIterator[None]:
        """Room for the block, when it is there: first come, first served."""
        if self._turns or not self._fits(cost):
            await self._turn(cost)
        else:
            self._running += cost
        try:
            yield
        finally:
            self._free(cost)

    async def _turn(self, cost: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        waiting = (cost, turn)
        self._turns.append(waiting)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free(cost)  # its turn came in the same moment
            else:
                self._turns.remove(waiting)
                self._let_in()  # it may have stood before one that fits
            raise

    def _fits(self, cost: int) -> bool:
        return not self._running or self._running + cost <= self._limit

    def _free(self, cost: int) -> None:
        self._running -= cost
        self._let_in()

    def _let_in(self) -> None:
        while self._turns and self._fits(self._turns[0][0]):
            cost, turn = self._turns[0]
            if turn.cancelled():
                return  # it takes itself out of the line, and calls the next
            self._turns.popleft()
            self._running += cost
            turn.set_result(None)
