"""`OrgGraph`: which tenants there are, and how one is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.hierarchy.domain.events import TreeChanged
from services.hierarchy.domain.model import RequestId, TenantId
from services.hierarchy.domain.records import INDEXES, RECORD_TYPES
from services.hierarchy.domain.tenants import TenantHeader, TenantStatus
from tests.builders_hierarchy import Done, a_request_id, an_operation, one_of_each
from tests.org_graph_model import key_of
from tests.org_graphs import STORES, World, open_world


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def ours(world: World, after: str = "", limit: int = 1_000) -> list[TenantHeader]:
    """Those of our tenants: a shared server has others, whose names begin otherwise."""
    prefix = world.tenant.removesuffix("-a")
    found = await world.graph.tenants(after=max(after, prefix), limit=limit)
    return [header for header in found if header.tenant.startswith(prefix)]


async def test_tenants_come_in_the_order_of_their_ids(world: World) -> None:
    await world.start(tenant=world.other)
    await world.write(header=lambda it: replace(it, status=TenantStatus.SUSPENDED))

    headers = [await world.graph.header(each) for each in (world.tenant, world.other)]
    assert await ours(world) == headers
    assert await ours(world, limit=1) == headers[:1]
    assert await ours(world, after=world.tenant) == headers[1:]
    assert await ours(world, after=world.other) == []


async def test_whoever_was_only_asked_is_no_tenant(world: World) -> None:
    await world.dump()
    await world.graph.write(world.tenant, an_operation(validate_only=True))
    await world.outbox.mark_relayed(world.tenant, through=3)

    assert await ours(world) == []


async def test_whoever_was_answered_is_a_tenant(world: World) -> None:
    await world.graph.write(world.tenant, an_operation())

    assert await ours(world) == [TenantHeader(world.tenant)]


async def fill(world: World, tenant: TenantId, request_ids: list[RequestId]) -> None:
    await world.start(tenant=tenant)
    operation = an_operation(
        puts=one_of_each(),
        changes=[TreeChanged(number) for number in range(1, 6)],
        answer=Done("first"),
        request_id=request_ids[0],
    )
    await world.graph.write(tenant, operation)
    for request_id in request_ids[1:]:
        await world.graph.write(tenant, an_operation(answer=Done("no"), request_id=request_id))


async def test_a_tenant_is_forgotten_little_by_little(world: World) -> None:
    request_ids = [a_request_id() for _ in range(3)]
    for tenant in (world.tenant, world.other):
        await fill(world, tenant, request_ids)
    header, theirs = await world.graph.header(world.tenant), await world.dump(world.other)
    # Nine records, the answers of `fill` and of its start, the events of both.
    records, things = 9, 9 + (3 + 1) + (5 + 1)
    left = things

    while left:
        assert await world.graph.forget_tenant(world.tenant, limit=4) == min(4, left)
        left -= min(4, left)
        dump = await world.dump()
        # Records first, events last.
        assert sum(map(len, dump.records.values())) == max(0, left - (things - records))
        assert len(dump.events) == min(6, left)

    assert await world.graph.forget_tenant(world.tenant, limit=4) == 0
    assert await world.graph.header(world.tenant) == header
    assert await ours(world) == [header, theirs.header]
    assert await world.dump(world.other) == theirs


async def test_of_a_tenant_that_was_forgotten_nothing_is_found(world: World) -> None:
    await fill(world, world.tenant, [a_request_id()])
    await world.outbox.mark_relayed(world.tenant, through=6)

    while await world.graph.forget_tenant(world.tenant, limit=1_000):
        pass

    assert (await world.dump()).events == []
    for record in one_of_each():
        assert await world.all(type(record)) == []
        for index in (each for each in INDEXES if each.of is type(record)):
            assert await world.find(index, key_of(record, index) or "") == {}
    backlogs = await world.outbox.backlogs(limit=100_000)
    assert world.tenant not in {each.tenant for each in backlogs}


async def test_what_is_written_after_all_was_forgotten_is_no_repeat(world: World) -> None:
    await fill(world, world.tenant, request_ids := [a_request_id()])
    await world.outbox.mark_relayed(world.tenant, through=6)
    while await world.graph.forget_tenant(world.tenant, limit=1_000):
        pass
    again = an_operation(
        puts=one_of_each(),
        answer=Done("new"),
        request_id=request_ids[0],
        fingerprint="new",
        changes=[TreeChanged(1)],
    )

    assert await world.graph.write(world.tenant, again) == Done("new")

    dump = await world.dump()
    assert [len(dump.records[of]) for of in RECORD_TYPES] == [1] * len(RECORD_TYPES)
    assert [event.sequence for event in dump.events] == [7]


async def test_of_a_stranger_there_is_nothing_to_forget(world: World) -> None:
    await fill(world, world.other, [a_request_id()])
    before = await world.dump(world.other)

    assert await world.graph.forget_tenant(world.tenant, limit=100) == 0

    assert await world.dump(world.other) == before


async def test_a_tenant_whose_name_begins_like_anothers_is_another(world: World) -> None:
    await fill(world, world.tenant, [a_request_id()])
    before = await world.dump()
    longer, shorter = TenantId(world.tenant + "x"), TenantId(world.tenant[:-1])

    for stranger in (longer, shorter):
        assert await world.graph.forget_tenant(stranger, limit=100) == 0
        dump = await world.dump(stranger)
        assert (dump.header, dump.events) == (TenantHeader(stranger), [])
        assert not any(dump.records.values())
        assert list(dump.tree.rows) == []

    assert await world.dump() == before
