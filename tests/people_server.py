"""PeopleService of a running hierarchy, with one way to call each method."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1.people_pb2_grpc import PeopleServiceStub

from kit.channel import open_channel, outgoing
from kit.clock import FakeClock
from kit.deadline import Deadline
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.domain.model import TenantId, UnitRow
from services.hierarchy.servicers.people import SERVICE_NAME
from services.hierarchy.translate.values import names_to_proto
from services.hierarchy.use_cases.secrets import Secrets
from tests.builders_hierarchy import a_request_id, a_row, a_small_tree, text
from tests.builders_people import a_staffed_blueprint
from tests.hierarchy_server import KEY_FILE, Caller, Hierarchy, Neo4jAt, running

NEEM = TenantId("neem")
# The second district has a mandal with a booth too.
ROWS: Sequence[UnitRow] = (
    *a_small_tree(),
    a_row("mandal", "N1", under=("district", "AJM")),
    a_row("booth", "C1", under=("mandal", "N1")),
)


@dataclass(frozen=True)
class PeopleServer:
    """A staffed organisation, `neem` unless it was named, and all that a test asks of it."""

    hierarchy: Hierarchy
    stub: PeopleServiceStub
    clock: FakeClock
    folder: Path

    async def call(self, request: Any, caller: Caller | None = None) -> Any:
        """The reply of the method whose request it is. Raises the error that it told."""
        method = type(request).__name__.removesuffix("Request")
        caller = caller or self.hierarchy.caller
        options = outgoing(
            f"{SERVICE_NAME}/{method}",
            deadline=Deadline.after(60),
            token=caller.token,
            tenant=caller.named_tenant,
        )
        async with options as given:
            return await getattr(self.stub, method)(request, **given)

    async def person(
        self,
        name: str = "Asha",
        phone: str = "",
        *,
        subject: str = "",
        caller: Caller | None = None,
    ) -> pb.Person:
        """A new person."""
        request = pb.PutPersonRequest(
            names=names_to_proto(text(name)),
            phone=phone,
            subject=subject,
            request_id=a_request_id(),
        )
        reply: pb.PutPersonResponse = await self.call(request, caller)
        return reply.person

    async def get(
        self, *ids: str, unmask: bool = False, caller: Caller | None = None
    ) -> list[pb.PersonResult]:
        """What there is of persons."""
        request = pb.BatchGetPersonsRequest(ids=ids, unmask=unmask)
        reply: pb.BatchGetPersonsResponse = await self.call(request, caller)
        return list(reply.results)

    async def appoint(
        self, level: str, code: str, position: str, person: pb.Person, caller: Caller | None = None
    ) -> pb.Appointment:
        """An appointment from now on."""
        unit = await self.hierarchy.unit(level, code)
        request = pb.AppointRequest(
            unit_id=unit.id, position=position, person_id=person.id, request_id=a_request_id()
        )
        reply: pb.AppointResponse = await self.call(request, caller)
        return reply.appointment

    async def unit_id(self, level: str, code: str) -> str:
        """The id of a unit."""
        return (await self.hierarchy.unit(level, code)).id

    def secrets(self) -> Secrets:
        """The secrets as another process over the same store has them."""
        store = self.hierarchy.store
        return Secrets(store.graph, KeyFile(self.key_file), store.ids)

    @property
    def tenant(self) -> TenantId:
        """Whose organisation it is."""
        return self.hierarchy.tenant

    @property
    def key_file(self) -> Path:
        """The key-encryption keys, made beside the database."""
        return self.folder / KEY_FILE


@asynccontextmanager
async def staffed(
    folder: Path, *, tenant: str = NEEM, neo4j: Neo4jAt | None = None
) -> AsyncIterator[PeopleServer]:
    """A server whose tenant has units and offices, and nobody in them."""
    clock = FakeClock()
    address = f"unix:{folder}/grpc.sock"
    async with (
        running(folder, clock, tenant=tenant, neo4j=neo4j) as hierarchy,
        open_channel(address, service=SERVICE_NAME) as channel,
    ):
        await hierarchy.put(a_staffed_blueprint())
        report = await hierarchy.import_rows(*ROWS)
        assert report.error_count == 0
        yield PeopleServer(hierarchy, PeopleServiceStub(channel), clock, folder)
