"""Thin typed wrapper over the stub of `chaupal.groups.v1`."""

from collections.abc import Sequence

import grpc.aio
from chaupal.groups.v1 import audience_pb2
from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.groups.v1 import groups_pb2_grpc as stubs

from gateway.context import Context
from gateway.graph.peer import Peer
from kit.errors import ChaupalError
from kit.status import status_to_error

SERVICE = "chaupal.groups.v1.GroupsService"
RETRYABLE = (
    "GetGroup",
    "BatchGetGroups",
    "ListGroups",
    "BatchListGroups",
    "BatchCountGroups",
    "PreviewAudience",
)


class GroupsClient:
    """The calls that the graph makes; every one raises the service's errors as kinds."""

    def __init__(self, context: Context, channel: grpc.aio.Channel) -> None:
        self._stub = stubs.GroupsServiceStub(channel)
        self._peer = Peer(context, SERVICE)

    async def groups(self, ids: Sequence[str]) -> list[pb.Group | ChaupalError]:
        """Groups by id, in the order of the ids."""
        request = pb.BatchGetGroupsRequest(ids=ids)
        reply = await self._peer.call("BatchGetGroups", self._stub.BatchGetGroups, request)
        return [
            each.group if each.HasField("group") else status_to_error(each.status)
            for each in reply.results
        ]

    async def page_of_groups(
        self, group_filter: pb.GroupFilter, page_size: int, page_token: str
    ) -> pb.ListGroupsResponse:
        """A page of the groups that a filter selects, in tree order."""
        request = pb.ListGroupsRequest(
            filter=group_filter, page_size=page_size, page_token=page_token
        )
        return await self._peer.call("ListGroups", self._stub.ListGroups, request)

    async def groups_of_units(
        self, unit_ids: Sequence[str], page_size: int, *, own_only: bool
    ) -> list[pb.ListGroupsResponse | ChaupalError]:
        """The first page of each unit's groups, in the order of the ids."""
        request = pb.BatchListGroupsRequest(
            unit_ids=unit_ids, filter=pb.GroupFilter(own_only=own_only), page_size=page_size
        )
        reply = await self._peer.call("BatchListGroups", self._stub.BatchListGroups, request)
        return [
            each.groups if each.HasField("groups") else status_to_error(each.status)
            for each in reply.results
        ]

    async def counts(self, unit_ids: Sequence[str]) -> list[pb.GroupCounts | ChaupalError]:
        """The counts of each unit's subtree, in the order of the ids."""
        request = pb.BatchCountGroupsRequest(unit_ids=unit_ids)
        reply = await self._peer.call("BatchCountGroups", self._stub.BatchCountGroups, request)
        return [
            each.counts if each.HasField("counts") else status_to_error(each.status)
            for each in reply.results
        ]

    async def preview(
        self, audience: audience_pb2.Audience, split_level: str
    ) -> pb.PreviewAudienceResponse:
        """What an audience means now."""
        request = pb.PreviewAudienceRequest(audience=audience, split_level=split_level)
        return await self._peer.call("PreviewAudience", self._stub.PreviewAudience, request)
