"""One Valkey process, durable as in production, on a Unix socket or a loopback port."""

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.process import ServerProcess
from tests.servers.valkey.binary import valkey_binary

_READY_DEADLINE_SECONDS = 30.0
_ANSWER_SECONDS = 5.0

# An answered write has been synced, and a full store refuses instead of evicting.
_DURABLE: Mapping[str, str] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "save": "",
}


@dataclass
class ValkeyServer:
    """A handle on one server and its data folder; starts it when made, stops it at the end.

    Attributes:
        folder: Its data, log and socket; must exist, and stays. A socket's path may have about
            100 bytes, so choose a short one.
        port: A loopback port to listen on; None for a Unix socket in `folder`.
        options: More settings, by the names of valkey.conf; they win over the durable ones.
    """

    folder: Path
    port: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._process = self._start()

    @property
    def url(self) -> str:
        """Where it listens, as redis-py's `from_url` reads it."""
        if self.port is None:
            return f"unix://{self.socket_path}"
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket_path(self) -> Path:
        """The Unix socket, when it has no port."""
        return self.folder / "valkey.sock"

    @property
    def pid(self) -> int:
        """The process id of the latest start."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.running

    def kill(self) -> None:
        """End it by SIGKILL: what it had not synced is lost."""
        self._process.kill()

    def stop(self) -> None:
        """End it by SIGTERM; the data folder stays."""
        self._process.stop()

    def restart(self) -> None:
        """Start it again on the same data and address, stopping it first where it runs."""
        self.stop()
        self._process = self._start()

    def say(self, command: str) -> bytes:
        """Send one command without spaces in its arguments and return the start of the raw answer.

        Enough to start servers with; importing the client would cost every test run a second.

        Raises:
            OSError: It does not listen, or does not answer.
        """
        family = socket.AF_UNIX if self.port is None else socket.AF_INET
        with socket.socket(family) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(
                str(self.socket_path) if self.port is None else ("127.0.0.1", self.port)
            )
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(4096)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _start(self) -> ServerProcess:
        settings = {**_DURABLE, "dir": str(self.folder), "daemonize": "no", **self._address()}
        command = [str(valkey_binary())]
        for name, value in {**settings, **self.options}.items():
            command += [f"--{name}", value]
        process = ServerProcess("valkey-server", command, self.folder / "valkey.log")
        process.wait_ready(self._answers, _READY_DEADLINE_SECONDS)
        return process

    def _address(self) -> dict[str, str]:
        if self.port is None:
            return {"port": "0", "unixsocket": str(self.socket_path), "unixsocketperm": "700"}
        return {"port": str(self.port), "bind": "127.0.0.1"}

    def _answers(self) -> bool:
        # While it loads its data the answer is -LOADING.
        with contextlib.suppress(OSError):
            return self.say("PING").startswith(b"+PONG")
        return False
