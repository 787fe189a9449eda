"""The gRPC edge of groups: message to value, one use case, value to message."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.groups.v1 import groups_pb2_grpc as stubs
from grpc.aio import ServicerContext

from kit.context import current
from kit.errors import ChaupalError, InvalidInput
from services.groups.domain.errors import GroupNotFound, UnitNotFound
from services.groups.domain.imports import GroupRow
from services.groups.domain.model import GroupId, UnitId
from services.groups.translate import answers, audiences, imports, requests, values
from services.groups.use_cases.access import Access
from services.groups.use_cases.audiences import preview_audience, resolve_audience
from services.groups.use_cases.call import Call
from services.groups.use_cases.imports import ImportGroups
from services.groups.use_cases.reading import ReadGroups
from services.groups.use_cases.register import RegisterGroup

SERVICE_NAME = "chaupal.groups.v1.GroupsService"

Context = ServicerContext[Any, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the servicer calls."""

    access: Access
    read: ReadGroups
    register: RegisterGroup
    import_groups: ImportGroups


class GroupsServicer(stubs.GroupsServiceServicer):
    """Serves `chaupal.groups.v1.GroupsService`; the contract's comments are the promise."""

    def __init__(self, use_cases: UseCases) -> None:
        self._use = use_cases

    async def RegisterGroup(
        self, request: pb.RegisterGroupRequest, context: Context
    ) -> pb.RegisterGroupResponse:
        """One new group."""
        request_id = requests.id_from_text(request.request_id, "request_id")
        draft, unit_id = values.draft_from_proto(request.group)
        group = await self._use.register(
            _call(), draft, unit_id, request_id, validate_only=request.validate_only
        )
        return pb.RegisterGroupResponse(group=values.group_to_proto(group))

    async def GetGroup(self, request: pb.GetGroupRequest, context: Context) -> pb.GetGroupResponse:
        """One group."""
        group_id = GroupId(requests.id_from_text(request.id, "id"))
        group = await self._use.read.by_id(_call(), group_id)
        return pb.GetGroupResponse(group=values.group_to_proto(group))

    async def BatchGetGroups(
        self, request: pb.BatchGetGroupsRequest, context: Context
    ) -> pb.BatchGetGroupsResponse:
        """Many groups."""
        asked = requests.batch_ids(request.ids, "ids", requests.MAX_BATCH_IDS)
        ids = [GroupId(each) for each in _valid(asked)]
        found = _in_order(asked, ids, await self._use.read.by_ids(_call(), ids), GroupNotFound)
        results = map(answers.group_result, found)
        return answers.checked(pb.BatchGetGroupsResponse(results=results), "ids")

    async def ListGroups(
        self, request: pb.ListGroupsRequest, context: Context
    ) -> pb.ListGroupsResponse:
        """A page of groups."""
        call = _call()
        query = requests.query_from_proto(request.filter)
        size = requests.page_size(request.page_size)
        after = requests.place_from_token(request.page_token, query, call.tenant)
        page = await self._use.read.page(call, query.narrow, query.unit_id, after, size)
        # A thousand groups take some 15 ms: not in the loop that serves everybody else.
        return await asyncio.to_thread(answers.page_to_proto, page, query, call.tenant)

    async def BatchListGroups(
        self, request: pb.BatchListGroupsRequest, context: Context
    ) -> pb.BatchListGroupsResponse:
        """The first page of each of many units."""
        call = _call()
        asked = requests.batch_ids(request.unit_ids, "unit_ids", requests.MAX_BATCH_LISTS)
        narrow = requests.filter_from_proto(request.filter)
        size = requests.batch_page_size(request)
        unit_ids = [UnitId(each) for each in _valid(asked)]
        pages = await self._use.read.first_pages(call, narrow, unit_ids, size)
        found = [
            None if page is None else (requests.Query(narrow, unit_id), page)
            for unit_id, page in zip(unit_ids, pages, strict=True)
        ]
        pages_or_faults = _in_order(asked, unit_ids, found, UnitNotFound)
        return await asyncio.to_thread(answers.pages_to_proto, pages_or_faults, call.tenant)

    async def BatchCountGroups(
        self, request: pb.BatchCountGroupsRequest, context: Context
    ) -> pb.BatchCountGroupsResponse:
        """Counts over the subtrees of many units."""
        asked = requests.batch_ids(request.unit_ids, "unit_ids", requests.MAX_BATCH_IDS)
        unit_ids = [UnitId(each) for each in _valid(asked)]
        counts = await self._use.read.counts(_call(), unit_ids)
        results = map(answers.counts_result, _in_order(asked, unit_ids, counts, UnitNotFound))
        return answers.checked(pb.BatchCountGroupsResponse(results=results), "unit_ids")

    async def ImportGroups(
        self, request_iterator: AsyncIterator[pb.ImportGroupsRequest], context: Context
    ) -> pb.ImportGroupsResponse:
        """Groups from rows, all or none."""
        messages = aiter(request_iterator)
        header = imports.header_from_proto(await anext(messages, None))
        report = await self._use.import_groups(
            _call(), header.request_id, _pages(messages), validate_only=header.validate_only
        )
        return pb.ImportGroupsResponse(report=imports.report_to_proto(report))

    async def PreviewAudience(
        self, request: pb.PreviewAudienceRequest, context: Context
    ) -> pb.PreviewAudienceResponse:
        """What an audience means now."""
        audience = audiences.audience_from_proto(request.audience)
        answer = await preview_audience(self._use.access, _call(), audience, request.split_level)
        return answers.checked(audiences.preview_to_proto(*answer), "split_level")

    async def ResolveAudience(
        self, request: pb.ResolveAudienceRequest, context: Context
    ) -> AsyncIterator[pb.ResolveAudienceResponse]:
        """The groups an audience means now."""
        audience = audiences.audience_from_proto(request.audience)
        answer = await resolve_audience(self._use.access, _call(), audience)
        for part in audiences.resolved_to_proto(*answer):
            yield part


def _call() -> Call:
    context = current()
    return Call(context.caller, context.deadline)


async def _pages(
    messages: AsyncIterator[pb.ImportGroupsRequest],
) -> AsyncIterator[Sequence[GroupRow]]:
    async for message in messages:
        # Some 50 ms for 5,000 rows: not in the loop that serves everybody else.
        yield await asyncio.to_thread(imports.page_from_proto, message)


def _valid(asked: Sequence[str | InvalidInput]) -> list[str]:
    return [each for each in asked if not isinstance(each, InvalidInput)]


def _in_order(
    asked: Sequence[str | InvalidInput],
    ids: Sequence[str],
    found: Sequence[T | None],
    missing: type[GroupNotFound] | type[UnitNotFound],
) -> list[T | ChaupalError]:
    """One answer for each item of a batch: what was found, or why there is nothing."""
    answer_of = dict(zip(ids, found, strict=True))
    in_order: list[T | ChaupalError] = []
    for each in asked:
        if isinstance(each, InvalidInput):
            in_order.append(each)
        else:
            answer = answer_of[each]
            in_order.append(missing(each) if answer is None else answer)
    return in_order
