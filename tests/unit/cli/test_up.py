"""`chaupal up` names what is in its way, and the cure, before it starts anything."""

import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.identity.issuer import load_or_make_key
from cli.launcher.folder import prepare
from cli.launcher.lock import held
from cli.launcher.ports import choose_ports
from cli.launcher.processes import PROCESSES, Wiring, process_specs
from cli.launcher.report import simulated
from cli.main import main


def _up(*arguments: str, env: dict[str, str | None] | None = None) -> Result:
    return CliRunner().invoke(main, ["up", *arguments], env=env)


def test_a_port_in_use_is_refused_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]

        result = _up("--data", str(tmp_path), "--port-base", "0", "--port", f"gateway={port}")

    assert result.exit_code == 1
    assert f"port {port} (gateway) is in use" in result.stderr
    assert "--port gateway=" in result.stderr
    assert result.stdout == ""
    assert list((tmp_path / "logs").iterdir()) == []


def test_a_first_start_that_is_refused_leaves_no_folder_behind(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        new = tmp_path / "new"

        result = _up("--data", str(new), "--port-base", "0", "--port", f"gateway={port}")

    assert "is in use" in result.stderr
    assert not new.exists()


def test_a_second_platform_on_a_folder_is_refused_naming_the_first(tmp_path: Path) -> None:
    with held(tmp_path / "lock"):
        result = _up("--data", str(tmp_path), "--port-base", "0", "-o", "json")

    assert result.exit_code == 1
    error = json.loads(result.stderr.splitlines()[-1])["error"]
    assert error["reason"] == "DATA_IN_USE"
    assert error["pid"] == os.getpid()
    assert "chaupal status" in error["cure"]


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = _up("--data", str(tmp_path / "file" / "data"), "--port-base", "0")

    assert result.exit_code == 1
    assert "cannot read and write the data folder" in result.stderr
    assert "--data" in result.stderr


def test_servers_that_are_not_named_are_refused_with_the_variables(tmp_path: Path) -> None:
    result = _up(
        "--data",
        str(tmp_path),
        "--stores",
        "servers",
        env={"NEO4J_URI": None, "REDIS_URL": "redis://127.0.0.1:6379"},
    )

    assert result.exit_code == 1
    assert "--stores servers needs NEO4J_URI" in result.stderr
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize("port", ["gateway", "gateway=x", "console=8000"])
def test_a_port_option_that_cannot_be_read_is_wrong_usage(port: str) -> None:
    assert _up("--port", port).exit_code == 2


@pytest.mark.parametrize("neo4j", [True, False])
def test_processes_are_told_their_stores_and_nothing_that_turns_them_elsewhere(
    tmp_path: Path, neo4j: bool
) -> None:
    wiring = Wiring(
        folder=prepare(tmp_path),
        ports=choose_ports(21_000, {}),
        issuer_url="http://127.0.0.1:21001",
        redis_url="unix:///tmp/x/valkey.sock",
        neo4j=neo4j,
        environ={
            "PATH": "/bin",
            "NEO4J_URI": "bolt://graph",
            "REDIS_URL": "redis://elsewhere",
            "PORT": "1",
            "HTTP_PROXY": "http://proxy",
            "OTEL_SDK_DISABLED": "true",
        },
    )

    specs = {spec.name: spec for spec in process_specs(wiring)}

    assert list(specs) == [process.name for process in PROCESSES]
    for spec in specs.values():
        assert spec.environ["HOST"] == "127.0.0.1"
        assert spec.environ["OTEL_SDK_DISABLED"] == "true"
        assert "HTTP_PROXY" not in spec.environ
        assert spec.environ["PORT"] == str(wiring.ports[spec.name])
    for name in ("hierarchy", "hierarchy-worker"):
        assert ("NEO4J_URI" in specs[name].environ) == neo4j
        assert ("DATABASE_FILE" in specs[name].environ) != neo4j
    keys = specs["hierarchy"].environ.get("KEY_ENCRYPTION_KEYS_FILE")
    assert keys == (str(wiring.folder.encryption_keys) if neo4j else None)
    assert specs["groups"].environ["HIERARCHY_TARGET"] == "127.0.0.1:21002"
    assert specs["messaging-worker"].environ["GROUPS_TARGET"] == "127.0.0.1:21003"
    assert specs["messaging"].environ["REDIS_URL"] == "unix:///tmp/x/valkey.sock"
    assert "REDIS_URL" not in specs["gateway"].environ
    assert specs["messaging"].environ["SIMULATOR_FAILURE_RATE"] == wiring.failure_rate == "0.02"


@pytest.mark.parametrize(
    ("rate", "told"), [(0.02, "about 2 % fail"), (0.125, "about 12.5 % fail"), (0.0, "none fails")]
)
def test_that_deliveries_are_simulated_is_told_with_the_rate_that_holds(
    rate: float, told: str
) -> None:
    line = simulated(rate)

    assert line.startswith("deliveries are simulated: nothing leaves this machine")
    assert told in line


@pytest.mark.parametrize("short", [True, False])
def test_the_private_store_of_another_platform_is_refused_with_the_cure(
    tmp_path: Path, short: bool
) -> None:
    other = prepare(tmp_path / "other")
    load_or_make_key(other.key)
    place = tmp_path / "chaupal-x1" if short else other.store

    result = _up("--data", str(tmp_path / "mine"), env={"REDIS_URL": f"unix://{place}/valkey.sock"})

    assert result.exit_code == 1
    assert f"private store of another platform, {place}/valkey.sock" in result.stderr
    assert "unset REDIS_URL" in result.stderr
    assert not (tmp_path / "mine").exists()


def test_a_socket_where_no_store_answers_is_refused_with_the_cure(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/gone.sock"

    result = _up("--data", str(tmp_path / "mine"), "-o", "json", env={"REDIS_URL": url})

    error = json.loads(result.stderr.splitlines()[-1])["error"]
    assert error["reason"] == "STORE_SILENT"
    assert "unset REDIS_URL" in error["cure"]
    assert not (tmp_path / "mine").exists()
