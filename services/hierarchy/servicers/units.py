"""Units and their neighbours."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from functools import partial

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from kit.errors import InvalidInput
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.servicers.common import Context, in_order, valid
from services.hierarchy.servicers.unit_messages import UnitMessages
from services.hierarchy.translate import answers, requests
from services.hierarchy.translate.values import instant_or_none, unit_to_proto
from services.hierarchy.use_cases.units import UnitReader


class UnitCalls(stubs.HierarchyServiceServicer):
    """The calls that read units."""

    _units: UnitReader
    _messages: UnitMessages

    async def GetUnit(self, request: pb.GetUnitRequest, context: Context) -> pb.GetUnitResponse:
        """One unit."""
        caller, at = current().caller, instant_or_none(request, "as_of")
        match request.WhichOneof("by"):
            case "id":
                unit_id = requests.unit_id_from_text(request.id, "id")
                found = await self._units.get_unit(caller, unit_id, at)
            case "key":
                key = requests.unit_key_from_proto(request.key)
                found = await self._units.get_unit_by_key(caller, key, at)
            case None:
                raise InvalidInput.of("by", "MISSING", "an id or a key is needed")
        return pb.GetUnitResponse(unit=unit_to_proto(found))

    async def BatchGetUnits(
        self, request: pb.BatchGetUnitsRequest, context: Context
    ) -> pb.BatchGetUnitsResponse:
        """Many units."""
        asked = requests.batch_ids(request.ids, "ids", requests.MAX_BATCH_IDS)
        at = instant_or_none(request, "as_of")
        found = await self._units.get_units(current().caller, valid(asked), at)
        # A thousand units take some 10 ms: not in the loop that serves everybody else.
        return await asyncio.to_thread(self._messages.batch, in_order(asked, found))

    async def ListChildren(
        self, request: pb.ListChildrenRequest, context: Context
    ) -> pb.ListChildrenResponse:
        """A page of the children of one unit."""
        caller = current().caller
        page = requests.children_page_from_proto(request, caller.tenant_id)
        found = await self._units.list_children(
            caller, [page.parent], limit=page.limit, after=page.after, at=page.at
        )
        if page.parent not in found:
            raise UnitNotFound(page.parent or "")
        token_of = partial(requests.children_page_token, caller.tenant_id, page.at)
        children = found[page.parent]
        return await asyncio.to_thread(answers.children_page, children, page.limit, token_of)

    async def BatchListChildren(
        self, request: pb.BatchListChildrenRequest, context: Context
    ) -> pb.BatchListChildrenResponse:
        """The first page of the children of many units."""
        caller, at = current().caller, instant_or_none(request, "as_of")
        asked = requests.batch_ids(request.parent_ids, "parent_ids", requests.MAX_BATCH_PARENTS)
        limit = requests.batch_page_size(request)
        found = await self._units.list_children(caller, valid(asked), limit=limit, at=at)
        token_of = partial(requests.children_page_token, caller.tenant_id, at)
        pages = in_order(asked, found)
        # Up to 50,000 units, for half a second.
        return await asyncio.to_thread(answers.children_pages, pages, limit, token_of)

    async def ListAncestors(
        self, request: pb.ListAncestorsRequest, context: Context
    ) -> pb.ListAncestorsResponse:
        """The ancestors of one unit."""
        unit_id = requests.unit_id_from_text(request.unit_id, "unit_id")
        at = instant_or_none(request, "as_of")
        found = await self._units.list_ancestors(current().caller, [unit_id], at)
        if unit_id not in found:
            raise UnitNotFound(unit_id)
        return pb.ListAncestorsResponse(units=map(unit_to_proto, found[unit_id]))

    async def BatchListAncestors(
        self, request: pb.BatchListAncestorsRequest, context: Context
    ) -> pb.BatchListAncestorsResponse:
        """The ancestors of many units."""
        asked = requests.batch_ids(request.unit_ids, "unit_ids", requests.MAX_BATCH_IDS)
        at = instant_or_none(request, "as_of")
        found = await self._units.list_ancestors(current().caller, valid(asked), at)
        return await asyncio.to_thread(answers.ancestors_to_proto, in_order(asked, found))
