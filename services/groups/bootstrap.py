"""The composition root: the one file that knows every piece of groups."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from chaupal.groups.v1.groups_pb2_grpc import add_GroupsServiceServicer_to_server

from kit.channel import open_channel
from kit.clock import Clock, SystemClock
from kit.confirmed import BOUND
from kit.ids import Ids, SystemIds
from kit.redis import open_redis
from kit.server import Server, ServiceRegistration, build_server, serve
from kit.tokens import FileTokenSource, TokenSource, build_verifier
from services.groups.adapters import access_client, hierarchy_client
from services.groups.adapters.access_client import AccessClient
from services.groups.adapters.facet_index import FacetIndex
from services.groups.adapters.hierarchy_client import HierarchyClient
from services.groups.adapters.redis import RedisGroupRegistry
from services.groups.config import Settings
from services.groups.ports import GroupRegistry, Organisations, Rights
from services.groups.servicer import SERVICE_NAME, GroupsServicer, UseCases
from services.groups.translate.answers import DOMAIN
from services.groups.use_cases.access import Access
from services.groups.use_cases.imports import ImportGroups
from services.groups.use_cases.reading import ReadGroups
from services.groups.use_cases.register import RegisterGroup
from services.groups.use_cases.views import Views
from services.groups.use_cases.writer import Writer

# An import makes millions of objects that live until its end. By default the collector walks all of
# them time and again, and everybody waits: up to 260 ms at once and 2.8 s in all while 100,000 rows
# are imported; 15 ms and 0.7 s so, because a full walk comes seldom.
_COLLECT_AFTER = (5_000, 10, 100)

Ready = Callable[[int], None]


def build_use_cases(
    registry: GroupRegistry,
    organisations: Organisations,
    rights: Rights,
    clock: Clock,
    ids: Ids,
    *,
    most_tenants: int = 64,
) -> UseCases:
    """The use cases over these adapters."""
    views = Views(registry, organisations, FacetIndex, clock, most_tenants)
    access = Access(views, rights)
    writer = Writer(views, registry, clock)
    return UseCases(
        access=access,
        read=ReadGroups(access, registry),
        register=RegisterGroup(access, writer, clock, ids),
        import_groups=ImportGroups(access, writer, clock, ids),
    )


@asynccontextmanager
async def open_groups(
    settings: Settings,
    clock: Clock | None = None,
    ids: Ids | None = None,
    *,
    confirmed_for: timedelta = BOUND,
) -> AsyncIterator[Server]:
    """The server, not yet listening; its store and its peer are open inside the block.

    What may be done is gone by for `confirmed_for` after it was confirmed, and no longer.
    """
    clock, ids = clock or SystemClock(), ids or SystemIds()
    channel = open_channel(
        settings.hierarchy_target,
        service=hierarchy_client.SERVICE,
        retryable=(*hierarchy_client.RETRYABLE, *access_client.RETRYABLE),
    )
    client = open_redis(settings.redis_url)
    try:
        registry = RedisGroupRegistry(client, clock)
        tokens = _tokens(settings)
        use_cases = build_use_cases(
            registry,
            HierarchyClient(channel, tokens, client, clock, settings.organisation_oldest),
            AccessClient(channel, tokens, clock, confirmed_for),
            clock,
            ids,
            most_tenants=settings.most_tenants,
        )
        try:
            yield _server(settings, use_cases, registry, clock, ids)
        finally:
            await use_cases.import_groups.aclose()
    finally:
        await channel.close()
        await client.aclose()


async def run_server(
    settings: Settings, *, ready: Ready | None = None, stop: asyncio.Event | None = None
) -> None:
    """Serve until SIGTERM, or until `stop` is set."""
    gc.set_threshold(*_COLLECT_AFTER)
    async with open_groups(settings) as server:
        address = f"{settings.host}:{settings.port}"
        await serve(server, address, drain=settings.drain, ready=ready, stop=stop)


def _server(
    settings: Settings, use_cases: UseCases, registry: GroupRegistry, clock: Clock, ids: Ids
) -> Server:
    servicer = GroupsServicer(use_cases)

    async def durable() -> str | None:
        return "; ".join(await registry.durability_problems()) or None

    return build_server(
        [
            ServiceRegistration(
                SERVICE_NAME, lambda server: add_GroupsServiceServicer_to_server(servicer, server)
            )
        ],
        verifier=build_verifier(settings, clock),
        domain=DOMAIN,
        reflection=settings.grpc_reflection,
        ready_checks=[durable],
        clock=clock,
        ids=ids,
    )


def _tokens(settings: Settings) -> TokenSource:
    assert settings.service_token_file is not None, "Settings requires it"  # noqa: S101
    return FileTokenSource(settings.service_token_file)
