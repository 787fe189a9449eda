"""The process: its settings, its readiness, its end."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from kit.settings import SettingsError
from services.groups.__main__ import main
from services.groups.config import Settings
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until
from tests.unit.groups.platform import ISSUER, a_platform, settings_for

ROOT = Path(__file__).parents[3]


def environment(folder: Path, redis_url: str, target: str) -> Mapping[str, str]:
    settings_for(folder, redis_url, target)  # leaves keys and token in the folder
    return {
        "OIDC_ISSUER": ISSUER,
        "OIDC_JWKS_FILE": str(folder / "jwks.json"),
        "SERVICE_SUBJECTS": "service:groups",
        "SERVICE_TOKEN_FILE": str(folder / "token"),
        "REDIS_URL": redis_url,
        "HIERARCHY_TARGET": target,
        "PORT": "0",
    }


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({"OIDC_JWKS_URL": "http://issuer", "PORT": "x", "MOST_TENANTS": "0"})
    assert {each.variable for each in refused.value.problems} == {
        *("OIDC_ISSUER", "REDIS_URL", "HIERARCHY_TARGET", "SERVICE_TOKEN_FILE"),
        *("PORT", "MOST_TENANTS"),
    }


def test_wrong_settings_end_the_process_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}) == 2
    said = capsys.readouterr()
    assert "REDIS_URL: is required" in said.err
    assert said.out == ""


def test_it_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker"], {}) == 2
    assert "usage" in capsys.readouterr().err


def test_it_serves_until_it_is_told_to_end(tmp_path: Path, valkey_url: str) -> None:
    environ = environment(tmp_path, valkey_url, "127.0.0.1:1")
    process = subprocess.Popen(
        [sys.executable, "-m", "services.groups"],
        cwd=ROOT,
        env={**environ, "DRAIN_SECONDS": "5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        lines: list[str] = []
        while not any('"ready"' in line for line in lines):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == ""


async def test_it_is_ready_when_the_store_is_durable(
    tmp_path: Path, own_valkey: ValkeyServer, unique: str
) -> None:
    async with a_platform(tmp_path, own_valkey.url, unique) as platform:
        [server] = platform.servers
        assert await server.check_ready() is None
        await platform.store.config_set("appendfsync", "everysec")
        assert await server.check_ready() == "appendfsync is everysec, must be always"
        await platform.store.config_set("appendfsync", "always")
        assert await server.check_ready() is None


async def test_it_is_not_ready_while_the_store_is_away(
    tmp_path: Path, own_valkey: ValkeyServer, unique: str
) -> None:
    async with a_platform(tmp_path, own_valkey.url, unique) as platform:
        [server] = platform.servers
        own_valkey.stop()
        assert "store unavailable" in (await server.check_ready() or "")
        own_valkey.restart()

        async def ready() -> bool:
            return await server.check_ready() is None

        await wait_until(ready, 10)


async def test_it_stays_ready_while_its_peer_is_away(
    tmp_path: Path, valkey_url: str, unique: str
) -> None:
    async with a_platform(tmp_path, valkey_url, unique) as platform:
        platform.peer.away = True
        [server] = platform.servers
        assert await server.check_ready() is None
