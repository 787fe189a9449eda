"""The trees of recently asked tenants, kept in memory at the version that was current then."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from weakref import WeakValueDictionary

from services.hierarchy.domain.model import TenantId, Unit, UnitWithCounts
from services.hierarchy.domain.tree import Tree
from services.hierarchy.ports import Caller, OrgGraph

# About 200 bytes a unit: some 400 MB when full.
MAX_UNITS_KEPT = 2_000_000
# So many are counted in about a millisecond; more, not in the loop that serves everybody else.
_FEW_UNITS = 250


class Trees:
    """Numbers each version of a tenant's tree once, however many ask at the same time.

    The version is asked of the graph on each use, so any number of processes agree at once. The
    tenants that were asked longest ago are forgotten when more than `max_units` are held.
    """

    def __init__(self, graph: OrgGraph, max_units: int = MAX_UNITS_KEPT) -> None:
        self._graph = graph
        self._max_units = max_units
        self._kept: OrderedDict[TenantId, Tree] = OrderedDict()
        self._loading: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    async def current(self, tenant: TenantId) -> Tree:
        """The tree as it stands."""
        return await self.at_least(tenant, await self._graph.tree_version(tenant))

    async def at_least(self, tenant: TenantId, tree_version: int) -> Tree:
        """The tree at this version, which the graph has reached, or at a newer one."""
        if tree := self._find(tenant, tree_version):
            return tree
        async with self._loading.setdefault(tenant, asyncio.Lock()):
            return self._find(tenant, tree_version) or await self._load(tenant)

    async def count(
        self, tenant: TenantId, tree_version: int, units: Iterable[Unit]
    ) -> Sequence[UnitWithCounts]:
        """Units that were read at a version, each with its counts."""
        read = list(units)
        if not read:
            return []
        # No unit ever goes, so all that were read are in every tree that is new enough. A unit may
        # be newer than the version beside it, when a write was just being applied.
        newest = max(tree_version, *(unit.revision for unit in read))
        tree = await self.at_least(tenant, newest)
        if len(read) <= _FEW_UNITS:
            return _counted(tree, read)
        return await asyncio.to_thread(_counted, tree, read)

    def _find(self, tenant: TenantId, tree_version: int) -> Tree | None:
        tree = self._kept.get(tenant)
        if tree is None or tree.tree_version < tree_version:
            return None
        self._kept.move_to_end(tenant)
        return tree

    async def _load(self, tenant: TenantId) -> Tree:
        rows = await self._graph.tree(tenant)
        tree = await asyncio.to_thread(Tree.of, rows)
        # An empty tree costs nothing to load, and its levels change without a new version.
        if tree.unit_count:
            self._kept[tenant] = tree
            self._kept.move_to_end(tenant)
            self._forget()
        return tree

    def _forget(self) -> None:
        held = sum(tree.unit_count for tree in self._kept.values())
        while held > self._max_units and len(self._kept) > 1:
            _, forgotten = self._kept.popitem(last=False)
            held -= forgotten.unit_count


def _counted(tree: Tree, units: Sequence[Unit]) -> Sequence[UnitWithCounts]:
    return [tree.count(unit) for unit in units]


async def read_tree(trees: Trees, caller: Caller) -> Tree:
    """The whole tree of the caller's tenant; needs `view`."""
    caller.require("view")
    return await trees.current(TenantId(caller.tenant_id))
