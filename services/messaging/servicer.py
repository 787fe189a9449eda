"""The gRPC edge of messaging: message to value, one use case, value to message."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from chaupal.messaging.v1 import messaging_pb2 as pb
from chaupal.messaging.v1 import messaging_pb2_grpc as stubs
from grpc.aio import ServicerContext

from kit.context import current
from kit.errors import ChaupalError, InvalidInput
from kit.telemetry import trace_carrier
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.translate import answers, requests
from services.messaging.translate.values import (
    broadcast_to_proto,
    delivery_to_proto,
    draft_from_proto,
    progress_to_proto,
)
from services.messaging.use_cases.reading import ListDeliveries, ReadBroadcasts, ReadProgress
from services.messaging.use_cases.watching import WatchProgress
from services.messaging.use_cases.writing import CreateBroadcast, StartBroadcast

SERVICE_NAME = "chaupal.messaging.v1.MessagingService"

Context = ServicerContext[Any, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the service can do."""

    create: CreateBroadcast
    start: StartBroadcast
    broadcasts: ReadBroadcasts
    progress: ReadProgress
    watch: WatchProgress
    deliveries: ListDeliveries


class MessagingServicer(stubs.MessagingServiceServicer):
    """Serves `chaupal.messaging.v1.MessagingService`; the contract's comments are the promise."""

    def __init__(self, use_cases: UseCases) -> None:
        self._use_cases = use_cases

    async def CreateBroadcast(
        self, request: pb.CreateBroadcastRequest, context: Context
    ) -> pb.CreateBroadcastResponse:
        """Make a draft."""
        call = current()
        draft = draft_from_proto(request.broadcast)
        made = await self._use_cases.create(call.caller, draft, request.request_id, call.deadline)
        return pb.CreateBroadcastResponse(broadcast=broadcast_to_proto(made))

    async def GetBroadcast(
        self, request: pb.GetBroadcastRequest, context: Context
    ) -> pb.GetBroadcastResponse:
        """One broadcast."""
        broadcast_id = requests.broadcast_id_from(request.id, "id")
        found = await self._use_cases.broadcasts.one(current().caller, broadcast_id)
        return pb.GetBroadcastResponse(broadcast=broadcast_to_proto(found))

    async def BatchGetBroadcasts(
        self, request: pb.BatchGetBroadcastsRequest, context: Context
    ) -> pb.BatchGetBroadcastsResponse:
        """Many broadcasts."""
        asked = requests.broadcast_ids_from(request.ids, "ids", requests.MAX_BROADCASTS)
        found = await self._use_cases.broadcasts.many(current().caller, _valid(asked))
        response = pb.BatchGetBroadcastsResponse()
        async for each in _in_order(asked, found):
            response.results.append(answers.broadcast_result(each))
        return answers.checked(response, "ids")

    async def ListBroadcasts(
        self, request: pb.ListBroadcastsRequest, context: Context
    ) -> pb.ListBroadcastsResponse:
        """A page of broadcasts."""
        caller = current().caller
        tenant = TenantId(caller.tenant_id)
        asked = requests.broadcasts_request_from(request, tenant)
        page = await self._use_cases.broadcasts.page(caller, asked.cursor, asked.size)
        return answers.broadcasts_page(page, partial(requests.broadcasts_token, tenant=tenant))

    async def StartBroadcast(
        self, request: pb.StartBroadcastRequest, context: Context
    ) -> pb.StartBroadcastResponse:
        """Start a draft."""
        broadcast_id = requests.broadcast_id_from(request.id, "id")
        traceparent = trace_carrier().get("traceparent", "")
        started = await self._use_cases.start(
            current().caller, broadcast_id, request.request_id, traceparent
        )
        return pb.StartBroadcastResponse(broadcast=broadcast_to_proto(started))

    async def BatchGetProgress(
        self, request: pb.BatchGetProgressRequest, context: Context
    ) -> pb.BatchGetProgressResponse:
        """The progress of many broadcasts."""
        asked = requests.broadcast_ids_from(
            request.broadcast_ids, "broadcast_ids", requests.MAX_PROGRESS
        )
        split = requests.split_from(request.split)
        found = await self._use_cases.progress.many(current().caller, _valid(asked), split)
        response = pb.BatchGetProgressResponse()
        async for each in _in_order(asked, found):
            response.results.append(answers.progress_result(each))
        return answers.checked(response, "broadcast_ids")

    async def WatchProgress(
        self, request: pb.WatchProgressRequest, context: Context
    ) -> AsyncIterator[pb.WatchProgressResponse]:
        """The progress of one broadcast as it changes."""
        broadcast_id = requests.broadcast_id_from(request.broadcast_id, "broadcast_id")
        split = requests.split_from(request.split)
        looks = self._use_cases.watch(current().caller, broadcast_id, split)
        # Closed with the call, so that a caller that went away is no watcher any more.
        async with aclosing(looks):
            async for progress in looks:
                yield pb.WatchProgressResponse(progress=progress_to_proto(progress))

    async def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        """A page of deliveries."""
        caller = current().caller
        tenant = TenantId(caller.tenant_id)
        asked = requests.deliveries_request_from(request, tenant)
        page = await self._use_cases.deliveries(caller, asked.query, asked.size)
        return pb.ListDeliveriesResponse(
            deliveries=map(delivery_to_proto, page.deliveries),
            next_page_token=requests.deliveries_token(page.next_position, request, tenant),
        )


def _valid(asked: Sequence[BroadcastId | InvalidInput]) -> list[BroadcastId]:
    return [each for each in asked if not isinstance(each, InvalidInput)]


async def _in_order(
    asked: Sequence[BroadcastId | InvalidInput], found: Sequence[T | ChaupalError]
) -> AsyncIterator[T | ChaupalError]:
    """One answer for each item of a batch: what was found, or what is wrong with the item.

    Other calls get their turn between two items.
    """
    answers_of_valid = iter(found)
    for each in asked:
        await asyncio.sleep(0)
        yield each if isinstance(each, InvalidInput) else next(answers_of_valid)
