"""One platform on a folder: the second is refused, naming the first."""

import os
import subprocess
from pathlib import Path

import pytest

from cli.errors import Refusal
from cli.launcher import lock
from cli.launcher.lock import held


def test_the_second_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    with held(tmp_path / "lock"), pytest.raises(Refusal) as refused, held(tmp_path / "lock"):
        pass

    assert refused.value.reason == "DATA_IN_USE"
    assert f"process {os.getpid()}" in refused.value.message
    assert refused.value.fields == {"pid": os.getpid()}


def test_it_can_be_held_again_after_it_was_let_go(tmp_path: Path) -> None:
    with held(tmp_path / "lock"):
        pass

    with held(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_what_a_dead_launcher_left_running_is_waited_for(tmp_path: Path) -> None:
    with held(tmp_path / "lock") as descriptor:
        # Inherits the lock as the watchdog does, and outlives the one who took it.
        child = subprocess.Popen(["/bin/sleep", "0.5"], pass_fds=(descriptor,))
        _pretend_dead(tmp_path / "lock")

    with held(tmp_path / "lock"):
        assert child.poll() is not None or child.wait(5) == 0


def test_what_never_ends_is_named_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_PATIENCE_SECONDS", 0.2)
    with held(tmp_path / "lock") as descriptor:
        child = subprocess.Popen(["/bin/sleep", "60"], pass_fds=(descriptor,))
        _pretend_dead(tmp_path / "lock")
    try:
        with pytest.raises(Refusal) as refused, held(tmp_path / "lock"):
            pass
    finally:
        child.kill()
        child.wait(5)

    assert refused.value.reason == "DATA_IN_USE"
    assert "earlier run" in refused.value.message


def _pretend_dead(path: Path) -> None:
    """Write the number of a process that has just ended."""
    gone = subprocess.Popen(["/bin/true"])
    gone.wait(5)
    path.write_text(str(gone.pid))
