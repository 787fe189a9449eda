"""Calls that assign watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
from chaupal.hierarchy.v1 import hierarchy_pb2
from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from chaupal.hierarchy.v1.people_pb2_grpc import PeopleServiceStub

from cli.clients.services import HIERARCHY
from cli.records import WatchRecord
from kit.channel import open_channel, outgoing
from kit.deadline import Deadline
from kit.errors import ChaupalError

PEOPLE = "chaupal.hierarchy.v1.PeopleService"
_CALL_SECONDS = 15.0


class WatchesClient:
    """The watches of the token's tenant."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._people = PeopleServiceStub(channel)
        self._hierarchy = HierarchyServiceStub(channel)
        self._token = token

    async def assign(self, watch: WatchRecord, request_id: str) -> None:
        """Make sure that somebody watches a unit, from now on or as they do already."""
        request = pb.AssignWatchRequest(
            unit_id=await self._unit_id(watch), person_id=watch.person_id, request_id=request_id
        )
        method, deadline = f"{PEOPLE}/AssignWatch", Deadline.after(_CALL_SECONDS)
        try:
            async with outgoing(method, deadline=deadline, token=self._token) as options:
                await self._people.AssignWatch(request, **options)
        except ChaupalError as error:
            if error.reason != "ALREADY_WATCHING":
                raise

    async def _unit_id(self, watch: WatchRecord) -> str:
        key = hierarchy_pb2.UnitKey(level=watch.unit_level, code=watch.unit_code)
        method, deadline = f"{HIERARCHY}/GetUnit", Deadline.after(_CALL_SECONDS)
        async with outgoing(method, deadline=deadline, token=self._token) as options:
            answer = await self._hierarchy.GetUnit(hierarchy_pb2.GetUnitRequest(key=key), **options)
        return answer.unit.id


@asynccontextmanager
async def watches_client(target: str, token: str) -> AsyncIterator[WatchesClient]:
    """Open the watches of a token's tenant."""
    retryable = ("AssignWatch", f"{HIERARCHY}/GetUnit")
    async with open_channel(target, service=PEOPLE, retryable=retryable) as channel:
        yield WatchesClient(channel, token)
