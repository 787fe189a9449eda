"""The removal of a tenant, over every store: nothing is left, and nobody else is touched."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kit.deadline import Deadline
from kit.ids import SeededIds
from services.hierarchy.domain.events import TenantChanged
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.records import RECORD_TYPES
from services.hierarchy.domain.tenant_errors import PeersNotTold
from services.hierarchy.domain.tenants import TenantHeader, TenantStatus
from services.hierarchy.use_cases.tenant_removal import TenantRemoval
from tests.builders_hierarchy import one_of_each
from tests.org_graphs import STORES, World, open_world
from tests.tenants_server import Operator


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def fill(world: World, tenant: TenantId) -> None:
    """A suspended tenant with a record of every type, and an event to tell."""
    await world.write(
        *one_of_each(),
        header=lambda before: replace(before, access_version=1, status=TenantStatus.SUSPENDED),
        changes=[TenantChanged(TenantStatus.SUSPENDED)],
        tenant=tenant,
    )


async def test_nothing_is_left_of_one_and_all_of_the_other(world: World) -> None:
    await fill(world, world.tenant)
    await fill(world, world.other)
    theirs = await world.dump(world.other)
    removal = TenantRemoval(world.graph, world.outbox, world.clock, SeededIds(5), per_write=4)

    with pytest.raises(PeersNotTold):
        await removal.run(Operator(), world.tenant, Deadline.after(0))
    # Nothing was removed before the last event, the third, was told.
    begun = await world.dump()
    assert [len(begun.records[of]) for of in RECORD_TYPES] == [1] * len(RECORD_TYPES)
    assert begun.header.status is TenantStatus.DELETING
    await world.outbox.mark_relayed(world.tenant, through=len(begun.events))

    half = await removal.run(Operator(), world.tenant, Deadline.after(0))
    whole = await removal.run(Operator(), world.tenant, Deadline.after(60))

    assert (half.removed_count, half.proof) == (4, None)
    assert whole.proof is not None
    assert whole.proof.remaining_count == 0
    left = await world.dump()
    assert left.header == TenantHeader(world.tenant, access_version=2, status=TenantStatus.DELETED)
    assert not any(left.records.values())
    assert left.events == []
    assert await world.dump(world.other) == theirs
    assert await world.graph.forget_tenant(world.tenant, limit=10) == 0
