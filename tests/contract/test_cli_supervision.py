"""The launcher's promises about processes, shown with small real ones: a process that dies is
started again, one that never starts ends the run, and nothing is left behind.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from cli.errors import Refusal
from cli.launcher.child import ChildSpec
from cli.launcher.supervisor import Supervisor
from cli.launcher.watchdog import watchdog
from tests.timing import wait_until, wait_until_sync

_GRACE_SECONDS = 0.5


def _spec(folder: Path, name: str, script: str, stage: int = 1) -> ChildSpec:
    command = ["/bin/sh", "-c", script]
    environ = {"PATH": os.environ["PATH"]}
    return ChildSpec(name, command, environ, folder, folder / f"{name}.log", stage)


def _running(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(said: list[str]) -> AsyncIterator[Supervisor]:
    read, write = os.pipe()
    try:
        with watchdog(write) as dog:
            async with Supervisor(dog, said.append, _GRACE_SECONDS) as one:
                yield one
    finally:
        os.close(read)
        os.close(write)


async def test_a_process_that_dies_is_started_again_and_said_so(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    await supervisor.start([_spec(tmp_path, "one", "exec sleep 60")])
    supervisor.ready = True
    first = supervisor.pids["one"]

    os.kill(first, signal.SIGKILL)

    await wait_until(lambda: supervisor.pids.get("one", first) != first, 10)
    assert _running(supervisor.pids["one"])
    assert said == [
        "one ended by signal 9; starting it again in 0.5 s",
        f"  its log is {tmp_path / 'one.log'}",
    ]


async def test_one_that_never_starts_ends_the_run_with_the_end_of_its_log(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start([_spec(tmp_path, "one", "echo no settings >&2; exit 7")])

    with pytest.raises(Refusal) as refused:
        async with asyncio.timeout(20):
            await supervisor.failure()

    assert refused.value.reason == "PROCESS_FAILED"
    assert "one does not start: it ended with code 7, 3 times" in refused.value.message
    assert "no settings" in refused.value.cure


async def test_stopping_goes_by_stages_and_kills_what_does_not_go(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    polite = "trap 'echo {0} >> {1}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    await supervisor.start(
        [
            _spec(tmp_path, "store", polite.format("store", order), 0),
            _spec(tmp_path, "stubborn", "trap '' TERM; echo up; while :; do sleep 0.05; done"),
            _spec(tmp_path, "gateway", polite.format("gateway", order), 2),
        ]
    )
    pids = supervisor.pids
    await wait_until(lambda: all((tmp_path / f"{name}.log").read_text() for name in pids), 10)

    await supervisor.stop()

    assert order.read_text().split() == ["gateway", "store"]
    assert not any(_running(pid) for pid in pids.values())
    assert supervisor.pids == {}


async def test_a_process_that_ends_while_stopping_is_not_started_again(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    await supervisor.start([_spec(tmp_path, "one", "exec sleep 60")])

    await supervisor.stop()
    await asyncio.sleep(0)

    assert said == []
    assert supervisor.pids == {}


async def test_the_log_of_the_run_before_is_kept_once(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    (tmp_path / "one.log").write_text("of yesterday\n")

    await supervisor.start([_spec(tmp_path, "one", "echo of today; exec sleep 60")])

    await wait_until(lambda: (tmp_path / "one.log").read_text() == "of today\n", 10)
    assert (tmp_path / "one.log.before").read_text() == "of yesterday\n"


_LAUNCHER = """
import asyncio, sys
from pathlib import Path
from cli.launcher.child import ChildSpec
from cli.launcher.lock import held
from cli.launcher.supervisor import Supervisor
from cli.launcher.watchdog import watchdog

folder = Path(sys.argv[1])
scripts = {"polite": "exec sleep 60", "stubborn": "trap '' TERM; while :; do sleep 0.05; done"}

async def main():
    with held(folder / "lock") as descriptor, watchdog(descriptor) as dog:
        async with Supervisor(dog, print, 5) as supervisor:
            await supervisor.start(
                ChildSpec(name, ["/bin/sh", "-c", script], {}, folder, folder / name, 1)
                for name, script in scripts.items()
            )
            print(*supervisor.pids.values(), flush=True)
            await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_launcher_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    with launcher.stdout:
        pids = [int(pid) for pid in launcher.stdout.readline().split()]
    assert len(pids) == 2
    assert all(_running(pid) for pid in pids)

    launcher.kill()
    launcher.wait(10)

    # The stubborn one goes when the watchdog's five seconds of kindness are over.
    wait_until_sync(lambda: not any(_running(pid) for pid in pids), 20)
