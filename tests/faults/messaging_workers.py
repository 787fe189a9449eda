"""Real worker processes over a running platform, and what one counts after hurting them."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.messaging.domain.broadcasts import Broadcast
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import partitions_of
from tests.servers.process import ServerProcess
from tests.unit.messaging.platform import Platform

LEASE_SECONDS = 1.0


@dataclass
class Workers:
    """Starts workers of one platform and never leaves one behind."""

    platform: Platform
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    started: list[ServerProcess] = field(default_factory=list)

    def start(self) -> ServerProcess:
        """One more worker process."""
        settings = self.platform.settings
        name = f"worker-{len(self.started)}"
        process = ServerProcess(
            name,
            [sys.executable, "-m", "services.messaging", "worker"],
            self.folder / f"{name}.log",
            {
                **os.environ,
                **self.platform.identity.variables(),
                "REDIS_URL": settings.redis_url,
                "GROUPS_TARGET": settings.groups_target,
                "SIMULATOR_SEED": "11",
                "SIMULATOR_MEDIAN_DELAY_SECONDS": "0.15",
                "SIMULATOR_FAILURE_RATE": "0.1",
                "LEASE_SECONDS": str(LEASE_SECONDS),
                **self.environ,
            },
        )
        self.started.append(process)
        return process

    def stop_all(self) -> None:
        for each in self.started:
            if each.running:
                os.kill(each.pid, signal.SIGCONT)
                each.kill()


@contextmanager
def workers(platform: Platform, folder: Path, **environ: str) -> Iterator[Workers]:
    """Workers that end with the block."""
    some = Workers(platform, folder, environ)
    try:
        yield some
    finally:
        some.stop_all()


async def broadcast_of(platform: Platform, broadcast_id: str) -> Broadcast:
    [found] = await platform.adapters.broadcasts.get(
        TenantId(platform.tenant), [BroadcastId(broadcast_id)]
    )
    assert found is not None
    return found


async def states_of(platform: Platform, broadcast_id: str) -> bytes:
    """The ledger as it stands; empty before the plan."""
    broadcast = await broadcast_of(platform, broadcast_id)
    partitions = partitions_of(TenantId(platform.tenant), broadcast)
    return (await platform.adapters.log.ledger(partitions)).states if partitions else b""


async def pending_chunks(platform: Platform, broadcast_id: str) -> int:
    """How many chunks somebody holds."""
    pattern = f"messaging:{{{platform.tenant}:{broadcast_id}:*:stream"
    client = platform.adapters.client
    held = [await _held(client, key, "workers") async for key in client.scan_iter(match=pattern)]
    return sum(held)


async def is_being_planned(platform: Platform) -> bool:
    """Whether somebody holds a job of planning."""
    jobs = f"messaging:{{{platform.tenant}}}:jobs"
    return bool(await _held(platform.adapters.client, jobs, "planners"))


async def _held(client: Any, stream: str, group: str) -> int:
    summary = await client.xpending(stream, group)
    return int(summary["pending"])


@dataclass(frozen=True)
class Provider:
    """What the simulated provider's own books say of one broadcast."""

    outcomes: bytes
    posted: int
    repeated: int


async def provider_of(platform: Platform, broadcast_id: str) -> Provider:
    broadcast = await broadcast_of(platform, broadcast_id)
    outcomes, posted, repeated = b"", 0, 0
    for partition in partitions_of(TenantId(platform.tenant), broadcast):
        root = f"simulator:{{{platform.tenant}:{broadcast_id}:{partition.number}}}"
        kept: Any = await platform.adapters.client.get(f"{root}:posts")
        tally: Any = await platform.adapters.client.hgetall(f"{root}:tally")
        outcomes += kept
        posted += int(tally.get(b"posted", 0))
        repeated += int(tally.get(b"repeated", 0))
    return Provider(outcomes, posted, repeated)
