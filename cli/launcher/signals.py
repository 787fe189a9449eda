"""The first signal asks to stop, the second to stop at once."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """What signals have asked for so far.

    Attributes:
        asked: Set by the first signal.
        at_once: Called by every further one.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.asked = asyncio.Event()
        self.at_once: Callable[[], None] = lambda: None
        self._say = say

    def signalled(self) -> None:
        """Take note of a signal."""
        if self.asked.is_set():
            self._say("stopping at once")
            self.at_once()
        else:
            self._say("stopping; once more to stop at once")
            self.asked.set()


@contextlib.contextmanager
def stopping_on_signals(say: Callable[[str], None]) -> Iterator[Stopping]:
    """Take SIGINT, SIGTERM and SIGHUP (a closed terminal) while the block runs."""
    stopping = Stopping(say)
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopping.signalled)
    try:
        yield stopping
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
