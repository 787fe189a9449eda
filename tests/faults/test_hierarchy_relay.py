"""hierarchy's worker is killed while it relays; then the streams are held against the store.

No event is lost, none is out of order, and one that is relayed again changes nothing.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.redis import open_redis
from tests.faults.hierarchy_platform import environment_of
from tests.faults.hierarchy_relays import DEADLINE_SECONDS, EVENTS_EACH, Relays
from tests.faults.hierarchy_stores import open_world
from tests.hierarchy_processes import process
from tests.servers.neo4j.server import Neo4jServer
from tests.timing import wait_until

KILLS = 4


@pytest.fixture
async def relays(
    neo4j: Neo4jServer | None, tmp_path: Path, unique: str, valkey_url: str
) -> AsyncIterator[Relays]:
    client = open_redis(valkey_url)
    try:
        async with open_world(tmp_path, neo4j, unique) as world:
            yield Relays(world, client)
    finally:
        await client.aclose()


async def test_a_worker_killed_while_it_relays_loses_and_doubles_nothing(
    relays: Relays, neo4j: Neo4jServer | None, tmp_path: Path, valkey_url: str
) -> None:
    environ = environment_of(
        tmp_path,
        neo4j.uri if neo4j else None,
        REDIS_URL=valkey_url,
        RELAY_INTERVAL_SECONDS="0.01",
    )
    chance = random.Random(3)
    points = sorted(chance.sample(range(1, 2 * EVENTS_EACH - 400), KILLS))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relays.write())
        for point in points:
            with process(tmp_path, environ, "worker") as worker:

                async def reached(point: int = point) -> bool:
                    return await relays.relayed() >= point

                await wait_until(reached, DEADLINE_SECONDS, f"event {point}")
                # The last time for certain with something in hand that is to be repeated.
                await relays.stopped_amid(worker, unmarked=point == points[-1])
                worker.kill()

        with process(tmp_path, environ, "worker") as worker:
            await wait_until(relays.everything, DEADLINE_SECONDS, "all events")
            os.kill(worker.pid, signal.SIGTERM)
            assert await asyncio.to_thread(worker.wait, 20.0) == 0, worker.log_tail()

    await relays.check()
