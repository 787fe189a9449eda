"""The stores over which hierarchy is hurt: the embedded one, and a Neo4j that may be killed."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.org_graphs import World, open_embedded, open_neo4j
from tests.servers.folders import own_folder
from tests.servers.neo4j.distribution import distribution, version_of
from tests.servers.neo4j.server import QUICK_START, Neo4jServer
from tests.servers.skips import skip_where_missing


@asynccontextmanager
async def open_world(folder: Path, neo4j: Neo4jServer | None, unique: str) -> AsyncIterator[World]:
    """The store, beside whoever else has it open."""
    if neo4j is None:
        async with open_embedded(folder / "hierarchy.sqlite3", unique) as world:
            yield world
    else:
        async with open_neo4j(neo4j.uri, None, unique) as world:
            yield world


@contextmanager
def start_neo4j() -> Iterator[Neo4jServer]:
    """The Neo4j of the run's version, to kill."""
    version = version_of(os.environ.get("NEO4J_TEST_VERSION"))
    with skip_where_missing():
        chosen = distribution(version)
    with (
        own_folder("neo4j") as folder,
        Neo4jServer(chosen, folder, jvm_flags=QUICK_START) as server,
    ):
        yield server
