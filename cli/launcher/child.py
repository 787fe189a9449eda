"""One process of the platform: started, watched, stopped, its output in a log of its own."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TAIL_LINES = 15
_TAIL_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start one process.

    Attributes:
        name: Such as "groups" or "messaging-worker".
        command: Program and arguments.
        environ: Its whole environment.
        folder: Its working folder.
        log: Where stdout and stderr go.
        stage: Processes of a higher stage use those of a lower one, and are stopped before them.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    folder: Path
    log: Path
    stage: int


class Child:
    """A process that runs, or that has ended."""

    def __init__(self, spec: ChildSpec, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self._process = process
        self._began = time.monotonic()

    @classmethod
    async def start(cls, spec: ChildSpec) -> "Child":
        """Start the process in a session of its own, so that Ctrl-C reaches only the launcher."""
        with spec.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(spec.environ),
                cwd=spec.folder,
                start_new_session=True,
            )
        return cls(spec, process)

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def age_seconds(self) -> float:
        """How long ago it started."""
        return time.monotonic() - self._began

    async def wait(self) -> int:
        """Wait for the end and return the exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """End it by SIGTERM, and its whole session by SIGKILL when it does not go in time."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """End it and all of its children by SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def rotate_log(path: Path) -> None:
    """Put the log of the run before aside; only one is kept."""
    if path.exists():
        path.replace(path.with_name(f"{path.name}.before"))


def log_tail(path: Path) -> str:
    """Return the last lines of a log; nothing when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_TAIL_LINES:])
