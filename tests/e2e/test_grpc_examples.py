"""The commands of `docs/grpc.md`, typed as they stand."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import access_pb2, hierarchy_pb2, people_pb2, tenants_pb2, transfers_pb2

from tests.e2e.platform import Platform
from tests.servers.grpcurl.binary import grpcurl
from tests.servers.skips import skip_where_missing

PAGE = Path(__file__).parents[2] / "docs" / "grpc.md"
EXAMPLES = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))
CONTRACTS = (access_pb2, hierarchy_pb2, people_pb2, tenants_pb2, transfers_pb2)
# One unit each where the page shows how to ask for many.
ASIDE = {"BatchListChildren", "BatchListAncestors"}
_SECONDS = 100.0


@pytest.fixture
def environ(platform: Platform) -> dict[str, str]:
    with skip_where_missing():
        program = grpcurl()
    return {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "TARGET": f"127.0.0.1:{platform.ready['ports']['hierarchy']}",
        "OPERATOR": platform.chaupal("token", "--role", "operator").stdout.strip(),
        "TOKEN": platform.chaupal(
            "token", "--tenant", "docs", "--role", "administrator"
        ).stdout.strip(),
    }


def test_every_command_is_answered(environ: dict[str, str]) -> None:
    """As one script, which ends with the first that is refused."""
    strict = "set -euo pipefail\n"
    run = subprocess.run(
        ["bash", "-x", "-c", strict + EXAMPLES],
        env=environ,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-3_000:]
    # Here and there what it says is what the page promises.
    assert '"status": "SERVING"' in run.stdout
    assert '"en": "Booth 1, school"' in run.stdout
    assert '"phone": "+919800000001"' in run.stdout
    assert '"allowed": true' in run.stdout
    assert '"proof"' in run.stdout


def test_every_method_is_shown() -> None:
    methods = {
        f"{service.full_name}/{method.name}"
        for contract in CONTRACTS
        for service in contract.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.name not in ASIDE
    }

    assert methods - set(re.findall(r"chaupal\.hierarchy\.v1\.\w+/\w+", EXAMPLES)) == set()
