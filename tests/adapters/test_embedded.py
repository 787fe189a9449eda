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
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kit.clock import FakeClock
from kit.errors import Unavailable
from kit.ids import SeededIds, SystemIds
from services.hierarchy.adapters.embedded import (
    EmbeddedOrgGraph,
    EmbeddedOutbox,
    EmbeddedStore,
)
from services.hierarchy.adapters.embedded.store import StoreBusy, StoreUnavailable
from services.hierarchy.domain.events import TreeChanged
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.operations import Decision, Moment, Operation, Steps, Want
from services.hierarchy.domain.records import UNITS_BY_KEY
from tests.builders_hierarchy import (
    Done,
    a_person,
    a_small_tree,
    a_unit,
    an_operation,
    one_of_each,
    operation_of,
    text,
)
from tests.org_graphs import World, open_embedded
from tests.timing import wait_until_sync

NEEM = TenantId("neem")


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
        await world.write(*one_of_each()[1:])
        await world.outbox.mark_relayed(world.tenant, through=1)
        before = await world.dump()

    async with open_embedded(path, "neem") as again:
        assert await again.dump() == before
        (backlog,) = await again.outbox.backlogs(limit=5)
        assert backlog.relayed_through == 1


def one_more_unit() -> Operation[Done]:
    """A unit, with a code and a revision one above those of the unit before it."""

    def decide(moment: Moment) -> Steps[Done]:
        version = moment.header.tree_version + 1
        yield Want({UNITS_BY_KEY: [f"state/S{version}"]})
        header = replace(moment.header, tree_version=version)
        unit = a_unit("state", f"S{version}", revision=version)
        return Decision(Done(unit.code), [unit], (), header, [TreeChanged(version)])

    return operation_of(decide)


async def test_processes_share_the_file(path: Path) -> None:
    async with EmbeddedStore(path) as one, EmbeddedStore(path) as other:
        graphs = [EmbeddedOrgGraph(store, FakeClock(), SystemIds()) for store in (one, other)]

        answers = await asyncio.gather(
            *(graphs[number % 2].write(NEEM, one_more_unit()) for number in range(20))
        )

        assert {answer.note for answer in answers} == {f"S{n}" for n in range(1, 21)}
        for graph in graphs:
            assert (await graph.header(NEEM)).tree_version == 20
            assert len((await graph.tree(NEEM)).rows) == 20
        events = await EmbeddedOutbox(other).events(NEEM, after=0, limit=100)
        assert [event.change for event in events] == [TreeChanged(n) for n in range(1, 21)]


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
        operation = one_more_unit()
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StoreBusy) as refused:
                await graph.write(NEEM, operation)
            # Readers do not wait for writers, nor do dry runs.
            assert (await graph.header(NEEM)).tree_version == 0
            dry = replace(operation, validate_only=True)
            assert await graph.write(NEEM, dry) == Done("S1")
        finally:
            holder.execute("ROLLBACK")
            holder.close()

        assert isinstance(refused.value, Unavailable)
        assert await graph.write(NEEM, operation) == Done("S1")


async def test_a_full_disk_changes_nothing_and_passes(path: Path) -> None:
    def set_limit(pages: int) -> object:
        return lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    async with EmbeddedStore(path) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SystemIds())
        await graph.write(NEEM, one_more_unit())
        (pages,) = await store.read(lambda it: it.execute("PRAGMA page_count").fetchone())
        units = [a_unit("district", f"D{n}") for n in range(3_000)]
        operation = an_operation(puts=units, changes=[TreeChanged(2)])
        await store.write(set_limit(pages + 5))  # type: ignore[arg-type]

        with pytest.raises(StoreUnavailable) as refused:
            await graph.write(NEEM, operation)

        assert "full" in refused.value.problem
        assert (await graph.header(NEEM)).tree_version == 1
        assert len((await graph.tree(NEEM)).rows) == 1
        assert len(await EmbeddedOutbox(store).events(NEEM, after=0, limit=9)) == 1
        await store.write(set_limit(1_000_000))  # type: ignore[arg-type]
        await graph.write(NEEM, operation)
        assert len((await graph.tree(NEEM)).rows) == 3_001


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
    """Overwrite the second half."""
    half = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(half)
        file.write(b"\xff" * half)


async def test_damage_is_unavailable_not_a_wrong_answer(path: Path) -> None:
    async with open_embedded(path, "neem") as world:
        await world.write(*(a_unit("booth", f"B{number}") for number in range(2_000)))
    damage(path)

    async with EmbeddedStore(path) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SystemIds())
        with pytest.raises(StoreUnavailable):
            await graph.tree(TenantId("neem-a"))
        with pytest.raises(StoreUnavailable):
            await graph.page(TenantId("neem-a"), Unit, limit=2_000)


async def test_a_caller_who_goes_away_leaves_the_store_whole(world: World) -> None:
    await world.write(a_unit("state", "RJ"))
    units = [a_unit("district", f"D{number}") for number in range(2_000)]
    operation = an_operation(puts=units, changes=[TreeChanged(1)])
    writing = asyncio.create_task(world.graph.write(world.tenant, operation))
    await asyncio.sleep(0)  # it has begun
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    # The next writer comes after it; whether it happened or not, it happened whole.
    await world.write(a_unit("state", "MP"))

    dump = await world.dump()
    assert (len(dump.tree.rows), len(dump.events)) in ((2, 0), (2_002, 1))


def holds(path: Path, name: str) -> bool:
    return name.encode() in path.read_bytes()


async def test_what_was_erased_is_not_in_the_file(path: Path) -> None:
    name = "Ramkishore Vishwanath"
    async with open_embedded(path, "neem") as world:
        await world.write(a_person(1, names=text(name)), a_person(2, names=text(name)))
    assert holds(path, name)

    async with open_embedded(path, "neem") as world:
        await world.write(a_person(1, names=None, phone=None, subject=None))
        while await world.graph.forget_tenant(world.tenant, limit=10):
            pass

    # The store's end has emptied its log into the file.
    assert not path.with_name(f"{path.name}-wal").exists()
    assert not holds(path, name)


_WRITE_FOR_EVER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from kit.clock import SystemClock
from kit.ids import SystemIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.domain.events import TreeChanged
from services.hierarchy.domain.model import TenantId, Unit
from tests.builders_hierarchy import a_unit, an_operation

async def main():
    async with EmbeddedStore(Path(sys.argv[1])) as store:
        graph = EmbeddedOrgGraph(store, SystemClock(), SystemIds())
        for version in range(1, 10_000):
            units = [a_unit("state", f"S{version}-{n}", revision=version) for n in range(500)]
            header = lambda it: replace(it, tree_version=version)
            changes = [TreeChanged(version)]
            operation = an_operation(puts=units, header=header, changes=changes)
            await graph.write(TenantId("neem"), operation)
            print(version, flush=True)

asyncio.run(main())
"""


def write_until_killed(path: Path, log: Path, writes: int) -> int:
    """Let a process write until it has answered so often, kill it; its last answer."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITE_FOR_EVER, str(path)],
            stdout=output,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": "."},
        )
        try:
            wait_until_sync(
                lambda: process.poll() is not None or len(log.read_text().splitlines()) >= writes,
                60,
                "writes",
            )
        finally:
            process.kill()
            code = process.wait()
    assert code == -signal.SIGKILL
    return int(log.read_text().splitlines()[-1])


@pytest.mark.parametrize("writes", [1, 4])
async def test_a_process_that_is_killed_loses_nothing_that_it_answered(
    path: Path, tmp_path: Path, writes: int
) -> None:
    answered = write_until_killed(path, tmp_path / "answers", writes)

    async with EmbeddedStore(path) as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SeededIds(1))
        tree = await graph.tree(NEEM)
        events = await EmbeddedOutbox(store).events(NEEM, after=0, limit=100_000)
        sound = await store.read(lambda it: it.execute("PRAGMA integrity_check").fetchall())

    version = tree.tree_version
    assert answered <= version <= answered + 1
    assert len(tree.rows) == 500 * version
    assert [event.change for event in events] == [TreeChanged(n) for n in range(1, version + 1)]
    assert sound == [("ok",)]
