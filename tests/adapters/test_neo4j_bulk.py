"""Many units at once take a road of their own into Neo4j, to where the other one leads too."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from neo4j import AsyncGraphDatabase

from services.hierarchy.adapters.neo4j import puts
from services.hierarchy.domain.model import TenantId, Unit
from tests.builders_hierarchy import a_small_tree, a_unit
from tests.org_graphs import World, open_neo4j

Auth = tuple[str, str] | None


@pytest.fixture
async def world(neo4j_uri: str, neo4j_auth: Auth, unique: str) -> AsyncIterator[World]:
    async with open_neo4j(neo4j_uri, neo4j_auth, unique) as world:
        yield world


async def write_over(world: World, tenant: TenantId) -> None:
    """A tree, and over it units that are new, moved, and under keys that others give up."""
    await world.start(*a_small_tree(), tenant=tenant)
    first, second = [await world.unit("booth", code, tenant=tenant) for code in ("B1", "B2")]
    mandal = await world.unit("mandal", "M2", tenant=tenant)
    root = a_unit("state", "MP")
    await world.write(
        a_unit("district", "IDR", parent_id=root.id),  # before its parent
        root,
        replace(first, code="B2"),
        replace(second, code="B9", parent_id=mandal.id),
        a_unit("booth", "B1", unit_id=a_unit("booth", "new").id, parent_id=mandal.id),
        tenant=tenant,
    )


async def test_both_roads_lead_to_the_same_graph(
    world: World, neo4j_uri: str, neo4j_auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant, many in ((world.tenant, 1), (world.other, 1_000_000)):
        monkeypatch.setattr(puts, "_MANY", many)
        await write_over(world, tenant)

    assert await world.all(Unit, world.tenant) == await world.all(Unit, world.other)
    assert await world.graph.tree(world.tenant) == await world.graph.tree(world.other)
    async with AsyncGraphDatabase.driver(neo4j_uri, auth=neo4j_auth) as driver:
        edges = [
            await driver.execute_query(
                """MATCH (n:Unit {tenant: $tenant})-[e:CHILD_OF]->(parent)
                RETURN n.id, parent.id, e.valid_from ORDER BY n.id""",
                tenant=tenant,
            )
            for tenant in (world.tenant, world.other)
        ]
    found = [[tuple(row.values()) for row in each.records] for each in edges]
    assert len(found[0]) == 8
    assert found[0] == found[1]
