"""Find units by name, in the scope of whoever asks."""

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np

from services.hierarchy.domain.access import Scope
from services.hierarchy.domain.model import TenantId, Unit, UnitId, UnitWithCounts
from services.hierarchy.domain.name_index import Match, NameIndex
from services.hierarchy.domain.records import UNITS_BY_ID
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access

_PAGE = 5_000
# What was changed since is indexed by itself; more is worth another whole index.
MAX_CHANGES = 2_000
# About 700 bytes a unit: some 350 MB when full.
MAX_UNITS_KEPT = 500_000
# Nobody turns so many pages: a query that fits more is to be made narrower.
MAX_MATCHES = 1_000


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a tenant's units at a version: a base, and over it what has changed since."""

    base_version: int
    tree_version: int
    base: NameIndex
    changed: NameIndex
    gone: AbstractSet[UnitId]

    def search(self, query: str) -> Mapping[UnitId, Match]:
        """Every unit that fits, as it is now named."""
        found = {
            unit_id: match
            for unit_id, match in self.base.search(query).items()
            if unit_id not in self.gone
        }
        return found | self.changed.search(query)


@dataclass(frozen=True, slots=True)
class UnitFound:
    """A unit and how well it fits."""

    unit: UnitWithCounts
    match: Match


class NameIndexes:
    """Indexes the names of recently asked tenants, each version once."""

    def __init__(self, graph: OrgGraph, max_units: int = MAX_UNITS_KEPT) -> None:
        self._graph = graph
        self._max_units = max_units
        self._kept: OrderedDict[TenantId, Names] = OrderedDict()
        self._loading: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    async def at_least(self, tenant: TenantId, tree_version: int) -> Names:
        """The names at this version of the tree, or at a newer one."""
        async with self._loading.setdefault(tenant, asyncio.Lock()):
            names = self._kept.get(tenant)
            if names is None or names.tree_version < tree_version:
                names = await self._renewed(tenant, names) or await self._load(tenant)
                self._kept[tenant] = names
            self._kept.move_to_end(tenant)
            self._forget()
            return names

    async def _renewed(self, tenant: TenantId, names: Names | None) -> Names | None:
        if names is None:
            return None
        changes = await self._graph.unit_changes(
            tenant, since=names.base_version, limit=MAX_CHANGES
        )
        if changes is None:
            return None
        changed = await asyncio.to_thread(NameIndex.of, changes.units)
        gone = {unit.id for unit in changes.units} | set(changes.closed)
        return Names(names.base_version, changes.tree_version, names.base, changed, gone)

    async def _load(self, tenant: TenantId) -> Names:
        # The version first: what changes while the pages are read is indexed over them.
        version = (await self._graph.settled_header(tenant)).tree_version
        units: list[Unit] = []
        while page := await self._graph.page(
            tenant, Unit, after=units[-1].id if units else "", limit=_PAGE
        ):
            units += page
        base = await asyncio.to_thread(NameIndex.of, units)
        names = Names(version, version, base, NameIndex.of(()), frozenset())
        return await self._renewed(tenant, names) or names

    def _forget(self) -> None:
        held = sum(len(names.base.ids) for names in self._kept.values())
        while held > self._max_units and len(self._kept) > 1:
            _, forgotten = self._kept.popitem(last=False)
            held -= len(forgotten.base.ids)


class UnitSearch:
    """Searches on behalf of a caller, in the caller's scope only."""

    def __init__(self, graph: OrgGraph, access: Access, names: NameIndexes) -> None:
        self._graph = graph
        self._access = access
        self._names = names

    async def search(
        self,
        caller: Caller,
        query: str,
        *,
        levels: Collection[str],
        within: UnitId | None,
        offset: int,
        limit: int,
    ) -> tuple[Sequence[UnitFound], bool]:
        """A run of the units that fit, best first and higher units before lower ones, and whether
        more follow. Raises `UnitNotFound` for a `within` outside the caller's scope.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        view = await self._access.scope(viewer, "view")
        ranges = view.within(within)
        names = await self._names.at_least(viewer.tenant, viewer.header.tree_version)

        def ranking() -> tuple[Mapping[UnitId, Match], Sequence[UnitId]]:
            found = names.search(query)
            return found, _ranked(found, view, ranges, levels)

        # A letter that half of the names begin with takes some 0.1 s.
        found, ranked = await asyncio.to_thread(ranking)
        run = ranked[offset : offset + limit]
        units = await self._graph.find(viewer.tenant, UNITS_BY_ID, run)
        matches = [
            UnitFound(view.tree.count(unit), found[unit_id])
            for unit_id in run
            for unit in units.value.get(unit_id, ())
        ]
        return matches, len(ranked) > offset + limit


def _ranked(
    found: Mapping[UnitId, Match],
    view: Scope,
    ranges: Sequence[tuple[int, int]],
    levels: Collection[str],
) -> Sequence[UnitId]:
    tree = view.tree
    wanted = {tree.level_keys.index(each) for each in levels if each in tree.level_keys}
    seen = np.zeros(tree.unit_count, dtype=np.bool)
    for start, end in ranges:
        seen[start:end] = True
    if levels:
        seen &= np.isin(tree.levels, list(wanted))
    is_seen, level_of, find = seen.tolist(), tree.levels.tolist(), tree.forest.find
    placed = ((match.score, find(unit_id), unit_id) for unit_id, match in found.items())
    ranked = (
        (-score, level_of[place], place, unit_id)
        for score, place, unit_id in placed
        if place is not None and is_seen[place]
    )
    return [each[-1] for each in heapq.nsmallest(MAX_MATCHES, ranked)]
