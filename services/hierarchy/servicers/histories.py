"""What units were, how many there are, and all that lie below one."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from collections.abc import AsyncIterator

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate.histories import (
    descendants_from_proto,
    history_page_from_proto,
    history_page_token,
    root_from_text,
)
from services.hierarchy.translate.reorganisation_answers import (
    counts_to_proto,
    descendants_to_proto,
    history_to_proto,
)
from services.hierarchy.translate.values import instant_or_none
from services.hierarchy.use_cases.history import HistoryReader


class HistoryCalls(stubs.HierarchyServiceServicer):
    """The calls that read them."""

    _history: HistoryReader

    async def ListUnitHistory(
        self, request: pb.ListUnitHistoryRequest, context: Context
    ) -> pb.ListUnitHistoryResponse:
        """What one was."""
        caller = current().caller
        asked = history_page_from_proto(request, caller.tenant_id)
        page = await self._history.list_history(
            caller, asked.unit_id, limit=asked.limit, before=asked.before
        )
        token = history_page_token(caller.tenant_id, asked.unit_id, page)
        return await asyncio.to_thread(history_to_proto, page, token)

    async def CountUnits(
        self, request: pb.CountUnitsRequest, context: Context
    ) -> pb.CountUnitsResponse:
        """How many each level has."""
        root, at = root_from_text(request.unit_id), instant_or_none(request, "as_of")
        return counts_to_proto(await self._history.count(current().caller, root, at))

    async def ListDescendants(
        self, request: pb.ListDescendantsRequest, context: Context
    ) -> AsyncIterator[pb.ListDescendantsResponse]:
        """All below one."""
        root, levels, at = descendants_from_proto(request)
        async for page in self._history.descendants(current().caller, root, levels, at):
            # Some 5 ms a page.
            yield await asyncio.to_thread(descendants_to_proto, page)
