"""`TransfersService`: rows of files, in and out."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from collections.abc import AsyncIterator, Sequence

from chaupal.hierarchy.v1 import transfers_pb2 as pb
from chaupal.hierarchy.v1 import transfers_pb2_grpc as stubs

from kit.context import current
from kit.errors import InvalidInput
from services.hierarchy.domain.transfers import ExportedRow, ImportTally
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import transfers as translate
from services.hierarchy.translate.rows import pages_to_proto
from services.hierarchy.use_cases.imports import ImportPlace, ImportRoom
from services.hierarchy.use_cases.row_exports import RowExports
from services.hierarchy.use_cases.row_imports import RowImports

SERVICE_NAME = "chaupal.hierarchy.v1.TransfersService"


class TransfersServicer(stubs.TransfersServiceServicer):
    """Serves `chaupal.hierarchy.v1.TransfersService`; the contract's comments are the promise."""

    def __init__(self, imports: RowImports, exports: RowExports, room: ImportRoom) -> None:
        self._imports = imports
        self._exports = exports
        self._room = room

    async def ImportRows(
        self, request_iterator: AsyncIterator[pb.ImportRowsRequest], context: Context
    ) -> AsyncIterator[pb.ImportRowsResponse]:
        """Rows, page by page."""
        caller = current().caller
        first = await anext(aiter(request_iterator), None)
        if first is None:
            raise InvalidInput.of("header", "HEADER_EXPECTED", "the header comes first")
        pages = translate.RowPages(first)
        tenant = await self._imports.enter(caller, pages.kind)
        tally = ImportTally(is_trial=pages.validate_only)
        async with self._room.enter(tenant) as place:
            async for message in request_iterator:
                await self._take(message, pages, tally, place)
                yield translate.progress_to_proto(tally)
        yield translate.rows_report_to_proto(tally.report())

    async def ExportRows(
        self, request: pb.ExportRowsRequest, context: Context
    ) -> AsyncIterator[pb.ExportRowsResponse]:
        """Rows, as far as the caller sees."""
        query = translate.query_from_proto(request)
        export = await self._exports.start(current().caller, query)
        yield translate.export_header_to_proto(export.header)
        async for rows in export.pages:
            # Some 10 ms for a thousand: not in the loop that serves everybody else.
            for page in await asyncio.to_thread(_pages, rows):
                yield pb.ExportRowsResponse(page=page)

    async def _take(
        self,
        message: pb.ImportRowsRequest,
        pages: translate.RowPages,
        tally: ImportTally,
        place: ImportPlace,
    ) -> None:
        count = pages.row_count(message)
        place.take(count)
        page = await place.run(
            asyncio.to_thread(pages.request, message, validate_only=tally.checks_only)
        )
        tally.add(await place.run(self._imports.page(current().caller, page)))
        place.give_back(count)


def _pages(rows: Sequence[ExportedRow]) -> list[pb.RowPage]:
    return list(pages_to_proto(rows))
