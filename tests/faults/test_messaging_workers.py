"""Workers are killed and stopped at bad moments; then the deliveries are counted.

Nothing may be lost: every delivery is settled. Nothing may be posted twice: the provider's own
books show one post for each. And no count may ever go back.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb

from services.messaging.domain.deliveries import SETTLED, DeliveryState
from tests.faults.messaging_workers import (
    Provider,
    is_being_planned,
    pending_chunks,
    provider_of,
    states_of,
    workers,
)
from tests.servers.process import ServerProcess
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until
from tests.unit.messaging.platform import Platform, open_platform
from tests.unit.messaging.register import a_register

DELIVERIES = 30_000
DEADLINE_SECONDS = 90.0
KILLS = 4


@pytest.fixture
async def platform(
    own_valkey: ValkeyServer, unique: str, tmp_path: Path
) -> AsyncIterator[Platform]:
    async with open_platform(own_valkey.url, unique, tmp_path) as opened:
        register = a_register(districts=10, booths=10, groups=DELIVERIES // 100)
        opened.register = opened.groups.registers[unique] = register
        yield opened


async def started(platform: Platform) -> str:
    client = platform.composer
    return str((await client.start(await client.create(platform.register))).id)


async def told(platform: Platform, broadcast_id: str) -> list[pb.Progress]:
    """Every look of a watcher, to the end."""
    watch = platform.composer.watch(pb.WatchProgressRequest(broadcast_id=broadcast_id))
    return [progress async for progress in watch]


def check_books(states: bytes, provider: Provider) -> None:
    assert len(states) == DELIVERIES
    assert set(states) <= SETTLED, "lost"
    assert provider.posted == DELIVERIES, "posted twice, or not at all"
    refused = [at for at, outcome in enumerate(provider.outcomes) if outcome == 2]
    assert refused
    assert {states[at] for at in refused} == {DeliveryState.FAILED}


def check_never_back(looks: list[pb.Progress]) -> None:
    untouched = [look.counts.planned for look in looks if look.counts.total]
    settled = [look.counts.total - look.counts.planned - look.counts.accepted for look in looks]
    assert untouched == sorted(untouched, reverse=True)
    assert settled == sorted(settled)
    assert looks[-1].state == pb.BROADCAST_STATE_COMPLETED
    assert settled[-1] == DELIVERIES


@pytest.mark.parametrize("seed", [1, 2])
async def test_workers_killed_at_random_points_lose_and_double_nothing(
    platform: Platform, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    # Evidence of a delivery comes in two steps, so the points lie all over the work.
    points = sorted(chance.randrange(2 * DELIVERIES) for _ in range(KILLS))
    with workers(platform, tmp_path) as some:
        broadcast_id = await started(platform)
        watching = asyncio.ensure_future(told(platform, broadcast_id))
        planner = some.start()
        await wait_until(lambda: is_being_planned(platform), DEADLINE_SECONDS, "planning")
        planner.kill()
        for point in points:
            victim = some.start()
            await _reached(platform, broadcast_id, point, victim)
            victim.kill()
        some.start()
        looks = await asyncio.wait_for(watching, DEADLINE_SECONDS)
        await wait_until(lambda: _is_closed(platform, broadcast_id), DEADLINE_SECONDS, "closed")

    check_books(await states_of(platform, broadcast_id), await provider_of(platform, broadcast_id))
    check_never_back(looks)


async def _reached(
    platform: Platform, broadcast_id: str, point: int, worker: ServerProcess
) -> None:
    async def reached() -> bool:
        assert worker.running, worker.log_tail()
        states = await states_of(platform, broadcast_id)
        accepted = len(states) - states.count(DeliveryState.PLANNED)
        settled = sum(states.count(state) for state in SETTLED)
        return accepted + settled > point or settled == DELIVERIES

    await wait_until(reached, DEADLINE_SECONDS, f"evidence {point}")


async def _is_closed(platform: Platform, broadcast_id: str) -> bool:
    """Whether it is completed and nothing more is expected of it."""
    found = await platform.composer.get(broadcast_id)
    opened: Any = await platform.adapters.client.smembers(f"messaging:{{{platform.tenant}}}:open")
    return found.state == pb.BROADCAST_STATE_COMPLETED and broadcast_id.encode() not in opened


async def test_a_worker_stopped_past_its_lease_comes_back_and_changes_nothing(
    platform: Platform, tmp_path: Path
) -> None:
    with workers(platform, tmp_path, CHUNKS_AT_ONCE="8") as some:
        broadcast_id = await started(platform)
        zombie = some.start()
        await _stopped_with_chunks_in_hand(platform, broadcast_id, zombie)
        some.start()
        await wait_until(lambda: _all_committed(platform, broadcast_id), DEADLINE_SECONDS, "heir")

        os.kill(zombie.pid, signal.SIGCONT)

        # It goes on where it stood: its commit is refused, or it finds its connections too old.
        await wait_until(lambda: _has_lost(zombie), 30, "the zombie has noticed")
        await wait_until(lambda: _is_closed(platform, broadcast_id), DEADLINE_SECONDS, "closed")
        states = await states_of(platform, broadcast_id)
        check_books(states, await provider_of(platform, broadcast_id))
        again = await started(platform)
        await wait_until(lambda: _is_closed(platform, again), DEADLINE_SECONDS, "closed")
        assert zombie.running
        assert await states_of(platform, broadcast_id) == states
        check_books(await states_of(platform, again), await provider_of(platform, again))


async def _all_committed(platform: Platform, broadcast_id: str) -> bool:
    states = await states_of(platform, broadcast_id)
    return not states.count(DeliveryState.PLANNED) and not await pending_chunks(
        platform, broadcast_id
    )


def _has_lost(worker: ServerProcess) -> bool:
    log = worker.log.read_text()
    return "chunk was taken over" in log or "worker waits" in log


async def _stopped_with_chunks_in_hand(
    platform: Platform, broadcast_id: str, worker: ServerProcess
) -> None:
    """Stop the worker when it holds chunks; let it on for a moment when it holds none."""

    async def stopped() -> bool:
        assert worker.running, worker.log_tail()
        states = await states_of(platform, broadcast_id)
        if states.count(DeliveryState.PLANNED) in {0, DELIVERIES}:
            return False
        os.kill(worker.pid, signal.SIGSTOP)
        if await pending_chunks(platform, broadcast_id):
            return True
        os.kill(worker.pid, signal.SIGCONT)
        return False

    await wait_until(stopped, DEADLINE_SECONDS, "stopped with chunks in hand")


async def test_a_drained_worker_leaves_nothing_to_wait_for(
    platform: Platform, tmp_path: Path
) -> None:
    """SIGTERM in the midst: what it holds is finished, and it ends by itself with code 0."""
    with workers(platform, tmp_path) as some:
        broadcast_id = await started(platform)
        drained = some.start()
        await _reached(platform, broadcast_id, 1_000, drained)
        os.kill(drained.pid, signal.SIGTERM)
        assert await asyncio.to_thread(drained.wait, 30.0) == 0, drained.log_tail()
        assert await pending_chunks(platform, broadcast_id) == 0
        some.start()
        await wait_until(lambda: _is_closed(platform, broadcast_id), DEADLINE_SECONDS, "closed")

    provider = await provider_of(platform, broadcast_id)
    check_books(await states_of(platform, broadcast_id), provider)
    assert provider.repeated == 0
