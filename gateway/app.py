"""The Starlette application: what is built once, what opens and closes with the process."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from gateway.composer import compose
from gateway.config import SUBGRAPHS, Settings, load_subgraphs
from gateway.engine import Engine
from gateway.http.consoles import console_routes
from gateway.http.endpoint import Endpoint
from gateway.http.health import Health
from gateway.http.limits import Limits
from gateway.http.websocket import SocketEndpoint
from gateway.subgraph import Subgraph
from kit.channel import open_channel
from kit.clock import Clock, SystemClock
from kit.tokens import build_verifier


@dataclass(slots=True)
class Gateway:
    """The gateway's parts; the endpoints exist while the application runs.

    Args:
        settings: the process's.
        clock: decides what has expired, for tests.
    """

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    health: Health = field(default_factory=Health)
    _http: Endpoint | None = None
    _sockets: SocketEndpoint | None = None

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/graphql", self._answer, methods=_EVERY_METHOD),
                WebSocketRoute("/graphql", self._serve),
                *self.health.routes(),
                *console_routes(self.settings.consoles_dir),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        settings = self.settings
        subgraphs = load_subgraphs(_modules(settings))
        graph = compose(subgraphs)
        verifier = build_verifier(settings, self.clock)
        async with AsyncExitStack() as stack:
            engine = Engine(
                graph,
                limits=_limits(settings),
                channels=await _channels(stack, subgraphs, _targets(settings, subgraphs)),
                budget=settings.operation_budget,
                max_running_cost=settings.max_running_cost,
                clock=self.clock,
            )
            self._http = Endpoint(
                engine,
                verifier,
                max_body_bytes=settings.max_body_bytes,
                max_operations=settings.max_operations,
            )
            self._sockets = SocketEndpoint(
                engine,
                verifier,
                allowed_origins=settings.allowed_origins,
                max_message_bytes=settings.max_message_bytes,
                max_operations=settings.max_subscriptions,
                max_sockets=settings.max_sockets,
                max_waiting=settings.max_waiting_sockets,
                clock=self.clock,
            )
            self.health.started = True
            yield
            self.health.started = False

    async def _answer(self, request: Request) -> Response:
        assert self._http is not None  # noqa: S101  # no request before the lifespan began
        return await self._http(request)

    async def _serve(self, socket: WebSocket) -> None:
        assert self._sockets is not None  # noqa: S101  # no socket before the lifespan began
        await self._sockets(socket)


# The endpoint itself refuses what GraphQL does not use, in GraphQL's own form.
_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _modules(settings: Settings) -> list[str]:
    return [*SUBGRAPHS, *(extra.module for extra in settings.extra_subgraphs)]


def _targets(settings: Settings, subgraphs: Sequence[Subgraph]) -> Mapping[str, str]:
    """The address of each subgraph's service; the extra ones stand last, in their order."""
    targets = {
        "hierarchy": settings.hierarchy_target,
        "groups": settings.groups_target,
        "messaging": settings.messaging_target,
    }
    extras = settings.extra_subgraphs
    for subgraph, extra in zip(subgraphs[len(subgraphs) - len(extras) :], extras, strict=True):
        targets[subgraph.name] = extra.target
    return targets


async def _channels(
    stack: AsyncExitStack, subgraphs: Sequence[Subgraph], targets: Mapping[str, str]
) -> Mapping[str, grpc.aio.Channel]:
    channels: dict[str, grpc.aio.Channel] = {}
    for subgraph in subgraphs:
        if not subgraph.service:
            continue
        channels[subgraph.name] = await stack.enter_async_context(
            open_channel(
                targets[subgraph.name], service=subgraph.service, retryable=subgraph.retryable
            )
        )
    return channels


def _limits(settings: Settings) -> Limits:
    return Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        aliases=settings.max_aliases,
        root_fields=settings.max_root_fields,
        directives=settings.max_directives,
        cost=settings.max_cost,
    )
