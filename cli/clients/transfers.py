"""Calls that import and export rows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import grpc.aio
from chaupal.hierarchy.v1 import hierarchy_pb2
from chaupal.hierarchy.v1 import transfers_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from chaupal.hierarchy.v1.transfers_pb2_grpc import TransfersServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from cli.clients.services import HIERARCHY
from cli.files.problems import Problem
from cli.files.transfer_rows import Kind, Message
from kit.channel import open_channel, outgoing
from kit.deadline import Deadline

TRANSFERS = "chaupal.hierarchy.v1.TransfersService"
_READ_SECONDS = 15.0
# 600,000 appointments take some minutes.
_TRANSFER_SECONDS = 3_600.0

# Told how many rows the service has looked at, and how many problems it has found.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What an import did or would do; `applied_row_count` rows stand as the file says."""

    row_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    error_count: int
    problems: Sequence[Problem]
    applied_row_count: int
    applied: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export."""

    within: tuple[str, str] | None = None
    with_ended: bool = False
    as_of: datetime | None = None


class TransfersClient:
    """The rows of the token's tenant."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._stub = TransfersServiceStub(channel)
        self._hierarchy = HierarchyServiceStub(channel)
        self._token = token

    async def import_rows(
        self,
        kind: Kind,
        pages: Iterator[Sequence[Message]],
        *,
        request_id: str,
        validate_only: bool,
        progress: Progress = lambda _rows, _problems: None,
    ) -> RowsReport:
        """Import pages of rows, which are made as the service takes them."""
        header = pb.ImportRowsHeader(
            request_id=request_id, validate_only=validate_only, kind=kind.number
        )
        sending = _Sending(kind, header, pages)
        report = pb.RowsReport()
        method, deadline = f"{TRANSFERS}/ImportRows", Deadline.after(_TRANSFER_SECONDS)
        async with outgoing(method, deadline=deadline, token=self._token) as options:
            try:
                async for part in self._stub.ImportRows(sending.requests(), **options):
                    if part.WhichOneof("part") == "report":
                        report = part.report
                    else:
                        progress(part.progress.row_count, part.progress.error_count)
            except grpc.aio.AioRpcError:
                if sending.fault is not None:
                    # The call was cancelled because its rows could not be made.
                    raise sending.fault from None
                raise
        return _report(kind, report)

    async def export_rows(
        self, kind: Kind, selection: Selection
    ) -> AsyncIterator[pb.ExportRowsResponse]:
        """Give the header of an export, then its pages."""
        request = pb.ExportRowsRequest(kind=kind.number, with_ended=selection.with_ended)
        if selection.within:
            request.within_unit_id = await self._unit_id(*selection.within)
        if selection.as_of:
            as_of = Timestamp()
            as_of.FromDatetime(selection.as_of)
            request.as_of.CopyFrom(as_of)
        method, deadline = f"{TRANSFERS}/ExportRows", Deadline.after(_TRANSFER_SECONDS)
        async with outgoing(method, deadline=deadline, token=self._token) as options:
            async for part in self._stub.ExportRows(request, **options):
                yield part

    async def _unit_id(self, level: str, code: str) -> str:
        key = hierarchy_pb2.UnitKey(level=level, code=code)
        request = hierarchy_pb2.GetUnitRequest(key=key)
        method, deadline = f"{HIERARCHY}/GetUnit", Deadline.after(_READ_SECONDS)
        async with outgoing(method, deadline=deadline, token=self._token) as options:
            answer = await self._hierarchy.GetUnit(request, **options)
        return answer.unit.id


@asynccontextmanager
async def transfers_client(target: str, token: str) -> AsyncIterator[TransfersClient]:
    """Open the rows of a token's tenant."""
    async with open_channel(target, service=TRANSFERS) as channel:
        yield TransfersClient(channel, token)


class _Sending:
    """Makes requests of pages; keeps what goes wrong, which gRPC would only log."""

    def __init__(
        self, kind: Kind, header: pb.ImportRowsHeader, pages: Iterator[Sequence[Message]]
    ) -> None:
        self._kind = kind
        self._header = header
        self._pages = pages
        self.fault: Exception | None = None

    async def requests(self) -> AsyncIterator[pb.ImportRowsRequest]:
        yield pb.ImportRowsRequest(header=self._header)
        try:
            # In a thread, as reading 5,000 rows of a workbook takes a second.
            while page := await asyncio.to_thread(next, self._pages, None):
                request = pb.ImportRowsRequest()
                getattr(request.page, self._kind.name).extend(page)
                yield request
        except Exception as fault:
            self.fault = fault
            raise


def _report(kind: Kind, report: pb.RowsReport) -> RowsReport:
    return RowsReport(
        report.row_count,
        report.created_count,
        report.updated_count,
        report.unchanged_count,
        report.error_count,
        [
            Problem(one.row, kind.column(one.field), one.reason, one.description)
            for one in report.errors
        ],
        report.applied_row_count,
        report.applied,
    )
