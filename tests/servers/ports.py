"""Free loopback ports for servers that must know their port before they start."""

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that were free a moment ago.

    Somebody else may take one before its server binds it: callers try again with others.
    """
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
