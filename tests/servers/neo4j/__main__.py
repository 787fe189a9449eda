"""`python -m tests.servers.neo4j`: the tests' Neo4j for a developer or a benchmark."""

import argparse
import sys
from pathlib import Path

from tests.servers.foreground import run_in_foreground
from tests.servers.neo4j.distribution import distribution, version_of
from tests.servers.neo4j.server import Neo4jServer
from tests.servers.process import ServerMissing


def main() -> None:
    """Start it, print its URI, run until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers.neo4j",
        description="Run Neo4j without a password on loopback, print its Bolt URI when it is"
        " ready, end on SIGTERM. Needs a JDK and Maven; the first run fetches some 150 MB.",
    )
    parser.add_argument("--port", type=int, default=7687, help="0 for a free one (default: 7687)")
    parser.add_argument("--data", type=Path, help="data folder (default: one that is removed)")
    parser.add_argument("--version", help=f'or "newest" (default: {version_of()})')
    parser.add_argument("--heap", default="1g", help="largest JVM heap (default: 1g)")
    parser.add_argument("--fetch", action="store_true", help="fetch and compile, start nothing")
    options = parser.parse_args()
    version = version_of(options.version)
    if options.fetch:
        try:
            print(distribution(version).jars)
        except ServerMissing as error:
            sys.exit(str(error))
        return

    def start(folder: Path) -> Neo4jServer:
        chosen = distribution(version)
        server = Neo4jServer(chosen, folder, port=options.port, heap=options.heap)
        server.start()
        return server

    run_in_foreground("neo4j", options.data, start, lambda server: server.uri)


if __name__ == "__main__":
    main()
