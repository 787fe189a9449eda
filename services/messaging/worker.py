"""The background edge of messaging: plans what was started, dispatches what was planned, joins
receipts, and completes what is settled; until it is told to stop, then it finishes what it holds.

Any number of siblings run beside it. What a worker holds when it dies is taken over by another
when its lease has run out.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.semconv._incubating.attributes import messaging_attributes as names
from opentelemetry.semconv._incubating.metrics import messaging_metrics

from kit import telemetry
from kit.clock import Clock
from kit.errors import DeadlineExceeded, Unavailable
from kit.retry import Backoff
from services.messaging.domain.broadcasts import Broadcast
from services.messaging.domain.ids import TenantId
from services.messaging.domain.partitions import Chunk, partitions_of
from services.messaging.domain.turns import Turn, Turns
from services.messaging.ports import Broadcasts, PlanJob
from services.messaging.use_cases.dispatching import DispatchChunks, ReceiveReceipts
from services.messaging.use_cases.finishing import FinishBroadcast
from services.messaging.use_cases.planning import PlanBroadcast

# How often each loop looks. A look that finds nothing costs one small command for each tenant or
# open partition.
_SURVEY_SECONDS = 0.1
_RECEIVE_SECONDS = 0.1
_FINISH_SECONDS = 0.2
_IDLE_SECONDS = 0.02
# A partition without chunks gets new ones only when another worker's lease runs out.
_REST_SECONDS = 1.0
_PLANS_AT_ONCE = 2
# While one chunk waits for the store's disk another is prepared; more than a few gain nothing.
CHUNKS_AT_ONCE = 4

_log = logging.getLogger(__name__)
_ATTRIBUTES = {
    names.MESSAGING_SYSTEM: "redis_streams",
    names.MESSAGING_OPERATION_TYPE: "process",
    names.MESSAGING_OPERATION_NAME: "process",
    names.MESSAGING_DESTINATION_TEMPLATE: "messaging:chunks",
    names.MESSAGING_CONSUMER_GROUP_NAME: "workers",
}


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
        chunks_at_once: int = CHUNKS_AT_ONCE,
    ) -> None:
        self._duties = duties
        self._broadcasts = broadcasts
        self._transports = frozenset(transports)
        self._clock = clock
        self._chunks_at_once = chunks_at_once
        self._turns = Turns()
        self._open: list[tuple[TenantId, Broadcast]] = []
        self._planning: set[asyncio.Task[None]] = set()
        self._surveys = 0
        self._stop = asyncio.Event()
        self._telemetry = _Telemetry()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set and what is held then is done. Cancelling drops what is held:
        others take it over.
        """
        self._stop = stop
        async with asyncio.TaskGroup() as living:
            beating = living.create_task(self._beat())
            async with asyncio.TaskGroup() as working:
                working.create_task(self._repeat(self._survey(working), _SURVEY_SECONDS))
                working.create_task(self._repeat(self._receive, _RECEIVE_SECONDS))
                working.create_task(self._repeat(self._finish, _FINISH_SECONDS))
                for _ in range(self._chunks_at_once):
                    working.create_task(self._repeat(self._dispatch, 0.0))
            beating.cancel()

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
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

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
            # Another tenant begins each time, so that nobody's jobs always come last.
            self._surveys += 1
            first = self._surveys % max(1, len(tenants))
            for tenant in (*tenants[first:], *tenants[:first]):
                await self._take_job(tenant, working)
                found += [(tenant, each) for each in await self._broadcasts.open(tenant)]
            self._open = [each for each in found if each[1].draft.transport in self._transports]
            self._turns.offer(self._all_turns(), self._clock.monotonic())
            self._duties.finish.forget_all_but([each.id for _, each in self._open])

        return survey

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
            with self._telemetry.plan(job):
                await self._duties.plan(job)
        except (Unavailable, DeadlineExceeded) as error:
            _log.warning("planning waits: %s", error)
        except Exception:  # noqa: BLE001  # the job is taken again after its lease
            _log.exception("planning failed", extra={"generation": job.generation})

    async def _dispatch(self) -> None:
        turn = self._turns.next()
        if turn is None:
            await self._pause(_IDLE_SECONDS)
            return
        chunk = await self._duties.dispatch.take(turn.partition)
        if chunk is None:
            self._turns.rest(turn, self._clock.monotonic() + _REST_SECONDS)
            return
        with self._telemetry.process(chunk):
            await self._duties.dispatch.send(chunk, turn.transport)

    async def _receive(self) -> None:
        for turn in self._all_turns():
            while await self._duties.receive(turn.partition, turn.transport):
                if self._stop.is_set():
                    return

    async def _finish(self) -> None:
        for tenant, broadcast in list(self._open):
            if await self._duties.finish(tenant, broadcast):
                self._open.remove((tenant, broadcast))


class _Telemetry:
    """Spans and metrics of the messaging conventions; one of each a chunk, never a delivery."""

    def __init__(self) -> None:
        self._tracer = telemetry.tracer(__name__)
        meter = telemetry.meter(__name__)
        self._duration = telemetry.duration_histogram(
            meter, messaging_metrics.MESSAGING_PROCESS_DURATION, "Duration of processing a chunk."
        )
        self._consumed = meter.create_counter(
            messaging_metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES,
            "{message}",
            "Deliveries that were dispatched.",
        )

    @contextmanager
    def plan(self, job: PlanJob) -> Iterator[None]:
        """Around the planning of a broadcast."""
        with self._tracer.start_as_current_span(
            "process messaging:jobs",
            kind=trace.SpanKind.CONSUMER,
            links=telemetry.link_from({"traceparent": job.traceparent}),
            attributes=_ATTRIBUTES | {names.MESSAGING_CONSUMER_GROUP_NAME: "planners"},
        ):
            yield

    @contextmanager
    def process(self, chunk: Chunk) -> Iterator[None]:
        """Around the dispatch of a chunk."""
        started = time.perf_counter()
        attributes: dict[str, str | int] = dict(_ATTRIBUTES)
        with self._tracer.start_as_current_span(
            "process messaging:chunks",
            kind=trace.SpanKind.CONSUMER,
            links=telemetry.link_from({"traceparent": chunk.traceparent}),
            attributes=attributes | {names.MESSAGING_BATCH_MESSAGE_COUNT: chunk.size},
        ):
            try:
                yield
            except Exception as error:
                attributes[telemetry.ERROR_TYPE] = type(error).__name__
                raise
            else:
                self._consumed.add(chunk.size, attributes)
            finally:
                self._duration.record(time.perf_counter() - started, attributes)
