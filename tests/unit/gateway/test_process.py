"""The gateway as a process: it starts, says where it listens, drains and ends, or says why not."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from .fakes.servers import services, settings, token
from .fakes.world import World

ROOT = Path(__file__).parents[3]


def environment(folder: Path, **more: str) -> dict[str, str]:
    made = settings(folder)
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PORT": "0",
        "OIDC_ISSUER": made.oidc_issuer,
        "OIDC_JWKS_FILE": str(made.oidc_jwks_file),
        "HIERARCHY_TARGET": made.hierarchy_target,
        "GROUPS_TARGET": made.groups_target,
        "MESSAGING_TARGET": made.messaging_target,
        "DRAIN_SECONDS": "5",
        **more,
    }


@asynccontextmanager
async def process(environ: Mapping[str, str]) -> AsyncIterator[Process]:
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env=dict(environ), stdout=PIPE, stderr=PIPE
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.communicate()


async def listening(made: Process) -> dict[str, Any]:
    """The log line that says where it listens."""
    assert made.stderr is not None
    async with asyncio.timeout(60):
        async for line in made.stderr:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == "listening":
                return event
    raise AssertionError("it ended before it listened")


async def ready(http: httpx2.AsyncClient) -> None:
    """Wait until it says so; connecting waits in the backlog meanwhile."""
    async with asyncio.timeout(30):
        response = await http.get("/readyz")
    assert response.status_code == 200


async def test_it_serves_drains_and_ends(tmp_path: Path, world: World) -> None:
    configured = settings(tmp_path)
    async with services(world, configured), process(environment(tmp_path)) as made:
        event = await listening(made)
        assert (event["service"], event["host"]) == ("gateway", "127.0.0.1")
        base = f"http://127.0.0.1:{event['port']}"
        async with httpx2.AsyncClient(base_url=base) as http:
            await ready(http)
            response = await http.post(
                "/graphql",
                json={"query": "{ units { nodes { code } } }"},
                headers={"authorization": f"Bearer {token()}"},
            )
        assert response.json() == {"data": {"units": {"nodes": [{"code": "RJ"}]}}}
        assert "server" not in response.headers
        made.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            out, _ = await made.communicate()
    assert made.returncode == 0
    assert out == b""


async def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    environ = environment(tmp_path, PORT="high", MAX_DEPTH="0", OPERATION_BUDGET_SECONDS="0")
    del environ["OIDC_ISSUER"]
    async with process(environ) as made:
        _, err = await made.communicate()
    assert made.returncode == 2
    said = err.decode()
    assert "4 settings are wrong" in said
    for name in ("PORT", "MAX_DEPTH", "OPERATION_BUDGET_SECONDS", "OIDC_ISSUER: is required"):
        assert f"  {name}" in said


async def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with process(environment(tmp_path, PORT=str(port))) as made:
            _, err = await made.communicate()
    assert made.returncode == 1
    event = json.loads(err.splitlines()[-1])
    assert event["event"] == (f"cannot run: cannot listen on 127.0.0.1:{port}: is it in use?")
