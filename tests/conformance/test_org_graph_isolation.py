"""Nothing that is called as one tenant returns or changes what is another's."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.errors import RequestIdReused
from services.hierarchy.domain.events import TreeChanged
from services.hierarchy.domain.model import Unit, UnitId
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.records import INDEXES, Record
from services.hierarchy.domain.tenants import TenantHeader
from tests.builders_hierarchy import (
    Done,
    a_blueprint,
    a_request_id,
    an_operation,
    one_of_each,
    operation_of,
)
from tests.org_graph_model import Model, key_of
from tests.org_graph_records import IDS, POSITIONS, RECORDS, SOME_INSTANTS, that_may_stand
from tests.org_graphs import STORES, World, open_embedded, open_world

TENANT_RECORDS = st.lists(RECORDS, max_size=12).map(that_may_stand)


@pytest.fixture(params=STORES)
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, unique: str
) -> AsyncIterator[World]:
    async with open_world(request.param, request, tmp_path, unique) as world:
        yield world


async def as_tenant(world: World, records: Sequence[Record]) -> None:
    """Everything that can be written, as the world's first tenant."""
    graph, tenant = world.graph, world.tenant
    await world.write(
        *records,
        header=lambda it: replace(it, blueprint=a_blueprint(name="Ours"), tree_version=4),
        changes=[TreeChanged(4), TreeChanged(5)],
    )
    await graph.write(tenant, an_operation(drops=records, validate_only=True))
    await world.write(drops=records)
    await world.write(*records, changes=[TreeChanged(6)])
    await world.outbox.mark_relayed(tenant, through=2)


async def seen_by_tenant(world: World, ours: Model, keys: set[str]) -> None:
    """Everything that can be read with any key, as the world's first tenant."""
    graph, tenant = world.graph, world.tenant
    for index in INDEXES:
        for at in (None, SOME_INSTANTS[1]):
            assert await world.find(index, *keys, at=at) == ours.find(index, keys, at)
    ids = [UnitId(each) for each in keys]
    units = {unit.id: unit for unit in ours.all(Unit)}
    children = (await graph.children(tenant, [None, *ids], limit=1000)).value
    assert {parent: list(page.units) for parent, page in children.items()} == {
        parent: ours.children(parent) for parent in [None, *ids] if parent in {None, *units}
    }
    ancestors = (await graph.ancestors(tenant, ids)).value
    assert set(ancestors) == set(units)
    assert all(units[unit.id] == unit for above in ancestors.values() for unit in above)
    for at in (None, SOME_INSTANTS[2]):
        rows = (await graph.tree(tenant, at=at)).rows
        assert sorted(rows, key=str) == sorted(ours.tree(at), key=str)
    changes = await graph.unit_changes(tenant, since=0, limit=1000)
    assert changes is not None
    assert (set(changes.units), set(changes.closed)) == ours.changed_since(0)
    await held_by_tenant(world, ours)


async def held_by_tenant(world: World, ours: Model) -> None:
    """Who holds what, as the world's first tenant."""
    graph, tenant, at = world.graph, world.tenant, SOME_INSTANTS[1]
    for position in POSITIONS:
        assert set(await graph.units_with(tenant, position, at)) == ours.units_with(position, at)
    for units in (None, [UnitId(each) for each in IDS]):
        found = await graph.tally(tenant, units=units, at=at, verified_since=at)
        assert sum(each.count for each in found) == len(ours.held(at))


async def both_ways(world: World, ours: Sequence[Record], theirs: Sequence[Record]) -> None:
    """The other tenant is there first, with the same ids and keys, as far as they go."""
    before_us, with_us = Model(TenantHeader(world.tenant)), Model(TenantHeader(world.tenant))
    with_us.records = with_us.after(ours, ())
    keys = {
        str(key_of(record, index))
        for record in [*ours, *theirs]
        for index in INDEXES
        if index.of is type(record)
    }
    await world.start(tenant=world.other)
    await world.write(*theirs, tenant=world.other)
    before = await world.dump(world.other)

    await seen_by_tenant(world, before_us, keys)
    await as_tenant(world, ours)
    await seen_by_tenant(world, with_us, keys)
    assert await world.dump(world.other) == before
    while await world.graph.forget_tenant(world.tenant, limit=1_000):
        pass
    await seen_by_tenant(world, before_us, keys)

    assert await world.dump(world.other) == before
    backlogs = await world.outbox.backlogs(limit=100_000)
    assert [b.relayed_through for b in backlogs if b.tenant == world.other] == [0]


@given(ours=TENANT_RECORDS, theirs=TENANT_RECORDS)
def test_whatever_two_tenants_hold_they_never_meet(
    ours: list[Record], theirs: list[Record]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(in_world(embedded(Path(folder)), ours, theirs))


async def test_two_tenants_with_the_same_records_never_meet(world: World) -> None:
    theirs = that_may_stand(one_of_each())

    await both_ways(world, theirs[:5], theirs)


async def test_a_decision_finds_nothing_of_another_tenant(world: World) -> None:
    await world.write(*one_of_each(), tenant=world.other)
    wanted = {
        index: [str(key_of(record, index)) for record in one_of_each() if index.of is type(record)]
        for index in INDEXES
    }
    found: list[Found] = []

    def decide(_moment: Moment) -> Steps[Done]:
        found.append((yield Want(wanted)))
        return Decision(Done())

    for dry in (True, False):
        await world.graph.write(world.tenant, operation_of(decide, validate_only=dry))
    await world.graph.write(world.other, operation_of(decide))

    counts = [
        sum(len(each.all(i, k)) for i, keys in wanted.items() for k in keys) for each in found
    ]
    assert counts[:2] == [0, 0]
    assert counts[-1] == len(INDEXES)  # so the test has tried what it says


async def test_each_tenant_has_its_own_request_ids(world: World) -> None:
    request_id = a_request_id()
    ours = an_operation(answer=Done("ours"), request_id=request_id, fingerprint="ours")
    theirs = an_operation(answer=Done("theirs"), request_id=request_id, fingerprint="theirs")

    assert await world.graph.write(world.other, theirs) == Done("theirs")
    assert await world.graph.write(world.tenant, ours) == Done("ours")
    assert await world.graph.write(world.other, theirs) == Done("theirs")
    with pytest.raises(RequestIdReused):
        await world.graph.write(world.tenant, theirs)


def embedded(folder: Path) -> AbstractAsyncContextManager[World]:
    return open_embedded(folder / "hierarchy.sqlite3", f"t{uuid.uuid4().hex[:8]}")


async def in_world(
    opening: AbstractAsyncContextManager[World], ours: list[Record], theirs: list[Record]
) -> None:
    async with opening as world:
        await both_ways(world, ours, theirs)
