"""What only the SQLite file can show: restarts, siblings, locks, full disks, damage."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.errors import Unavailable
from kit.ids import SeededIds, SystemIds
from services.hierarchy.adapters.embedded import (
    EmbeddedOrgGraph,
    EmbeddedOutbox,
    EmbeddedStore,
    outbox,
    reads,
    writes,
)
from services.hierarchy.adapters.embedded.store import StoreBusy, StoreUnavailable
from services.hierarchy.domain.events import TreeChanged
from services.hierarchy.domain.model import TenantId, UnitKey
from tests.builders_hierarchy import a_blueprint, a_row, a_small_tree, an_import
from tests.org_graphs import World, open_embedded
from tests.timing import wait_until_sync

NEEM = TenantId("neem")
RJ, JPR, AJM, M1 = ("state", "RJ"), ("district", "JPR"), ("district", "AJM"), ("mandal", "M1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hierarchy.sqlite3"


@pytest.fixture
async def world(path: Path) -> AsyncIterator[World]:
    async with open_embedded(path, "neem") as world:
        yield world


async def test_everything_is_there_after_a_restart(path: Path) -> None:
    async with open_embedded(path, "neem") as world:
        await world.start(*a_small_tree())
        await world.outbox.mark_relayed(world.tenant, through=1)
        before = await world.dump()

    async with open_embedded(path, "neem") as again:
        assert await again.dump() == before
        (backlog,) = await again.outbox.backlogs(limit=5)
        assert backlog.relayed_through == 1


async def test_processes_share_the_file(path: Path) -> None:
    async with EmbeddedStore(path) as one, EmbeddedStore(path) as other:
        graphs = [EmbeddedOrgGraph(store, FakeClock(), SystemIds()) for store in (one, other)]
        await graphs[0].put_blueprint(NEEM, a_blueprint())
        await graphs[1].apply_import(NEEM, an_import(a_row(*RJ)))

        reports = await asyncio.gather(
            *(
                graphs[number % 2].apply_import(
                    NEEM, an_import(a_row("district", f"D{number}", under=RJ))
                )
                for number in range(20)
            )
        )

        assert sorted(report.tree_version for report in reports) == list(range(2, 22))
        for graph in graphs:
            assert await graph.tree_version(NEEM) == 21
            assert len((await graph.tree(NEEM)).rows) == 21
        events = await EmbeddedOutbox(other).events(NEEM, after=0, limit=100)
        assert [event.sequence for event in events] == list(range(1, 23))


async def test_many_may_make_the_file_at_once(path: Path) -> None:
    stores = [EmbeddedStore(path) for _ in range(8)]

    await asyncio.gather(*(store.__aenter__() for store in stores))

    for store in stores:
        assert await store.ready() is None
        await store.__aexit__(None, None, None)


async def test_whoever_meets_the_maker_of_the_file_waits_for_it(path: Path) -> None:
    patience = timedelta(milliseconds=100)
    with closing(sqlite3.connect(path, isolation_level=None)) as maker:
        maker.execute("BEGIN IMMEDIATE")  # the file has no write-ahead log yet
        started = time.monotonic()
        with pytest.raises(StoreBusy):
            await EmbeddedStore(path, busy_timeout=patience).__aenter__()
        assert time.monotonic() - started >= patience.total_seconds()
        maker.execute("ROLLBACK")
    async with EmbeddedStore(path, busy_timeout=patience) as store:
        assert await store.ready() is None


async def test_a_commit_is_synced_before_it_is_answered(path: Path) -> None:
    def pragmas(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    async with EmbeddedStore(path) as store:
        full = 2
        assert await store.write(pragmas) == ["wal", full]
        assert await store.read(pragmas) == ["wal", full]


async def test_a_lock_that_another_process_holds_for_too_long_is_unavailable(path: Path) -> None:
    async with EmbeddedStore(path, busy_timeout=timedelta(milliseconds=20)) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SystemIds())
        await graph.put_blueprint(NEEM, a_blueprint())
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StoreBusy) as refused:
                await graph.apply_import(NEEM, an_import(a_row(*RJ)))
            # Readers do not wait for writers.
            assert await graph.tree_version(NEEM) == 0
        finally:
            holder.execute("ROLLBACK")
            holder.close()

        assert isinstance(refused.value, Unavailable)
        assert (await graph.apply_import(NEEM, an_import(a_row(*RJ)))).applied


async def test_a_full_disk_changes_nothing_and_passes(path: Path) -> None:
    def set_limit(pages: int) -> object:
        return lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    async with EmbeddedStore(path) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SystemIds())
        await graph.put_blueprint(NEEM, a_blueprint())
        (pages,) = await store.read(lambda it: it.execute("PRAGMA page_count").fetchone())
        rows = [a_row(*RJ), *(a_row("district", f"D{n}", under=RJ) for n in range(3_000))]
        await store.write(set_limit(pages + 5))  # type: ignore[arg-type]

        with pytest.raises(StoreUnavailable) as refused:
            await graph.apply_import(NEEM, an_import(*rows))

        assert "full" in refused.value.problem
        assert await graph.tree_version(NEEM) == 0
        assert list((await graph.tree(NEEM)).rows) == []
        assert len(await EmbeddedOutbox(store).events(NEEM, after=0, limit=9)) == 1
        await store.write(set_limit(1_000_000))  # type: ignore[arg-type]
        assert (await graph.apply_import(NEEM, an_import(*rows))).created_count == 3_001


@pytest.fixture
def nonsense(path: Path) -> Path:
    path.write_text("certainly not a database, but long enough to look like one " * 50)
    return path


async def test_a_file_that_is_no_database_is_named(nonsense: Path) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await EmbeddedStore(nonsense).__aenter__()

    assert str(nonsense) in refused.value.problem
    assert "not a database" in refused.value.problem


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for folder in ("missing", "file"):
        with pytest.raises(StoreUnavailable) as refused:
            await EmbeddedStore(tmp_path / folder / "hierarchy.sqlite3").__aenter__()
        assert str(tmp_path / folder) in refused.value.problem


async def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    async with EmbeddedStore(path) as store:
        await store.write(lambda connection: connection.execute("PRAGMA user_version = 1000"))

    with pytest.raises(StoreUnavailable) as refused:
        await EmbeddedStore(path).__aenter__()

    assert "newer version" in refused.value.problem


def damage(path: Path) -> None:
    """Overwrite everything but the first page."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


async def test_damage_is_unavailable_not_a_wrong_answer(path: Path) -> None:
    async with open_embedded(path, "neem") as world:
        await world.start(*a_small_tree())
    damage(path)

    async with EmbeddedStore(path) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SystemIds())
        with pytest.raises(StoreUnavailable):
            await graph.tree(TenantId("neem-a"))


async def test_former_parents_are_kept_with_their_time(world: World) -> None:
    await world.start(*a_small_tree())
    world.clock.advance(100)
    await world.load(a_row(*M1, under=AJM))
    world.clock.advance(100)
    await world.load(a_row(*M1, under=JPR))
    mandal, jaipur, ajmer = [await world.unit(*key) for key in (M1, JPR, AJM)]

    async with EmbeddedStore(Path(await database_of(world))) as store:
        rows = await store.read(
            lambda it: it.execute(
                """SELECT parent_id, (valid_from - ?1) / 1000000, (valid_to - ?1) / 1000000
                FROM parent_edge WHERE unit_id = ?2 ORDER BY valid_from""",
                (1_767_225_600_000_000, mandal.id),
            ).fetchall()
        )

    assert rows == [(jaipur.id, 0, 100), (ajmer.id, 100, 200), (jaipur.id, 200, None)]


async def database_of(world: World) -> str:
    graph = world.graph
    assert isinstance(graph, EmbeddedOrgGraph)
    rows = await graph._store.read(lambda it: it.execute("PRAGMA database_list").fetchall())
    path: str = rows[0][2]
    return path


async def test_a_caller_who_goes_away_leaves_the_store_whole(world: World) -> None:
    await world.start(a_row(*RJ))
    rows = [a_row("district", f"D{number}", under=RJ) for number in range(2_000)]
    importing = asyncio.create_task(world.graph.apply_import(world.tenant, an_import(*rows)))
    await asyncio.sleep(0)  # it has begun
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing

    # The next writer comes after it; whether it happened or not, it happened whole.
    await world.load(a_row("state", "MP"))

    count = len((await world.graph.tree(world.tenant)).rows)
    assert count in (2, 2_002)
    state = await world.unit("state", "RJ")
    children = (await world.graph.children(world.tenant, [state.id], limit=1)).value[state.id]
    assert children.total_count == count - 2


_IMPORT_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from typing import Any
from kit.clock import SystemClock
from kit.ids import SystemIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.domain.model import TenantId
from tests.builders_hierarchy import a_blueprint, a_row, an_import

async def main():
    async with EmbeddedStore(Path(sys.argv[1])) as store:
        graph = EmbeddedOrgGraph(store, SystemClock(), SystemIds())
        await graph.put_blueprint(TenantId("neem"), a_blueprint())
        for number in range(10_000):
            state = ("state", f"S{number}")
            rows = [a_row("district", f"D{number}-{n}", under=state) for n in range(499)]
            report = await graph.apply_import(TenantId("neem"), an_import(a_row(*state), *rows))
            print(report.tree_version, flush=True)

asyncio.run(main())
"""


def import_until_killed(path: Path, log: Path, imports: int) -> int:
    """Let a process import until it has answered so often, kill it; its last answer."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _IMPORT_FOR_EVER, str(path)],
            stdout=output,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": "."},
        )
        try:
            wait_until_sync(
                lambda: process.poll() is not None or len(log.read_text().splitlines()) >= imports,
                60,
                "imports",
            )
        finally:
            process.kill()
            code = process.wait()
    assert code == -signal.SIGKILL
    return int(log.read_text().splitlines()[-1])


@pytest.mark.parametrize("imports", [1, 4])
async def test_a_process_that_is_killed_loses_nothing_that_it_answered(
    path: Path, tmp_path: Path, imports: int
) -> None:
    answered = import_until_killed(path, tmp_path / "answers", imports)

    async with EmbeddedStore(path) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SeededIds(1))
        rows = (await graph.tree(NEEM)).rows
        version = await graph.tree_version(NEEM)
        events = await EmbeddedOutbox(store).events(NEEM, after=0, limit=100_000)
        sound = await store.read(lambda it: it.execute("PRAGMA integrity_check").fetchall())
        last = await graph.unit_by_key(NEEM, UnitKey("state", f"S{version - 1}"))

    assert answered <= version <= answered + 1
    assert len(rows) == 500 * version
    assert [event.sequence for event in events] == list(range(1, version + 2))
    assert events[-1].change == TreeChanged(version)
    assert sound == [("ok",)]
    assert last.value is not None


def sql_constants() -> list[Any]:
    modules = (reads, writes, outbox)
    found = {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, str) and value.startswith(("SELECT", "UPDATE", "DELETE"))
    }
    return [pytest.param(value, id=name) for name, value in found.items()]


def plan_of(connection: sqlite3.Connection, statement: str) -> list[str]:
    numbered = "?1" in statement
    values = [None] * (2 if numbered else statement.count("?"))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    return [row[-1] for row in rows]


@pytest.mark.parametrize("statement", sql_constants())
async def test_no_statement_reads_a_whole_table(path: Path, statement: str) -> None:
    async with EmbeddedStore(path) as store:
        plan = await store.read(lambda connection: plan_of(connection, statement))

    scans = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    # Which tenants have a backlog is asked of all tenants, and of nothing else.
    assert scans == (["SCAN tenant"] if statement == outbox._BACKLOGS else [])
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plan)
