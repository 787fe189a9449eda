"""How the application is served: uvicorn's settings, the listening socket, the signal to stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gateway.app import Gateway
from gateway.config import Settings
from kit.process import Ready
from kit.server import CannotListen

_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Stops being ready before it stops listening."""

    def __init__(
        self, config: uvicorn.Config, gateway: Gateway, started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open what the application needs, listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals to stop while serving.

        Uvicorn's own sends the signal again at the end, which kills the process before its last
        spans are sent and makes an orderly stop look like a crash.
        """
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(each)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM or SIGINT: unready, then uvicorn's own drain."""
        self._gateway.health.draining = True
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotListen when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CannotListen(f"{host}:{port}") from error


async def run_server(settings: Settings, *, ready: Ready) -> None:
    """Serve until SIGTERM or SIGINT, then drain. Raises CannotListen."""
    listener = listen(settings.host, settings.port)
    gateway = Gateway(settings)
    host, port = listener.getsockname()[:2]
    _log.info("listening", extra={"host": host, "port": port})
    server = _Server(server_config(settings, gateway.app()), gateway, lambda: ready(port))
    await server.serve(sockets=[listener])


def server_config(settings: Settings, app: Starlette) -> uvicorn.Config:
    """Uvicorn's settings: bounded, quiet, and without what it would say about itself."""
    return uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        # It tells every connection; what matters of a start and an end we say ourselves.
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.max_message_bytes,
        # What clients send is small, and what they get is not worth a context for each socket.
        ws_per_message_deflate=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, int(settings.drain.total_seconds())),
    )
