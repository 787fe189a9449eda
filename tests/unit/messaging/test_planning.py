"""Planning: killed, overtaken, with a register that is down, breaks off or has changed its mind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb

from kit.errors import (
    ChaupalError,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import TenantId
from services.messaging.domain.partitions import Partition, partitions_of
from services.messaging.ports import PlanJob
from services.messaging.use_cases.planning import MAX_GENERATIONS, PlanBroadcast
from tests.timing import wait_until
from tests.unit.messaging.platform import Platform
from tests.unit.messaging.register import ListedGroups, Register, a_register
from tests.unit.messaging.support import LONG_LEASE, NO_LEASE


def a_planner(platform: Platform, consumer: str = "one", **changes: object) -> PlanBroadcast:
    """Partitions of ten deliveries in chunks of four, so that 24 are three partitions."""
    adapters = platform.adapters
    planner = PlanBroadcast(
        broadcasts=adapters.broadcasts,
        jobs=adapters.jobs,
        log=adapters.log,
        audiences=adapters.audiences,
        clock=adapters.clock,
        consumer=consumer,
        lease=LONG_LEASE,
        partition_size=10,
        chunk_size=4,
    )
    return replace(planner, **changes)  # type: ignore[arg-type]


async def a_job(platform: Platform, planner: PlanBroadcast) -> PlanJob:
    job = await planner.take(TenantId(platform.tenant))
    assert job is not None
    return job


async def started(platform: Platform) -> pb.Broadcast:
    client = platform.composer
    return await client.start(await client.create(platform.register))


async def partition_keys(platform: Platform, broadcast_id: str) -> set[tuple[int, int]]:
    """Number and generation of every partition that the store holds anything of."""
    pattern = f"messaging:{{{platform.tenant}:{broadcast_id}:*"
    found = set()
    async for key in platform.adapters.client.scan_iter(match=pattern, count=1_000):
        tag, _, rest = key.decode().partition("}:")
        found.add((int(tag.rsplit(":", 1)[1]), int(rest.split(":")[0])))
    return found


async def planned_groups(platform: Platform, broadcast_id: str) -> list[str]:
    return [each.group_id for each in await platform.composer.deliveries(broadcast_id)]


def all_groups(platform: Platform) -> list[str]:
    return [group for unit in platform.register.groups for group in unit]


async def test_every_group_is_written_once_in_tree_order(platform: Platform) -> None:
    broadcast = await started(platform)
    planner = a_planner(platform)

    await planner(await a_job(platform, planner))

    found = await platform.composer.get(broadcast.id)
    assert (found.state, found.delivery_count) == (pb.BROADCAST_STATE_RUNNING, 24)
    assert await planned_groups(platform, broadcast.id) == all_groups(platform)
    assert await partition_keys(platform, broadcast.id) == {(0, 1), (1, 1), (2, 1)}
    assert await planner.take(TenantId(platform.tenant)) is None


class Dying:
    """A port whose caller is killed when it calls one method once more than `calls` times."""

    def __init__(self, port: object, method: str, calls: int) -> None:
        self._port, self._method, self._calls = port, method, calls

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            if not self._calls:
                raise asyncio.CancelledError
            self._calls -= 1
        return getattr(self._port, name)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
async def test_a_killed_planners_work_is_done_again_from_nothing(
    platform: Platform, writes: int
) -> None:
    broadcast = await started(platform)
    killed = a_planner(
        platform,
        "killed",
        log=Dying(platform.adapters.log, "write_partition", writes),
        # With all three written it dies on the threshold.
        jobs=Dying(platform.adapters.jobs, "finalise", 0),
    )
    with pytest.raises(asyncio.CancelledError):
        await killed(await a_job(platform, killed))
    assert await partition_keys(platform, broadcast.id) == {(n, 1) for n in range(writes)}
    # Meanwhile the register has changed.
    platform.groups.registers[platform.tenant] = changed = _without_last(platform)

    heir = a_planner(platform, "heir", lease=NO_LEASE)
    job = await a_job(platform, heir)
    await replace(heir, lease=LONG_LEASE)(job)

    assert job.generation == 2
    groups = [group for unit in changed.groups for group in unit]
    assert await planned_groups(platform, broadcast.id) == groups
    assert await partition_keys(platform, broadcast.id) == {(0, 2), (1, 2), (2, 2)}


def _without_last(platform: Platform) -> Register:
    register = platform.register
    groups = [*register.groups[:-1], register.groups[-1][:-1]]
    return replace(register, groups=groups)


class GatedGroups:
    """Stops in the midst of an audience until it is let on."""

    def __init__(self, platform: Platform) -> None:
        self._audiences = platform.adapters.audiences
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def resolve(self, *asked: object) -> AsyncIterator[bytes | Frame]:
        async for part in self._audiences.resolve(*asked):  # type: ignore[arg-type]
            if isinstance(part, Frame):
                self.reached.set()
                await self.go.wait()
            yield part


async def test_an_overtaken_planner_leaves_nothing_and_changes_nothing(platform: Platform) -> None:
    broadcast = await started(platform)
    gate = GatedGroups(platform)
    zombie = a_planner(platform, "zombie", audiences=gate)
    stuck = asyncio.ensure_future(zombie(await a_job(platform, zombie)))
    await gate.reached.wait()
    assert (0, 1) in await partition_keys(platform, broadcast.id)

    heir = a_planner(platform, "heir", lease=NO_LEASE)
    job = await a_job(platform, heir)
    await replace(heir, lease=LONG_LEASE)(job)
    before = await platform.composer.get(broadcast.id)
    gate.go.set()
    await stuck

    assert await platform.composer.get(broadcast.id) == before
    assert await planned_groups(platform, broadcast.id) == all_groups(platform)
    assert await partition_keys(platform, broadcast.id) == {(0, 2), (1, 2), (2, 2)}


async def test_a_planner_that_learns_of_its_loss_stops(platform: Platform) -> None:
    """The heartbeat tells it, while the register still keeps it waiting."""
    broadcast = await started(platform)
    gate = GatedGroups(platform)
    zombie = a_planner(platform, "zombie", audiences=gate, lease=timedelta(milliseconds=60))
    stuck = asyncio.ensure_future(zombie(await a_job(platform, zombie)))
    await gate.reached.wait()

    heir = a_planner(platform, "heir", lease=NO_LEASE)
    assert (await a_job(platform, heir)).generation >= 2
    await stuck

    assert not gate.go.is_set()
    assert await partition_keys(platform, broadcast.id) == set()


async def test_a_slow_planner_keeps_its_job_by_its_heartbeat(platform: Platform) -> None:
    broadcast = await started(platform)
    gate = GatedGroups(platform)
    lease = timedelta(seconds=1)
    slow = a_planner(platform, "slow", audiences=gate, lease=lease)
    planning = asyncio.ensure_future(slow(await a_job(platform, slow)))
    await gate.reached.wait()
    other = a_planner(platform, "other", lease=lease)
    end = asyncio.get_running_loop().time() + 2 * lease.total_seconds()
    while asyncio.get_running_loop().time() < end:
        assert await other.take(TenantId(platform.tenant)) is None
    gate.go.set()
    await planning
    assert await partition_keys(platform, broadcast.id) == {(0, 1), (1, 1), (2, 1)}


async def test_a_register_that_restarts_is_asked_again(platform: Platform) -> None:
    broadcast = await started(platform)
    platform.groups.down = 5  # more than the channel tries by itself
    planner = a_planner(platform)
    await planner(await a_job(platform, planner))
    assert await planned_groups(platform, broadcast.id) == all_groups(platform)


async def test_a_register_that_stays_down_leaves_the_job_for_later(platform: Platform) -> None:
    broadcast = await started(platform)
    platform.groups.down = 10_000
    planner = a_planner(platform)
    with pytest.raises(Unavailable):
        await planner(await a_job(platform, planner))
    assert (await platform.composer.get(broadcast.id)).state == pb.BROADCAST_STATE_PLANNING
    platform.groups.down = 0

    again = a_planner(platform, lease=NO_LEASE)
    job = await a_job(platform, again)
    await replace(again, lease=LONG_LEASE)(job)
    assert await planned_groups(platform, broadcast.id) == all_groups(platform)


async def test_a_register_that_refuses_our_credential_is_asked_again(platform: Platform) -> None:
    """An expired token of our own is mended outside, while the planner waits."""
    broadcast = await started(platform)
    platform.groups.refusal = Unauthenticated()
    planner = a_planner(platform)
    planning = asyncio.ensure_future(planner(await a_job(platform, planner)))
    await wait_until(lambda: platform.groups.calls.count("ResolveAudience") > 1, 10, "again")
    platform.groups.refusal = None
    await planning
    assert await planned_groups(platform, broadcast.id) == all_groups(platform)


async def test_an_audience_that_breaks_off_is_not_taken_for_whole(platform: Platform) -> None:
    broadcast = await started(platform)
    platform.groups.cut_after = 2  # header and targets, no frame
    planner = a_planner(platform)
    with pytest.raises(Unavailable) as broken:
        await planner(await a_job(platform, planner))
    assert broken.value.reason == "AUDIENCE_INCOMPLETE"
    assert (await platform.composer.get(broadcast.id)).state == pb.BROADCAST_STATE_PLANNING


@pytest.mark.parametrize("wrong", ["ends", "parents", "levels"])
async def test_a_frame_that_contradicts_itself_is_refused(platform: Platform, wrong: str) -> None:
    platform.groups.spoil = wrong
    await started(platform)
    planner = a_planner(platform)
    with pytest.raises(Unavailable) as broken:
        await planner(await a_job(platform, planner))
    assert broken.value.reason == "AUDIENCE_INCOMPLETE"


def _no_units(groups: ListedGroups, tenant: str) -> None:
    groups.registers[tenant] = a_register()


def _no_groups(groups: ListedGroups, tenant: str) -> None:
    register = groups.registers[tenant]
    groups.registers[tenant] = replace(register, groups=[[] for _ in register.groups])


@pytest.mark.parametrize(
    ("change", "reason"),
    [(_no_units, "UNKNOWN_UNIT"), (_no_groups, "AUDIENCE_SELECTS_NOTHING")],
)
async def test_what_cannot_be_planned_fails_with_its_reason(
    platform: Platform, change: object, reason: str
) -> None:
    broadcast = await started(platform)
    change(platform.groups, platform.tenant)  # type: ignore[operator]
    planner = a_planner(platform)

    await planner(await a_job(platform, planner))

    failed = await platform.composer.get(broadcast.id)
    assert (failed.state, failed.failure_reason) == (pb.BROADCAST_STATE_FAILED, reason)
    assert failed.delivery_count == 0
    assert failed.HasField("completed_at")
    assert await partition_keys(platform, broadcast.id) == set()
    watch = platform.composer.watch(pb.WatchProgressRequest(broadcast_id=broadcast.id))
    assert [progress.state async for progress in watch] == [pb.BROADCAST_STATE_FAILED]


@pytest.mark.parametrize("refusal", [NotFound(), PreconditionFailed()], ids=lambda e: e.reason)
async def test_what_asking_again_does_not_mend_ends_the_planning(
    platform: Platform, refusal: ChaupalError
) -> None:
    broadcast = await started(platform)
    platform.groups.refusal = refusal
    planner = a_planner(platform)
    await planner(await a_job(platform, planner))
    failed = await platform.composer.get(broadcast.id)
    assert (failed.state, failed.failure_reason) == (pb.BROADCAST_STATE_FAILED, refusal.reason)


async def test_a_register_that_is_busy_is_asked_again(platform: Platform) -> None:
    broadcast = await started(platform)
    platform.groups.refusal = LimitExceeded()
    planner = a_planner(platform)
    planning = asyncio.ensure_future(planner(await a_job(platform, planner)))
    await wait_until(lambda: platform.groups.calls.count("ResolveAudience") > 1, 10, "again")
    platform.groups.refusal = None
    await planning
    assert await planned_groups(platform, broadcast.id) == all_groups(platform)


async def test_a_job_that_kills_its_planners_is_given_up(platform: Platform) -> None:
    broadcast = await started(platform)
    planner = a_planner(platform, lease=NO_LEASE)
    job = await a_job(platform, planner)
    while job.generation <= MAX_GENERATIONS:
        job = await a_job(platform, planner)

    await replace(planner, lease=LONG_LEASE)(job)

    failed = await platform.composer.get(broadcast.id)
    assert (failed.state, failed.failure_reason) == (
        pb.BROADCAST_STATE_FAILED,
        "PLANNING_GAVE_UP",
    )


async def test_partitions_lie_one_after_the_other(platform: Platform) -> None:
    broadcast = await started(platform)
    planner = a_planner(platform)
    await planner(await a_job(platform, planner))
    tenant = TenantId(platform.tenant)
    [found] = await platform.adapters.broadcasts.open(tenant)
    assert found.id == broadcast.id
    assert list(_spans(partitions_of(tenant, found))) == [(0, 10), (10, 20), (20, 24)]


def _spans(partitions: tuple[Partition, ...]) -> Iterator[tuple[int, int]]:
    return ((each.start, each.end) for each in partitions)
