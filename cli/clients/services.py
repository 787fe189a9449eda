"""Calls to hierarchy and groups over their gRPC contracts."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import grpc.aio
from chaupal.groups.v1 import groups_pb2 as groups
from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceStub
from chaupal.hierarchy.v1 import hierarchy_pb2 as hierarchy
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub

from cli.clients.blueprints import blueprint_message, blueprint_record, difference
from cli.clients.wire import Progress, group_row, import_stream, unit_row
from cli.files.problems import Problem
from cli.records import BlueprintRecord, Difference, GroupRecord, UnitRecord
from kit.channel import CallOptions, open_channel, outgoing
from kit.deadline import Deadline
from kit.errors import NotFound

HIERARCHY = "chaupal.hierarchy.v1.HierarchyService"
GROUPS = "chaupal.groups.v1.GroupsService"
_READ_SECONDS = 15.0
_IMPORT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did or would do; either nothing is wrong, or nothing was applied."""

    row_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    error_count: int
    problems: Sequence[Problem]
    applied: bool


class HierarchyClient:
    """The org graph of the token's tenant."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._stub = HierarchyServiceStub(channel)
        self._call = _caller(HIERARCHY, token)

    async def blueprint(self) -> BlueprintRecord:
        """Return the blueprint as it stands."""
        async with self._call("GetBlueprint", _READ_SECONDS) as options:
            answer = await self._stub.GetBlueprint(hierarchy.GetBlueprintRequest(), **options)
        return blueprint_record(answer.blueprint)

    async def has_blueprint(self) -> bool:
        """Tell whether a blueprint was put."""
        try:
            await self.blueprint()
        except NotFound:
            return False
        return True

    async def unit_count(self) -> int:
        """Return how many units the tree has."""
        async with self._call("StreamTree", _READ_SECONDS) as options:
            async for part in self._stub.StreamTree(hierarchy.StreamTreeRequest(), **options):
                # The header says it; the pages that follow are not read.
                return part.header.unit_count
        return 0

    async def put_blueprint(
        self, record: BlueprintRecord, *, validate_only: bool
    ) -> Sequence[Difference]:
        """Replace the blueprint and return in what it differs from the one before."""
        request = hierarchy.PutBlueprintRequest(
            blueprint=blueprint_message(record), validate_only=validate_only
        )
        async with self._call("PutBlueprint", _READ_SECONDS) as options:
            answer = await self._stub.PutBlueprint(request, **options)
        return [difference(each) for each in answer.differences]

    async def import_units(
        self,
        rows: Sequence[tuple[int, UnitRecord]],
        *,
        request_id: str,
        validate_only: bool = False,
        progress: Progress = lambda _: None,
    ) -> Report:
        """Import all rows or none; `progress` is told how many were sent with each page."""
        header = hierarchy.ImportUnitsHeader(request_id=request_id, validate_only=validate_only)
        requests = import_stream(
            hierarchy.ImportUnitsRequest(header=header),
            (unit_row(number, record) for number, record in rows),
            lambda page: hierarchy.ImportUnitsRequest(page=hierarchy.ImportUnitsPage(rows=page)),
            progress,
        )
        async with self._call("ImportUnits", _IMPORT_SECONDS) as options:
            answer = await self._stub.ImportUnits(requests, **options)
        return _report(answer.report)


class GroupsClient:
    """The register of the token's tenant."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._stub = GroupsServiceStub(channel)
        self._call = _caller(GROUPS, token)

    async def group_count(self) -> int:
        """Return how many groups the register has."""
        async with self._call("ListGroups", _READ_SECONDS) as options:
            answer = await self._stub.ListGroups(groups.ListGroupsRequest(page_size=1), **options)
        return answer.total_count

    async def import_groups(
        self,
        rows: Sequence[tuple[int, GroupRecord]],
        *,
        request_id: str,
        validate_only: bool = False,
        progress: Progress = lambda _: None,
    ) -> Report:
        """Import all rows or none; `progress` is told how many were sent with each page."""
        header = groups.ImportGroupsHeader(request_id=request_id, validate_only=validate_only)
        requests = import_stream(
            groups.ImportGroupsRequest(header=header),
            (group_row(number, record) for number, record in rows),
            lambda page: groups.ImportGroupsRequest(page=groups.ImportGroupsPage(rows=page)),
            progress,
        )
        async with self._call("ImportGroups", _IMPORT_SECONDS) as options:
            answer = await self._stub.ImportGroups(requests, **options)
        return _report(answer.report)


@asynccontextmanager
async def hierarchy_client(target: str, token: str) -> AsyncIterator[HierarchyClient]:
    """Open the org graph of a token's tenant."""
    async with open_channel(
        target, service=HIERARCHY, retryable=("GetBlueprint", "StreamTree")
    ) as channel:
        yield HierarchyClient(channel, token)


@asynccontextmanager
async def groups_client(target: str, token: str) -> AsyncIterator[GroupsClient]:
    """Open the register of a token's tenant."""
    async with open_channel(target, service=GROUPS, retryable=("ListGroups",)) as channel:
        yield GroupsClient(channel, token)


def _caller(
    service: str, token: str
) -> Callable[[str, float], AbstractAsyncContextManager[CallOptions]]:
    """Return what stands around every call to a service: `async with call(method, seconds)`."""

    def call(method: str, seconds: float) -> AbstractAsyncContextManager[CallOptions]:
        return outgoing(f"{service}/{method}", deadline=Deadline.after(seconds), token=token)

    return call


# Where the contract's field has another name than the file's column.
_COLUMNS = {
    "names.en": "name",
    "names.hi": "name_hi",
    "place.latitude": "latitude",
    "place.longitude": "longitude",
}


class _WireProblem(Protocol):
    row: int
    field: str
    reason: str
    description: str


def _report(report: hierarchy.ImportReport | groups.GroupImportReport) -> Report:
    errors: Sequence[_WireProblem] = report.errors
    return Report(
        report.row_count,
        report.created_count,
        report.updated_count,
        report.unchanged_count,
        report.error_count,
        [
            Problem(one.row, _COLUMNS.get(one.field, one.field), one.reason, one.description)
            for one in errors
        ],
        report.applied,
    )
