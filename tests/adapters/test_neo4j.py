"""What only Neo4j can show: lost connections and replies, conversations held again, half writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase, AsyncSession

from kit.clock import FakeClock
from kit.errors import Unavailable
from kit.ids import SystemIds
from services.hierarchy.adapters.neo4j import Neo4jOrgGraph, Neo4jOutbox, Neo4jStore
from services.hierarchy.adapters.neo4j.store import StoreUnavailable
from services.hierarchy.domain.events import BlueprintChanged, TreeChanged
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.records import UNITS_BY_ID
from services.hierarchy.domain.tenants import TenantHeader
from tests.bolt_proxy import BoltProxy, proxy_before
from tests.builders_hierarchy import (
    Done,
    a_person,
    a_row,
    a_small_tree,
    a_unit,
    an_operation,
    operation_of,
    text,
)
from tests.org_graphs import World, open_neo4j

Auth = tuple[str, str] | None
SHORT = timedelta(seconds=1)
RJ = ("state", "RJ")


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


def next_version(header: TenantHeader) -> TenantHeader:
    return replace(header, tree_version=header.tree_version + 1)


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
            await world.graph.header(world.tenant)
        with pytest.raises(StoreUnavailable):
            await world.outbox.backlogs(limit=1)

        proxy.refuse = False
        assert (await world.graph.header(world.tenant)).tree_version == 1


async def test_a_commit_whose_reply_is_lost_is_applied_once(
    proxy: BoltProxy, neo4j_auth: Auth, unique: str
) -> None:
    async with open_neo4j(proxy.uri, neo4j_auth, unique, SHORT) as world:
        await world.start()
        unit = a_unit()
        operation = an_operation(
            puts=[unit], header=next_version, changes=[TreeChanged(1)], answer=Done("first")
        )
        proxy.lose_commits = 1

        # Nobody can know whether it happened: the caller asks again under the same id.
        with pytest.raises(StoreUnavailable):
            await world.graph.write(world.tenant, operation)
        answer = await world.graph.write(world.tenant, operation)

        assert proxy.lost == 1
        assert answer == Done("first")
        dump = await world.dump()
        assert dump.records[Unit] == [unit]
        assert [event.change for event in dump.events] == [BlueprintChanged(1), TreeChanged(1)]
        # What the first did not come to, the second has made up for.
        assert (await world.graph.find(world.tenant, UNITS_BY_ID, [])).tree_version == 1


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


async def test_a_transaction_that_is_repeated_holds_a_fresh_conversation(
    proxy: BoltProxy, neo4j_auth: Auth, unique: str
) -> None:
    async with open_neo4j(proxy.uri, neo4j_auth, unique, timedelta(seconds=10)) as world:
        await world.start()
        loop = asyncio.get_running_loop()
        begun: list[int] = []

        async def interrupt() -> None:
            proxy.cut()
            proxy.refuse = False

        def decide(moment: Moment) -> Steps[Done]:
            begun.append(moment.header.tree_version)
            if len(begun) == 1:
                asyncio.run_coroutine_threadsafe(interrupt(), loop).result()
            yield Want({UNITS_BY_ID: [a_unit().id]})
            return Decision(Done(), [a_unit()], (), next_version(moment.header), [TreeChanged(1)])

        await world.graph.write(world.tenant, operation_of(decide))

        assert begun == [0, 0]
        dump = await world.dump()
        assert dump.records[Unit] == [a_unit()]
        assert [event.sequence for event in dump.events] == [1, 2]


async def test_processes_share_the_database(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> None:
    tenant = TenantId(unique)
    async with (
        Neo4jStore(neo4j_uri, neo4j_auth) as one,
        Neo4jStore(neo4j_uri, neo4j_auth) as other,
    ):
        await one.migrate()
        graphs = [Neo4jOrgGraph(store, FakeClock(), SystemIds()) for store in (one, other)]

        def decide(moment: Moment) -> Steps[Done]:
            """One version after another, whoever writes."""
            yield Want({})
            header = next_version(moment.header)
            changes = [TreeChanged(header.tree_version)]
            return Decision(Done(str(header.tree_version)), (), (), header, changes)

        # The first of them makes the tenant.
        answers = await asyncio.gather(
            *(graphs[number % 2].write(tenant, operation_of(decide)) for number in range(10))
        )

        assert sorted(int(answer.note) for answer in answers) == list(range(1, 11))
        assert (await graphs[0].header(tenant)).tree_version == 10
        events = await Neo4jOutbox(one).events(tenant, after=0, limit=100)
        assert [event.sequence for event in events] == list(range(1, 11))
        assert [event.change for event in events] == [TreeChanged(n) for n in range(1, 11)]


async def test_a_rehearsal_keeps_nobody_out_and_begins_anew_when_it_was_overtaken(
    world: World,
) -> None:
    await world.start(*a_small_tree())
    loop = asyncio.get_running_loop()
    seen: list[tuple[int, int]] = []

    def decide(moment: Moment) -> Steps[Done]:
        begun = len(seen)
        seen.append((moment.header.tree_version, -1))
        if begun < 2:  # while it is decided, and before it looks
            write = world.load(a_row("district", f"D{begun}", under=RJ))
            asyncio.run_coroutine_threadsafe(write, loop).result(timeout=30)
        ids = [a_unit("district", f"D{number}").id for number in range(2)]
        found = yield Want({UNITS_BY_ID: ids})
        seen[-1] = (moment.header.tree_version, sum(bool(found.one(UNITS_BY_ID, i)) for i in ids))
        return Decision(Done("rehearsed"))

    answer = await world.graph.write(world.tenant, operation_of(decide, validate_only=True))

    assert answer == Done("rehearsed")
    # Two were overtaken before they found anything; what the third found is of its own version.
    assert seen == [(1, -1), (2, -1), (3, 2)]


async def test_a_rehearsal_that_is_always_overtaken_keeps_writers_out_at_last(
    world: World,
) -> None:
    await world.start(*a_small_tree())
    loop = asyncio.get_running_loop()
    waiting: list[Any] = []

    def decide(moment: Moment) -> Steps[Done]:
        write = world.load(a_row("district", f"D{len(waiting)}", under=RJ))
        waiting.append(asyncio.run_coroutine_threadsafe(write, loop))
        if len(waiting) < 4:
            waiting[-1].result(timeout=30)
        yield Want({})
        return Decision(Done(str(moment.header.tree_version)))

    answer = await world.graph.write(world.tenant, operation_of(decide, validate_only=True))

    assert answer == Done("4")
    await asyncio.wrap_future(waiting[-1])
    assert (await world.graph.header(world.tenant)).tree_version == 5


async def test_what_somebody_changed_by_hand_is_read_as_it_is(
    world: World, session: AsyncSession
) -> None:
    """It looks like a node that is just being written, and stays so under the lock."""
    await world.start(a_row(*RJ))
    unit = await world.unit(*RJ)
    change = "MATCH (u:Unit {tenant: $tenant, id: $id}) SET u.names = $names"
    values = {"tenant": world.tenant, "id": unit.id, "names": '{"en":"By hand"}'}
    await (await session.run(change, values)).consume()

    changed = replace(unit, names=text("By hand"))
    assert await world.unit(*RJ) == changed
    assert await world.all(Unit) == [changed]


async def test_reads_name_an_older_version_until_a_newer_one_is_known_to_be_applied(
    world: World, session: AsyncSession
) -> None:
    """As after a crash between a write and the note that it was applied."""
    await world.start(a_row(*RJ))
    await world.load(a_row("district", "JPR", under=RJ))
    forget = "MATCH (s:Settled {tenant: $tenant}) SET s.tree_version = 1"
    await (await session.run(forget, {"tenant": world.tenant})).consume()

    assert (await world.graph.find(world.tenant, UNITS_BY_ID, [])).tree_version == 1
    assert (await world.graph.header(world.tenant)).tree_version == 2

    await world.write(a_person())
    assert (await world.graph.find(world.tenant, UNITS_BY_ID, [])).tree_version == 2


async def test_records_are_never_seen_half_written_nor_older_than_their_version(
    world: World,
) -> None:
    """Readers that do not stop, while all units change time and again."""
    units = [a_unit("booth", f"B{number}") for number in range(200)]
    done = asyncio.Event()

    def at_version(version: int) -> list[Unit]:
        names = text(f"{version} {'x' * 200}")
        return [replace(unit, names=names, revision=version) for unit in units]

    async def write() -> None:
        for version in range(2, 14):
            changed = at_version(version)
            await world.write(*changed, header=next_version)
        done.set()

    async def read() -> None:
        while not done.is_set():
            read = await world.graph.find(world.tenant, UNITS_BY_ID, [unit.id for unit in units])
            assert len(read.value) == 200
            for [unit] in read.value.values():
                named = int(unit.names.by_language["en"].split()[0])
                assert named == unit.revision >= read.tree_version

    await world.write(*at_version(1), header=next_version)
    async with asyncio.TaskGroup() as tasks:
        for work in (write, read, read, read):
            tasks.create_task(work())


async def test_a_tree_and_a_path_are_never_seen_half_written(world: World) -> None:
    """Readers that do not stop, while whole families move."""
    districts = [("district", f"D{number}") for number in range(2)]
    mandals = [a_row("mandal", f"M{n}", under=districts[0]) for n in range(200)]
    await world.start(a_row(*RJ), *(a_row(*each, under=RJ) for each in districts), *mandals)
    ids = [a_unit("mandal", f"M{n}").id for n in range(200)]
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
