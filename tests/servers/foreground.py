"""Runs a server of the tests from a shell, until SIGTERM or Ctrl-C."""

import contextlib
import fcntl
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol, TypeVar

from tests.servers.folders import own_folder
from tests.servers.process import ServerFailed, ServerMissing

_LOOK_SECONDS = 0.2


class Server(Protocol):
    """What the handles have in common."""

    @property
    def running(self) -> bool:
        """Whether it has not ended."""

    def kill(self) -> None:
        """End it at once."""

    def stop(self) -> None:
        """End it in good order."""


S = TypeVar("S", bound=Server)


class _Told(BaseException):
    """A signal asked for the end, wherever we are."""


def run_in_foreground(
    name: str, data: Path | None, start: Callable[[Path], S], address: Callable[[S], str]
) -> None:
    """Start a server, print its address when it is ready, end it when told.

    Args:
        name: For the name of a folder.
        data: Its data folder, made where missing; None for one that is removed in the end.
        start: Starts it in that folder and returns when it is ready.
        address: What to print.

    Raises:
        SystemExit: With a text, when it cannot start or ends by itself.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _tell)
    try:
        with _data_folder(name, data) as folder:
            server = start(folder)
            try:
                print(address(server), flush=True)
                while server.running:
                    time.sleep(_LOOK_SECONDS)
            except _Told:
                (server.kill if data is None else server.stop)()
                return
            sys.exit(f"{name} ended by itself; see its log in {folder}")
    except _Told:
        sys.exit(f"{name} was told to end before it was ready")
    except (ServerMissing, ServerFailed) as error:
        sys.exit(str(error))


@contextlib.contextmanager
def _data_folder(name: str, data: Path | None) -> Iterator[Path]:
    if data is None:
        with own_folder(name) as folder:
            yield folder
        return
    folder = data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            # Valkey itself would let two servers write into one log.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ServerFailed(f"another server runs on the data in {folder}") from error
        yield folder


def _tell(number: int, frame: FrameType | None) -> NoReturn:
    raise _Told
