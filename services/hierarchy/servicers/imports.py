"""Units from files."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from collections.abc import AsyncIterator

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate.imports import ImportAssembler, report_to_proto
from services.hierarchy.use_cases.imports import ImportRoom, UnitImports


class ImportCalls(stubs.HierarchyServiceServicer):
    """The call that imports them."""

    _imports: UnitImports
    _room: ImportRoom

    async def ImportUnits(
        self, request_iterator: AsyncIterator[pb.ImportUnitsRequest], context: Context
    ) -> pb.ImportUnitsResponse:
        """Units from rows, all or none."""
        caller = current().caller
        tenant = await self._imports.enter(caller)
        assembler = ImportAssembler()
        async with self._room.enter(tenant) as place:
            async for message in request_iterator:
                place.take(len(message.page.rows))
                # Some 20 ms for 5,000 rows.
                await place.run(asyncio.to_thread(assembler.add, message))
            report = await place.run(self._imports.run(caller, assembler.finish()))
        return pb.ImportUnitsResponse(report=report_to_proto(report))
