"""Who brings Neo4j's schema up to date, and that nobody works before or on another one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from grpc_health.v1 import health_pb2, health_pb2_grpc
from neo4j import AsyncGraphDatabase, AsyncSession

from kit.channel import open_channel
from kit.errors import ChaupalError, Unavailable
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.adapters.neo4j import Neo4jStore
from services.hierarchy.adapters.neo4j.migrations import (
    MIGRATIONS,
    Migration,
    MigrationEdited,
    SchemaBehind,
    SchemaDrifted,
    migrate,
)
from services.hierarchy.adapters.neo4j.schema import CONSTRAINTS
from services.hierarchy.servicers.hierarchy import SERVICE_NAME
from tests.channels import plain_channel
from tests.hierarchy_processes import START_SECONDS, environment, log_of, process
from tests.hierarchy_server import Hierarchy, a_caller
from tests.servers.process import ServerProcess
from tests.timing import wait_until, wait_until_sync

Auth = tuple[str, str] | None
FORGET = "MATCH (m:Migration) DELETE m"


@pytest.fixture
async def session(neo4j_uri: str, neo4j_auth: Auth) -> AsyncIterator[AsyncSession]:
    """A session in a database that is right before and after the test."""
    async with (
        AsyncGraphDatabase.driver(neo4j_uri, auth=neo4j_auth) as driver,
        driver.session(database="neo4j") as session,
    ):
        await migrate(session)
        yield session
        await run(session, FORGET)
        await migrate(session)


@pytest.fixture
async def store(
    neo4j_uri: str, neo4j_auth: Auth, session: AsyncSession
) -> AsyncIterator[Neo4jStore]:
    async with Neo4jStore(neo4j_uri, neo4j_auth) as store:
        yield store


@pytest.fixture
def environ(tmp_path: Path, neo4j_uri: str, neo4j_auth: Auth) -> dict[str, str]:
    KeyFile.open_or_make(tmp_path / "keys")
    given = environment(
        tmp_path, NEO4J_URI=neo4j_uri, KEY_ENCRYPTION_KEYS_FILE=str(tmp_path / "keys")
    )
    del given["DATABASE_FILE"]
    if neo4j_auth:
        given |= {"NEO4J_USERNAME": neo4j_auth[0], "NEO4J_PASSWORD": neo4j_auth[1]}
    return given


async def run(session: AsyncSession, cypher: Any, **parameters: Any) -> list[list[Any]]:
    result = await session.run(cypher, parameters)
    return await result.values()


async def beyond(_tx: Any) -> None:
    raise AssertionError("it ran all the same")


def said(child: ServerProcess, event: str, field: str) -> Callable[[], Any]:
    """What a line of the log says, once it is there."""
    return lambda: next((line[field] for line in log_of(child) if line["event"] == event), None)


async def test_nothing_runs_before_the_schema_is_there(
    session: AsyncSession, store: Neo4jStore
) -> None:
    await run(session, FORGET)

    for attempt in (store.ready(), store.run(beyond)):
        with pytest.raises(SchemaBehind) as refused:
            await attempt
        assert refused.value.migrations == tuple(each.number for each in MIGRATIONS)
    assert await run(session, "MATCH (m:Migration) RETURN m.number") == []

    await migrate(session)
    assert await store.ready() is None


@pytest.mark.parametrize(
    ("statement", "name"),
    [("DROP INDEX unit_revision", "unit_revision"), ("DROP CONSTRAINT unit_key", "unit_key")],
)
async def test_a_schema_that_somebody_changed_is_refused(
    session: AsyncSession, store: Neo4jStore, statement: str, name: str
) -> None:
    await run(session, statement)

    for attempt in (store.ready(), store.run(beyond), store.migrate()):
        with pytest.raises(SchemaDrifted) as refused:
            await attempt
        assert refused.value.names == (name,)


async def test_a_step_that_was_another_is_refused_before_any_is_taken(
    session: AsyncSession, store: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it stands behind one that was not taken."""
    steps = (Migration(0, ("CREATE (:Taken)",)), *MIGRATIONS)
    monkeypatch.setattr("services.hierarchy.adapters.neo4j.migrations.MIGRATIONS", steps)
    await run(session, "MATCH (m:Migration {number: 1}) SET m.checksum = 'another'")

    for attempt in (store.ready(), store.run(beyond), store.migrate()):
        with pytest.raises(MigrationEdited) as refused:
            await attempt
        assert refused.value.migration == 1
    assert await run(session, "MATCH (n:Taken) RETURN count(n)") == [[0]]


async def test_steps_of_a_newer_version_are_left_alone(
    session: AsyncSession, store: Neo4jStore
) -> None:
    """Which may also have taken an index away."""
    await run(session, "CREATE (:Migration {number: 9999, checksum: 'newer'})")
    await run(session, "DROP INDEX unit_revision")

    assert await store.ready() is None
    await store.migrate()
    assert [9999] in await run(session, "MATCH (m:Migration) RETURN m.number")


async def test_a_server_waits_for_the_job(
    session: AsyncSession, environ: dict[str, str], tmp_path: Path, unique: str
) -> None:
    await run(session, FORGET)
    with process(tmp_path, environ) as server:
        port = wait_until_sync(said(server, "listening", "port"), START_SECONDS, "port")
        reason = wait_until_sync(
            said(server, "readiness changed", "reason"), START_SECONDS, "readiness"
        )
        assert f"SchemaBehind: migrations {MIGRATIONS[0].number}" in reason
        assert not await serves(port)
        with pytest.raises(Unavailable) as refused:
            await blueprint(port, unique)
        assert refused.value.reason == "SCHEMA_BEHIND"
        assert await run(session, "MATCH (m:Migration) RETURN m.number") == []

        with process(tmp_path, environ, "migrate") as job:
            assert await asyncio.to_thread(job.wait, START_SECONDS) == 0, job.log_tail()

        await wait_until(lambda: serves(port), START_SECONDS, "ready")
        with pytest.raises(ChaupalError) as unknown:
            await blueprint(port, unique)
        assert unknown.value.reason == "BLUEPRINT_NOT_FOUND"


async def test_the_job_refuses_another_schema(
    session: AsyncSession, environ: dict[str, str], tmp_path: Path
) -> None:
    await run(session, "MATCH (m:Migration) SET m.checksum = 'another'")

    with process(tmp_path, environ, "migrate") as job:
        assert await asyncio.to_thread(job.wait, START_SECONDS) == 1
        (line,) = [line for line in log_of(job) if line["level"] == "ERROR"]

    assert "migration 1 is not the one that was taken" in line["event"]


async def test_the_job_waits_for_a_database_that_still_starts(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with process(tmp_path, environ | {"NEO4J_URI": "bolt://127.0.0.1:1"}, "migrate") as job:
        wait_until_sync(said(job, "not migrated yet", "reason"), START_SECONDS, "the first try")
        assert job.running


async def test_a_server_for_development_needs_no_job(
    session: AsyncSession, environ: dict[str, str], tmp_path: Path
) -> None:
    await run(session, FORGET)
    with process(tmp_path, environ | {"MIGRATE_AT_START": "true"}) as server:
        wait_until_sync(said(server, "ready", "port"), START_SECONDS, "ready")

    constraints = await run(session, "SHOW CONSTRAINTS YIELD name RETURN name")
    assert {name for (name,) in constraints} >= set(CONSTRAINTS)
    assert await run(session, "MATCH (m:Migration) RETURN count(m)") == [[len(MIGRATIONS)]]


async def test_the_job_over_a_file_makes_it(tmp_path: Path) -> None:
    with process(tmp_path, environment(tmp_path), "migrate") as job:
        assert await asyncio.to_thread(job.wait, START_SECONDS) == 0, job.log_tail()

    assert (tmp_path / "hierarchy.sqlite3").exists()


async def serves(port: int) -> bool:
    async with plain_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        reply = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE_NAME))
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


async def blueprint(port: int, tenant: str) -> Any:
    async with open_channel(f"127.0.0.1:{port}", service=SERVICE_NAME) as channel:
        store: Any = None  # it is another process's
        hierarchy = Hierarchy(HierarchyServiceStub(channel), store, a_caller(tenant=tenant))
        return await hierarchy.call("GetBlueprint", pb.GetBlueprintRequest())
