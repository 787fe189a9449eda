"""AccessService of a running hierarchy, with one way to call each method."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import access_pb2 as pb
from chaupal.hierarchy.v1.access_pb2_grpc import AccessServiceStub

from kit.channel import open_channel, outgoing
from kit.deadline import Deadline
from services.hierarchy.servicers.access import SERVICE_NAME
from tests.hierarchy_server import SERVICE_SUBJECT, Caller, a_caller


def a_peer(tenant: str) -> Caller:
    """groups, at work for a tenant."""
    return a_caller(None, (), subject=SERVICE_SUBJECT, named_tenant=tenant)


PEER = a_peer("neem")


@dataclass(frozen=True)
class AccessServer:
    """The service's calls, each by its request."""

    stub: AccessServiceStub

    async def call(self, request: Any, caller: Caller) -> Any:
        """The reply of the method whose request it is. Raises the error that it told."""
        method = type(request).__name__.removesuffix("Request")
        options = outgoing(
            f"{SERVICE_NAME}/{method}",
            deadline=Deadline.after(60),
            token=caller.token,
            tenant=caller.named_tenant,
        )
        async with options as given:
            return await getattr(self.stub, method)(request, **given)

    async def viewer(
        self, caller: Caller, subject: str = "", *, known: int = 0
    ) -> pb.GetViewerResponse:
        request = pb.GetViewerRequest(subject=subject, known_access_version=known)
        reply: pb.GetViewerResponse = await self.call(request, caller)
        return reply

    async def version(self, caller: Caller = PEER) -> int:
        reply: pb.GetAccessVersionResponse = await self.call(pb.GetAccessVersionRequest(), caller)
        return reply.access_version

    async def may(
        self, caller: Caller, capability: str, unit_id: str, subject: str = "", *, at_least: int = 0
    ) -> bool:
        question = pb.AccessQuestion(capability=capability, unit_id=unit_id)
        request = pb.CheckAccessRequest(
            question=question, subject=subject, at_least_access_version=at_least
        )
        reply: pb.CheckAccessResponse = await self.call(request, caller)
        return reply.allowed


@asynccontextmanager
async def access_of(folder: Path) -> AsyncIterator[AccessServer]:
    """The AccessService of the hierarchy that runs in this folder."""
    async with open_channel(f"unix:{folder}/grpc.sock", service=SERVICE_NAME) as channel:
        yield AccessServer(AccessServiceStub(channel))
