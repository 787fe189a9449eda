"""Areas."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.servicers.common import Context, in_order, valid
from services.hierarchy.translate import areas as messages
from services.hierarchy.translate.requests import MAX_BATCH_IDS, batch_ids
from services.hierarchy.translate.values import instant_or_none
from services.hierarchy.use_cases.areas import Areas


class AreaCalls(stubs.HierarchyServiceServicer):
    """The calls about them."""

    _areas: Areas

    async def PutAreas(self, request: pb.PutAreasRequest, context: Context) -> pb.PutAreasResponse:
        """Create, change and end some."""
        # Ten thousand units take some 0.1 s.
        asked = await asyncio.to_thread(messages.put_areas_from_proto, request)
        areas = await self._areas.put(current().caller, asked)
        return await asyncio.to_thread(messages.areas_put_to_proto, areas)

    async def ListAreas(
        self, request: pb.ListAreasRequest, context: Context
    ) -> pb.ListAreasResponse:
        """A page of them."""
        caller = current().caller
        page = messages.areas_page_from_proto(request, caller.tenant_id)
        areas, has_more = await self._areas.list_areas(
            caller, page.kind, limit=page.limit, after=page.after
        )
        return messages.areas_page_to_proto(areas, page, caller.tenant_id, has_more=has_more)

    async def BatchListUnitAreas(
        self, request: pb.BatchListUnitAreasRequest, context: Context
    ) -> pb.BatchListUnitAreasResponse:
        """Those of many units."""
        asked = batch_ids(request.unit_ids, "unit_ids", MAX_BATCH_IDS)
        at = instant_or_none(request, "as_of")
        found = await self._areas.of_units(current().caller, valid(asked), at)
        return await asyncio.to_thread(messages.unit_areas_to_proto, in_order(asked, found))
