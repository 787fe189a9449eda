"""The gateway as a process: settings, telemetry, then serving until SIGTERM."""

import asyncio
import logging
import os
import socket
import sys
from types import FrameType

import uvicorn

from gateway.app import Gateway
from gateway.config import Settings
from kit import logs, telemetry
from kit.settings import SettingsError

_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Stops being ready before it stops listening."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM or SIGINT: unready, then uvicorn's own drain."""
        self._gateway.health.draining = True
        super().handle_exit(sig, frame)


def main() -> int:
    """Serve until told to stop; 2 when the settings are wrong, 1 when the port is taken."""
    try:
        settings = Settings.load(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.set_up(
        settings.log_level, service_name=settings.service_name, log_format=settings.log_format
    )
    try:
        listener = _listen(settings.host, settings.port)
        handle = telemetry.set_up(
            settings.service_name,
            environ=os.environ,
            metrics_port=settings.metrics_port,
            metrics_host=settings.host,
        )
    except OSError as error:
        _log.error("cannot listen", extra={"problem": str(error)})
        return 1
    try:
        asyncio.run(_serve(settings, listener))
    finally:
        handle.shutdown()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


async def _serve(settings: Settings, listener: socket.socket) -> None:
    gateway = Gateway(settings)
    config = uvicorn.Config(
        gateway.app(),
        http="h11",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.max_message_bytes,
        # A message from a client is small, and answers go out as they are.
        ws_per_message_deflate=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, int(settings.drain.total_seconds())),
    )
    host, port = listener.getsockname()[:2]
    _log.info("listening", extra={"host": host, "port": port})
    await _Server(config, gateway).serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
