"""The composition root: the one file that knows every piece of hierarchy."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from chaupal.hierarchy.v1.access_pb2_grpc import add_AccessServiceServicer_to_server
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import add_HierarchyServiceServicer_to_server
from chaupal.hierarchy.v1.people_pb2_grpc import add_PeopleServiceServicer_to_server
from chaupal.hierarchy.v1.tenants_pb2_grpc import add_TenantsServiceServicer_to_server
from chaupal.hierarchy.v1.transfers_pb2_grpc import add_TransfersServiceServicer_to_server

from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.ids import Ids, SystemIds
from kit.redis import open_redis
from kit.retry import delays
from kit.server import Server, ServiceRegistration, build_server, serve
from kit.tokens import build_verifier
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedOutbox, EmbeddedStore
from services.hierarchy.adapters.event_streams import RedisEventStreams
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.config import Settings, StoreSettings, WorkerSettings
from services.hierarchy.ports import KeyWrap, OrgGraph, Outbox
from services.hierarchy.servicers import access as access_calls
from services.hierarchy.servicers import people, tenants, transfers
from services.hierarchy.servicers.hierarchy import (
    SERVICE_NAME,
    HierarchyServicer,
    HierarchyUseCases,
)
from services.hierarchy.translate.answers import DOMAIN
from services.hierarchy.translate.events import event_to_bytes
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.appointments import Appointments
from services.hierarchy.use_cases.areas import Areas
from services.hierarchy.use_cases.blueprints import Blueprints
from services.hierarchy.use_cases.history import HistoryReader
from services.hierarchy.use_cases.imports import ImportRoom, UnitImports
from services.hierarchy.use_cases.people import People
from services.hierarchy.use_cases.reorganise import Reorganiser
from services.hierarchy.use_cases.rights import Rights
from services.hierarchy.use_cases.row_exports import RowExports
from services.hierarchy.use_cases.row_imports import RowImports
from services.hierarchy.use_cases.search import NameIndexes, UnitSearch
from services.hierarchy.use_cases.secrets import Secrets
from services.hierarchy.use_cases.snapshots import TreeReader
from services.hierarchy.use_cases.staffing import Staffing
from services.hierarchy.use_cases.teams import Teams
from services.hierarchy.use_cases.tenant_export import TenantExport
from services.hierarchy.use_cases.tenant_removal import TenantRemoval
from services.hierarchy.use_cases.tenants import Tenants
from services.hierarchy.use_cases.trees import Trees
from services.hierarchy.use_cases.units import UnitReader
from services.hierarchy.use_cases.watch_lines import WatchLines
from services.hierarchy.use_cases.watches import Watches
from services.hierarchy.use_cases.working_tenants import WorkingTenants
from services.hierarchy.worker import RelayWorker

WORKER_NAME = "hierarchy.worker"

# An import makes many objects that live until its end. By default the collector walks all of them
# time and again, and everybody waits: up to 89 ms at once and 0.4 s in all while 100,000 rows are
# imported; 16 ms and 0.1 s so, because a full walk comes seldom.
COLLECT_AFTER = (5_000, 10, 100)

# About a minute: a database that is deployed beside us may take that long to start.
_REACHING_ATTEMPTS = 30

Ready = Callable[[int], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Store:
    """The adapters of one open store, and what dates and names the things in it.

    `ready` says why the store cannot be used, if so; `migrate` brings its schema up to date.
    """

    graph: OrgGraph
    outbox: Outbox
    ready: Callable[[], Awaitable[str | None]]
    migrate: Callable[[], Awaitable[None]]
    clock: Clock
    ids: Ids


def open_store(
    settings: StoreSettings, clock: Clock, ids: Ids
) -> AbstractAsyncContextManager[Store]:
    """The store that the settings choose, open inside the block."""
    if settings.neo4j_uri:
        return _open_neo4j(settings, settings.neo4j_uri, clock, ids)
    return _open_embedded(settings, clock, ids)


def build_hierarchy(
    settings: Settings,
    store: Store,
    clock: Clock | None = None,
    ids: Ids | None = None,
    room: ImportRoom | None = None,
) -> Server:
    """The server over an open store, not yet listening; the room's owner closes it.

    `clock` and `ids` are those of calls: of tokens, deadlines and traces.
    """
    clock = clock or SystemClock()
    return build_server(
        registrations(
            store,
            room or ImportRoom(),
            open_keys(settings),
            implicit_tenants=settings.implicit_tenants,
        ),
        verifier=build_verifier(settings, clock),
        domain=DOMAIN,
        reflection=settings.grpc_reflection,
        ready_checks=[partial(_migrated, store) if settings.migrate_at_start else store.ready],
        clock=clock,
        ids=ids or SystemIds(),
    )


def open_keys(settings: Settings) -> KeyWrap:
    """The key-encryption keys; for the embedded store made beside it when nothing names any."""
    if settings.key_encryption_keys_file:
        return KeyFile(settings.key_encryption_keys_file)
    database = settings.database_file
    return KeyFile.open_or_make(database.with_name(f"{database.name}.keys"))


def registrations(
    store: Store, room: ImportRoom, keys: KeyWrap, *, implicit_tenants: bool
) -> list[ServiceRegistration]:
    """Every service that the process offers, over one store and one memory of trees."""
    trees = Trees(store.graph)
    access = Access(store.graph, trees, store.clock, implicit_tenants=implicit_tenants)
    whole = build_tenants(store, Secrets(store.graph, keys, store.ids))
    # From here on only tenants that may work are written.
    working = WorkingTenants(store.graph, implicit=implicit_tenants)
    store = replace(store, graph=working)
    hierarchy = build_servicer(store, trees, access, room)
    secrets = Secrets(working, keys, store.ids)
    persons = build_people(store, access, secrets)
    moving = transfers.TransfersServicer(
        RowImports(working, access, secrets),
        RowExports(working, access, secrets, store.clock),
        room,
    )
    rights = access_calls.AccessServicer(Rights(access, trees, store.clock))
    return [
        ServiceRegistration(
            SERVICE_NAME, partial(add_HierarchyServiceServicer_to_server, hierarchy)
        ),
        ServiceRegistration(
            people.SERVICE_NAME, partial(add_PeopleServiceServicer_to_server, persons)
        ),
        ServiceRegistration(
            access_calls.SERVICE_NAME, partial(add_AccessServiceServicer_to_server, rights)
        ),
        ServiceRegistration(
            tenants.SERVICE_NAME, partial(add_TenantsServiceServicer_to_server, whole)
        ),
        ServiceRegistration(
            transfers.SERVICE_NAME, partial(add_TransfersServiceServicer_to_server, moving)
        ),
    ]


def build_servicer(
    store: Store, trees: Trees, access: Access, room: ImportRoom
) -> HierarchyServicer:
    """Units, trees, areas and blueprints."""
    graph, clock = store.graph, store.clock
    return HierarchyServicer(
        HierarchyUseCases(
            areas=Areas(graph, access, clock),
            blueprints=Blueprints(graph, access, clock, store.ids),
            history=HistoryReader(graph, access),
            imports=UnitImports(graph, access),
            reorganiser=Reorganiser(graph, trees, access, clock),
            room=room,
            search=UnitSearch(graph, access, NameIndexes(graph)),
            trees=TreeReader(graph, trees, access),
            units=UnitReader(graph, trees, access),
        )
    )


def build_people(store: Store, access: Access, secrets: Secrets) -> people.PeopleServicer:
    """Persons, appointments, teams and watches."""
    graph, clock = store.graph, store.clock
    return people.PeopleServicer(
        people.PeopleUseCases(
            people=People(graph, access, secrets, clock, store.ids),
            appointments=Appointments(graph, access, clock),
            staffing=Staffing(graph, access, clock),
            teams=Teams(graph, access, clock),
            watches=Watches(graph, access, clock),
            lines=WatchLines(graph, access, clock),
        )
    )


def build_tenants(store: Store, secrets: Secrets) -> tenants.TenantsServicer:
    """Tenants as wholes, also those that may not work."""
    graph, clock = store.graph, store.clock
    return tenants.TenantsServicer(
        Tenants(graph, secrets),
        TenantExport(graph, secrets),
        TenantRemoval(graph, store.outbox, clock, store.ids),
        clock,
    )


async def run_server(
    settings: Settings, *, ready: Ready | None = None, stop: asyncio.Event | None = None
) -> None:
    """Serve until SIGTERM, or until `stop` is set."""
    gc.set_threshold(*COLLECT_AFTER)
    clock, ids = SystemClock(), SystemIds()
    async with open_store(settings, clock, ids) as store, ImportRoom() as room:
        server = build_hierarchy(settings, store, clock, ids, room)
        await serve(server, _address(settings), drain=settings.drain, ready=ready, stop=stop)


async def run_migrations(
    settings: StoreSettings,
    *,
    ready: Ready | None = None,  # noqa: ARG001  # a job that never listens
) -> None:
    """Bring the database's schema up to date and return, waiting a while for the database.

    Raises:
        Unavailable: it cannot be reached.
        PreconditionFailed: it was brought to something else than this version's.
    """
    pauses = delays(_REACHING_ATTEMPTS)
    async with open_store(settings, SystemClock(), SystemIds()) as store:
        while True:
            try:
                return await store.migrate()
            except Unavailable as error:
                pause = next(pauses, None)
                if pause is None:
                    raise
                _log.info("not migrated yet", extra={"reason": str(error)})
            await asyncio.sleep(pause)


async def run_worker(
    settings: WorkerSettings, *, ready: Ready | None = None, stop: asyncio.Event | None = None
) -> None:
    """Relay events until SIGTERM, or until `stop` is set."""
    clock = SystemClock()
    async with (
        _open_streams(settings) as streams,
        open_store(settings, clock, SystemIds()) as store,
        asyncio.TaskGroup() as tasks,
    ):
        worker = RelayWorker(store.outbox, streams, clock, settings.relay_interval)
        relaying = tasks.create_task(worker.run())
        health = build_server(
            [],
            verifier=build_verifier(settings, clock),
            domain=DOMAIN,
            ready_checks=[store.ready, streams.ready],
            health_names=[WORKER_NAME],
        )
        await serve(health, _address(settings), drain=settings.drain, ready=ready, stop=stop)
        # What it was at is repeated by the next start, or by a sibling.
        relaying.cancel()


@asynccontextmanager
async def _open_streams(settings: WorkerSettings) -> AsyncIterator[RedisEventStreams]:
    client = open_redis(settings.redis_url)
    try:
        yield RedisEventStreams(client, event_to_bytes)
    finally:
        await client.aclose()


@asynccontextmanager
async def _open_embedded(settings: StoreSettings, clock: Clock, ids: Ids) -> AsyncIterator[Store]:
    async with EmbeddedStore(settings.database_file) as store:
        graph = EmbeddedOrgGraph(store, clock, ids)
        yield Store(graph, EmbeddedOutbox(store), store.ready, _migrated_when_opened, clock, ids)


@asynccontextmanager
async def _open_neo4j(
    settings: StoreSettings, uri: str, clock: Clock, ids: Ids
) -> AsyncIterator[Store]:
    # Imported here: half of the time that a process without Neo4j needs to start.
    from services.hierarchy.adapters.neo4j import (  # noqa: PLC0415
        Neo4jOrgGraph,
        Neo4jOutbox,
        Neo4jStore,
    )

    password = settings.neo4j_password
    auth = (settings.neo4j_username, password.get_secret_value()) if password else None
    async with Neo4jStore(uri, auth, settings.neo4j_database) as store:
        graph = Neo4jOrgGraph(store, clock, ids)
        yield Store(graph, Neo4jOutbox(store), store.ready, store.migrate, clock, ids)


async def _migrated_when_opened() -> None:
    """Nothing is left to do in the embedded store."""


async def _migrated(store: Store) -> str | None:
    await store.migrate()
    return await store.ready()


def _address(settings: StoreSettings) -> str:
    return f"{settings.host}:{settings.port}"
