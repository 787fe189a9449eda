"""One platform on one data folder: a lock that outlives no process."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.errors import Refusal

# How long the children of a killed launcher may take to stop, before the next one gives up.
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.1


@contextlib.contextmanager
def held(path: Path, say: Callable[[str], None] = lambda _: None) -> Iterator[int]:
    """Hold the lock while the block runs, and give its file descriptor.

    Whoever inherits the descriptor holds the lock too: the watchdog does, so that nobody starts
    on the folder while a killed launcher's processes still stop (flock(2)).

    Raises:
        Refusal: Another platform runs on the folder; names its process.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, path, say)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    told = False
    while not _taken(descriptor):
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace")
        alive = _alive(holder)
        if alive or time.monotonic() > began + _PATIENCE_SECONDS:
            raise _refusal(path.parent, holder, alive=alive)
        if not told:
            say("waiting for the processes of an earlier run to stop")
            told = True
        time.sleep(_PAUSE_SECONDS)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(holder: str) -> bool:
    # Nothing is written yet in the moment after the other one took the lock.
    if not holder.isdigit():
        return True
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _refusal(folder: Path, holder: str, *, alive: bool) -> Refusal:
    if not alive:
        return Refusal(
            "DATA_IN_USE",
            f"processes of an earlier run (launcher {holder}, gone) still use {folder}",
            "Wait until they have stopped, and try again.",
        )
    return Refusal(
        "DATA_IN_USE",
        f"a platform already runs on {folder}: process {holder or 'unknown'}",
        f"Use it (`chaupal status`), stop it (kill {holder or 'PID'}),"
        " or choose another folder with --data.",
        pid=int(holder) if holder.isdigit() else None,
    )
