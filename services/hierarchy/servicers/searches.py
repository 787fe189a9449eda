"""Units by name."""

# ruff: noqa: ARG002  # the signatures are the contract's

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate.searches import matches_to_proto, search_from_proto
from services.hierarchy.use_cases.search import UnitSearch


class SearchCalls(stubs.HierarchyServiceServicer):
    """The call that finds them."""

    _search: UnitSearch

    async def SearchUnits(
        self, request: pb.SearchUnitsRequest, context: Context
    ) -> pb.SearchUnitsResponse:
        """Those whose names fit."""
        caller = current().caller
        asked = search_from_proto(request, caller.tenant_id)
        found, has_more = await self._search.search(
            caller,
            asked.query,
            levels=asked.levels,
            within=asked.within,
            offset=asked.offset,
            limit=asked.limit,
        )
        return matches_to_proto(found, asked.token(has_more=has_more))
