"""The wire of `chaupal.hierarchy.v1` over plain data."""
# ruff: noqa: ARG002  # the signatures are the contract's

from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceServicer

from kit.errors import NotFound
from kit.status import error_to_status

from .recording import entered
from .world import LEVELS, World, page

DOMAIN = "hierarchy.chaupal"


class UnitNotFound(NotFound):
    reason = "UNIT_NOT_FOUND"
    unit_id: str


class BlueprintNotFound(NotFound):
    reason = "BLUEPRINT_NOT_FOUND"


class FakeHierarchy(HierarchyServiceServicer):
    def __init__(self, world: World) -> None:
        self._world = world

    async def GetBlueprint(self, request: pb.GetBlueprintRequest, context: Any) -> Any:
        if not entered(self._world, "GetBlueprint"):
            raise BlueprintNotFound
        if self._world.held is not None:
            await self._world.held.wait()
        text = pb.LocalizedText(by_language={"en": "Neem", "hi": "नीम"})
        return pb.GetBlueprintResponse(
            blueprint=pb.Blueprint(
                version=3,
                style="party",
                names=text,
                levels=[pb.Level(key=key, names=text) for key in LEVELS],
                group_kinds=[pb.GroupKind(key="category", names=text, has_category=True)],
                categories=[pb.Category(key="farmers", names=text)],
            )
        )

    async def GetUnit(self, request: pb.GetUnitRequest, context: Any) -> Any:
        mine = entered(self._world, "GetUnit")
        for unit in self._world.units.values():
            if mine and (unit.level, unit.code) == (request.key.level, request.key.code):
                return pb.GetUnitResponse(unit=unit)
        raise UnitNotFound(unit_id=request.key.code)

    async def BatchGetUnits(self, request: pb.BatchGetUnitsRequest, context: Any) -> Any:
        mine = entered(self._world, "BatchGetUnits", len(request.ids))
        return pb.BatchGetUnitsResponse(
            results=[
                pb.UnitResult(unit=self._world.units[each])
                if mine and each in self._world.units
                else pb.UnitResult(status=_unknown(each))
                for each in request.ids
            ]
        )

    async def ListChildren(self, request: pb.ListChildrenRequest, context: Any) -> Any:
        mine = entered(self._world, "ListChildren")
        if request.parent_id and (not mine or request.parent_id not in self._world.units):
            raise UnitNotFound(unit_id=request.parent_id)
        return self._children(request.parent_id, request.page_size, request.page_token, mine=mine)

    async def BatchListChildren(self, request: pb.BatchListChildrenRequest, context: Any) -> Any:
        mine = entered(self._world, "BatchListChildren", len(request.parent_ids))
        return pb.BatchListChildrenResponse(
            results=[
                pb.ChildrenResult(children=self._children(each, request.page_size, "", mine=mine))
                for each in request.parent_ids
            ]
        )

    async def BatchListAncestors(self, request: pb.BatchListAncestorsRequest, context: Any) -> Any:
        entered(self._world, "BatchListAncestors", len(request.unit_ids))
        return pb.BatchListAncestorsResponse(
            results=[
                pb.AncestorsResult(
                    ancestors=pb.ListAncestorsResponse(units=self._world.ancestors(each))
                )
                for each in request.unit_ids
            ]
        )

    def _children(
        self, parent: str, size: int, token: str, *, mine: bool
    ) -> pb.ListChildrenResponse:
        ids = [each.id for each in self._world.children(parent)] if mine else []
        found, next_token = page(ids, token, size, 100)
        return pb.ListChildrenResponse(
            units=[self._world.units[each] for each in found],
            next_page_token=next_token,
            total_count=len(ids),
        )


def _unknown(unit_id: str) -> Any:
    return error_to_status(UnitNotFound(unit_id=unit_id), DOMAIN)
