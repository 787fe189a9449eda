"""hierarchy's real processes, over whatever store their environment names."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hierarchy_server import ISSUER, KEY
from tests.servers.process import ServerProcess
from tests.timing import wait_until_sync

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


def environment(folder: Path, **more: str) -> dict[str, str]:
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(KEY.jwks()))
    return {
        "PATH": os.environ["PATH"],
        "OIDC_ISSUER": ISSUER,
        "OIDC_JWKS_FILE": str(keys),
        "DATABASE_FILE": str(folder / "hierarchy.sqlite3"),
        "IMPLICIT_TENANTS": "true",
        "PORT": "0",
        "DRAIN_SECONDS": "5",
        **more,
    }


@contextmanager
def process(folder: Path, environ: Mapping[str, str], *arguments: str) -> Iterator[ServerProcess]:
    name = "-".join(("hierarchy", *arguments))
    number = len(list(folder.glob("*.log")))  # a restart has a log of its own
    child = ServerProcess(
        name,
        [sys.executable, "-m", "services.hierarchy", *arguments],
        folder / f"{name}-{number}.log",
        dict(environ) | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield child
    finally:
        child.kill()


def log_of(child: ServerProcess) -> list[dict[str, Any]]:
    lines = child.log.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def port_of(child: ServerProcess) -> int:
    """The port, once the process says that it is ready."""

    def told() -> int | None:
        return next((line["port"] for line in log_of(child) if line["event"] == "ready"), None)

    port = wait_until_sync(
        lambda: told() if child.running else pytest.fail(child.log_tail()), START_SECONDS, "ready"
    )
    assert port is not None
    return port
