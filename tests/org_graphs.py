"""The stores that hold an org graph, opened for a test; nobody who uses one asks which it is."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.ids import SeededIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedOutbox, EmbeddedStore
from services.hierarchy.adapters.neo4j import Neo4jOrgGraph, Neo4jOutbox, Neo4jStore
from services.hierarchy.adapters.neo4j.store import RETRY
from services.hierarchy.domain.events import BlueprintChanged, Change, Event, TreeChanged
from services.hierarchy.domain.model import TenantId, Unit, UnitRow
from services.hierarchy.domain.records import (
    RECORD_TYPES,
    UNITS_BY_KEY,
    Index,
    R,
    Record,
    joined_key,
)
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import OrgGraph, Outbox
from tests.builders_hierarchy import a_blueprint, a_unit, an_operation

STORES = (
    pytest.param("embedded"),
    pytest.param("neo4j", marks=pytest.mark.neo4j),
)


@dataclass(frozen=True, slots=True)
class Dump:
    """All that can be read of one tenant without knowing of it."""

    header: TenantHeader
    tree: TreeRows
    records: Mapping[type[Record], Sequence[Record]]
    events: Sequence[Event]


@dataclass(frozen=True)
class World:
    """One store with a tenant that nobody else uses, and another such.

    `graph` and `twin` are two adapters of the store that give the same ids in the same order.
    """

    graph: OrgGraph
    twin: OrgGraph
    outbox: Outbox
    forgetful: Outbox  # keeps three relayed events
    clock: FakeClock
    tenant: TenantId
    other: TenantId

    async def dump(self, tenant: TenantId | None = None) -> Dump:
        tenant = tenant or self.tenant
        return Dump(
            await self.graph.header(tenant),
            await self.graph.tree(tenant),
            {of: await self.all(of, tenant) for of in RECORD_TYPES},
            list(await self.outbox.events(tenant, after=0, limit=10_000)),
        )

    async def all(self, of: type[R], tenant: TenantId | None = None) -> list[R]:
        """Every record of a type, in the order of ids."""
        return list(await self.graph.page(tenant or self.tenant, of, limit=10_000))

    async def write(
        self,
        *puts: Record,
        drops: Sequence[Record] = (),
        header: Callable[[TenantHeader], TenantHeader] | None = None,
        changes: Sequence[Change] = (),
        tenant: TenantId | None = None,
    ) -> None:
        operation = an_operation(puts=puts, drops=drops, header=header, changes=changes)
        await self.graph.write(tenant or self.tenant, operation)

    async def find(
        self, index: Index[R], *keys: str, tenant: TenantId | None = None, **at: Any
    ) -> dict[str, list[R]]:
        """What is found, in the order of ids, as a store may take any."""
        read = await self.graph.find(tenant or self.tenant, index, keys, **at)
        return {
            key: sorted(records, key=lambda each: str(each.id))
            for key, records in read.value.items()
        }

    async def start(self, *rows: UnitRow, tenant: TenantId | None = None) -> None:
        """Put the usual blueprint and units like the rows, if any."""
        blueprint = replace(a_blueprint(), version=1)
        await self.write(
            header=lambda before: replace(before, blueprint=blueprint),
            changes=[BlueprintChanged(1)],
            tenant=tenant,
        )
        if rows:
            await self.load(*rows, tenant=tenant)

    async def load(self, *rows: UnitRow, tenant: TenantId | None = None) -> None:
        """Put units like the rows, at a new version of the tree."""
        header = await self.graph.header(tenant or self.tenant)
        version = header.tree_version + 1
        await self.write(
            *(self._unit(row, version) for row in rows),
            header=lambda before: replace(before, tree_version=version),
            changes=[TreeChanged(version)],
            tenant=tenant,
        )

    async def rename(self, times: int = 1, tenant: TenantId | None = None) -> None:
        """Change the header so many times, and tell of each; a second passes between."""
        for _ in range(times):
            version = (await self.graph.header(tenant or self.tenant)).access_version + 1
            await self.write(
                header=lambda it, to=version: replace(it, access_version=to),  # type: ignore[misc]
                changes=[BlueprintChanged(version)],
                tenant=tenant,
            )
            self.clock.advance(1)

    async def unit(self, level: str, code: str, tenant: TenantId | None = None) -> Unit:
        key = joined_key(level, code)
        return (await self.find(UNITS_BY_KEY, key, tenant=tenant))[key][0]

    def _unit(self, row: UnitRow, revision: int) -> Unit:
        parent = a_unit(*row.parent).id if row.has_parent else None
        unit = a_unit(*row.key, parent_id=parent, revision=revision)
        return replace(unit, names=row.names, place=row.place, since=self.clock.now())


@asynccontextmanager
async def open_world(
    store: str, request: pytest.FixtureRequest, folder: Path, unique: str
) -> AsyncIterator[World]:
    """A world in the store of that name."""
    if store == "neo4j":
        uri = request.getfixturevalue("neo4j_uri")
        async with open_neo4j(uri, request.getfixturevalue("neo4j_auth"), unique) as world:
            yield world
    else:
        async with open_embedded(folder / "hierarchy.sqlite3", unique) as world:
            yield world


@asynccontextmanager
async def open_embedded(path: Path, unique: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with EmbeddedStore(path) as store:
        yield World(
            graph=EmbeddedOrgGraph(store, clock, SeededIds(1)),
            twin=EmbeddedOrgGraph(store, clock, SeededIds(1)),
            outbox=EmbeddedOutbox(store),
            forgetful=EmbeddedOutbox(store, events_kept=3),
            clock=clock,
            **_tenants(unique),
        )


@asynccontextmanager
async def open_neo4j(
    uri: str, auth: tuple[str, str] | None, unique: str, retry: timedelta = RETRY
) -> AsyncIterator[World]:
    clock = FakeClock()
    async with Neo4jStore(uri, auth, retry=retry) as store:
        await store.migrate()
        yield World(
            graph=Neo4jOrgGraph(store, clock, SeededIds(1)),
            twin=Neo4jOrgGraph(store, clock, SeededIds(1)),
            outbox=Neo4jOutbox(store),
            forgetful=Neo4jOutbox(store, events_kept=3),
            clock=clock,
            **_tenants(unique),
        )


def _tenants(unique: str) -> dict[str, Any]:
    return {"tenant": TenantId(f"{unique}-a"), "other": TenantId(f"{unique}-b")}
