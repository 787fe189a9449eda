"""One child process of a test run: started, watched, killed, and never left behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.timing import DeadlinePassed, wait_until_sync

# Waits on a pipe that only this process holds: when it closes, even by SIGKILL, the child's
# session is killed too.
_WATCHDOG = 'read _; kill -s KILL -- "-$1"'
_LOG_TAIL_LINES = 30
_KILL_DEADLINE_SECONDS = 30.0


class ServerMissing(Exception):
    """The machine lacks what a server needs; the text names it and what to do."""


class ServerFailed(Exception):
    """A server that should have started did not; carries the end of its log."""


class ServerProcess:
    """A command that runs in its own session, with its output in a log file."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            # A session of its own, so that Ctrl-C reaches the tests and not their servers.
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if environ is None else environ),
                start_new_session=True,
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(self._child.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        if self._child.poll() is None:
            return True
        self._dismiss_watchdog()
        return False

    def wait(self, deadline_seconds: float) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs after `deadline_seconds`.
        """
        code = self._child.wait(deadline_seconds)
        self._dismiss_watchdog()
        return code

    def wait_ready(self, ready: Callable[[], bool], deadline_seconds: float) -> None:
        """Wait until `ready`; a process that ends or dawdles is killed and reported.

        Raises:
            ServerFailed: With the end of the log.
        """
        try:
            wait_until_sync(lambda: not self.running or ready(), deadline_seconds, self.name)
        except DeadlinePassed as error:
            self.kill()
            raise ServerFailed(f"{error}\n{self.log_tail()}") from error
        if not self.running:
            code = self._child.returncode
            raise ServerFailed(f"{self.name} ended with code {code}\n{self.log_tail()}")

    def kill(self) -> None:
        """End it by SIGKILL, as a power cut would; nothing happens when it has ended."""
        self._end(signal.SIGKILL, _KILL_DEADLINE_SECONDS)

    def stop(self, deadline_seconds: float = _KILL_DEADLINE_SECONDS) -> None:
        """End it by SIGTERM, and by SIGKILL when that takes longer than the deadline."""
        try:
            self._end(signal.SIGTERM, deadline_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def log_tail(self) -> str:
        """The last lines of the log, for a failure's text."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])

    def _end(self, signal_number: signal.Signals, deadline_seconds: float) -> None:
        if self.running:
            # The whole session, because a store that rewrites its log has a child of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal_number)
        self.wait(deadline_seconds)

    def _dismiss_watchdog(self) -> None:
        # Before the pid is free for somebody else; waiting also reaps it.
        self._watchdog.kill()
        self._watchdog.wait(_KILL_DEADLINE_SECONDS)
        if self._watchdog.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._watchdog.stdin.close()
