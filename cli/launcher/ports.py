"""The loopback ports of one platform, and who stands in their way."""

import contextlib
import errno
import random
import socket
from collections.abc import Mapping

from cli.errors import Refusal

HOST = "127.0.0.1"
# Where runs of free ports are looked for: below what any system gives to outgoing connections.
_BASES = (16_000, 32_000, 16)
# Of many ports in use, as many are named in full.
_SHOWN = 3
# The ports that the documentation names; a worker's answers health questions only.
DEFAULT_PORTS: Mapping[str, int] = {
    "gateway": 8000,
    "issuer": 8001,
    "hierarchy": 50051,
    "groups": 50052,
    "messaging": 50053,
    "hierarchy-worker": 50054,
    "messaging-worker": 50055,
    "hierarchy-metrics": 9464,
    "groups-metrics": 9465,
    "messaging-metrics": 9466,
    "gateway-metrics": 9467,
    "hierarchy-worker-metrics": 9468,
    "messaging-worker-metrics": 9469,
}


def choose_ports(base: int | None, named: Mapping[str, int]) -> dict[str, int]:
    """Return the port of each name of `DEFAULT_PORTS`.

    Args:
        base: The first of a run of ports; 0 for any that are free; None for the usual ones.
        named: Ports that win over the others.

    Raises:
        Refusal: Two names would share a port, or the run goes beyond the last port.
    """
    names = list(DEFAULT_PORTS)
    if base is None:
        ports = dict(DEFAULT_PORTS)
    else:
        first = base or _free_base(len(names))
        ports = {name: first + index for index, name in enumerate(names)}
    ports |= named
    _check_distinct(ports)
    return ports


def check_free(ports: Mapping[str, int]) -> None:
    """Make sure that nobody listens on any of the ports.

    Raises:
        Refusal: Names every port in use, who holds it, and the option that chooses another.
    """
    taken = {name: port for name, port in ports.items() if not is_free(port)}
    if not taken:
        return
    holders = _holders()
    said = [
        f"port {port} ({name}) is in use{holders.get(port, '')}" for name, port in taken.items()
    ]
    more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    name, port = next(iter(taken.items()))
    raise Refusal(
        "PORT_IN_USE",
        "; ".join(said[:_SHOWN]) + more,
        f"Stop who holds it (find out: ss -ltnp 'sport = :{port}', or lsof -iTCP:{port}),\n"
        f"or choose another: --port {name}={port + 100}, or --port-base 18000 for all of them;\n"
        'with make: make run ARGS="--port-base 18000".',
        ports=taken,
    )


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a loopback port now."""
    with socket.socket() as probe:
        # As servers do, so that connections of an earlier run that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise Refusal(
                "PORT_FORBIDDEN",
                f"port {port} cannot be listened on: {error.strerror}",
                "Choose another with --port NAME=NUMBER; those below 1024 need an administrator.",
            ) from error
    return True


def _holders() -> Mapping[int, str]:
    """Return " by NAME (process PID)" for each port, as far as the system tells."""
    # 30 ms that only a refusal needs.
    import psutil  # noqa: PLC0415

    holders = {}
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and connection.pid:
                name = psutil.Process(connection.pid).name()
                holders[address.port] = f" by {name} (process {connection.pid})"
    return holders


def _free_base(count: int) -> int:
    """Return the first of a run of ports that are free now.

    Not by asking for port 0: the system would give ports that it also gives to outgoing
    connections (from 32768 on Linux, 49152 on macOS), and until a process listens on its port, a
    connection of another may have taken it.
    """
    bases = list(range(*_BASES))
    random.SystemRandom().shuffle(bases)
    for base in bases:
        if all(map(is_free, range(base, base + count))):
            return base
    raise Refusal("PORTS_EXHAUSTED", "no run of ports is free", "Choose one with --port-base.")


def _check_distinct(ports: Mapping[str, int]) -> None:
    by_port: dict[int, str] = {}
    for name, port in ports.items():
        if not 0 < port < 65536:
            raise Refusal("PORT_INVALID", f"{port} ({name}) is no port", "Choose 1 to 65535.")
        if port in by_port:
            raise Refusal(
                "PORT_TWICE",
                f"port {port} is meant for {by_port[port]} and for {name}",
                f"Choose another for one of them: --port {name}=NUMBER.",
            )
        by_port[port] = name
