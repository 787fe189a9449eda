"""Read units and their neighbours in the tree, each with its counts."""

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.errors import UnitKeyNotFound, UnitNotFound
from services.hierarchy.domain.model import UnitId, UnitKey, UnitWithCounts
from services.hierarchy.domain.tree import Tree
from services.hierarchy.ports import Caller, OrgGraph, Read, SiblingKey
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.slices import Slice, slice_by_key, slices_by_id
from services.hierarchy.use_cases.standing_units import StandingUnits
from services.hierarchy.use_cases.trees import Trees

# So many are counted in about a millisecond; more, not in the loop that serves everybody else.
_FEW_UNITS = 250


@dataclass(frozen=True, slots=True)
class ChildrenWithCounts:
    """Some of a unit's children in order, how many there are in all, and whether more follow.

    `end` is the key of the last that was read, which may be gone by now.
    """

    parent: UnitId | None
    units: Sequence[UnitWithCounts]
    total_count: int
    has_more: bool
    end: UnitKey | None = None


@dataclass(frozen=True, slots=True)
class _Family:
    """The same before it was counted."""

    children: Sequence[Slice]
    total_count: int
    has_more: bool


_Families = Mapping[UnitId | None, _Family]


class UnitReader:
    """Reads on behalf of a caller, what they may see of their tenant.

    Every method needs `view` over something, and takes an instant: units as they stood then, and
    so what lay below those that the caller may see. None is for now.
    """

    def __init__(self, graph: OrgGraph, trees: Trees, access: Access) -> None:
        self._graph = graph
        self._trees = trees
        self._access = access
        self._standing = StandingUnits(graph)

    async def get_unit(
        self, caller: Caller, unit_id: UnitId, at: datetime | None = None
    ) -> UnitWithCounts:
        """The unit with this id. Raises `UnitNotFound`."""
        found = await self.get_units(caller, [unit_id], at)
        if unit_id not in found:
            raise UnitNotFound(unit_id)
        return found[unit_id]

    async def get_unit_by_key(
        self, caller: Caller, key: UnitKey, at: datetime | None = None
    ) -> UnitWithCounts:
        """The unit with this level and code. Raises `UnitKeyNotFound`."""
        viewer = await self._enter(caller)
        read = await slice_by_key(self._graph, viewer.tenant, key, at)
        slices = [read.value] if read.value else []
        for found in (await self._count(viewer, Read(read.tree_version, slices), at)).values():
            return found
        raise UnitKeyNotFound(*key)

    async def get_units(
        self, caller: Caller, ids: Collection[UnitId], at: datetime | None = None
    ) -> Mapping[UnitId, UnitWithCounts]:
        """The units that exist among these ids."""
        viewer = await self._enter(caller)
        if at is None:
            standing = await self._standing.get(viewer.header, ids)
            read = Read(standing.tree_version, [Slice(each) for each in standing.value.values()])
        else:
            past = await slices_by_id(self._graph, viewer.tenant, ids, at)
            read = Read(past.tree_version, [*past.value.values()])
        return await self._count(viewer, read, at)

    async def list_children(
        self,
        caller: Caller,
        parents: Collection[UnitId | None],
        *,
        limit: int,
        after: SiblingKey | None = None,
        at: datetime | None = None,
    ) -> Mapping[UnitId | None, ChildrenWithCounts]:
        """A run of the children of each parent that exists.

        None is the parent of the roots; for a caller who does not see those, of the highest units
        that they see.
        """
        viewer = await self._enter(caller)
        sees_roots = viewer.roots("view") is None
        if at is None and (sees_roots or None not in parents):
            read = await self._families(viewer, parents, limit, after)
        else:
            read = await self._families_on_tree(viewer, parents, limit, after, at)
        everyone = [each for family in read.value.values() for each in family.children]
        scope = await self._scope(viewer, Read(read.tree_version, everyone), at)
        counted = await _counted(scope, everyone)
        return {
            parent: _with_counts(parent, family, counted)
            for parent, family in read.value.items()
            if parent is None or parent in scope
        }

    async def list_ancestors(
        self, caller: Caller, ids: Collection[UnitId], at: datetime | None = None
    ) -> Mapping[UnitId, Sequence[UnitWithCounts]]:
        """The ancestors, nearest first, of each of these units that exists."""
        viewer = await self._enter(caller)
        if at is None:
            read = await self._graph.ancestors(viewer.tenant, ids)
            lines = {start: [unit.id for unit in line] for start, line in read.value.items()}
            above = {unit.id: Slice(unit) for line in read.value.values() for unit in line}
            scope = await self._scope(viewer, Read(read.tree_version, [*above.values()]), at)
        else:
            scope = await self._access.scope(viewer, "view", at)
            lines = {start: _line(scope.tree, start) for start in ids if start in scope}
            wanted = {each for line in lines.values() for each in line}
            above = dict((await slices_by_id(self._graph, viewer.tenant, wanted, at)).value)
        counted = await _counted(scope, above.values())
        return {
            start: [counted[each] for each in line if each in counted]
            for start, line in lines.items()
            if start in scope
        }

    async def _enter(self, caller: Caller) -> Viewer:
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        return viewer

    async def _count(
        self, viewer: Viewer, read: Read[Sequence[Slice]], at: datetime | None
    ) -> Mapping[UnitId, UnitWithCounts]:
        if not read.value:
            return {}
        return await _counted(await self._scope(viewer, read, at), read.value)

    async def _scope(
        self, viewer: Viewer, read: Read[Sequence[Slice]], at: datetime | None
    ) -> Scope:
        """What the caller sees of a tree that is not older than what was read."""
        if at is not None:
            return await self._access.scope(viewer, "view", at)
        # A unit may be newer than the version beside it, when a write was just being applied.
        newest = max(read.tree_version, *(each.unit.revision for each in read.value), 0)
        return Scope.of(viewer, "view", await self._trees.at_least(viewer.tenant, newest))

    async def _families(
        self,
        viewer: Viewer,
        parents: Collection[UnitId | None],
        limit: int,
        after: SiblingKey | None,
    ) -> Read[_Families]:
        read = await self._graph.children(viewer.tenant, parents, limit=limit, after=after)
        families: _Families = {
            parent: _Family([Slice(unit) for unit in each.units], each.total_count, each.has_more)
            for parent, each in read.value.items()
        }
        return Read(read.tree_version, families)

    async def _families_on_tree(
        self,
        viewer: Viewer,
        parents: Collection[UnitId | None],
        limit: int,
        after: SiblingKey | None,
        at: datetime | None,
    ) -> Read[_Families]:
        scope = await self._access.scope(viewer, "view", at)
        runs = await asyncio.to_thread(_runs, scope, parents, limit, after)
        wanted = {each for run in runs.values() for each in run.ids}
        read = await slices_by_id(self._graph, viewer.tenant, wanted, at)
        families: _Families = {
            parent: _Family(
                [read.value[each] for each in run.ids if each in read.value],
                run.total_count,
                run.has_more,
            )
            for parent, run in runs.items()
        }
        return Read(read.tree_version, families)


@dataclass(frozen=True, slots=True)
class _Run:
    ids: Sequence[UnitId]
    total_count: int
    has_more: bool


def _runs(
    scope: Scope, parents: Collection[UnitId | None], limit: int, after: SiblingKey | None
) -> Mapping[UnitId | None, _Run]:
    return {
        parent: _run(scope, parent, limit, after)
        for parent in parents
        if parent is None or parent in scope
    }


def _run(scope: Scope, parent: UnitId | None, limit: int, after: SiblingKey | None) -> _Run:
    tree = scope.tree
    if parent is None:
        places = tree.tops(scope.ranges)
    else:
        start, end = tree.forest.subtree(parent)
        places = tree.tops([(start + 1, end)])
    places.sort(key=tree.sibling_key)
    first = bisect_right(places, (after.code, after.level), key=tree.sibling_key) if after else 0
    ids = [UnitId(tree.forest.ids[place]) for place in places[first : first + limit]]
    return _Run(ids, len(places), len(places) > first + limit)


def _line(tree: Tree, unit_id: UnitId) -> list[UnitId]:
    return [UnitId(each) for each in tree.forest.ancestors(unit_id)]


async def _counted(scope: Scope, slices: Iterable[Slice]) -> Mapping[UnitId, UnitWithCounts]:
    """Those that the caller sees, each with its counts.

    What was closed since it was read is not in the tree, and left out as if it was read later.
    """
    read = list(slices)
    if len(read) <= _FEW_UNITS:
        return _count_all(scope, read)
    return await asyncio.to_thread(_count_all, scope, read)


def _count_all(scope: Scope, slices: Sequence[Slice]) -> Mapping[UnitId, UnitWithCounts]:
    count = scope.tree.count
    return {each.unit.id: count(*each) for each in slices if each.unit.id in scope}


def _with_counts(
    parent: UnitId | None, family: _Family, counted: Mapping[UnitId, UnitWithCounts]
) -> ChildrenWithCounts:
    units = [counted[each.unit.id] for each in family.children if each.unit.id in counted]
    end = family.children[-1].unit.key if family.children else None
    return ChildrenWithCounts(parent, units, family.total_count, family.has_more, end)
