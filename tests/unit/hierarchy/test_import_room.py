"""How many rows one process takes in at a time."""

import asyncio

import pytest

from kit.errors import LimitExceeded
from services.hierarchy.domain.errors import ImportsBusy
from services.hierarchy.domain.model import TenantId
from services.hierarchy.use_cases.imports import IMPORTS_PER_TENANT, ImportRoom

NEEM, PEEPAL = TenantId("neem"), TenantId("peepal")


async def test_rows_beyond_the_room_are_refused_and_room_comes_back() -> None:
    room = ImportRoom(max_rows=10)

    async with room.enter(NEEM) as take, room.enter(PEEPAL) as take_other:
        take(6)
        take_other(4)
        with pytest.raises(ImportsBusy) as refused:
            take_other(1)
        take(0)
        assert isinstance(refused.value, LimitExceeded)
        assert refused.value.retry_after is not None

    async with room.enter(PEEPAL) as take:
        take(10)


async def test_a_failed_import_gives_its_room_back() -> None:
    room = ImportRoom(max_rows=10)

    async def fail() -> None:
        async with room.enter(NEEM) as take:
            take(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with room.enter(NEEM) as take:
        take(10)


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
