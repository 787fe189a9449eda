"""Thin typed wrapper over the stub of `chaupal.hierarchy.v1`."""

from collections.abc import Iterable, Sequence

import grpc.aio
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from gateway.context import Context
from gateway.graph.peer import Peer
from kit.errors import ChaupalError
from kit.status import status_to_error

SERVICE = "chaupal.hierarchy.v1.HierarchyService"
RETRYABLE = (
    "GetBlueprint",
    "GetUnit",
    "BatchGetUnits",
    "ListChildren",
    "BatchListChildren",
    "ListAncestors",
    "BatchListAncestors",
)


class HierarchyClient:
    """The calls that the graph makes; every one raises the service's errors as kinds."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.HierarchyServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def blueprint(self) -> pb.Blueprint:
        """The tenant's blueprint."""
        request = pb.GetBlueprintRequest()
        reply = await self._peer.call("GetBlueprint", self._stub.GetBlueprint, request)
        return reply.blueprint

    async def unit_by_code(self, level: str, code: str) -> pb.Unit:
        """One unit by level and code."""
        request = pb.GetUnitRequest(key=pb.UnitKey(level=level, code=code))
        reply = await self._peer.call("GetUnit", self._stub.GetUnit, request)
        return reply.unit

    async def units(self, ids: Sequence[str]) -> list[pb.Unit | ChaupalError]:
        """Units by id, in the order of the ids."""
        request = pb.BatchGetUnitsRequest(ids=ids)
        reply = await self._peer.call("BatchGetUnits", self._stub.BatchGetUnits, request)
        return [
            each.unit if each.HasField("unit") else status_to_error(each.status)
            for each in reply.results
        ]

    async def page_of_children(
        self, parent_id: str, page_size: int, page_token: str
    ) -> pb.ListChildrenResponse:
        """A page of one unit's children, or of the roots when the id is empty."""
        request = pb.ListChildrenRequest(
            parent_id=parent_id, page_size=page_size, page_token=page_token
        )
        return await self._peer.call("ListChildren", self._stub.ListChildren, request)

    async def children(
        self, parent_ids: Sequence[str], page_size: int
    ) -> list[pb.ListChildrenResponse | ChaupalError]:
        """The first page of each unit's children, in the order of the ids."""
        request = pb.BatchListChildrenRequest(parent_ids=parent_ids, page_size=page_size)
        reply = await self._peer.call("BatchListChildren", self._stub.BatchListChildren, request)
        return [
            each.children if each.HasField("children") else status_to_error(each.status)
            for each in reply.results
        ]

    async def ancestors(self, unit_ids: Sequence[str]) -> list[Iterable[pb.Unit] | ChaupalError]:
        """The ancestors of each unit, nearest first, in the order of the ids."""
        request = pb.BatchListAncestorsRequest(unit_ids=unit_ids)
        reply = await self._peer.call("BatchListAncestors", self._stub.BatchListAncestors, request)
        return [
            each.ancestors.units if each.HasField("ancestors") else status_to_error(each.status)
            for each in reply.results
        ]
