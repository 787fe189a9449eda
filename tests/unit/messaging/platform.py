"""Messaging as its bootstrap builds it: the server and workers over a real store, and a peer."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from chaupal.groups.v1.groups_pb2_grpc import add_GroupsServiceServicer_to_server
from chaupal.messaging.v1 import messaging_pb2 as pb
from chaupal.messaging.v1.messaging_pb2_grpc import MessagingServiceStub

from kit.channel import Metadata, call_metadata, open_channel, translate_rpc_errors
from kit.issuer import SigningKey, issue
from kit.server import Server, ServiceRegistration, build_server
from kit.tokens import build_verifier
from services.messaging.bootstrap import Adapters, build_worker, open_adapters, open_messaging
from services.messaging.config import Settings, WorkerSettings
from services.messaging.servicer import SERVICE_NAME
from tests.unit.messaging import register
from tests.unit.messaging.register import ListedGroups, Register, a_register

ISSUER = "https://issuer.test"
AUDIENCE = "chaupal"


@dataclass(frozen=True)
class Identity:
    """An issuer of tokens, with its public keys in a file."""

    key: SigningKey
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Identity":
        import json

        key = SigningKey.generate()
        (folder / "jwks.json").write_text(json.dumps(key.jwks()))
        made = cls(key, folder)
        (folder / "token").write_text(made.token("service:messaging", None))
        return made

    def token(self, subject: str, tenant: str | None, *capabilities: str) -> str:
        now = datetime.now(UTC)
        return issue(
            self.key,
            issuer=ISSUER,
            audience=AUDIENCE,
            subject=subject,
            issued_at=now,
            expires_at=now + timedelta(hours=1),
            tenant=tenant,
            capabilities=capabilities,
        )

    def variables(self) -> dict[str, str]:
        """What any process needs to verify callers."""
        return {
            "OIDC_ISSUER": ISSUER,
            "OIDC_AUDIENCE": AUDIENCE,
            "OIDC_JWKS_FILE": str(self.folder / "jwks.json"),
            "SERVICE_SUBJECTS": "service:messaging,service:gateway",
            "SERVICE_TOKEN_FILE": str(self.folder / "token"),
        }


@dataclass
class Client:
    """Calls as one caller; a failed call raises the error that its status tells."""

    stub: Any
    metadata: Metadata

    @classmethod
    def with_token(
        cls, channel: grpc.aio.Channel, token: str, tenant: str | None = None
    ) -> "Client":
        return cls(MessagingServiceStub(channel), call_metadata(token, tenant=tenant))

    async def call(self, method: str, request: Any) -> Any:
        with translate_rpc_errors():
            return await getattr(self.stub, method)(request, metadata=self.metadata, timeout=20)

    async def watch(self, request: pb.WatchProgressRequest) -> AsyncIterator[pb.Progress]:
        with translate_rpc_errors():
            async for each in self.stub.WatchProgress(request, metadata=self.metadata, timeout=60):
                yield each.progress

    async def create(self, register: Register, *unit_ids: str, title: str = "Meeting") -> Any:
        """A draft to the whole register, or to these units."""
        request = pb.CreateBroadcastRequest(
            broadcast=pb.Broadcast(title=title, texts={"en": "Come at ten."}), request_id=new_id()
        )
        request.broadcast.audience.include.add(unit_ids=unit_ids or [register.state])
        return (await self.call("CreateBroadcast", request)).broadcast

    async def start(self, broadcast: pb.Broadcast) -> pb.Broadcast:
        request = pb.StartBroadcastRequest(id=broadcast.id, request_id=new_id())
        started: pb.Broadcast = (await self.call("StartBroadcast", request)).broadcast
        return started

    async def get(self, broadcast_id: str) -> pb.Broadcast:
        answer = await self.call("GetBroadcast", pb.GetBroadcastRequest(id=broadcast_id))
        found: pb.Broadcast = answer.broadcast
        return found

    async def deliveries(self, broadcast_id: str, **more: Any) -> list[pb.Delivery]:
        """All pages."""
        found: list[pb.Delivery] = []
        request = pb.ListDeliveriesRequest(broadcast_id=broadcast_id, **more)
        while True:
            answer = await self.call("ListDeliveries", request)
            found += answer.deliveries
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token


@dataclass
class Platform:
    """The running server, its peer, and as many workers as a test starts."""

    tenant: str
    identity: Identity
    groups: ListedGroups
    server: Server
    settings: WorkerSettings
    adapters: Adapters
    channel: grpc.aio.Channel
    tasks: asyncio.TaskGroup
    register: Register = field(default_factory=a_register)

    def client(self, *capabilities: str, tenant: str = "", subject: str = "asha") -> Client:
        token = self.identity.token(subject, tenant or self.tenant, *capabilities)
        return Client.with_token(self.channel, token)

    @property
    def composer(self) -> Client:
        return self.client("view", "compose")

    @asynccontextmanager
    async def worker(self, **settings: Any) -> AsyncIterator[None]:
        """A worker at work inside the block, drained at its end."""
        chosen = self.settings.model_copy(update=settings)
        stop = asyncio.Event()
        working = self.tasks.create_task(build_worker(chosen, self.adapters).run(stop))
        try:
            yield
        finally:
            stop.set()
            await working


@asynccontextmanager
async def open_platform(url: str, tenant: str, folder: Path) -> AsyncIterator[Platform]:
    """Everything but a worker, open inside the block."""
    identity = Identity.make(folder)
    groups = ListedGroups()  # type: ignore[abstract]  # other RPCs are UNIMPLEMENTED, as generated
    async with _serve_groups(identity, groups) as groups_target:
        settings = WorkerSettings.load(
            {
                **identity.variables(),
                "REDIS_URL": url,
                "GROUPS_TARGET": groups_target,
                "SIMULATOR_SEED": "7",
                "SIMULATOR_MEDIAN_DELAY_SECONDS": "0.05",
                # So that of two dozen deliveries some fail, whatever the broadcast's id is.
                "SIMULATOR_FAILURE_RATE": "0.5",
                "LEASE_SECONDS": "2",
            }
        )
        async with (
            open_adapters(settings) as adapters,
            _serve_messaging(settings, adapters) as (server, target),
            asyncio.TaskGroup() as tasks,
        ):
            channel = open_channel(target, service=SERVICE_NAME)
            platform = Platform(
                tenant, identity, groups, server, settings, adapters, channel, tasks
            )
            groups.registers[tenant] = platform.register
            try:
                yield platform
            finally:
                await channel.close()


@asynccontextmanager
async def _serve_groups(identity: Identity, groups: ListedGroups) -> AsyncIterator[str]:
    settings = Settings.load(
        {**identity.variables(), "REDIS_URL": "redis://unused", "GROUPS_TARGET": "unused"}
    )
    server = build_server(
        [
            ServiceRegistration(
                register.SERVICE_NAME,
                lambda server: add_GroupsServiceServicer_to_server(groups, server),
            )
        ],
        verifier=build_verifier(settings),
        domain="groups.chaupal",
    )
    port = await server.start("127.0.0.1:0")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.drain(timedelta(0))


@asynccontextmanager
async def _serve_messaging(
    settings: Settings, adapters: Adapters
) -> AsyncIterator[tuple[Server, str]]:
    async with open_messaging(settings, adapters) as server:
        port = await server.start("127.0.0.1:0")
        try:
            yield server, f"127.0.0.1:{port}"
        finally:
            await server.drain(timedelta(0))


def new_id() -> str:
    return str(uuid.uuid4())


@contextmanager
def raised(kind: type[Exception], reason: str) -> Iterator[None]:
    """The block raises that kind of error with that reason."""
    with pytest.raises(kind) as refused:
        yield
    assert getattr(refused.value, "reason", "") == reason, refused.value
