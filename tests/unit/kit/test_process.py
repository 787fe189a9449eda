"""A process runs its job, or says why not in one line and ends with the code that tells which."""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from kit.process import Job, Ready, run_process
from kit.server import CannotListen
from kit.settings import ProcessSettings


class Settings(ProcessSettings):
    service_name: ClassVar[str] = "sample"
    target: str = Field(description="Where to look.")


GIVEN = {
    "OIDC_ISSUER": "https://issuer.example",
    "OIDC_JWKS_URL": "https://issuer.example/jwks.json",
    "TARGET": "there",
    "OTEL_SDK_DISABLED": "true",
}
ran: list[str] = []


async def serve(settings: Settings, *, ready: Ready) -> None:
    ran.append(settings.target)
    ready(1)


async def fail(settings: Settings, *, ready: Ready) -> None:
    raise CannotListen(settings.target)


JOBS = {"": Job(Settings, serve), "worker": Job(Settings, fail)}


@pytest.fixture(autouse=True)
def fresh() -> None:
    ran.clear()


def test_a_job_runs_with_its_settings() -> None:
    assert run_process("services.sample", JOBS, [], GIVEN) == 0
    assert ran == ["there"]


def test_an_argument_chooses_the_job_and_a_failure_is_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run_process("services.sample", JOBS, ["worker"], GIVEN) == 1
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "cannot run: cannot listen on there" in lines[0]
    assert '"service": "sample-worker"' in lines[0]


def test_an_unknown_argument_is_answered_with_the_usage(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run_process("services.sample", JOBS, ["wrong"], GIVEN) == 2
    assert capfd.readouterr().err == "usage: python -m services.sample [worker]\n"
    assert ran == []


def test_wrong_settings_are_named_and_nothing_runs(capfd: pytest.CaptureFixture[str]) -> None:
    given = {name: text for name, text in GIVEN.items() if name != "TARGET"}
    assert run_process("services.sample", JOBS, [], given) == 2
    assert "TARGET" in capfd.readouterr().err
    assert ran == []


@pytest.mark.parametrize("package", ["services.hierarchy", "services.groups", "gateway"])
def test_every_process_names_all_that_is_missing(package: str, tmp_path: Path) -> None:

    run = subprocess.run(
        [sys.executable, "-m", package],
        env={"PATH": os.environ["PATH"]},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "OIDC_ISSUER" in run.stderr
