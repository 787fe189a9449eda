"""The composition root: the one file that knows every piece of messaging."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chaupal.messaging.v1.messaging_pb2_grpc import add_MessagingServiceServicer_to_server

from kit.channel import open_channel
from kit.clock import Clock, SystemClock
from kit.ids import Ids, SystemIds
from kit.redis import RedisClient, check_durability, open_redis
from kit.server import Server, ServiceRegistration, build_server, serve
from kit.tokens import FileTokenSource, build_verifier
from services.messaging.adapters import groups_client
from services.messaging.adapters.counting import NumpyCounting
from services.messaging.adapters.groups_client import GroupsAudiences
from services.messaging.adapters.redis import (
    Libraries,
    RedisBroadcasts,
    RedisDeliveryLog,
    RedisPlanJobs,
)
from services.messaging.adapters.simulator import Simulator, World, open_simulator
from services.messaging.config import Settings, WorkerSettings
from services.messaging.ports import Audiences
from services.messaging.servicer import SERVICE_NAME, MessagingServicer, UseCases
from services.messaging.translate.answers import DOMAIN
from services.messaging.use_cases.dispatching import DispatchChunks, ReceiveReceipts
from services.messaging.use_cases.finishing import FinishBroadcast
from services.messaging.use_cases.planning import PlanBroadcast
from services.messaging.use_cases.reading import ListDeliveries, ReadBroadcasts, ReadProgress
from services.messaging.use_cases.watching import WatchProgress
from services.messaging.use_cases.writing import CreateBroadcast, StartBroadcast
from services.messaging.worker import Duties, Worker

WORKER_NAME = "messaging.worker"
SIMULATOR = "simulator"
TRANSPORTS = frozenset({SIMULATOR})

Ready = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Adapters:
    """What stands behind the ports, open."""

    client: RedisClient
    libraries: Libraries
    broadcasts: RedisBroadcasts
    jobs: RedisPlanJobs
    log: RedisDeliveryLog
    counting: NumpyCounting
    simulator: Simulator
    audiences: Audiences
    clock: Clock
    ids: Ids

    async def ready(self) -> str | None:
        """Why the store cannot be used, if so: acknowledged means durable."""
        problems = await check_durability(self.client)
        await self.libraries.load()
        return "; ".join(problems) or None


@asynccontextmanager
async def open_adapters(
    settings: Settings, clock: Clock | None = None, ids: Ids | None = None
) -> AsyncIterator[Adapters]:
    """Everything that the settings choose, open inside the block."""
    clock = clock or SystemClock()
    client = open_redis(settings.redis_url)
    channel = open_channel(
        settings.groups_target,
        service=groups_client.SERVICE_NAME,
        retryable=groups_client.RETRYABLE,
    )
    assert settings.service_token_file is not None  # noqa: S101  # the settings demand it
    try:
        libraries = Libraries.over(client)
        yield Adapters(
            client=client,
            libraries=libraries,
            broadcasts=RedisBroadcasts(client, libraries),
            jobs=RedisPlanJobs(libraries),
            log=RedisDeliveryLog(client, libraries),
            counting=NumpyCounting(),
            simulator=open_simulator(client, clock, _world(settings)),
            audiences=GroupsAudiences(channel, FileTokenSource(settings.service_token_file)),
            clock=clock,
            ids=ids or SystemIds(),
        )
    finally:
        await channel.close()
        await client.aclose()


@asynccontextmanager
async def open_messaging(settings: Settings, adapters: Adapters) -> AsyncIterator[Server]:
    """The server over open adapters, not yet listening."""
    async with _open_use_cases(adapters) as use_cases, asyncio.TaskGroup() as tasks:
        servicer = MessagingServicer(use_cases)
        server = build_server(
            [
                ServiceRegistration(
                    SERVICE_NAME,
                    lambda server: add_MessagingServiceServicer_to_server(servicer, server),
                )
            ],
            verifier=build_verifier(settings, adapters.clock),
            domain=DOMAIN,
            reflection=settings.grpc_reflection,
            ready_checks=[adapters.ready],
            clock=adapters.clock,
            ids=adapters.ids,
        )
        hanging_up = tasks.create_task(_hang_up_when_draining(server, use_cases.watch))
        yield server
        hanging_up.cancel()


def build_worker(settings: WorkerSettings, adapters: Adapters) -> Worker:
    """The worker over open adapters, not yet at work."""
    # Of this start alone: a process that comes back under its old name must not seem to hold
    # what its former self held.
    consumer = f"{socket.gethostname()}-{os.getpid()}-{adapters.ids.new()}"
    transports = {SIMULATOR: adapters.simulator}
    duties = Duties(
        plan=PlanBroadcast(
            broadcasts=adapters.broadcasts,
            jobs=adapters.jobs,
            log=adapters.log,
            audiences=adapters.audiences,
            clock=adapters.clock,
            consumer=consumer,
            lease=settings.lease,
        ),
        dispatch=DispatchChunks(adapters.log, transports, consumer, settings.lease),
        receive=ReceiveReceipts(adapters.log, transports),
        finish=FinishBroadcast(
            broadcasts=adapters.broadcasts,
            log=adapters.log,
            counting=adapters.counting,
            sources=transports,
            clock=adapters.clock,
        ),
    )
    return Worker(
        duties,
        adapters.broadcasts,
        TRANSPORTS,
        adapters.clock,
        ready=adapters.ready,
        chunks_at_once=settings.chunks_at_once,
    )


async def run_server(
    settings: Settings, *, ready: Ready | None = None, stop: asyncio.Event | None = None
) -> None:
    """Serve until SIGTERM, or until `stop` is set."""
    async with (
        open_adapters(settings) as adapters,
        open_messaging(settings, adapters) as server,
    ):
        await serve(server, _address(settings), drain=settings.drain, ready=ready, stop=stop)


async def run_worker(
    settings: WorkerSettings, *, ready: Ready | None = None, stop: asyncio.Event | None = None
) -> None:
    """Work until SIGTERM, or until `stop` is set; then finish what is held, within the drain."""
    async with open_adapters(settings) as adapters, asyncio.TaskGroup() as tasks:
        stopping = asyncio.Event()
        working = tasks.create_task(build_worker(settings, adapters).run(stopping))
        health = build_server(
            [],
            verifier=build_verifier(settings, adapters.clock),
            domain=DOMAIN,
            ready_checks=[adapters.ready],
            health_names=[WORKER_NAME],
        )
        await serve(health, _address(settings), drain=settings.drain, ready=ready, stop=stop)
        stopping.set()
        done, _ = await asyncio.wait([working], timeout=settings.drain.total_seconds())
        if not done:
            # Its leases run out, and others take over.
            working.cancel()


@asynccontextmanager
async def _open_use_cases(adapters: Adapters) -> AsyncIterator[UseCases]:
    progress = ReadProgress(adapters.broadcasts, adapters.log, adapters.counting, adapters.clock)
    async with WatchProgress(progress, adapters.clock) as watch:
        yield UseCases(
            create=CreateBroadcast(
                broadcasts=adapters.broadcasts,
                audiences=adapters.audiences,
                transports=TRANSPORTS,
                default_transport=SIMULATOR,
                clock=adapters.clock,
                ids=adapters.ids,
            ),
            start=StartBroadcast(adapters.broadcasts, adapters.clock),
            broadcasts=ReadBroadcasts(adapters.broadcasts),
            progress=progress,
            watch=watch,
            deliveries=ListDeliveries(adapters.broadcasts, adapters.log, adapters.counting),
        )


async def _hang_up_when_draining(server: Server, watch: WatchProgress) -> None:
    await server.draining.wait()
    await watch.hang_up()


def _world(settings: Settings) -> World:
    return World(
        seed=settings.simulator_seed,
        median_delay_seconds=settings.simulator_median_delay.total_seconds(),
        failure_rate=settings.simulator_failure_rate,
    )


def _address(settings: Settings) -> str:
    return f"{settings.host}:{settings.port}"
