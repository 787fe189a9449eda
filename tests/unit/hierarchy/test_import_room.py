"""How many rows one process takes in at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.context import CallContext, bind
from kit.deadline import Deadline
from kit.errors import LimitExceeded
from kit.ids import SeededIds
from kit.tokens import Caller
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedOutbox, EmbeddedStore
from services.hierarchy.bootstrap import Store, build_servicer
from services.hierarchy.domain.errors import ImportsBusy
from services.hierarchy.domain.model import TenantId
from services.hierarchy.servicers.hierarchy import HierarchyServicer
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.imports import IMPORTS_PER_TENANT, ImportRoom
from services.hierarchy.use_cases.trees import Trees
from tests.builders_hierarchy import a_blueprint, a_row
from tests.hierarchy_operations import putting
from tests.hierarchy_server import import_messages
from tests.timing import wait_until
from tests.unit.hierarchy.gated import GatedIds

NEEM, PEEPAL = TenantId("neem"), TenantId("peepal")


async def test_rows_beyond_the_room_are_refused_and_room_comes_back() -> None:
    room = ImportRoom(max_rows=10)

    async with room.enter(NEEM) as place, room.enter(PEEPAL) as other:
        place.take(6)
        other.take(4)
        with pytest.raises(ImportsBusy) as refused:
            other.take(1)
        place.take(0)
        assert isinstance(refused.value, LimitExceeded)
        assert refused.value.retry_after is not None

    async with room.enter(PEEPAL) as place:
        place.take(10)


async def test_a_failed_import_gives_its_room_back() -> None:
    room = ImportRoom(max_rows=10)

    async def fail() -> None:
        async with room.enter(NEEM) as place:
            place.take(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with room.enter(NEEM) as place:
        place.take(10)


async def test_more_imports_of_a_tenant_wait_and_no_others_do() -> None:
    room = ImportRoom()
    leave = asyncio.Event()
    inside: list[TenantId] = []

    async def visit(tenant: TenantId) -> None:
        async with room.enter(tenant):
            inside.append(tenant)
            await leave.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(IMPORTS_PER_TENANT + 2):
            tasks.create_task(visit(NEEM))
        tasks.create_task(visit(PEEPAL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert inside == [NEEM] * IMPORTS_PER_TENANT + [PEEPAL]
        leave.set()

    assert len(inside) == IMPORTS_PER_TENANT + 3


async def test_a_cancelled_import_keeps_room_and_turn_until_its_work_ends() -> None:
    room = ImportRoom(max_rows=10)
    end = asyncio.Event()

    async def visit() -> None:
        async with room.enter(NEEM) as place:
            place.take(5)
            await place.run(end.wait())

    async def enter_once_more() -> None:
        async with room.enter(NEEM) as place:
            place.take(5)

    visits = [asyncio.create_task(visit()) for _ in range(IMPORTS_PER_TENANT)]
    await wait_until(lambda: len(room._working) == IMPORTS_PER_TENANT, 10, "both work")
    for each in visits:
        each.cancel()
    gone = await asyncio.gather(*visits, return_exceptions=True)
    next_one = asyncio.create_task(enter_once_more())

    assert [type(each) for each in gone] == [asyncio.CancelledError] * IMPORTS_PER_TENANT
    async with room.enter(PEEPAL) as place:
        with pytest.raises(ImportsBusy):
            place.take(1)
        assert not next_one.done()
        end.set()
        await next_one
        await wait_until(lambda: not room._working, 10, "all work has ended")
        place.take(10)


async def test_work_that_fails_after_its_caller_went_gives_everything_back() -> None:
    room = ImportRoom(max_rows=10)
    end = asyncio.Event()

    async def fail() -> None:
        await end.wait()
        raise ZeroDivisionError

    async def visit() -> None:
        async with room.enter(NEEM) as place:
            place.take(10)
            await place.run(fail())

    visiting = asyncio.create_task(visit())
    await wait_until(lambda: room._working, 10, "it works")
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    end.set()
    await wait_until(lambda: not room._working, 10, "the work has ended")

    async with room.enter(NEEM) as place:
        place.take(10)


async def test_a_room_that_closes_ends_the_work_that_nobody_waits_for() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async with ImportRoom() as room:

        async def visit() -> None:
            async with room.enter(NEEM) as place:
                await place.run(work())

        visiting = asyncio.create_task(visit())
        await wait_until(lambda: room._working, 10, "it works")
        visiting.cancel()
        await asyncio.gather(visiting, return_exceptions=True)
        assert ended == []

    assert ended == ["work"]


async def test_the_servicer_keeps_the_room_while_a_thread_holds_the_rows(
    tmp_path: Path,
) -> None:
    """The caller goes away in the middle of the plan."""
    ids, room = GatedIds(), ImportRoom(max_rows=1)

    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as embedded:
        clock = FakeClock()
        graph = EmbeddedOrgGraph(embedded, clock, ids)
        for tenant in (NEEM, PEEPAL):
            await graph.write(tenant, putting(a_blueprint()))
        outbox, no_migration = EmbeddedOutbox(embedded), partial(asyncio.sleep, 0)
        store = Store(graph, outbox, embedded.ready, no_migration, clock, SeededIds(1))
        trees = Trees(graph)
        servicer = build_servicer(store, trees, Access(graph, trees, clock), room)
        try:
            going = asyncio.create_task(send_a_row(servicer, NEEM))
            await wait_until(lambda: ids.waiting, 10, "the import is being planned")
            going.cancel()
            with pytest.raises(asyncio.CancelledError):
                await going
            with pytest.raises(ImportsBusy):
                await send_a_row(servicer, PEEPAL)
        finally:
            ids.gate.set()
        await wait_until(lambda: not room._working, 10, "the work has ended")
        reply = await send_a_row(servicer, PEEPAL)
        assert reply.report.created_count == 1
        assert len((await graph.tree(NEEM)).rows) == 1


async def send_a_row(servicer: HierarchyServicer, tenant: TenantId) -> pb.ImportUnitsResponse:
    """The reply to an import of one row by a user of the tenant."""

    async def sending() -> AsyncIterator[pb.ImportUnitsRequest]:
        for message in import_messages([a_row("state", "RJ")]):
            yield message

    caller = Caller(
        subject="somebody",
        tenant=tenant,
        kind="user",
        capabilities=frozenset({"administer"}),
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        token="",
    )

    async def call() -> pb.ImportUnitsResponse:
        bind(CallContext(caller, Deadline.after(60), "request"))
        nobody: Any = None
        return await servicer.ImportUnits(sending(), nobody)

    return await asyncio.create_task(call())
