"""The stores over which hierarchy is hurt."""

from collections.abc import Iterator

import pytest

from tests.faults.hierarchy_stores import start_neo4j
from tests.servers.neo4j.server import Neo4jServer


@pytest.fixture(scope="session")
def own_neo4j() -> Iterator[Neo4jServer]:
    """A Neo4j for faults alone: others would notice that it is killed."""
    with start_neo4j() as server:
        yield server


@pytest.fixture(params=["embedded", "neo4j"])
def neo4j(request: pytest.FixtureRequest) -> Neo4jServer | None:
    """The database server of a store that has one."""
    if request.param == "embedded":
        return None
    server: Neo4jServer = request.getfixturevalue("own_neo4j")
    return server
