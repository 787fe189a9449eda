"""One Neo4j process from Maven's jars, serving Bolt on a loopback port, without Docker."""

import contextlib
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.neo4j.distribution import Distribution
from tests.servers.process import ServerProcess

# A first start on a cold disk took 22 s on two busy cores; others take 5-7 s.
_READY_DEADLINE_SECONDS = 120.0
_READY = re.compile(rb"^ready (\d+)$", re.MULTILINE)
_PROBE_SECONDS = 5.0
# Magic, then up to four offers of a Bolt version: here 5.0 to 5.4. The answer is the chosen one, or
# zeros. Spoken by hand, because importing the driver would cost every test run a second.
# https://neo4j.com/docs/bolt/current/bolt/handshake/
_HANDSHAKE = bytes.fromhex("6060b017 00040405 00000000 00000000 00000000")

# What Neo4j's own start script opens.
_JVM_FLAGS = tuple(
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.nio", "java.io", "sun.nio.ch")
)
# Starts with half the CPU, for tests; what runs long is slower with it, so benchmarks go without.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

_SETTINGS: Mapping[str, str] = {
    "server.bolt.enabled": "true",
    # On loopback only, and with data that are thrown away.
    "dbms.security.auth_enabled": "false",
    "dbms.usage_report.enabled": "false",
    "server.memory.pagecache.size": "256m",
    # Else each start of an empty folder writes 512 MB.
    "db.tx_log.preallocate": "false",
}


class Neo4jServer:
    """A handle on one server and its data folder; `start` it, and `stop` or `kill` it at the end.

    Args:
        distribution: What to run.
        folder: Its data, settings and log; must exist, and stays.
        port: A loopback port, or 0 for one that the system chooses; a restart keeps it.
        heap: The JVM's largest heap, as `-Xmx` takes it.
        jvm_flags: More flags for the JVM.
        settings: More settings, by the names of neo4j.conf; they win over ours.
    """

    def __init__(
        self,
        distribution: Distribution,
        folder: Path,
        *,
        port: int = 0,
        heap: str = "1g",
        jvm_flags: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = port
        self._distribution = distribution
        self._jvm_flags = (f"-Xmx{heap}", *_JVM_FLAGS, *jvm_flags)
        self._settings = {**_SETTINGS, **(settings or {})}
        self._process: ServerProcess | None = None

    @property
    def uri(self) -> str:
        """Where it listens, for the driver."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the latest start."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.running

    def start(self) -> None:
        """Start it and return when it speaks Bolt.

        Raises:
            ServerFailed: With the end of the log.
        """
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """The first half of `start`: start the process and return at once."""
        log = self.folder / "server.log"
        log.unlink(missing_ok=True)
        conf = self.folder / "neo4j.conf"
        address = {"server.bolt.listen_address": f"127.0.0.1:{self.port}"}
        settings = {**self._settings, **address}
        conf.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        command = [
            *(self._distribution.jdk.tool("java"), *self._jvm_flags),
            *("-cp", self._distribution.class_path, "Neo4jServer"),
            *(str(self.folder), str(conf)),
        ]
        self._process = ServerProcess("neo4j", command, log)

    def wait_ready(self) -> None:
        """The second half of `start`."""
        self._started().wait_ready(self._answers, _READY_DEADLINE_SECONDS)

    def kill(self) -> None:
        """End it by SIGKILL; committed transactions stay."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End it by SIGTERM, which takes it some 12 s."""
        if self._process is not None:
            self._process.stop()

    def restart(self) -> None:
        """Start it again on the same data and port, stopping it first where it runs."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _started(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process

    def _answers(self) -> bool:
        said = _READY.search((self.folder / "server.log").read_bytes())
        if said is None:
            return False
        self.port = int(said[1])
        with contextlib.suppress(OSError):
            address = ("127.0.0.1", self.port)
            with socket.create_connection(address, _PROBE_SECONDS) as probe:
                probe.sendall(_HANDSHAKE)
                return any(probe.recv(4))
        return False
