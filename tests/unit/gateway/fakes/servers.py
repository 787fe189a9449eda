"""The three fakes as real gRPC servers on unix sockets, and a gateway in front of them."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from chaupal.groups.v1.groups_pb2_grpc import add_GroupsServiceServicer_to_server
from chaupal.hierarchy.v1.access_pb2_grpc import add_AccessServiceServicer_to_server
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import add_HierarchyServiceServicer_to_server
from chaupal.hierarchy.v1.people_pb2_grpc import add_PeopleServiceServicer_to_server
from chaupal.messaging.v1.messaging_pb2_grpc import add_MessagingServiceServicer_to_server
from starlette.applications import Starlette

from gateway.app import Gateway
from gateway.config import Settings
from kit.issuer import SigningKey, issue
from kit.server import Server, ServiceRegistration, build_server
from kit.tokens import build_verifier

from .groups import FakeGroups
from .hierarchy import FakeHierarchy
from .messaging import FakeMessaging
from .people import FakeAccess, FakePeople
from .world import TENANT, World

ISSUER = "http://issuer.test"
KEY = SigningKey.generate()
EVERYTHING = ("view", "compose", "approve", "administer", "relay", "monitor")


def token(
    *,
    tenant: str | None = TENANT,
    capabilities: Sequence[str] = EVERYTHING,
    lasting: timedelta = timedelta(hours=1),
    key: SigningKey = KEY,
) -> str:
    """A caller's token."""
    now = datetime.now(UTC)
    return issue(
        key,
        issuer=ISSUER,
        subject="user-1",
        issued_at=now,
        expires_at=now + lasting,
        tenant=tenant,
        capabilities=capabilities,
    )


def settings(folder: Path, **more: Any) -> Settings:
    """Settings of a gateway whose peers are in this folder."""
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps(KEY.jwks()))
    given: dict[str, Any] = {
        "oidc_issuer": ISSUER,
        "oidc_jwks_file": jwks,
        "service_subjects": frozenset({"service:groups"}),
        "hierarchy_target": f"unix:{folder}/hierarchy.sock",
        "groups_target": f"unix:{folder}/groups.sock",
        "messaging_target": f"unix:{folder}/messaging.sock",
    }
    return Settings(**{**given, **more})


@asynccontextmanager
async def services(
    world: World, configured: Settings, only: Sequence[str] = ("hierarchy", "groups", "messaging")
) -> AsyncIterator[Mapping[str, Server]]:
    """The fakes, serving."""
    servers = {name: _server(name, world, configured) for name in only}
    try:
        for name, server in servers.items():
            await server.start(getattr(configured, f"{name}_target"))
        yield servers
    finally:
        for server in servers.values():
            await server.drain(timedelta(0))


def _server(name: str, world: World, configured: Settings) -> Server:
    # The fakes are abstract to mypy: what the gateway never calls is not there.
    hierarchy = FakeHierarchy(world)  # type: ignore[abstract]
    groups = FakeGroups(world)  # type: ignore[abstract]
    messaging = FakeMessaging(world)  # type: ignore[abstract]
    people = FakePeople(world)
    access = FakeAccess(world)  # type: ignore[abstract]
    registrations = {
        "hierarchy": {
            "Hierarchy": lambda to: add_HierarchyServiceServicer_to_server(hierarchy, to),
            "People": lambda to: add_PeopleServiceServicer_to_server(people, to),
            "Access": lambda to: add_AccessServiceServicer_to_server(access, to),
        },
        "groups": {"Groups": lambda to: add_GroupsServiceServicer_to_server(groups, to)},
        "messaging": {
            "Messaging": lambda to: add_MessagingServiceServicer_to_server(messaging, to)
        },
    }[name]
    return build_server(
        [
            ServiceRegistration(name=f"chaupal.{name}.v1.{each}Service", add=register)
            for each, register in registrations.items()
        ],
        verifier=build_verifier(configured),
        domain=f"{name}.chaupal",
    )


@dataclass
class Client:
    """Asks a gateway in this process."""

    http: httpx2.AsyncClient
    world: World
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, query: str, **members: Any) -> httpx2.Response:
        return await self.http.post(
            "/graphql", json={"query": query, **members}, headers=self.headers
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The body of the answer, which must have been executed."""
        response = await self.post(query, variables=variables)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        body = await self.ask(query, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]


@asynccontextmanager
async def gateway(configured: Settings) -> AsyncIterator[Starlette]:
    """The application, with its channels open."""
    app = Gateway(configured).app()
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def client(app: Starlette, world: World, bearer: str | None) -> AsyncIterator[Client]:
    """A client of the application, without a socket between."""
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        yield Client(http, world, headers)
