"""The `PlanJobs` port over a stream of each tenant.

The stream's pending-entries list is the lease: idle time is the heartbeat, owner and delivery
count the fencing token.
"""

from datetime import datetime, timedelta

from services.messaging.adapters.redis.keys import TenantKeys
from services.messaging.adapters.redis.libraries import Libraries
from services.messaging.adapters.redis.records import frame_to_bytes, microseconds
from services.messaging.adapters.redis.steps import store_step
from services.messaging.domain.broadcasts import BroadcastState, Plan, origin
from services.messaging.domain.errors import BroadcastNotFound, LeaseLost
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.ports import PlanJob


class RedisPlanJobs:
    """Jobs of the consumer group `planners`."""

    def __init__(
        self, libraries: Libraries, keep_consumers: timedelta = timedelta(hours=1)
    ) -> None:
        self._functions = libraries.broadcasts
        self._keep_milliseconds = keep_consumers // timedelta(milliseconds=1)

    async def take(self, tenant: TenantId, consumer: str, lease: timedelta) -> PlanJob | None:
        with store_step("FCALL take_job"):
            answer = await self._functions.call(
                "take_job",
                keys=[TenantKeys(tenant).jobs],
                args=[consumer, lease // timedelta(milliseconds=1)],
            )
        if not answer:
            return None
        entry, generation, broadcast, traceparent = answer
        return PlanJob(
            tenant=tenant,
            broadcast_id=BroadcastId(broadcast.decode()),
            entry_id=entry.decode(),
            consumer=consumer,
            generation=generation,
            traceparent=traceparent.decode(),
        )

    async def hold(self, job: PlanJob) -> None:
        with store_step("FCALL hold_job"):
            answer = await self._functions.call(
                "hold_job", keys=[TenantKeys(job.tenant).jobs], args=_fence(job)
            )
        _check(job, answer)

    async def finalise(self, job: PlanJob, plan: Plan, frame: Frame) -> None:
        keys = TenantKeys(job.tenant)
        state = BroadcastState.RUNNING
        with store_step("FCALL finalise_plan"):
            answer = await self._functions.call(
                "finalise_plan",
                keys=[
                    keys.jobs,
                    keys.broadcast(job.broadcast_id),
                    keys.frame(job.broadcast_id),
                    keys.open,
                ],
                args=[
                    *_fence(job),
                    job.broadcast_id,
                    origin(state),
                    state,
                    plan.partition_size,
                    plan.delivery_count,
                    frame_to_bytes(frame),
                    self._keep_milliseconds,
                ],
            )
        _check(job, answer)

    async def fail(self, job: PlanJob, reason: str, failed_at: datetime) -> None:
        keys = TenantKeys(job.tenant)
        state = BroadcastState.FAILED
        with store_step("FCALL fail_plan"):
            answer = await self._functions.call(
                "fail_plan",
                keys=[keys.jobs, keys.broadcast(job.broadcast_id)],
                args=[
                    *_fence(job),
                    origin(state),
                    state,
                    microseconds(failed_at),
                    reason,
                    self._keep_milliseconds,
                ],
            )
        _check(job, answer)


def _fence(job: PlanJob) -> list[str | int]:
    return [job.consumer, job.entry_id, job.generation]


def _check(job: PlanJob, answer: list[bytes]) -> None:
    match answer:
        case [b"ok"]:
            return
        case [b"missing"]:
            raise BroadcastNotFound(job.broadcast_id)
        case _:
            # Also when the broadcast has moved on: then somebody else finished the job.
            raise LeaseLost(job.entry_id)
