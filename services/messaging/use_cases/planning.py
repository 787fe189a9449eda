"""Planning a broadcast: its audience becomes deliveries, written down in partitions.

A planner may be killed at any moment. Its job is then taken by another under the next generation,
which writes partitions of its own; only the generation that `finalise` names is ever read.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from kit.clock import Clock
from kit.deadline import Deadline
from kit.errors import (
    DeadlineExceeded,
    InvalidInput,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
    Unavailable,
)
from kit.retry import delays
from services.messaging.domain.broadcasts import Broadcast, BroadcastState, Plan
from services.messaging.domain.errors import LeaseLost
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import TenantId
from services.messaging.domain.partitions import (
    CHUNK_SIZE,
    GROUP_ID_BYTES,
    PARTITION_SIZE,
    Partition,
)
from services.messaging.ports import Audiences, Broadcasts, DeliveryLog, PlanJob, PlanJobs

# A lakh resolves in well under a second; this only ends a call that hangs.
_RESOLVE_SECONDS = 120.0
# While one planner holds the job it tries again quickly; later the next one does.
_TRIES = 6
# With a lease of 15 s, about an hour.
MAX_GENERATIONS = 240

# What the register may answer that asking again may mend, and what it will not.
TRANSIENT = (Unavailable, DeadlineExceeded, LimitExceeded)
_FINAL = (InvalidInput, NotFound, PreconditionFailed)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Writing:
    """How much one try has written."""

    partitions: int = 0
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class PlanBroadcast:
    """Takes jobs of planning and does them."""

    broadcasts: Broadcasts
    jobs: PlanJobs
    log: DeliveryLog
    audiences: Audiences
    clock: Clock
    consumer: str
    lease: timedelta
    partition_size: int = PARTITION_SIZE
    chunk_size: int = CHUNK_SIZE

    async def take(self, tenant: TenantId) -> PlanJob | None:
        """A job of this tenant that nobody works on, if there is one."""
        return await self.jobs.take(tenant, self.consumer, self.lease)

    async def __call__(self, job: PlanJob) -> None:
        """Do a job. When somebody else took it over meanwhile, nothing of ours remains.

        Raises:
            Unavailable: The register or the store is down; the job is left for a later take.
        """
        writing = _Writing()
        try:
            async with asyncio.TaskGroup() as tasks:
                beating = tasks.create_task(self._keep_alive(job))
                await self._plan(job, writing)
                beating.cancel()
        except ExceptionGroup as failures:
            lost, others = failures.split(LeaseLost)
            if lost is not None:
                await self._clear(job, writing)
            if others is not None:
                raise others.exceptions[0] from failures

    async def _keep_alive(self, job: PlanJob) -> None:
        while True:
            await self.clock.sleep(self.lease.total_seconds() / 3)
            await self.jobs.hold(job)

    async def _plan(self, job: PlanJob, writing: _Writing) -> None:
        [broadcast] = await self.broadcasts.get(job.tenant, [job.broadcast_id])
        if broadcast is None or broadcast.state is not BroadcastState.PLANNING:
            await self._give_up(job, "NOT_PLANNABLE")
            return
        if job.generation > MAX_GENERATIONS:
            await self._give_up(job, "PLANNING_GAVE_UP")
            return
        try:
            plan, frame = await self._write(job, broadcast, writing)
        except _FINAL as error:
            await self._give_up(job, error.reason)
            return
        if not plan.delivery_count:
            await self._give_up(job, "AUDIENCE_SELECTS_NOTHING")
            return
        await self.jobs.finalise(job, plan, frame)
        _log.info("broadcast planned", extra={"deliveries": plan.delivery_count})
        for earlier in range(1, job.generation):
            await self.log.drop_generation(job.tenant, job.broadcast_id, earlier)

    async def _write(
        self, job: PlanJob, broadcast: Broadcast, writing: _Writing
    ) -> tuple[Plan, Frame]:
        waits = delays(_TRIES)
        while True:
            deadline = Deadline.after(_RESOLVE_SECONDS, self.clock)
            resolved = self.audiences.resolve(job.tenant, broadcast.draft.audience, deadline)
            try:
                return await self._write_all(job, resolved, writing)
            except TRANSIENT:
                wait = next(waits, None)
                if wait is None:
                    raise
            # What was written is of a snapshot that the next try may not see again.
            await self._drop(job, writing)
            await self.clock.sleep(wait)

    async def _write_all(
        self, job: PlanJob, resolved: AsyncIterator[bytes | Frame], writing: _Writing
    ) -> tuple[Plan, Frame]:
        frame = Frame.empty()
        waiting = bytearray()
        full = self.partition_size * GROUP_ID_BYTES
        async for part in resolved:
            if isinstance(part, Frame):
                frame = part
                continue
            waiting += part
            while len(waiting) >= full:
                await self._write_one(job, writing, bytes(waiting[:full]))
                del waiting[:full]
        if waiting:
            await self._write_one(job, writing, bytes(waiting))
        return Plan(job.generation, writing.deliveries, self.partition_size), frame

    async def _write_one(self, job: PlanJob, writing: _Writing, group_ids: bytes) -> None:
        partition = Partition(
            tenant=job.tenant,
            broadcast_id=job.broadcast_id,
            generation=job.generation,
            number=writing.partitions,
            start=writing.deliveries,
            size=len(group_ids) // GROUP_ID_BYTES,
        )
        # Counted first: a write whose answer is lost has to be cleared too.
        writing.partitions += 1
        writing.deliveries += partition.size
        await self.log.write_partition(partition, group_ids, self.chunk_size, job.traceparent)

    async def _give_up(self, job: PlanJob, reason: str) -> None:
        _log.warning("broadcast cannot be planned", extra={"reason": reason})
        await self.jobs.fail(job, reason, self.clock.now())
        for generation in range(1, job.generation + 1):
            await self.log.drop_generation(job.tenant, job.broadcast_id, generation)

    async def _clear(self, job: PlanJob, writing: _Writing) -> None:
        """Forget what an overtaken planner wrote, unless it is the plan after all."""
        _log.info("planning was taken over", extra={"generation": job.generation})
        [broadcast] = await self.broadcasts.get(job.tenant, [job.broadcast_id])
        plan = broadcast.plan if broadcast else None
        if plan is None or plan.generation != job.generation:
            await self._drop(job, writing)

    async def _drop(self, job: PlanJob, writing: _Writing) -> None:
        await self.log.drop_generation(
            job.tenant, job.broadcast_id, job.generation, writing.partitions
        )
        writing.partitions = writing.deliveries = 0
