"""The background edge of messaging: plans what was started, dispatches what was planned, joins
receipts, and completes what is settled; until it is told to stop, then it finishes what it holds.

Any number of siblings run beside it. What a worker holds when it dies is taken over by another
when its lease has run out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from kit.clock import Clock
from kit.errors import DeadlineExceeded, Unavailable
from kit.retry import Backoff
from services.messaging.domain.broadcasts import Broadcast
from services.messaging.domain.ids import TenantId
from services.messaging.domain.partitions import partitions_of
from services.messaging.domain.turns import Turn, Turns
from services.messaging.ports import Broadcasts, PlanJob
from services.messaging.use_cases.dispatching import DispatchChunks, ReceiveReceipts
from services.messaging.use_cases.finishing import FinishBroadcast
from services.messaging.use_cases.planning import TRANSIENT, PlanBroadcast
from services.messaging.worker.signals import Signals

# How often each loop looks. A look that finds nothing costs one small command for each tenant or
# open partition.
_SURVEY_SECONDS = 0.1
_RECEIVE_SECONDS = 0.1
_FINISH_SECONDS = 0.2
_IDLE_SECONDS = 0.02
_CHECK_SECONDS = 1.0
# A partition without chunks gets new ones only when another worker's lease runs out.
_REST_SECONDS = 1.0
_PLANS_AT_ONCE = 2
# While one chunk waits for the store's disk another is prepared; more than a few gain nothing.
CHUNKS_AT_ONCE = 4

_log = logging.getLogger(__name__)

T = TypeVar("T")
ReadyCheck = Callable[[], Awaitable[str | None]]
"""Answers why the store cannot be trusted, or None when it can."""


@dataclass(frozen=True, slots=True)
class Duties:
    """The use cases of a worker."""

    plan: PlanBroadcast
    dispatch: DispatchChunks
    receive: ReceiveReceipts
    finish: FinishBroadcast


class Worker:
    """Runs the duties over all tenants, fairly: see `domain.turns`."""

    def __init__(
        self,
        duties: Duties,
        broadcasts: Broadcasts,
        transports: Collection[str],
        clock: Clock,
        *,
        ready: ReadyCheck,
        chunks_at_once: int = CHUNKS_AT_ONCE,
    ) -> None:
        self._duties = duties
        self._broadcasts = broadcasts
        self._transports = frozenset(transports)
        self._clock = clock
        self._ready = ready
        self._chunks_at_once = chunks_at_once
        self._turns = Turns()
        self._receipt_turns = Turns()
        self._open: list[tuple[TenantId, Broadcast]] = []
        self._planning: set[asyncio.Task[None]] = set()
        self._surveys = 0
        self._checks = 0
        self._stop = asyncio.Event()
        self._may_work = asyncio.Event()
        self._has_turns = asyncio.Event()
        self._signals = Signals()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set and what is held then is done. Cancelling drops what is held:
        others take it over.

        Nothing is taken before the first check of readiness passes, nor while it fails: what a
        store could lose must not be posted.
        """
        self._stop = stop
        async with asyncio.TaskGroup() as living:
            beating = living.create_task(self._beat())
            async with asyncio.TaskGroup() as working:
                working.create_task(self._repeat(self._check, _CHECK_SECONDS))
                working.create_task(self._work(self._survey(working), _SURVEY_SECONDS))
                working.create_task(self._work(self._receive, 0.0))
                working.create_task(self._work(self._finish, _FINISH_SECONDS))
                for _ in range(self._chunks_at_once):
                    working.create_task(self._work(self._dispatch, 0.0))
            beating.cancel()

    async def _check(self) -> None:
        """Open or shut the door. While the store does not answer it stays as it is: then every
        step fails by itself, and goes on as soon as the store is back.
        """
        reason = await self._ready()
        if reason is None:
            self._may_work.set()
        elif self._may_work.is_set() or not self._checks:
            _log.error("worker takes nothing: %s", reason)
            self._may_work.clear()
        self._checks += 1

    async def _work(self, step: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
        async def step_if_ready() -> None:
            if self._may_work.is_set():
                await step()
            else:
                await self._until(self._may_work, _CHECK_SECONDS)

        await self._repeat(step_if_ready, pause_seconds)

    async def _repeat(self, step: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
        backoff = Backoff(clock=self._clock)
        while not self._stop.is_set():
            try:
                await step()
            except (Unavailable, DeadlineExceeded) as error:
                _log.warning("worker waits: %s", error)
                await self._pause(backoff.next())
            except Exception:  # noqa: BLE001  # the loop outlives whatever befalls one step
                _log.exception("a step of the worker failed")
                await self._pause(backoff.next())
            else:
                backoff.reset()
                await self._pause(pause_seconds)

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until the stop."""
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self._until(self._stop, seconds)

    async def _until(self, event: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    async def _beat(self) -> None:
        """Keep alive what is in hand, also while the rest of the worker drains."""
        seconds = self._duties.dispatch.lease.total_seconds() / 3
        while True:
            await self._clock.sleep(seconds)
            try:
                await self._duties.dispatch.keep_alive()
            except Exception:  # noqa: BLE001  # the next beat tries again
                _log.exception("leases were not renewed")

    def _survey(self, working: asyncio.TaskGroup) -> Callable[[], Awaitable[None]]:
        async def survey() -> None:
            """Look for jobs and for open broadcasts in every tenant."""
            tenants = await self._broadcasts.tenants()
            found: list[tuple[TenantId, Broadcast]] = []

            async def look(tenant: TenantId) -> None:
                await self._take_job(tenant, working)
                found.extend((tenant, each) for each in await self._broadcasts.open(tenant))

            # Another tenant begins each time, so that nobody's jobs always come last.
            self._surveys += 1
            first = self._surveys % max(1, len(tenants))
            try:
                await _for_each((*tenants[first:], *tenants[:first]), look)
            finally:
                self._take_up(found)

        return survey

    def _take_up(self, found: Iterable[tuple[TenantId, Broadcast]]) -> None:
        self._open = [each for each in found if each[1].draft.transport in self._transports]
        turns, now = self._all_turns(), self._clock.monotonic()
        self._turns.offer(turns, now)
        self._has_turns.set()
        self._receipt_turns.offer(turns, now)
        self._duties.finish.forget_all_but([each.id for _, each in self._open])

    def _all_turns(self) -> list[Turn]:
        return [
            Turn(partition, broadcast.draft.transport)
            for tenant, broadcast in self._open
            for partition in partitions_of(tenant, broadcast)
        ]

    async def _take_job(self, tenant: TenantId, working: asyncio.TaskGroup) -> None:
        if len(self._planning) >= _PLANS_AT_ONCE:
            return
        job = await self._duties.plan.take(tenant)
        if job is not None:
            task = working.create_task(self._plan(job))
            self._planning.add(task)
            task.add_done_callback(self._planning.discard)

    async def _plan(self, job: PlanJob) -> None:
        try:
            with self._signals.plan(job):
                await self._duties.plan(job)
        except TRANSIENT as error:
            _log.warning("planning waits: %s", error)
        except Exception:  # noqa: BLE001  # the job is taken again after its lease
            _log.exception("planning failed", extra={"generation": job.generation})

    async def _dispatch(self) -> None:
        turn = self._turns.next()
        if turn is None:
            self._has_turns.clear()
            await self._until(self._has_turns, _SURVEY_SECONDS)
            return
        try:
            chunk = await self._duties.dispatch.take(turn.partition)
            if chunk is not None:
                with self._signals.process(chunk):
                    await self._duties.dispatch.send(chunk, turn.transport)
                return
        except Exception:
            self._rest(turn)
            raise
        self._rest(turn)

    def _rest(self, turn: Turn) -> None:
        self._turns.rest(turn, self._clock.monotonic() + _REST_SECONDS)

    async def _receive(self) -> None:
        """One bounded step for one partition: however much is due there, others come next."""
        turn = self._receipt_turns.next()
        if turn is None:
            await self._pause(_IDLE_SECONDS)
            return
        try:
            if await self._duties.receive(turn.partition, turn.transport):
                return
        except Exception:
            self._receipt_turns.rest(turn, self._clock.monotonic() + _REST_SECONDS)
            raise
        self._receipt_turns.rest(turn, self._clock.monotonic() + _RECEIVE_SECONDS)

    async def _finish(self) -> None:
        async def finish(opened: tuple[TenantId, Broadcast]) -> None:
            tenant, broadcast = opened
            if await self._duties.finish(tenant, broadcast):
                # The next survey would see it too; until then others need not look.
                self._open = [each for each in self._open if each[1].id != broadcast.id]

        await _for_each(list(self._open), finish)


async def _for_each(items: Iterable[T], step: Callable[[T], Awaitable[None]]) -> None:
    """Do each step, also when one fails; then raise the first failure.

    One shard of the store that is down must not hold up what lies on the others.
    """
    failures: list[Exception] = []
    for item in items:
        try:
            await step(item)
        except Exception as error:  # noqa: BLE001  # raised below
            failures.append(error)
    if failures:
        raise failures[0]
