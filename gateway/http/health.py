"""Probes: alive, started, and ready for requests.

Ready says nothing about the services behind: when one is down, the rest of the graph still works,
and taking every gateway out of its load balancer would help nobody.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


@dataclass(slots=True)
class Health:
    """How far the process is; set by the lifespan and by the signal to stop."""

    started: bool = False
    draining: bool = False

    def routes(self) -> list[Route]:
        """`/livez`, `/startupz` and `/readyz`."""
        return [
            Route("/livez", self._live),
            Route("/startupz", self._startup),
            Route("/readyz", self._ready),
        ]

    async def _live(self, _: Request) -> Response:
        return _said("alive", good=True)

    async def _startup(self, _: Request) -> Response:
        return _said("started" if self.started else "starting", good=self.started)

    async def _ready(self, _: Request) -> Response:
        if self.draining:
            return _said("draining", good=False)
        return _said("ready" if self.started else "starting", good=self.started)


def _said(text: str, *, good: bool) -> Response:
    headers = {"cache-control": "no-store"}
    return PlainTextResponse(f"{text}\n", 200 if good else 503, headers)
