"""Waits until every process is ready and the demo tenants are there."""

import asyncio
from collections.abc import Callable, Iterable

from cli.demo.sizes import NO_DEMO
from cli.errors import Refusal
from cli.identity.issuer import DevelopmentIssuer
from cli.launcher.child import log_tail
from cli.launcher.health import wait_http_serving, wait_serving
from cli.launcher.ports import HOST
from cli.launcher.processes import PROCESSES, Process, Wiring
from cli.launcher.seeding import seed

# Ready takes about five seconds; ten times that is a machine that swaps, or a fault.
_READY_SECONDS = 60.0
# A state's 360,000 rows take under a minute, and some minutes over a graph in Neo4j.
_SEED_SECONDS = 1_800.0


async def wait_ready(
    wiring: Wiring, issuer: DevelopmentIssuer, scale: str, say: Callable[[str], None]
) -> None:
    """Wait for health and demo data.

    Raises:
        Refusal: Something was not ready in time; names it and shows the end of its log.
    """
    async with asyncio.TaskGroup() as group:
        waiting = {process.name: group.create_task(_wait(process, wiring)) for process in PROCESSES}
        group.create_task(_bounded(waiting, wiring))
        if scale != NO_DEMO:
            await asyncio.gather(waiting["hierarchy"], waiting["groups"])
            async with asyncio.timeout(_SEED_SECONDS):
                await seed(wiring, issuer, scale, say)


async def _wait(process: Process, wiring: Wiring) -> None:
    if process.speaks_http:
        await wait_http_serving(HOST, wiring.ports[process.name])
    else:
        await wait_serving(wiring.target(process.name))


async def _bounded(waiting: dict[str, asyncio.Task[None]], wiring: Wiring) -> None:
    _, late = await asyncio.wait(waiting.values(), timeout=_READY_SECONDS)
    if late:
        raise _late([name for name, task in waiting.items() if task in late], wiring)


def _late(names: Iterable[str], wiring: Wiring) -> Refusal:
    tails = "\n".join(
        f"{name}, the end of {wiring.folder.log(name)}:\n{log_tail(wiring.folder.log(name))}"
        for name in names
    )
    return Refusal(
        "NOT_READY",
        f"not ready within {_READY_SECONDS:g} s: {', '.join(names)}",
        tails,
        processes=list(names),
    )
