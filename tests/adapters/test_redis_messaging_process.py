"""messaging as it is really run: processes, signals, ports, exit codes."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit.channel import open_channel
from services.messaging.servicer import SERVICE_NAME
from tests.channels import plain_channel
from tests.servers.process import ServerProcess
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until, wait_until_sync
from tests.unit.messaging.platform import Client, Identity, Platform, open_platform

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def environment(identity: Identity, store: str, groups: str, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        **identity.variables(),
        "REDIS_URL": store,
        "GROUPS_TARGET": groups,
        "PORT": "0",
        "DRAIN_SECONDS": "5",
        "SIMULATOR_MEDIAN_DELAY_SECONDS": "0",
        **more,
    }


@contextmanager
def process(folder: Path, environ: Mapping[str, str], *arguments: str) -> Iterator[ServerProcess]:
    name = "-".join(("messaging", *arguments))
    child = ServerProcess(
        name,
        [sys.executable, "-m", "services.messaging", *arguments],
        folder / f"{name}-{len(list(folder.glob('*.log')))}.log",
        {**environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield child
    finally:
        child.kill()


def log_of(child: ServerProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in child.log.read_text().splitlines() if line[:1] == "{"]


def told(child: ServerProcess, event: str) -> dict[str, Any]:
    """The first line of the log with that event, once it is there."""

    def line() -> dict[str, Any] | None:
        if not child.running:
            pytest.fail(child.log_tail())
        return next((each for each in log_of(child) if each["event"] == event), None)

    found = wait_until_sync(line, START_SECONDS, event)
    assert found is not None
    return found


async def health_of(port: int, name: str) -> int:
    async with plain_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        return int((await stub.Check(health_pb2.HealthCheckRequest(service=name))).status)


async def test_server_and_worker_take_a_broadcast_to_its_end(
    own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    async with open_platform(own_valkey.url, "t1", tmp_path) as platform:
        environ = _environment_of(platform)
        with process(tmp_path, environ) as server, process(tmp_path, environ, "worker") as worker:
            port = told(server, "ready")["port"]
            worker_port = told(worker, "ready")["port"]
            assert await health_of(port, SERVICE_NAME) == SERVING
            assert await health_of(worker_port, "messaging.worker") == SERVING
            async with open_channel(f"127.0.0.1:{port}", service=SERVICE_NAME) as channel:
                token = platform.identity.token("asha", "t1", "view", "compose")
                client = Client.with_token(channel, token)
                broadcast = await client.start(await client.create(platform.register))
                watch = client.watch(pb.WatchProgressRequest(broadcast_id=broadcast.id))
                looks = [look async for look in watch]
            assert looks[-1].state == pb.BROADCAST_STATE_COMPLETED
            assert looks[-1].counts.total == 24
            for each in (server, worker):
                os.kill(each.pid, signal.SIGTERM)
                assert each.wait(20) == 0, each.log_tail()
            assert "Come at ten." not in server.log.read_text() + worker.log.read_text()


@pytest.mark.parametrize("arguments", [(), ("worker",)])
async def test_a_process_waits_for_a_store_that_is_not_there_yet(
    own_valkey: ValkeyServer, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    own_valkey.stop()
    environ = environment(Identity.make(tmp_path), own_valkey.url, "127.0.0.1:1")
    name = "messaging.worker" if arguments else SERVICE_NAME
    with process(tmp_path, environ, *arguments) as child:
        port = told(child, "listening")["port"]
        reason = told(child, "readiness changed")["reason"]
        assert "StoreUnavailable" in reason
        assert await health_of(port, name) == NOT_SERVING

        own_valkey.restart()

        async def serving() -> bool:
            return bool(await health_of(port, name) == SERVING)

        await wait_until(serving, START_SECONDS, "ready")
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(20) == 0


def test_wrong_settings_are_all_named_and_nothing_starts(tmp_path: Path) -> None:
    wrong = environment(Identity.make(tmp_path), "store:6379", "groups:1", PORT="many")
    del wrong["SERVICE_TOKEN_FILE"]
    with process(tmp_path, wrong, "worker") as child:
        assert child.wait(START_SECONDS) == 2
        said = child.log.read_text()
    assert "3 settings are wrong:" in said
    for name in ("PORT", "REDIS_URL", "SERVICE_TOKEN_FILE"):
        assert f"  {name}: " in said


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    environ = environment(Identity.make(tmp_path), "redis://store", "groups:1")
    with process(tmp_path, environ, "walker") as child:
        assert child.wait(START_SECONDS) == 2
        assert "usage: python -m services.messaging [worker]" in child.log.read_text()


def test_a_port_in_use_is_named(own_valkey: ValkeyServer, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environ = environment(Identity.make(tmp_path), own_valkey.url, "groups:1", PORT=str(port))
        for arguments in ((), ("worker",)):
            with process(tmp_path, environ, *arguments) as child:
                assert child.wait(START_SECONDS) == 1, child.log_tail()
                [line] = [line for line in log_of(child) if line["level"] == "ERROR"]
            assert f"127.0.0.1:{port}" in line["event"]


def _environment_of(platform: Platform) -> dict[str, str]:
    settings = platform.settings
    return environment(platform.identity, settings.redis_url, settings.groups_target)
