"""How many imports one process takes in at a time, also when their callers go away."""

# ruff: noqa: ARG002  # the signatures are the ports'

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import pytest
from chaupal.groups.v1 import groups_pb2 as pb

from kit.clock import SystemClock
from kit.deadline import Deadline
from kit.ids import SeededIds
from kit.redis import open_redis
from services.groups.adapters.redis import RedisGroupRegistry
from services.groups.bootstrap import build_use_cases
from services.groups.domain.access import Granted
from services.groups.domain.imports import GroupRow, ImportReport
from services.groups.domain.model import TenantId
from services.groups.ports import Organisation
from services.groups.translate.imports import page_from_proto
from services.groups.use_cases.call import Call
from services.groups.use_cases.imports import (
    MOST_IMPORTS_OF_A_TENANT,
    ImportGroups,
    TooManyImports,
)
from tests.timing import wait_until
from tests.unit.groups.builders import BLUEPRINT, a_state
from tests.unit.groups.messages import a_request_id, a_row


class GatedIds:
    """Ids that are given once the gate is open, so that a thread that registers waits for it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.is_asked = threading.Event()
        self._ids = SeededIds(7)

    def new(self) -> str:
        self.is_asked.set()
        self.gate.wait()
        return self._ids.new()


class Peer:
    """An organisation that never changes."""

    async def organisation(
        self,
        tenant: TenantId,
        known: Organisation | None,
        *,
        deadline: Deadline,
        ask: bool = False,
        at_least: int = 0,
    ) -> Organisation:
        return Organisation(a_state().snapshot(), BLUEPRINT, "", 0.0)


class NoRights:
    """Nobody's: whose credential is enough is not asked about."""

    async def granted(self, tenant: TenantId, subject: str, *, at_least: int) -> Granted:
        raise AssertionError

    async def version(self, tenant: TenantId) -> int:
        raise AssertionError


@dataclass(frozen=True)
class Somebody:
    tenant_id: str
    subject: str = "somebody"
    is_service: bool = False
    capabilities: frozenset[str] = frozenset({"administer"})


@pytest.fixture
def ids() -> Iterator[GatedIds]:
    ids = GatedIds()
    yield ids
    ids.gate.set()


@pytest.fixture
async def import_groups(valkey_url: str, ids: GatedIds) -> AsyncIterator[ImportGroups]:
    client, clock = open_redis(valkey_url), SystemClock()
    try:
        registry = RedisGroupRegistry(client, clock)
        yield build_use_cases(registry, Peer(), NoRights(), clock, ids).import_groups
    finally:
        await client.aclose()


async def bring_in(use: ImportGroups, tenant: str, code: str) -> ImportReport:
    """The report on an import of one row."""

    async def pages() -> AsyncIterator[Sequence[GroupRow]]:
        yield page_from_proto(
            pb.ImportGroupsRequest(page=pb.ImportGroupsPage(rows=[a_row(2, code)]))
        )

    call = Call(Somebody(tenant), Deadline.after(60))
    return await use(call, a_request_id(), pages(), validate_only=False)


async def test_a_cancelled_import_keeps_its_slot_until_its_work_ends(
    import_groups: ImportGroups, ids: GatedIds, unique: str
) -> None:
    going = [
        asyncio.create_task(bring_in(import_groups, unique, f"g-{number}"))
        for number in range(MOST_IMPORTS_OF_A_TENANT)
    ]
    try:
        await wait_until(ids.is_asked.is_set, 10, "a thread registers groups")
        for each in going:
            each.cancel()
        gone = await asyncio.gather(*going, return_exceptions=True)
        assert [type(each) for each in gone] == [asyncio.CancelledError] * len(going)
        async with asyncio.timeout(10):
            with pytest.raises(TooManyImports):
                await bring_in(import_groups, unique, "g-9")
    finally:
        ids.gate.set()

    async def came_in() -> ImportReport | None:
        try:
            return await bring_in(import_groups, unique, "g-9")
        except TooManyImports:
            return None

    report = await wait_until(came_in, 10, "the slots are given back")
    assert report is not None
    assert report.created_count == 1


async def test_closing_ends_the_work_that_nobody_waits_for(
    import_groups: ImportGroups, ids: GatedIds, unique: str
) -> None:
    going = asyncio.create_task(bring_in(import_groups, unique, "g-1"))
    await wait_until(ids.is_asked.is_set, 10, "a thread registers groups")
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)

    await import_groups.aclose()
    ids.gate.set()

    # The tenant's writer is free again, and what was cancelled before its commit never came in.
    assert (await bring_in(import_groups, unique, "g-1")).created_count == 1
