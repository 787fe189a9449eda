"""Groups as a process runs it, over a real store, beside a peer that speaks for hierarchy."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceStub
from chaupal.hierarchy.v1 import access_pb2, access_pb2_grpc
from chaupal.hierarchy.v1 import hierarchy_pb2 as peer_pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as peer_stubs

from kit.channel import call_metadata, translate_rpc_errors
from kit.clock import Clock, SystemClock
from kit.confirmed import BOUND
from kit.context import current
from kit.errors import NotFound, Unavailable
from kit.issuer import SigningKey, issue
from kit.redis import open_redis
from kit.server import Server, ServiceRegistration, build_server
from kit.tokens import build_verifier
from services.groups.bootstrap import open_groups
from services.groups.config import Settings
from services.groups.domain.blueprint import Blueprint
from tests.channels import plain_channel
from tests.unit.groups.builders import BLUEPRINT, PlainTree, a_state, unit_id

if TYPE_CHECKING:
    from chaupal.groups.v1.groups_pb2_grpc import GroupsServiceAsyncStub

ISSUER = "http://issuer.test"
KEY = SigningKey.generate()
EVERYTHING = ("view", "compose", "approve", "administer", "relay", "monitor")

T = TypeVar("T")


class BlueprintNotFound(NotFound):
    reason = "BLUEPRINT_NOT_FOUND"


class PeerAway(Unavailable):
    reason = "PEER_AWAY"


@dataclass
class Peer(peer_stubs.HierarchyServiceServicer):
    """Hierarchy's side of the wire over plain trees, which a test changes under our feet."""

    trees: dict[str, PlainTree] = field(default_factory=dict)
    blueprints: dict[str, Blueprint] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    callers: set[str] = field(default_factory=set)
    away: bool = False
    grants: dict[tuple[str, str], Sequence[access_pb2.ScopedGrant]] = field(default_factory=dict)
    access_versions: Counter[str] = field(default_factory=Counter)

    def grant(self, tenant: str, subject: str, *grants: access_pb2.ScopedGrant) -> None:
        """Give somebody these rights instead of what they had."""
        self.grants[tenant, subject] = grants
        self.access_versions[tenant] += 1

    def _noted(self, rpc: str) -> str:
        caller = current().caller
        self.calls[rpc] += 1
        self.callers.add(caller.subject)
        if self.away:
            raise PeerAway
        return caller.tenant_id

    async def StreamTree(
        self, request: peer_pb.StreamTreeRequest, _context: object
    ) -> AsyncIterator[peer_pb.StreamTreeResponse]:
        tree = self.trees.get(self._noted("StreamTree"), PlainTree(version=0))
        units = tree.in_preorder()
        yield peer_pb.StreamTreeResponse(
            header=peer_pb.TreeHeader(
                tree_version=tree.version, unit_count=len(units), levels=tree.levels
            )
        )
        if request.known_version == tree.version:
            return
        parents = tree.parents()
        for start in range(0, len(units), 3):  # small pages, so that there are several
            page = units[start : start + 3]
            yield peer_pb.StreamTreeResponse(
                page=peer_pb.TreePage(
                    ids=[unit_id(unit.name) for unit in page],
                    parents=parents[start : start + 3],
                    levels=[tree.levels.index(unit.level) for unit in page],
                    codes=[unit.name for unit in page],
                )
            )

    async def GetBlueprint(
        self, _request: peer_pb.GetBlueprintRequest, _context: object
    ) -> peer_pb.GetBlueprintResponse:
        blueprint = self.blueprints.get(self._noted("GetBlueprint"))
        if blueprint is None:
            raise BlueprintNotFound
        return peer_pb.GetBlueprintResponse(
            blueprint=peer_pb.Blueprint(
                version=blueprint.version,
                group_kinds=[
                    peer_pb.GroupKind(key=key, has_category=has)
                    for key, has in blueprint.kinds.items()
                ],
                categories=[peer_pb.Category(key=key) for key in sorted(blueprint.categories)],
            )
        )


@dataclass
class PeerAccess(access_pb2_grpc.AccessServiceServicer):
    """Who may do what, as the same peer says it, from plain lists."""

    peer: Peer

    async def GetViewer(
        self, request: access_pb2.GetViewerRequest, _context: object
    ) -> access_pb2.GetViewerResponse:
        tenant = self.peer._noted("GetViewer")
        return access_pb2.GetViewerResponse(
            access_version=self.peer.access_versions[tenant],
            grants=self.peer.grants.get((tenant, request.subject), ()),
        )

    async def GetAccessVersion(
        self, _request: access_pb2.GetAccessVersionRequest, _context: object
    ) -> access_pb2.GetAccessVersionResponse:
        tenant = self.peer._noted("GetAccessVersion")
        version = self.peer.access_versions[tenant]
        return access_pb2.GetAccessVersionResponse(access_version=version)


@dataclass
class Platform:
    """What a test talks to: some siblings of the service, their peer and their store."""

    stubs: Sequence["GroupsServiceAsyncStub"]
    servers: Sequence[Server]
    peer: Peer
    store: Any
    tenant: str

    @property
    def stub(self) -> "GroupsServiceAsyncStub":
        return self.stubs[0]

    async def ask(
        self,
        method: Callable[..., Awaitable[T]],
        request: Any,
        *,
        tenant: str | None = None,
        capabilities: Sequence[str] = EVERYTHING,
        subject: str = "somebody",
    ) -> T:
        """The answer of a unary call by a user of the tenant; kit errors as they arrive."""
        metadata = self.metadata(tenant, capabilities, subject)
        with translate_rpc_errors():
            return await method(request, timeout=20, metadata=metadata)

    async def stream(self, method: Callable[..., Any], request: Any, **who: Any) -> list[Any]:
        """All messages that a streaming call answers."""
        with translate_rpc_errors():
            return [
                each async for each in method(request, timeout=20, metadata=self.metadata(**who))
            ]

    def metadata(
        self,
        tenant: str | None = None,
        capabilities: Sequence[str] = EVERYTHING,
        subject: str = "somebody",
    ) -> Any:
        """Who calls. A service's token carries no tenant: the call names it."""
        tenant = tenant or self.tenant
        if subject.startswith("service:"):
            return call_metadata(a_token(subject), tenant=tenant)
        return call_metadata(a_token(subject, tenant=tenant, capabilities=capabilities))

    async def announce(self, tenant: str | None = None) -> None:
        """What the peer's worker does after a change: an event in the tenant's stream."""
        tenant = tenant or self.tenant
        event = peer_pb.HierarchyEvent()
        event.access_changed.access_version = self.peer.access_versions[tenant]
        await self.store.xadd(
            f"events:hierarchy:{{{tenant}}}", {"event": event.SerializeToString()}
        )

    def move_in(self, tenant: str, tree: PlainTree, blueprint: Blueprint = BLUEPRINT) -> None:
        self.peer.trees[tenant] = tree
        self.peer.blueprints[tenant] = blueprint


def a_token(subject: str, **said: Any) -> str:
    now = datetime.now(UTC)
    return issue(
        KEY,
        issuer=ISSUER,
        subject=subject,
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        **said,
    )


def settings_for(folder: Path, redis_url: str, target: str, **more: Any) -> Settings:
    (folder / "jwks.json").write_text(json.dumps(KEY.jwks()))
    (folder / "token").write_text(a_token("service:groups"))
    common: Mapping[str, Any] = {
        "oidc_issuer": ISSUER,
        "oidc_jwks_file": folder / "jwks.json",
        "service_subjects": frozenset({"service:groups", "service:messaging"}),
        "service_token_file": folder / "token",
        "redis_url": redis_url,
        "hierarchy_target": target,
    }
    return Settings(**{**common, **more})


@asynccontextmanager
async def a_platform(
    folder: Path,
    redis_url: str,
    tenant: str,
    *,
    siblings: int = 1,
    clock: Clock | None = None,
    confirmed_for: timedelta = BOUND,
    **settings: Any,
) -> AsyncIterator[Platform]:
    """Some servers of groups with one peer, whose tenant has `a_state` and `BLUEPRINT`."""
    async with AsyncExitStack() as stack:
        peer, target = await stack.enter_async_context(a_peer(folder, redis_url, tenant))
        chosen = settings_for(folder, redis_url, target, **settings)
        stubs, servers = [], []
        for _ in range(siblings):
            server = await stack.enter_async_context(
                open_groups(chosen, clock, confirmed_for=confirmed_for)
            )
            port = await server.start("127.0.0.1:0")
            stack.push_async_callback(server.drain, timedelta(0))
            channel = await stack.enter_async_context(plain_channel(f"127.0.0.1:{port}"))
            stubs.append(GroupsServiceStub(channel))
            servers.append(server)
        store = open_redis(redis_url)
        stack.push_async_callback(store.aclose)
        yield Platform(stubs, servers, peer, store, tenant)


@asynccontextmanager
async def a_peer(folder: Path, redis_url: str, tenant: str) -> AsyncIterator[tuple[Peer, str]]:
    """A peer whose tenant has `a_state` and `BLUEPRINT`, and where it listens."""
    peer = Peer({tenant: a_state()}, {tenant: BLUEPRINT})  # type: ignore[abstract]  # what we ask
    service = ServiceRegistration(
        "chaupal.hierarchy.v1.HierarchyService",
        lambda server: peer_stubs.add_HierarchyServiceServicer_to_server(peer, server),
    )
    access = ServiceRegistration(
        "chaupal.hierarchy.v1.AccessService",
        lambda server: access_pb2_grpc.add_AccessServiceServicer_to_server(
            PeerAccess(peer),  # type: ignore[abstract]  # what we ask
            server,
        ),
    )
    server = build_server(
        [service, access],
        verifier=build_verifier(settings_for(folder, redis_url, ""), SystemClock()),
        domain="hierarchy.chaupal",
    )
    port = await server.start("127.0.0.1:0")
    try:
        yield peer, f"127.0.0.1:{port}"
    finally:
        await server.drain(timedelta(0))
