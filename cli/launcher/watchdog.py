"""Ends the platform's processes when the launcher cannot: after kill -9, after a crash.

A shell waits on a pipe whose other end only the launcher holds. While it runs, the launcher tells
it which processes there are; when the pipe closes, by whatever end, the shell stops the last list:
first kindly, then not. It works the same on Linux and macOS, which has no PR_SET_PDEATHSIG.
"""

import contextlib
import subprocess
from collections.abc import Iterable, Iterator
from typing import IO

# Each process leads a session of its own, so that -PID means it and all of its children.
_SCRIPT = """
while read -r line; do pids=$line; done
for pid in $pids; do kill -s TERM -- "-$pid"; done
turns=0
while [ $turns -lt 50 ]; do
  left=
  for pid in $pids; do kill -s 0 -- "-$pid" && left=yes; done
  [ -z "$left" ] && exit 0
  sleep 0.1
  turns=$((turns + 1))
done
for pid in $pids; do kill -s KILL -- "-$pid"; done
"""
_END_SECONDS = 10.0


class Watchdog:
    """The launcher's end of the pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def watch(self, pids: Iterable[int]) -> None:
        """Replace the list of processes to end."""
        # Without a watchdog the platform still runs; it was killed by somebody on purpose.
        with contextlib.suppress(BrokenPipeError):
            self._pipe.write(" ".join(map(str, pids)).encode() + b"\n")
            self._pipe.flush()


@contextlib.contextmanager
def watchdog(lock_descriptor: int) -> Iterator[Watchdog]:
    """Keep a watchdog while the block runs; it also holds the lock until its work is done."""
    shell = subprocess.Popen(
        ["/bin/sh", "-c", _SCRIPT, "chaupal-watchdog"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(lock_descriptor,),
    )
    pipe = shell.stdin
    if pipe is None:
        raise RuntimeError("the watchdog has no pipe")
    try:
        yield Watchdog(pipe)
    finally:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
        shell.wait(_END_SECONDS)
