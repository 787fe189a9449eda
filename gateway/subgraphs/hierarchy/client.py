"""Thin typed wrapper over the stub of HierarchyService: the blueprint, units and areas."""

from collections.abc import Sequence
from datetime import datetime

import grpc.aio
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from gateway.context import Context
from gateway.graph.peer import Peer
from gateway.graph.scalars import optional_stamp
from gateway.subgraphs.hierarchy.batches import outcomes
from kit.errors import ChaupalError

SERVICE = "chaupal.hierarchy.v1.HierarchyService"
# Reads, and writes that carry a request_id: trying those again does nothing twice.
RETRYABLE = (
    "GetBlueprint",
    "GetUnit",
    "BatchGetUnits",
    "ListChildren",
    "BatchListChildren",
    "ListAncestors",
    "BatchListAncestors",
    "CountUnits",
    "SearchUnits",
    "ListUnitHistory",
    "ListAreas",
    "BatchListUnitAreas",
    "CreateUnit",
    "UpdateUnit",
    "MoveUnit",
    "CloseUnit",
    "Reorganise",
    "PutAreas",
)
# The other fields of inputs are called as the contract calls them.
_UNIT_PATHS = {"id": "unitId"}


class HierarchyClient:
    """The reads that the graph makes; every one raises the service's errors as kinds."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.HierarchyServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def blueprint(self) -> pb.Blueprint:
        """The tenant's blueprint."""
        request = pb.GetBlueprintRequest()
        reply = await self._peer.call("GetBlueprint", self._stub.GetBlueprint, request)
        return reply.blueprint

    async def unit_by_code(self, level: str, code: str, as_of: datetime | None) -> pb.Unit:
        """One unit by level and code."""
        key = pb.UnitKey(level=level, code=code)
        request = pb.GetUnitRequest(key=key, as_of=optional_stamp(as_of))
        reply = await self._peer.call("GetUnit", self._stub.GetUnit, request)
        return reply.unit

    async def units(
        self, ids: Sequence[str], as_of: datetime | None
    ) -> list[pb.Unit | ChaupalError]:
        """Units by id, in the order of the ids."""
        request = pb.BatchGetUnitsRequest(ids=ids, as_of=optional_stamp(as_of))
        reply = await self._peer.call("BatchGetUnits", self._stub.BatchGetUnits, request)
        return outcomes(reply.results, "unit")

    async def page_of_children(self, request: pb.ListChildrenRequest) -> pb.ListChildrenResponse:
        """A page of one unit's children, or of the roots when the id is empty."""
        return await self._peer.call("ListChildren", self._stub.ListChildren, request)

    async def children(
        self, parent_ids: Sequence[str], page_size: int, as_of: datetime | None
    ) -> list[pb.ListChildrenResponse | ChaupalError]:
        """The first page of each unit's children, in the order of the ids."""
        request = pb.BatchListChildrenRequest(
            parent_ids=parent_ids, page_size=page_size, as_of=optional_stamp(as_of)
        )
        reply = await self._peer.call("BatchListChildren", self._stub.BatchListChildren, request)
        return outcomes(reply.results, "children")

    async def ancestors(
        self, unit_ids: Sequence[str], as_of: datetime | None
    ) -> list[pb.ListAncestorsResponse | ChaupalError]:
        """The ancestors of each unit, nearest first, in the order of the ids."""
        request = pb.BatchListAncestorsRequest(unit_ids=unit_ids, as_of=optional_stamp(as_of))
        reply = await self._peer.call("BatchListAncestors", self._stub.BatchListAncestors, request)
        return outcomes(reply.results, "ancestors")

    async def unit_areas(
        self, unit_ids: Sequence[str], as_of: datetime | None
    ) -> list[pb.UnitAreas | ChaupalError]:
        """The areas in which each unit lies, in the order of the ids."""
        request = pb.BatchListUnitAreasRequest(unit_ids=unit_ids, as_of=optional_stamp(as_of))
        reply = await self._peer.call("BatchListUnitAreas", self._stub.BatchListUnitAreas, request)
        return outcomes(reply.results, "areas")

    async def count_units(self, request: pb.CountUnitsRequest) -> pb.CountUnitsResponse:
        """How many units each level has."""
        paths = {"unit_id": "withinUnitId"}
        return await self._peer.call("CountUnits", self._stub.CountUnits, request, paths)

    async def search_units(self, request: pb.SearchUnitsRequest) -> pb.SearchUnitsResponse:
        """Units by name, best matches first."""
        return await self._peer.call("SearchUnits", self._stub.SearchUnits, request)

    async def page_of_history(
        self, request: pb.ListUnitHistoryRequest
    ) -> pb.ListUnitHistoryResponse:
        """What a unit was, newest first."""
        return await self._peer.call("ListUnitHistory", self._stub.ListUnitHistory, request)

    async def page_of_areas(self, request: pb.ListAreasRequest) -> pb.ListAreasResponse:
        """A page of areas, by kind and code."""
        return await self._peer.call("ListAreas", self._stub.ListAreas, request)


class HierarchyChanges:
    """The writes that the graph makes; faults are named by their path below the input."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.HierarchyServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def create_unit(self, request: pb.CreateUnitRequest) -> pb.CreateUnitResponse:
        """A new unit."""
        return await self._peer.call("CreateUnit", self._stub.CreateUnit, request, {})

    async def update_unit(self, request: pb.UpdateUnitRequest) -> pb.UpdateUnitResponse:
        """A unit with other names, code or place."""
        return await self._peer.call("UpdateUnit", self._stub.UpdateUnit, request, _UNIT_PATHS)

    async def move_unit(self, request: pb.MoveUnitRequest) -> pb.MoveUnitResponse:
        """A unit under another parent."""
        return await self._peer.call("MoveUnit", self._stub.MoveUnit, request, _UNIT_PATHS)

    async def close_unit(self, request: pb.CloseUnitRequest) -> pb.CloseUnitResponse:
        """The end of a unit."""
        return await self._peer.call("CloseUnit", self._stub.CloseUnit, request, _UNIT_PATHS)

    async def reorganise(self, request: pb.ReorganiseRequest) -> pb.ReorganiseResponse:
        """Several changes at once, all or none."""
        return await self._peer.call("Reorganise", self._stub.Reorganise, request, {})

    async def put_areas(self, request: pb.PutAreasRequest) -> pb.PutAreasResponse:
        """Areas as they shall be."""
        return await self._peer.call("PutAreas", self._stub.PutAreas, request, {})

    async def put_blueprint(self, request: pb.PutBlueprintRequest) -> pb.PutBlueprintResponse:
        """The blueprint as it shall be."""
        return await self._peer.call("PutBlueprint", self._stub.PutBlueprint, request, {})
