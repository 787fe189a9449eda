"""A write that was let in is turned away when its tenant may work no more by then."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kit.errors import ChaupalError
from services.hierarchy.domain.errors import TenantSuspended
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.tenant_errors import TenantUnknown
from services.hierarchy.domain.tenants import TenantHeader, TenantStatus
from services.hierarchy.ports import OrgGraph
from services.hierarchy.use_cases.working_tenants import WorkingTenants
from tests.builders_hierarchy import Done, a_request_id, an_operation, one_of_each
from tests.org_graphs import World, open_embedded


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_embedded(tmp_path / "hierarchy.sqlite3", "t") as world:
        yield world


def status(to: TenantStatus) -> Callable[[TenantHeader], TenantHeader]:
    return lambda before: replace(before, access_version=1, status=to)


@pytest.mark.parametrize("validate_only", [False, True])
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize(
    ("to", "error"),
    [
        (TenantStatus.SUSPENDED, TenantSuspended),
        (TenantStatus.DELETING, TenantUnknown),
        (TenantStatus.DELETED, TenantUnknown),
    ],
)
async def test_nothing_is_written(
    world: World,
    to: TenantStatus,
    error: type[ChaupalError],
    implicit: bool,
    validate_only: bool,
) -> None:
    working: OrgGraph = WorkingTenants(world.graph, implicit=implicit)
    await world.write(header=status(to))
    before = await world.dump()

    with pytest.raises(error):
        await working.write(
            world.tenant, an_operation(puts=one_of_each(), validate_only=validate_only)
        )

    assert await world.dump() == before


async def test_a_stranger_begins_only_where_that_is_allowed(world: World) -> None:
    def begin() -> Operation[Done]:
        header = status(TenantStatus.ACTIVE)
        return an_operation(puts=one_of_each(), header=header, answer=Done("begun"))

    with pytest.raises(TenantUnknown):
        await WorkingTenants(world.graph, implicit=False).write(world.tenant, begin())
    assert await world.graph.tenants(limit=9) == []

    answer = await WorkingTenants(world.graph, implicit=True).write(world.tenant, begin())
    assert answer == Done("begun")
    # Begun is as good as created.
    again = an_operation(answer=Done("again"))
    assert await WorkingTenants(world.graph, implicit=False).write(world.tenant, again) == Done(
        "again"
    )


async def test_a_tenant_at_work_writes_and_is_answered_once(world: World) -> None:
    working = WorkingTenants(world.graph, implicit=False)
    await world.write(header=status(TenantStatus.ACTIVE))
    first, repeat = (
        an_operation(answer=Done(note), request_id=request_id, fingerprint="same")
        for request_id in [a_request_id()]
        for note in ("first", "repeat")
    )

    assert await working.write(world.tenant, first) == Done("first")
    assert await working.write(world.tenant, repeat) == Done("first")
