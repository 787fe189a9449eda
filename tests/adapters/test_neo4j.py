"""What only Neo4j can show: its schema, its plans, lost connections and lost replies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase, AsyncSession

from kit.clock import FakeClock
from kit.errors import Unavailable
from kit.ids import SystemIds
from services.hierarchy.adapters.neo4j import Neo4jOrgGraph, Neo4jOutbox, Neo4jStore
from services.hierarchy.adapters.neo4j import outbox as outbox_statements
from services.hierarchy.adapters.neo4j import reads as read_statements
from services.hierarchy.adapters.neo4j import writes as write_statements
from services.hierarchy.adapters.neo4j.migrations import (
    MIGRATIONS,
    Migration,
    MigrationEdited,
    migrate,
)
from services.hierarchy.adapters.neo4j.statement import Statement
from services.hierarchy.adapters.neo4j.store import StoreUnavailable
from services.hierarchy.domain.events import BlueprintChanged, TreeChanged
from services.hierarchy.domain.model import TenantId
from tests.bolt_proxy import BoltProxy, proxy_before
from tests.builders_hierarchy import a_blueprint, a_row, a_small_tree, an_import
from tests.org_graphs import World, open_neo4j

Auth = tuple[str, str] | None
SHORT = timedelta(seconds=1)
RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@asynccontextmanager
async def session_at(uri: str, auth: Auth) -> AsyncIterator[AsyncSession]:
    async with (
        AsyncGraphDatabase.driver(uri, auth=auth) as driver,
        driver.session(database="neo4j") as session,
    ):
        yield session


@pytest.fixture
async def session(neo4j_uri: str, neo4j_auth: Auth) -> AsyncIterator[AsyncSession]:
    async with session_at(neo4j_uri, neo4j_auth) as session:
        yield session


@pytest.fixture
async def world(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> AsyncIterator[World]:
    async with open_neo4j(neo4j_uri, neo4j_auth, unique) as world:
        yield world


@pytest.fixture
async def proxy(neo4j_uri: str) -> AsyncIterator[BoltProxy]:
    async with proxy_before(neo4j_uri) as proxy:
        yield proxy


async def rows_of(session: AsyncSession, cypher: Any, **parameters: Any) -> list[list[Any]]:
    result = await session.run(cypher, parameters)
    return await result.values()


async def test_starts_may_meet_and_repeat(neo4j_uri: str, neo4j_auth: Auth) -> None:
    stores = [Neo4jStore(neo4j_uri, neo4j_auth) for _ in range(4)]
    for store in stores:
        await store.__aenter__()
    try:
        assert await asyncio.gather(*(store.ready() for store in stores)) == [None] * 4
        assert await asyncio.gather(*(store.ready() for store in stores)) == [None] * 4
    finally:
        for store in stores:
            await store.__aexit__(None, None, None)


async def test_what_a_start_that_lost_a_quarrel_left_behind_is_cleared(
    world: World, session: AsyncSession
) -> None:
    """Neo4j can end a start in the middle of a constraint and keep its index under that name."""
    for statement in (
        "DROP CONSTRAINT answer_request",
        "CREATE INDEX answer_request FOR (a:Answer) ON (a.tenant, a.request_id)",
        "MATCH (m:Migration) DELETE m",
    ):
        await (await session.run(statement)).consume()

    await migrate(session)

    constraints = await rows_of(session, "SHOW CONSTRAINTS YIELD name, type")
    assert "answer_request" in {name for name, _ in constraints}


async def test_the_schema_is_what_the_migrations_say(world: World, session: AsyncSession) -> None:
    taken = await rows_of(session, "MATCH (m:Migration) RETURN m.number, m.checksum ORDER BY 1")
    constraints = await rows_of(session, "SHOW CONSTRAINTS YIELD name, type")
    indexes = await rows_of(session, "SHOW INDEXES YIELD name, state")

    assert taken[: len(MIGRATIONS)] == [[each.number, each.checksum] for each in MIGRATIONS]
    unique = {name for name, kind in constraints if "UNIQUENESS" in kind}
    assert unique >= {"tenant_id", "unit_id", "unit_key", "event_sequence", "answer_request"}
    assert ["unit_siblings", "ONLINE"] in indexes


async def test_a_step_that_was_edited_is_refused(
    world: World, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = (Migration(1, ("RETURN 1",)), *MIGRATIONS[1:])
    monkeypatch.setattr("services.hierarchy.adapters.neo4j.migrations.MIGRATIONS", edited)

    with pytest.raises(MigrationEdited):
        await migrate(session)


def statements() -> list[Any]:
    modules = (read_statements, write_statements, outbox_statements)
    found = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Statement)
    }
    return [pytest.param(value, id=name) for name, value in found.items()]


ROWS: dict[Statement, list[Any]] = {
    write_statements.CREATE_UNITS: [{"id": "x"}],
    write_statements.UPDATE_UNITS: [{"id": "x"}],
    write_statements.CLOSE_EDGES: ["x"],
}


def operators(plan: Any) -> list[str]:
    below = [each for child in plan.get("children", []) for each in operators(child)]
    return [plan["operatorType"].partition("@")[0], *below]


@pytest.mark.parametrize("statement", statements())
async def test_no_statement_looks_at_all_nodes(
    world: World, session: AsyncSession, statement: Statement
) -> None:
    result = await session.run(
        f"EXPLAIN {statement.cypher}",
        tenant="t", ids=["i"], parents=[""], levels=["l"], rows=ROWS.get(statement, [["a", "b"]]),
        code="c", level="l", request_id="r", kind="k", fingerprint="f", report="{}", blueprint="{}",
        limit=1, version=1, at=1, oldest=1, after=1, through=1, kept=1,
    )  # fmt: skip
    plan = (await result.consume()).plan

    scans = [each for each in operators(plan) if "Scan" in each]
    # Which tenants have a backlog is asked of all tenants, and of nothing else.
    assert scans == (["NodeByLabelScan"] if statement is outbox_statements.BACKLOGS else [])


async def test_one_read_is_one_statement_however_many_are_asked(world: World) -> None:
    await world.start(*a_small_tree())
    ids = list((await world.dump()).units)
    graph, tenant = world.graph, world.tenant
    sent: list[str] = []
    original = Statement.run

    async def counting(statement: Statement, *args: Any, **kwargs: Any) -> Any:
        sent.append(statement.summary)
        return await original(statement, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statement, "run", counting)
        await graph.units(tenant, ids)
        await graph.children(tenant, [None, *ids], limit=10)
        await graph.ancestors(tenant, ids)
        await graph.tree_version(tenant)

    assert sent == ["read units by id", "read children", "read ancestors", "read tenant"]


async def test_former_parents_are_kept_with_their_time(world: World, session: AsyncSession) -> None:
    await world.start(*a_small_tree())
    began = 1_767_225_600_000_000
    world.clock.advance(100)
    await world.load(a_row(*M1, under=AJM))
    world.clock.advance(100)
    await world.load(a_row(*M1, under=JPR))
    mandal = await world.unit(*M1)

    edges = await rows_of(
        session,
        """MATCH (u:Unit {tenant: $tenant, id: $id})-[edge:CHILD_OF|WAS_CHILD_OF]->(parent)
        RETURN type(edge), parent.code, (edge.valid_from - $began) / 1000000,
            (edge.valid_to - $began) / 1000000 ORDER BY edge.valid_from""",
        tenant=world.tenant,
        id=mandal.id,
        began=began,
    )

    assert edges == [
        ["WAS_CHILD_OF", "JPR", 0, 100],
        ["WAS_CHILD_OF", "AJM", 100, 200],
        ["CHILD_OF", "JPR", 200, None],
    ]


async def test_every_relationship_stays_within_its_tenant(
    world: World, session: AsyncSession
) -> None:
    for tenant in (world.tenant, world.other):
        await world.start(*a_small_tree(), tenant=tenant)
        await world.load(a_row(*M1, under=AJM), tenant=tenant)

    crossing = await rows_of(
        session,
        """MATCH (u:Unit)-[:CHILD_OF|WAS_CHILD_OF]->(parent:Unit)
        WHERE u.tenant IN $tenants AND u.tenant <> parent.tenant RETURN count(*)""",
        tenants=[world.tenant, world.other],
    )
    edges = await rows_of(
        session,
        """MATCH (u:Unit {tenant: $tenant})-[:CHILD_OF]->(parent)
        RETURN count(*), count(CASE WHEN u.parent_id = parent.id THEN 1 END)""",
        tenant=world.tenant,
    )

    assert crossing == [[0]]
    assert edges == [[6, 6]]


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with Neo4jStore("bolt://127.0.0.1:1", None, retry=SHORT) as store:
        with pytest.raises(StoreUnavailable) as refused:
            await store.ready()

    assert isinstance(refused.value, Unavailable)
    assert refused.value.reason == "STORE_UNAVAILABLE"


async def test_a_server_that_speaks_something_else_is_unavailable() -> None:
    async def say_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(say_http, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Neo4jStore(f"bolt://127.0.0.1:{port}", None, retry=SHORT) as store:
            with pytest.raises(StoreUnavailable):
                await store.ready()


async def test_a_connection_that_is_cut_is_unavailable_until_it_is_back(
    proxy: BoltProxy, neo4j_auth: Auth, unique: str
) -> None:
    async with open_neo4j(proxy.uri, neo4j_auth, unique, SHORT) as world:
        await world.start(*a_small_tree())
        proxy.cut()

        with pytest.raises(StoreUnavailable):
            await world.graph.tree_version(world.tenant)
        with pytest.raises(StoreUnavailable):
            await world.outbox.backlogs(limit=1)

        proxy.refuse = False
        assert await world.graph.tree_version(world.tenant) == 1


async def test_a_commit_whose_reply_is_lost_is_applied_once(
    proxy: BoltProxy, neo4j_auth: Auth, unique: str
) -> None:
    async with open_neo4j(proxy.uri, neo4j_auth, unique, SHORT) as world:
        await world.start()
        request = an_import(*a_small_tree())
        proxy.lose_commits = 1

        # Nobody can know whether it happened: the caller asks again under the same id.
        with pytest.raises(StoreUnavailable):
            await world.graph.apply_import(world.tenant, request)
        report = await world.graph.apply_import(world.tenant, request)

        assert proxy.lost == 1
        assert (report.created_count, report.applied, report.tree_version) == (7, True, 1)
        dump = await world.dump()
        assert len(dump.units) == 7
        assert [event.change for event in dump.events] == [BlueprintChanged(1), TreeChanged(1)]


async def test_a_mark_whose_reply_is_lost_can_be_made_again(
    proxy: BoltProxy, neo4j_auth: Auth, unique: str
) -> None:
    async with open_neo4j(proxy.uri, neo4j_auth, unique, SHORT) as world:
        await world.start()
        proxy.lose_commits = 1

        with pytest.raises(StoreUnavailable):
            await world.outbox.mark_relayed(world.tenant, through=1)
        await world.outbox.mark_relayed(world.tenant, through=1)

        backlogs = await world.outbox.backlogs(limit=100_000)
        assert world.tenant not in {each.tenant for each in backlogs}


async def test_processes_share_the_database(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> None:
    tenant = TenantId(unique)
    async with (
        Neo4jStore(neo4j_uri, neo4j_auth) as one,
        Neo4jStore(neo4j_uri, neo4j_auth) as other,
    ):
        await one.ready()
        graphs = [Neo4jOrgGraph(store, FakeClock(), SystemIds()) for store in (one, other)]
        await graphs[0].put_blueprint(tenant, a_blueprint())
        await graphs[1].apply_import(tenant, an_import(a_row(*RJ)))

        reports = await asyncio.gather(
            *(
                graphs[number % 2].apply_import(
                    tenant, an_import(a_row("district", f"D{number}", under=RJ))
                )
                for number in range(10)
            )
        )

        assert sorted(report.tree_version for report in reports) == list(range(2, 12))
        events = await Neo4jOutbox(one).events(tenant, after=0, limit=100)
        assert [event.sequence for event in events] == list(range(1, 13))


async def test_many_first_blueprints_at_once_make_one_tenant(world: World) -> None:
    drafts = [a_blueprint(name=f"Name {number}") for number in range(6)]

    stand = await asyncio.gather(
        *(world.graph.put_blueprint(world.tenant, draft) for draft in drafts)
    )

    assert sorted(each.version for each in stand) == [1, 2, 3, 4, 5, 6]
    assert len((await world.dump()).events) == 6


async def test_a_tree_and_a_path_are_never_seen_half_written(world: World) -> None:
    """Readers that do not stop, while whole families move."""
    districts = [("district", f"D{number}") for number in range(2)]
    mandals = [a_row("mandal", f"M{n}", under=districts[0]) for n in range(200)]
    await world.start(a_row(*RJ), *(a_row(*each, under=RJ) for each in districts), *mandals)
    ids = [row.id for row in (await world.dump()).tree.rows if row.level == "mandal"]
    done = asyncio.Event()

    async def write() -> None:
        for turn in range(8):
            under = districts[(turn + 1) % 2]
            await world.load(*(a_row("mandal", f"M{n}", under=under) for n in range(200)))
        done.set()

    async def read_trees() -> None:
        while not done.is_set():
            tree = await world.graph.tree(world.tenant)
            parents = {row.parent_id for row in tree.rows if row.level == "mandal"}
            assert len(parents) == 1, f"version {tree.tree_version} is half written"

    async def read_paths() -> None:
        while not done.is_set():
            paths = (await world.graph.ancestors(world.tenant, ids)).value
            assert {tuple(unit.level for unit in path) for path in paths.values()} == {
                ("district", "state")
            }
            assert len(paths) == 200

    async with asyncio.TaskGroup() as tasks:
        for work in (write, read_trees, read_paths, read_paths):
            tasks.create_task(work())
