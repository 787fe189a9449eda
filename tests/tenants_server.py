"""A running hierarchy as those who operate the platform see it, and tenants with all in them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import people_pb2 as people
from chaupal.hierarchy.v1 import tenants_pb2 as pb
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kit.channel import open_channel, outgoing
from kit.deadline import Deadline
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.domain.model import TenantId, Unit
from services.hierarchy.domain.people import Person
from services.hierarchy.domain.records import Record
from services.hierarchy.domain.tenant_errors import PeersNotTold
from services.hierarchy.translate.values import names_to_proto
from services.hierarchy.use_cases.secrets import Secrets
from services.hierarchy.use_cases.tenant_removal import TenantRemoval
from tests.builders_hierarchy import a_request_id, a_row, a_small_tree, one_of_each, text
from tests.hierarchy_server import (
    KEY_FILE,
    Caller,
    Hierarchy,
    a_caller,
    import_messages,
    running,
)

OPERATOR = a_caller(tenant=None, capabilities=["operate"], subject="operator")
SERVICES: tuple[ServiceDescriptor, ...] = (
    pb.DESCRIPTOR.services_by_name["TenantsService"],
    people.DESCRIPTOR.services_by_name["PeopleService"],
)


class Operator:
    """Whoever operates the platform, to the use cases."""

    tenant_id = ""
    subject = "operator"
    is_service = False
    is_operator = True
    capabilities = frozenset({"operate"})


@dataclass(frozen=True)
class Operated:
    """A server, its store, and one way to call each method of `SERVICES`."""

    hierarchy: Hierarchy
    channel: Any
    folder: Path

    async def call(self, request: Message, caller: Caller = OPERATOR, seconds: float = 60) -> Any:
        """The reply of the method whose request it is. Raises the error that it told."""
        return [reply async for reply in self.replies(request, caller, seconds)][-1]

    async def replies(
        self, request: Message, caller: Caller = OPERATOR, seconds: float = 60
    ) -> AsyncIterator[Any]:
        """All replies of a method that streams them."""
        name = type(request).__name__.removesuffix("Request")
        method = next(it.methods_by_name[name] for it in SERVICES if name in it.methods_by_name)
        path = f"{method.containing_service.full_name}/{name}"
        coders = {
            "request_serializer": type(request).SerializeToString,
            "response_deserializer": GetMessageClass(method.output_type).FromString,
        }
        deadline = Deadline.after(seconds)
        async with outgoing(
            path, deadline=deadline, token=caller.token, tenant=caller.named_tenant
        ) as options:
            if method.server_streaming:
                async for reply in self.channel.unary_stream(f"/{path}", **coders)(
                    request, **options
                ):
                    yield reply
            else:
                yield await self.channel.unary_unary(f"/{path}", **coders)(request, **options)

    async def create(self, tenant: str, **quotas: int) -> pb.Tenant:
        asked = pb.Tenant(id=tenant, quotas=pb.Quotas(**quotas))
        request = pb.CreateTenantRequest(tenant=asked, request_id=a_request_id())
        reply: pb.CreateTenantResponse = await self.call(request)
        return reply.tenant

    async def get(self, tenant: str) -> pb.Tenant:
        reply: pb.GetTenantResponse = await self.call(pb.GetTenantRequest(id=tenant))
        return reply.tenant

    async def update(self, tenant: str, status: Any = None, **quotas: int) -> pb.Tenant:
        request = pb.UpdateTenantRequest(
            id=tenant, status=status, quotas=pb.Quotas(**quotas), request_id=a_request_id()
        )
        reply: pb.UpdateTenantResponse = await self.call(request)
        return reply.tenant

    async def suspend(self, tenant: str) -> pb.Tenant:
        return await self.update(tenant, pb.TENANT_STATUS_SUSPENDED)

    async def delete(self, tenant: str, seconds: float = 60) -> pb.DeleteTenantResponse:
        request = pb.DeleteTenantRequest(id=tenant, confirm_id=tenant)
        reply: pb.DeleteTenantResponse = await self.call(request, seconds=seconds)
        return reply

    def removal(self, per_write: int = 5_000) -> TenantRemoval:
        """The use case by itself, for whoever gives it no time."""
        store = self.hierarchy.store
        return TenantRemoval(store.graph, store.outbox, store.clock, store.ids, per_write)

    async def begin_to_delete(self, tenant: str) -> None:
        """A removal that has gone as far as it can before peers were told."""
        await self.suspend(tenant)
        with pytest.raises(PeersNotTold):
            await self.removal().run(Operator(), TenantId(tenant), Deadline.after(0))

    async def export(self, tenant: str) -> bytes:
        parts = [part.lines async for part in self.replies(pb.ExportTenantRequest(id=tenant))]
        return b"".join(parts)

    async def relay(self) -> None:
        """Mark as relayed all that waits: what the worker does once it has told peers."""
        outbox = self.hierarchy.store.outbox
        for backlog in await outbox.backlogs(limit=1_000):
            after = backlog.relayed_through
            events = await outbox.events(backlog.tenant, after=after, limit=1_000)
            await outbox.mark_relayed(backlog.tenant, through=events[-1].sequence)

    async def put_person(self, tenant: str, name: str, phone: str, subject: str = "") -> str:
        request = people.PutPersonRequest(
            names=names_to_proto(text(name, "आशा")),
            phone=phone,
            subject=subject,
            request_id=a_request_id(),
        )
        reply: people.PutPersonResponse = await self.call(request, a_caller(tenant=tenant))
        return reply.person.id

    async def import_around(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        """An import of one unit, of whose upload something else happens in the middle."""
        messages = import_messages([a_row("state", "GJ")])

        async def upload() -> AsyncIterator[Any]:
            yield messages[0]
            await meanwhile()
            yield messages[1]

        async with self.hierarchy.around("ImportUnits") as options:
            method: Any = self.hierarchy.stub.ImportUnits
            await method(upload(), **options)

    async def fill(self, tenant: str) -> None:
        """A tenant with a blueprint, a small tree, two persons, and a record of each other type."""
        await self.hierarchy.start(*a_small_tree(), caller=a_caller(tenant=tenant))
        await self.put_person(tenant, "Asha", "+919800000001", "asha")
        await self.put_person(tenant, "Bina", "+919800000002")
        others = [each for each in one_of_each() if not isinstance(each, Person | Unit)]
        await self.hierarchy.keep(*others, tenant=tenant)

    def secrets(self) -> Secrets:
        """The secrets as another process over the same store has them."""
        store = self.hierarchy.store
        return Secrets(store.graph, KeyFile(self.folder / KEY_FILE), store.ids)

    async def records(self, tenant: str, of: type[Record]) -> list[Record]:
        found = await self.hierarchy.store.graph.page(TenantId(tenant), of, limit=10_000)
        return list(found)


def lines_of(export: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in export.splitlines()]


@asynccontextmanager
async def operated(folder: Path) -> AsyncIterator[Operated]:
    """A server in which tenants exist once they were created."""
    async with (
        running(folder, implicit_tenants=False) as hierarchy,
        open_channel(f"unix:{folder}/grpc.sock", service="any") as channel,
    ):
        yield Operated(hierarchy, channel, folder)
