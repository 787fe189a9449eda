"""The consoles' files, with the headers that keep their pages from running anybody else's code."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

CONSOLES = ("party", "category")
# Everything from ourselves, nothing inline, nothing from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; manifest-src 'self'; connect-src 'self' {sockets}; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# The bundler writes a hash into the name of everything in this folder.
_HASHED = "assets"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def console_routes(folder: Path | None) -> Sequence[BaseRoute]:
    """A mount for each console that was built, and the way to the first from the root."""
    built = [name for name in CONSOLES if folder and (folder / name / "index.html").is_file()]
    routes: list[BaseRoute] = [_mount(name, folder / name) for name in built if folder]
    return [*routes, Route("/", _root(built))]


def _mount(name: str, folder: Path) -> Mount:
    compressed = [Middleware(GZipMiddleware, minimum_size=1024)]
    return Mount(f"/{name}", _Console(folder), middleware=compressed)


def _root(built: Sequence[str]) -> Callable[[Request], Awaitable[Response]]:
    async def root(_: Request) -> Response:
        if built:
            return RedirectResponse(f"/{built[0]}/", 307)
        return PlainTextResponse("Chaupal's GraphQL is at /graphql; no console is built.\n", 404)

    return root


class _Console(StaticFiles):
    """One single-page application."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the application's page for a path that only it understands."""
        pure = PurePosixPath(path)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or pure.suffix or _HASHED in pure.parts:
                raise
            response = await super().get_response("index.html", scope)
        hashed = pure.parts[:1] == (_HASHED,)
        response.headers["cache-control"] = _FOR_EVER if hashed else _ASK_AGAIN
        response.headers.update(_HEADERS)
        response.headers["content-security-policy"] = _POLICY.format(sockets=_sockets(scope))
        return response


def _sockets(scope: Scope) -> str:
    """Our own WebSocket's origins: older Safari does not take them to be `'self'`."""
    host = Request(scope).headers.get("host", "")
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")
    return f"ws://{host} wss://{host}" if host and set(host) <= allowed else ""
