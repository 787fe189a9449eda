"""hierarchy as it is really run: processes, signals, ports, exit codes."""

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit.channel import open_channel
from kit.redis import open_redis
from services.hierarchy.adapters.event_streams import stream_key
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.domain.model import TenantId
from services.hierarchy.servicers.hierarchy import SERVICE_NAME
from tests.builders_hierarchy import a_small_tree
from tests.channels import plain_channel
from tests.hierarchy_processes import START_SECONDS, environment, log_of, port_of, process
from tests.hierarchy_server import Hierarchy, a_caller
from tests.servers.process import ServerProcess
from tests.timing import wait_until, wait_until_sync


@asynccontextmanager
async def client_of(child: ServerProcess) -> AsyncIterator[Hierarchy]:
    async with open_channel(f"127.0.0.1:{port_of(child)}", service=SERVICE_NAME) as channel:
        store: Any = None  # it is another process's
        yield Hierarchy(HierarchyServiceStub(channel), store, a_caller())


async def health_of(child: ServerProcess, name: str) -> int:
    async with plain_channel(f"127.0.0.1:{port_of(child)}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        reply = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        return int(reply.status)


async def test_a_server_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with process(tmp_path, environment(tmp_path)) as child:
        assert await health_of(child, SERVICE_NAME) == health_pb2.HealthCheckResponse.SERVING
        async with client_of(child) as hierarchy:
            await hierarchy.start(*a_small_tree())
            assert (await hierarchy.unit("state", "RJ")).subtree_count == 7
        os.kill(child.pid, signal.SIGTERM)

        assert child.wait(20) == 0


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    with process(tmp_path, environment(tmp_path)) as child:
        async with client_of(child) as hierarchy:
            await hierarchy.start(*a_small_tree())
            before = await hierarchy.unit("booth", "B1")
        child.kill()

    with process(tmp_path, environment(tmp_path)) as child:
        async with client_of(child) as hierarchy:
            assert await hierarchy.unit("booth", "B1") == before
            assert (await hierarchy.stream_tree())[0].unit_count == 7


def test_wrong_settings_are_all_named_and_nothing_starts(tmp_path: Path) -> None:
    wrong = environment(tmp_path, PORT="many", LOG_LEVEL="loud")
    del wrong["OIDC_ISSUER"]

    with process(tmp_path, wrong) as child:
        assert child.wait(START_SECONDS) == 2
        said = child.log.read_text()

    assert "3 settings are wrong:" in said
    for name in ("PORT", "LOG_LEVEL", "OIDC_ISSUER"):
        assert f"  {name}: " in said


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    with process(tmp_path, environment(tmp_path), "walker") as child:
        assert child.wait(START_SECONDS) == 2
        assert "usage: python -m services.hierarchy [worker] [migrate]" in child.log.read_text()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with process(tmp_path, environment(tmp_path, PORT=str(port))) as child:
            assert child.wait(START_SECONDS) == 1
            (line,) = [line for line in log_of(child) if line["level"] == "ERROR"]

    assert f"127.0.0.1:{port}" in line["event"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "hierarchy.sqlite3")
    with process(tmp_path, environment(tmp_path, DATABASE_FILE=missing)) as child:
        assert child.wait(START_SECONDS) == 1
        (line,) = [line for line in log_of(child) if line["level"] == "ERROR"]

    assert missing in line["event"]


async def test_a_server_waits_for_a_neo4j_that_is_not_there_yet(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    KeyFile.open_or_make(keys)
    environ = environment(
        tmp_path, NEO4J_URI="bolt://127.0.0.1:1", KEY_ENCRYPTION_KEYS_FILE=str(keys)
    )
    del environ["DATABASE_FILE"]

    def why_not(child: ServerProcess) -> str | None:
        lines = [line for line in log_of(child) if line["event"] == "readiness changed"]
        return lines[0]["reason"] if lines else None

    with process(tmp_path, environ) as child:
        reason = wait_until_sync(lambda: why_not(child), START_SECONDS, "readiness")
        assert "StoreUnavailable" in (reason or "")
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(20) == 0


async def test_the_worker_relays_what_the_server_did(
    tmp_path: Path, valkey_url: str, unique: str
) -> None:
    caller = a_caller(tenant=unique)
    client = open_redis(valkey_url)
    environ = environment(tmp_path, REDIS_URL=valkey_url, RELAY_INTERVAL_SECONDS="0.02")
    try:
        with (
            process(tmp_path, environ) as server,
            process(tmp_path, environ, "worker") as worker,
        ):
            async with client_of(server) as hierarchy:
                await hierarchy.start(*a_small_tree(), caller=caller)

                async def entries() -> Any:
                    found: Any = await client.xrange(stream_key(TenantId(unique)))
                    return found if len(found) == 4 else None

                found = await wait_until(entries, START_SECONDS, "four events")
            assert await health_of(worker, "hierarchy.worker") == 1
            os.kill(worker.pid, signal.SIGTERM)
            assert worker.wait(20) == 0
    finally:
        await client.aclose()

    events = [pb.HierarchyEvent.FromString(fields[b"event"]) for _, fields in found]
    assert [event.WhichOneof("event") for event in events] == [
        "blueprint_changed", "access_changed", "tree_changed", "access_changed",
    ]  # fmt: skip
