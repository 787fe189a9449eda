"""`python -m tests.servers.valkey`: the tests' Valkey for a developer or a benchmark."""

import argparse
from pathlib import Path

from tests.servers.foreground import run_in_foreground
from tests.servers.valkey.cluster import ValkeyCluster
from tests.servers.valkey.server import ValkeyServer


def main() -> None:
    """Start it, print its URL, run until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers.valkey",
        description="Run a durable Valkey, print its URL when it is ready, end on SIGTERM.",
    )
    parser.add_argument("--data", type=Path, help="data folder (default: one that is removed)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", type=int, help="loopback port (default: a Unix socket in --data)")
    where.add_argument("--cluster", action="store_true", help="three nodes; removed at the end")
    options = parser.parse_args()
    if options.cluster:
        if options.data is not None:
            parser.error("--cluster keeps no data: leave --data out")
        run_in_foreground("cluster", None, ValkeyCluster.start, lambda cluster: cluster.url)
    else:
        run_in_foreground(
            "valkey",
            options.data,
            lambda folder: ValkeyServer(folder, port=options.port),
            lambda server: server.url,
        )


if __name__ == "__main__":
    main()
