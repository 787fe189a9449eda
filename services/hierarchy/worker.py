"""The background edge of hierarchy: outbox row, stream entry, mark; again and again."""

import logging
from datetime import timedelta

from kit.clock import Clock
from kit.retry import Backoff
from services.hierarchy.ports import EventStreams, Outbox
from services.hierarchy.use_cases.relay import relay_events

_log = logging.getLogger(__name__)


class RelayWorker:
    """Relays events until it is cancelled. Any number of siblings may run beside it."""

    def __init__(
        self, outbox: Outbox, streams: EventStreams, clock: Clock, interval: timedelta
    ) -> None:
        self._outbox = outbox
        self._streams = streams
        self._clock = clock
        self._interval_seconds = interval.total_seconds()
        self._backoff = Backoff(clock=clock)

    async def run(self) -> None:
        """Look, relay, pause; after a failure wait longer each time."""
        while True:
            if await self._pass():
                self._backoff.reset()
                await self._clock.sleep(self._interval_seconds)
            else:
                await self._backoff.wait()

    async def _pass(self) -> bool:
        try:
            relayed = await relay_events(self._outbox, self._streams)
        except Exception:  # noqa: BLE001  # the loop outlives whatever befalls one pass
            _log.exception("events were not relayed")
            return False
        if relayed:
            _log.info("events relayed", extra={"count": relayed})
        return True
