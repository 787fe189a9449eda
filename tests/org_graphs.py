"""The stores that hold an org graph, opened for a test; nobody who uses one asks which it is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.ids import SeededIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedOutbox, EmbeddedStore
from services.hierarchy.adapters.neo4j import Neo4jOrgGraph, Neo4jOutbox, Neo4jStore
from services.hierarchy.adapters.neo4j.store import RETRY
from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import (
    Blueprint,
    ImportReport,
    TenantId,
    Unit,
    UnitId,
    UnitKey,
    UnitRow,
)
from services.hierarchy.domain.tree import TreeRows
from services.hierarchy.ports import OrgGraph, Outbox
from tests.builders_hierarchy import a_blueprint, an_import

STORES = (
    pytest.param("embedded"),
    pytest.param("neo4j", marks=pytest.mark.neo4j),
)


@dataclass(frozen=True, slots=True)
class Dump:
    """All that can be read of one tenant."""

    blueprint: Blueprint | None
    tree: TreeRows
    units: Mapping[UnitId, Unit]
    events: Sequence[Event]


@dataclass(frozen=True)
class World:
    """One store with a tenant that nobody else uses, and another such.

    `graph` and `twin` are two adapters of the store that give the same ids in the same order, so
    that what they make for two tenants differs in nothing but the tenant.
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
        tree = await self.graph.tree(tenant)
        units = await self.graph.units(tenant, [row.id for row in tree.rows])
        assert units.tree_version == tree.tree_version
        events = await self.outbox.events(tenant, after=0, limit=10_000)
        return Dump(await self.graph.blueprint(tenant), tree, dict(units.value), list(events))

    async def start(self, *rows: UnitRow, tenant: TenantId | None = None) -> ImportReport | None:
        """Put the usual blueprint and import the rows, if any."""
        tenant = tenant or self.tenant
        await self.graph.put_blueprint(tenant, a_blueprint())
        return await self.load(*rows, tenant=tenant) if rows else None

    async def load(self, *rows: UnitRow, tenant: TenantId | None = None) -> ImportReport:
        """Import rows that are right."""
        report = await self.graph.apply_import(tenant or self.tenant, an_import(*rows))
        assert report.errors == ()
        return report

    async def unit(self, level: str, code: str, tenant: TenantId | None = None) -> Unit:
        read = await self.graph.unit_by_key(tenant or self.tenant, UnitKey(level, code))
        assert read.value is not None
        return read.value


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
        assert await store.ready() is None
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
