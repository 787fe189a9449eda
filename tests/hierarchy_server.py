"""hierarchy served on loopback inside the test's process, over a real store, with real tokens."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub

from kit.channel import open_channel, outgoing
from kit.clock import FakeClock, SystemClock
from kit.deadline import Deadline
from kit.ids import SeededIds
from kit.issuer import SigningKey, issue
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.bootstrap import Store, build_hierarchy, open_store
from services.hierarchy.config import Settings
from services.hierarchy.domain.model import Blueprint, TenantId, UnitId, UnitRow
from services.hierarchy.domain.people import Appointment, AppointmentId, Person, PersonId
from services.hierarchy.domain.records import Record
from services.hierarchy.servicers.hierarchy import SERVICE_NAME
from services.hierarchy.translate.blueprints import blueprint_to_proto
from services.hierarchy.translate.values import names_to_proto, place_to_proto, timestamp
from tests.builders_hierarchy import a_blueprint, a_request_id, numbered
from tests.hierarchy_operations import keeping

ISSUER = "http://issuer.test"
SERVICE_SUBJECT = "service:groups"
USUAL = TenantId("neem")
KEY = SigningKey.generate()
ALL = ("view", "administer")
# The key-encryption keys, beside the database.
KEY_FILE = "hierarchy.sqlite3.keys"


@dataclass(frozen=True)
class Caller:
    """Somebody with a token; `named_tenant` is what a service says it works for."""

    token: str
    named_tenant: str | None = None


def a_caller(
    tenant: str | None = USUAL,
    capabilities: Iterable[str] = ALL,
    *,
    subject: str = "user-1",
    named_tenant: str | None = None,
    lasts: timedelta = timedelta(hours=1),
) -> Caller:
    now = SystemClock().now()
    token = issue(
        KEY,
        issuer=ISSUER,
        subject=subject,
        issued_at=now - timedelta(hours=2),
        expires_at=now + lasts,
        tenant=tenant,
        capabilities=capabilities,
    )
    return Caller(token, named_tenant)


@dataclass(frozen=True)
class Neo4jAt:
    """A Neo4j that is shared, so that tenants need names of their own."""

    uri: str
    auth: tuple[str, str] | None

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a process reads of it."""
        user, password = self.auth or ("neo4j", None)
        return {"neo4j_uri": self.uri, "neo4j_username": user, "neo4j_password": password}


@dataclass(frozen=True)
class Hierarchy:
    """A running server, its store, and one way to call each method.

    `caller` administers the tenant, for whom all is done unless another caller is named.
    """

    stub: HierarchyServiceStub
    store: Store
    caller: Caller
    tenant: TenantId = USUAL

    def somebody(self, subject: str) -> Caller:
        """Whoever has that login in the tenant, and no right by themself."""
        return a_caller(self.tenant, (), subject=subject)

    async def call(self, method: str, request: Any, caller: Caller | None = None) -> Any:
        """The reply of a method that takes one message. Raises the error that it told."""
        async with self.around(method, caller) as options:
            return await getattr(self.stub, method)(request, **options)

    async def stream_tree(
        self, known_version: int = 0, caller: Caller | None = None
    ) -> tuple[pb.TreeHeader, list[pb.TreePage]]:
        request = pb.StreamTreeRequest(known_version=known_version)
        parts = await self.stream(request, caller)
        assert [part.WhichOneof("part") for part in parts] == ["header"] + ["page"] * (
            len(parts) - 1
        )
        return parts[0].header, [part.page for part in parts[1:]]

    async def stream(
        self, request: pb.StreamTreeRequest, caller: Caller | None = None
    ) -> list[pb.StreamTreeResponse]:
        async with self.around("StreamTree", caller) as options:
            stream: Any = self.stub.StreamTree(request, **options)
            return [part async for part in stream]

    async def send_import(
        self, messages: Sequence[pb.ImportUnitsRequest], caller: Caller | None = None
    ) -> pb.ImportReport:
        async def sending() -> AsyncIterator[pb.ImportUnitsRequest]:
            for message in messages:
                yield message

        async with self.around("ImportUnits", caller) as options:
            method: Any = self.stub.ImportUnits
            reply: pb.ImportUnitsResponse = await method(sending(), **options)
        return reply.report

    async def import_rows(self, *rows: UnitRow, caller: Caller | None = None) -> pb.ImportReport:
        return await self.send_import(import_messages(rows), caller)

    async def start(self, *rows: UnitRow, caller: Caller | None = None) -> None:
        """Put the usual blueprint and import rows that are right."""
        await self.put(a_blueprint(), caller)
        if rows:
            report = await self.import_rows(*rows, caller=caller)
            assert report.error_count == 0

    async def put(self, blueprint: Blueprint, caller: Caller | None = None) -> pb.Blueprint:
        request = pb.PutBlueprintRequest(blueprint=blueprint_to_proto(blueprint))
        reply: pb.PutBlueprintResponse = await self.call("PutBlueprint", request, caller)
        return reply.blueprint

    async def keep(self, *records: Record, tenant: str = "") -> None:
        """Put records as they are, as a write that changes who may do what."""
        await self.store.graph.write(TenantId(tenant or self.tenant), keeping(*records))

    async def appoint(
        self,
        subject: str,
        position: str,
        *units: pb.Unit,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> Caller:
        """Somebody with nothing but that position in these units; a caller with their token."""
        now, ids = self.store.clock.now(), self.store.ids
        person = Person(PersonId(ids.new()), None, None, subject, now, None, 1)
        appointments = [
            Appointment(
                AppointmentId(ids.new()),
                UnitId(unit.id),
                position,
                person.id,
                valid_from or now,
                valid_to,
                None,
                1,
            )
            for unit in units
        ]
        await self.keep(person, *appointments)
        return self.somebody(subject)

    async def unit(self, level: str, code: str, caller: Caller | None = None) -> pb.Unit:
        request = pb.GetUnitRequest(key=pb.UnitKey(level=level, code=code))
        reply: pb.GetUnitResponse = await self.call("GetUnit", request, caller)
        return reply.unit

    def around(self, method: str, caller: Caller | None = None) -> Any:
        caller = caller or self.caller
        return outgoing(
            f"{SERVICE_NAME}/{method}",
            deadline=Deadline.after(60),
            token=caller.token,
            tenant=caller.named_tenant,
        )


@asynccontextmanager
async def running(
    folder: Path,
    clock: FakeClock | None = None,
    *,
    implicit_tenants: bool = True,
    tenant: str = USUAL,
    neo4j: Neo4jAt | None = None,
) -> AsyncIterator[Hierarchy]:
    """A server over the embedded store, or Neo4j; the clock is the store's, not the tokens'."""
    jwks, secrets = folder / "jwks.json", folder / KEY_FILE
    jwks.write_text(json.dumps(KEY.jwks()))
    KeyFile.open_or_make(secrets)
    settings = Settings(
        oidc_issuer=ISSUER,
        oidc_jwks_file=jwks,
        service_subjects=frozenset({SERVICE_SUBJECT}),
        database_file=folder / "hierarchy.sqlite3",
        key_encryption_keys_file=secrets,
        implicit_tenants=implicit_tenants,
        **(neo4j.settings if neo4j else {}),
    )
    async with open_store(settings, clock or FakeClock(), SeededIds(7)) as store:
        await store.migrate()
        server = build_hierarchy(settings, store)
        await server.start(f"unix:{folder}/grpc.sock")
        try:
            async with open_channel(f"unix:{folder}/grpc.sock", service=SERVICE_NAME) as channel:
                stub, of = HierarchyServiceStub(channel), TenantId(tenant)
                yield Hierarchy(stub, store, a_caller(tenant), of)
        finally:
            await server.drain(timedelta(0))


def row_to_proto(row: UnitRow) -> pb.UnitRow:
    return pb.UnitRow(
        row=row.row,
        level=row.key.level,
        code=row.key.code,
        names=names_to_proto(row.names),
        parent_level=row.parent.level,
        parent_code=row.parent.code,
        place=place_to_proto(row.place) if row.place else None,
    )


def header(
    request_id: str = "", *, validate_only: bool = False, effective_at: datetime | None = None
) -> pb.ImportUnitsRequest:
    return pb.ImportUnitsRequest(
        header=pb.ImportUnitsHeader(
            request_id=request_id or a_request_id(),
            validate_only=validate_only,
            effective_at=timestamp(effective_at) if effective_at else None,
        )
    )


def page(rows: Sequence[UnitRow]) -> pb.ImportUnitsRequest:
    return pb.ImportUnitsRequest(page=pb.ImportUnitsPage(rows=map(row_to_proto, rows)))


def import_messages(
    rows: Sequence[UnitRow],
    *,
    request_id: str = "",
    validate_only: bool = False,
    page_rows: int = 5_000,
    effective_at: datetime | None = None,
) -> list[pb.ImportUnitsRequest]:
    whole = numbered(rows)
    pages = [page(whole[start : start + page_rows]) for start in range(0, len(whole), page_rows)]
    first = header(request_id, validate_only=validate_only, effective_at=effective_at)
    return [first, *pages]
