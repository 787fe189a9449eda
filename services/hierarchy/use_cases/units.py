"""Read units and their neighbours in the tree, each with its counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.hierarchy.domain.errors import UnitKeyNotFound, UnitNotFound
from services.hierarchy.domain.model import TenantId, UnitId, UnitKey, UnitWithCounts
from services.hierarchy.ports import Caller, Children, OrgGraph, SiblingKey
from services.hierarchy.use_cases.trees import Trees


@dataclass(frozen=True, slots=True)
class ChildrenWithCounts:
    """Some of a unit's children in order, how many there are in all, and whether more follow."""

    parent: UnitId | None
    units: Sequence[UnitWithCounts]
    total_count: int
    has_more: bool


class UnitReader:
    """Reads on behalf of a caller, of the caller's tenant only; every method needs `view`."""

    def __init__(self, graph: OrgGraph, trees: Trees) -> None:
        self._graph = graph
        self._trees = trees

    async def get_unit(self, caller: Caller, unit_id: UnitId) -> UnitWithCounts:
        """The unit with this id. Raises `UnitNotFound`."""
        found = await self.get_units(caller, [unit_id])
        if unit_id not in found:
            raise UnitNotFound(unit_id)
        return found[unit_id]

    async def get_unit_by_key(self, caller: Caller, key: UnitKey) -> UnitWithCounts:
        """The unit with this level and code. Raises `UnitKeyNotFound`."""
        tenant = _tenant(caller)
        read = await self._graph.unit_by_key(tenant, key)
        if read.value is None:
            raise UnitKeyNotFound(*key)
        (counted,) = await self._trees.count(tenant, read.tree_version, [read.value])
        return counted

    async def get_units(
        self, caller: Caller, ids: Collection[UnitId]
    ) -> Mapping[UnitId, UnitWithCounts]:
        """The units that exist among these ids."""
        tenant = _tenant(caller)
        read = await self._graph.units(tenant, ids)
        counted = await self._trees.count(tenant, read.tree_version, read.value.values())
        return {each.unit.id: each for each in counted}

    async def list_children(
        self,
        caller: Caller,
        parents: Collection[UnitId | None],
        *,
        limit: int,
        after: SiblingKey | None = None,
    ) -> Mapping[UnitId | None, ChildrenWithCounts]:
        """A run of the children of each parent that exists; None is the parent of the roots."""
        tenant = _tenant(caller)
        read = await self._graph.children(tenant, parents, limit=limit, after=after)
        everyone = [unit for children in read.value.values() for unit in children.units]
        counted = await self._trees.count(tenant, read.tree_version, everyone)
        by_id = {each.unit.id: each for each in counted}
        return {each: _counted(each, found, by_id) for each, found in read.value.items()}

    async def list_ancestors(
        self, caller: Caller, ids: Collection[UnitId]
    ) -> Mapping[UnitId, Sequence[UnitWithCounts]]:
        """The ancestors, nearest first, of each of these units that exists."""
        tenant = _tenant(caller)
        read = await self._graph.ancestors(tenant, ids)
        everyone = {unit.id: unit for above in read.value.values() for unit in above}
        counted = await self._trees.count(tenant, read.tree_version, everyone.values())
        by_id = {each.unit.id: each for each in counted}
        return {start: [by_id[unit.id] for unit in above] for start, above in read.value.items()}


def _tenant(caller: Caller) -> TenantId:
    caller.require("view")
    return TenantId(caller.tenant_id)


def _counted(
    parent: UnitId | None, children: Children, by_id: Mapping[UnitId, UnitWithCounts]
) -> ChildrenWithCounts:
    units = [by_id[unit.id] for unit in children.units]
    return ChildrenWithCounts(parent, units, children.total_count, children.has_more)
