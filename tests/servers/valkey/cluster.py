"""A Valkey cluster of three primaries on loopback ports, for what must hold across slots."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.ports import free_ports
from tests.servers.process import ServerFailed
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until_sync

_NODES = 3
_SLOTS = 16384
_TRIES = 5
_READY_DEADLINE_SECONDS = 60.0


@dataclass
class ValkeyCluster:
    """Three nodes that own all slots; each can be killed and restarted on its own."""

    nodes: Sequence[ValkeyServer]

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start the nodes in `folder` and return when each of them calls the cluster whole.

        Raises:
            ServerFailed: A node did not start, with several choices of ports.
        """
        with contextlib.ExitStack() as started:
            names = (f"node-{index}" for index in range(_NODES))
            nodes = [started.enter_context(_start_node(folder / name)) for name in names]
            _join(nodes)
            cluster = cls(nodes)
            cluster.wait_whole()
            started.pop_all()
        return cluster

    @property
    def url(self) -> str:
        """One node's address; a cluster client finds the others from there."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port}"

    @property
    def running(self) -> bool:
        """Whether every node runs."""
        return all(node.running for node in self.nodes)

    def wait_whole(self) -> None:
        """Wait until every node knows the others and says that all slots are served."""
        wait_until_sync(
            lambda: all(_is_whole(node) for node in self.nodes),
            _READY_DEADLINE_SECONDS,
            "cluster_state:ok on every node",
        )

    def be_patient(self) -> None:
        """Let the nodes take a silent one for dead after a minute instead of two seconds.

        A busy machine can keep a node from answering, or its disk from syncing, for longer than
        that, and then all of them would refuse commands. Not from the start: they wait as long
        before they begin.
        """
        for node in self.nodes:
            _order(node, "CONFIG SET cluster-node-timeout 60000")

    def kill(self) -> None:
        """End every node by SIGKILL."""
        for node in self.nodes:
            node.kill()

    def stop(self) -> None:
        """End every node by SIGTERM; the data stay."""
        for node in self.nodes:
            node.stop()

    def restart(self) -> None:
        """Start every node again on its data and port, and wait until the cluster is whole."""
        for node in self.nodes:
            node.restart()
        self.wait_whole()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


def _start_node(folder: Path) -> ValkeyServer:
    folder.mkdir(exist_ok=True)
    for _ in range(_TRIES - 1):
        with contextlib.suppress(ServerFailed):
            return _try_node(folder)
    return _try_node(folder)


def _try_node(folder: Path) -> ValkeyServer:
    port, bus_port = free_ports(2)
    options = {
        "cluster-enabled": "yes",
        "cluster-port": str(bus_port),
        "cluster-node-timeout": "2000",
    }
    return ValkeyServer(folder, port=port, options=options)


def _join(nodes: Sequence[ValkeyServer]) -> None:
    bounds = [_SLOTS * index // len(nodes) for index in range(len(nodes) + 1)]
    for index, node in enumerate(nodes):
        _order(node, f"CLUSTER SET-CONFIG-EPOCH {index + 1}")
        _order(node, f"CLUSTER ADDSLOTSRANGE {bounds[index]} {bounds[index + 1] - 1}")
        # Everybody meets everybody, which spares the seconds that gossip would take.
        for other in nodes[:index]:
            bus_port = other.options["cluster-port"]
            _order(node, f"CLUSTER MEET 127.0.0.1 {other.port} {bus_port}")


def _order(node: ValkeyServer, command: str) -> None:
    answer = node.say(command)
    if not answer.startswith(b"+OK"):
        raise ServerFailed(f"{command}: {answer!r}")


def _is_whole(node: ValkeyServer) -> bool:
    with contextlib.suppress(OSError):
        answer = node.say("CLUSTER INFO")
        known = f"cluster_known_nodes:{_NODES}\r\n".encode()
        return b"cluster_state:ok\r\n" in answer and known in answer
    return False
