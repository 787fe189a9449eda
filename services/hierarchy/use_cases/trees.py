"""The trees of recently asked tenants, kept in memory at the version that was current then."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import Tree
from services.hierarchy.ports import OrgGraph

# About 200 bytes a unit: some 400 MB when full.
MAX_UNITS_KEPT = 2_000_000
# Of trees as they stood at some time: whoever looks at one asks for one page of it after another.
MAX_PAST_UNITS_KEPT = 400_000
# With more changes at once, reading the whole is as quick.
MAX_CHANGES = 5_000
# Also an empty tree takes some room.
MAX_PAST_TREES_KEPT = 1_000

K = TypeVar("K", bound=Hashable)


class _PastKey(NamedTuple):
    """Which tree as it stood; a later write may still tell of an earlier time."""

    tenant: TenantId
    at: datetime
    tree_version: int
    blueprint_version: int


class Trees:
    """Numbers each version of a tenant's tree once, however many ask at the same time.

    The version is asked of the graph on each use, so any number of processes agree at once. The
    trees that were asked longest ago are forgotten when more than `max_units` are held, and
    those of the past when more than `max_past_units` are.
    """

    def __init__(
        self,
        graph: OrgGraph,
        max_units: int = MAX_UNITS_KEPT,
        max_past_units: int = MAX_PAST_UNITS_KEPT,
    ) -> None:
        self._graph = graph
        self._now: _Shelf[TenantId] = _Shelf(max_units)
        self._past: _Shelf[_PastKey] = _Shelf(max_past_units, MAX_PAST_TREES_KEPT)

    async def current(self, tenant: TenantId) -> Tree:
        """The tree as it stands."""
        return await self.seen(await self._graph.header(tenant))

    async def seen(self, header: TenantHeader, at: datetime | None = None) -> Tree:
        """The tree at the header's version or a newer one; with `at`, as it stood then."""
        if at is None:
            return await self.at_least(header.tenant, header.tree_version)
        if header.changed_until is None or at >= header.changed_until:
            tree = await self.at_least(header.tenant, header.tree_version)
            if tree.tree_version == header.tree_version:
                return tree
        return await self._as_of(header, at)

    async def at_least(self, tenant: TenantId, tree_version: int) -> Tree:
        """The tree at this version, which the graph has reached, or at a newer one."""
        if tree := self._find(tenant, tree_version):
            return tree
        async with self._now.turn(tenant):
            return (
                self._find(tenant, tree_version)
                or await self._renew(tenant)
                or await self._load(tenant)
            )

    def _find(self, tenant: TenantId, tree_version: int) -> Tree | None:
        tree = self._now.find(tenant)
        return tree if tree and tree.tree_version >= tree_version else None

    async def _renew(self, tenant: TenantId) -> Tree | None:
        """The tree that is here with what has changed since, where that is little."""
        tree = self._now.find(tenant)
        if tree is None:
            return None
        header = await self._graph.header(tenant)
        since = tree.tree_version
        changes = await self._graph.unit_changes(tenant, since=since, limit=MAX_CHANGES)
        # Changes may be newer than the header, and then so may be the levels.
        if changes is None or header.levels_version > since:
            return None
        if changes.tree_version != header.tree_version:
            return None
        renewed = await asyncio.to_thread(
            tree.after, changes.tree_version, changes.units, changes.closed
        )
        self._now.keep(tenant, renewed)
        return renewed

    async def _load(self, tenant: TenantId) -> Tree:
        tree = await asyncio.to_thread(Tree.of, await self._graph.tree(tenant))
        # An empty tree costs nothing to load, and its levels change without a new version.
        if tree.unit_count:
            self._now.keep(tenant, tree)
        return tree

    async def _as_of(self, header: TenantHeader, at: datetime) -> Tree:
        blueprint_version = header.blueprint.version if header.blueprint else 0
        key = _PastKey(header.tenant, at, header.tree_version, blueprint_version)
        async with self._past.turn(key):
            if tree := self._past.find(key):
                return tree
            rows = await self._graph.tree(header.tenant, at=at)
            tree = await asyncio.to_thread(Tree.of, rows)
            self._past.keep(key, tree)
            return tree


class _Shelf(Generic[K]):
    """Trees, the last asked for last; the first go when there is no more room."""

    def __init__(self, max_units: int, max_trees: int | None = None) -> None:
        self._max_units = max_units
        self._max_trees = max_trees
        self._trees: OrderedDict[K, Tree] = OrderedDict()
        self._loading: WeakValueDictionary[K, asyncio.Lock] = WeakValueDictionary()

    def turn(self, key: K) -> asyncio.Lock:
        """Whose holder loads the tree for all who wait."""
        return self._loading.setdefault(key, asyncio.Lock())

    def find(self, key: K) -> Tree | None:
        """The tree, if it is here."""
        tree = self._trees.get(key)
        if tree is not None:
            self._trees.move_to_end(key)
        return tree

    def keep(self, key: K, tree: Tree) -> None:
        """Put a tree, and forget others when there is no room for it."""
        self._trees[key] = tree
        self._trees.move_to_end(key)
        held = sum(each.unit_count for each in self._trees.values())
        while len(self._trees) > 1 and self._is_full(held):
            _, forgotten = self._trees.popitem(last=False)
            held -= forgotten.unit_count

    def _is_full(self, held: int) -> bool:
        too_many = self._max_trees is not None and len(self._trees) > self._max_trees
        return too_many or held > self._max_units
