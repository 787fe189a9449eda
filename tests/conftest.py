"""What every test may ask for: the real engines, a unique prefix, a hypothesis profile.

Everything with a body stands in `tests/servers/`; this file only gives it names.
"""

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.root_logger import root_logger_as_it_was
from tests.servers.folders import own_folder
from tests.servers.neo4j.shared import SharedNeo4j
from tests.servers.skips import SkipsFail, in_ci, skip_where_missing
from tests.servers.valkey.cluster import ValkeyCluster
from tests.servers.valkey.server import ValkeyServer

_NEO4J = pytest.StashKey[SharedNeo4j]()

for _name, _examples, _steps in (("fast", 20, 20), ("normal", 100, 50), ("thorough", 1000, 100)):
    settings.register_profile(
        _name,
        max_examples=_examples,
        stateful_step_count=_steps,
        # How long an example takes is the machine's affair, not the property's.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        # The gate must say the same twice; a developer's run may find something new.
        derandomize=in_ci(),
        print_blob=True,
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("normal" if in_ci() else "fast"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "neo4j: asks for the fixture `neo4j_uri` by name while it runs"
    )
    config.stash[_NEO4J] = SharedNeo4j()
    config.pluginmanager.register(config.stash[_NEO4J])
    if in_ci():
        config.pluginmanager.register(SkipsFail())


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """What a test does to the root logger ends with it."""
    with root_logger_as_it_was():
        yield


@pytest.fixture
def unique() -> str:
    """A prefix that nobody else uses, fit for a tenant's name, a key or a label."""
    return f"t{uuid.uuid4().hex[:16]}"


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """The run's own Valkey, durable, on a Unix socket; shared, so use `unique`."""
    with own_folder("valkey") as folder, skip_where_missing(), ValkeyServer(folder) as server:
        yield server


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey of the test's own: to kill, to fill, to flush. Starts in less than 0.1 s."""
    with own_folder("valkey") as folder, skip_where_missing(), ValkeyServer(folder) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url(request: pytest.FixtureRequest) -> str:
    """The address of the run's Valkey, or of the server that `REDIS_TEST_URL` names."""
    existing = os.environ.get("REDIS_TEST_URL")
    if existing:
        return existing
    server: ValkeyServer = request.getfixturevalue("valkey")
    return server.url


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[ValkeyCluster]:
    """The run's own cluster of three primaries on loopback; shared, so use `unique`."""
    with (
        own_folder("cluster") as folder,
        skip_where_missing(),
        ValkeyCluster.start(folder) as cluster,
    ):
        cluster.be_patient()
        yield cluster


@pytest.fixture(scope="session")
def neo4j_uri(request: pytest.FixtureRequest) -> str:
    """The Bolt address of the run's Neo4j, or of the server that `NEO4J_TEST_URI` names."""
    with skip_where_missing():
        return request.config.stash[_NEO4J].uri(request.config)


@pytest.fixture(scope="session")
def neo4j_auth() -> tuple[str, str] | None:
    """The name and password for `neo4j_uri`; None for the run's own, which asks for none."""
    user = os.environ.get("NEO4J_TEST_USERNAME")
    return (user, os.environ.get("NEO4J_TEST_PASSWORD", "")) if user else None
