"""The wire of `chaupal.hierarchy.v1` over plain data."""
# ruff: noqa: ARG002  # the signatures are the contract's

from collections import Counter
from datetime import timedelta
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceServicer
from google.protobuf.message import Message

from kit.errors import NotFound
from kit.status import error_to_status

from .recording import entered
from .world import LEVELS, NOON, World, page, stamp, uid

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
                positions=[
                    pb.Position(
                        key="president",
                        names=text,
                        levels=["district"],
                        seats=1,
                        roles=["head"],
                        grants=[pb.Grant(capability="view", categories=["farmers"])],
                    )
                ],
                team_kinds=[
                    pb.TeamKind(key="it_cell", names=text, levels=["district"], max_members=7)
                ],
                centre_level="state",
                verification_days=180,
            )
        )

    async def GetUnit(self, request: pb.GetUnitRequest, context: Any) -> Any:
        mine = entered(self._world, "GetUnit", 1, request)
        for unit in self._world.units.values():
            if mine and (unit.level, unit.code) == (request.key.level, request.key.code):
                return pb.GetUnitResponse(unit=unit)
        raise UnitNotFound(unit_id=request.key.code)

    async def BatchGetUnits(self, request: pb.BatchGetUnitsRequest, context: Any) -> Any:
        mine = entered(self._world, "BatchGetUnits", len(request.ids), request)
        return pb.BatchGetUnitsResponse(
            results=[
                pb.UnitResult(unit=self._world.units[each])
                if mine and each in self._world.units
                else pb.UnitResult(status=_unknown(each))
                for each in request.ids
            ]
        )

    async def ListChildren(self, request: pb.ListChildrenRequest, context: Any) -> Any:
        mine = entered(self._world, "ListChildren", 1, request)
        if request.parent_id and (not mine or request.parent_id not in self._world.units):
            raise UnitNotFound(unit_id=request.parent_id)
        return self._children(request.parent_id, request.page_size, request.page_token, mine=mine)

    async def BatchListChildren(self, request: pb.BatchListChildrenRequest, context: Any) -> Any:
        mine = entered(self._world, "BatchListChildren", len(request.parent_ids), request)
        return pb.BatchListChildrenResponse(
            results=[
                pb.ChildrenResult(children=self._children(each, request.page_size, "", mine=mine))
                for each in request.parent_ids
            ]
        )

    async def BatchListAncestors(self, request: pb.BatchListAncestorsRequest, context: Any) -> Any:
        entered(self._world, "BatchListAncestors", len(request.unit_ids), request)
        return pb.BatchListAncestorsResponse(
            results=[
                pb.AncestorsResult(
                    ancestors=pb.ListAncestorsResponse(units=self._world.ancestors(each))
                )
                for each in request.unit_ids
            ]
        )

    async def CountUnits(self, request: pb.CountUnitsRequest, context: Any) -> Any:
        entered(self._world, "CountUnits", 1, request)
        levels = Counter(each.level for each in self._world.units.values())
        counts = [pb.LevelCount(level=each, unit_count=levels[each]) for each in LEVELS]
        return pb.CountUnitsResponse(counts=counts)

    async def SearchUnits(self, request: pb.SearchUnitsRequest, context: Any) -> Any:
        entered(self._world, "SearchUnits", 1, request)
        found = [each.id for each in self._world.units.values() if request.query in each.code]
        ids, next_token = page(found, request.page_token, request.page_size, 20)
        matches = [
            pb.UnitMatch(unit=self._world.units[each], score=0.5, language="hi" if at else "")
            for at, each in enumerate(ids)
        ]
        return pb.SearchUnitsResponse(matches=matches, next_page_token=next_token)

    async def ListUnitHistory(self, request: pb.ListUnitHistoryRequest, context: Any) -> Any:
        entered(self._world, "ListUnitHistory", 1, request)
        unit = self._world.units.get(request.unit_id)
        if unit is None:
            raise UnitNotFound(unit_id=request.unit_id)
        before = pb.Unit()
        before.CopyFrom(unit)
        before.code, before.parent_id = f"OLD-{unit.code}", uid("unit", "nowhere")
        before.since.CopyFrom(stamp(NOON - timedelta(days=9)))
        before.valid_to.CopyFrom(unit.since)
        successors = [uid("unit", "D1"), uid("unit", "nowhere")]
        return pb.ListUnitHistoryResponse(versions=[unit, before], successor_ids=successors)

    async def ListAreas(self, request: pb.ListAreasRequest, context: Any) -> Any:
        entered(self._world, "ListAreas", 1, request)
        keys, next_token = page(list(self._world.areas), request.page_token, request.page_size, 100)
        areas = [self._world.areas[each] for each in keys]
        return pb.ListAreasResponse(areas=areas, next_page_token=next_token)

    async def BatchListUnitAreas(self, request: pb.BatchListUnitAreasRequest, context: Any) -> Any:
        entered(self._world, "BatchListUnitAreas", len(request.unit_ids), request)
        areas = self._world.areas
        return pb.BatchListUnitAreasResponse(
            results=[
                pb.UnitAreasResult(areas=pb.UnitAreas(areas=[areas[each]] if each in areas else []))
                for each in request.unit_ids
            ]
        )

    async def CreateUnit(self, request: pb.CreateUnitRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def UpdateUnit(self, request: pb.UpdateUnitRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def MoveUnit(self, request: pb.MoveUnitRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def CloseUnit(self, request: pb.CloseUnitRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def Reorganise(self, request: pb.ReorganiseRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def PutAreas(self, request: pb.PutAreasRequest, context: Any) -> Any:
        return changed(self._world, request)

    async def PutBlueprint(self, request: pb.PutBlueprintRequest, context: Any) -> Any:
        return changed(self._world, request)

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


def changed(world: World, request: Message) -> Any:
    """What the test says that a change is answered with."""
    method = type(request).__name__.removesuffix("Request")
    entered(world, method, 1, request)
    return world.replies[method]


def _unknown(unit_id: str) -> Any:
    return error_to_status(UnitNotFound(unit_id=unit_id), DOMAIN)
