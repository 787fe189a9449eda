"""One SQLite file (WAL), its threads and its connections.

A thread owns its connection for life, so a cancelled caller can never leave a connection to two
threads: the work runs to its end and the answer is dropped. One thread writes, so writers of this
process wait in its queue; those of other processes wait for SQLite's lock. One thread previews, so
that no reader waits for that.
"""

import asyncio
import contextvars
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from kit.errors import Unavailable
from services.hierarchy.adapters.embedded.schema import STEPS, migrate, version_of
from services.hierarchy.adapters.spans import db_span

T = TypeVar("T")

_READERS = 4
# Longer than the largest import holds the lock.
BUSY_TIMEOUT = timedelta(seconds=30)
_LOOK_AGAIN_SECONDS = 0.005
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class StoreUnavailable(Unavailable):
    """The database file cannot be used."""

    reason = "STORE_UNAVAILABLE"
    problem: str

    @property
    def message(self) -> str:
        """Says what SQLite said."""
        return f"the database file cannot be used: {self.problem}"


class StoreBusy(Unavailable):
    """Another process has held the database file for too long."""

    reason = "STORE_BUSY"


class EmbeddedStore:
    """Runs work on the database file. `async with` opens and closes it."""

    def __init__(self, path: Path, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._writer = ThreadPoolExecutor(1, "sqlite-write")
        self._readers = ThreadPoolExecutor(_READERS, "sqlite-read")
        # One: Python computes one thing at a time, and more would only crowd out the rest.
        self._previewer = ThreadPoolExecutor(1, "sqlite-preview")

    async def __aenter__(self) -> Self:
        try:
            await self.write(self._prepare)
        except StoreUnavailable as error:
            await self._close()
            # Whoever starts us needs the path; callers of a running service do not.
            raise StoreUnavailable(f"{self._path}: {error.problem}") from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def ready(self) -> str | None:
        """None, or an error that says why the file cannot be read."""
        await self.read(version_of)
        return None

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work that sees one consistent moment, and changes nothing."""
        with db_span("sqlite", "read transaction"):
            return await self._run(self._readers, "BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work that is alone in writing, all or nothing, durable when it returns."""
        with db_span("sqlite", "write transaction"):
            return await self._run(self._writer, "BEGIN IMMEDIATE", work)

    async def preview(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run long work as `read` does, one at a time, while others read and write.

        SQLite writes meanwhile to its log alone, which grows until the work is done.
        """
        with db_span("sqlite", "preview transaction"):
            return await self._run(self._previewer, "BEGIN", work)

    async def _run(
        self, threads: ThreadPoolExecutor, begin: str, work: Callable[[sqlite3.Connection], T]
    ) -> T:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            threads, lambda: context.run(self._in_transaction, begin, work)
        )

    def _in_transaction(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        with sqlite_errors():
            connection = self._connection()
            connection.execute(begin)
            try:
                result = work(connection)
                connection.execute("COMMIT")
                return result
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = _connect(self._path, self._busy_timeout)
            self._opened.append(connection)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if version_of(connection) > len(STEPS):
            raise StoreUnavailable("written by a newer version")
        migrate(connection)

    async def _close(self) -> None:
        await asyncio.to_thread(self._close_now)

    def _close_now(self) -> None:
        self._previewer.shutdown()
        self._readers.shutdown()
        self._writer.shutdown()
        while self._opened:
            self._opened.pop().close()


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """Turn what SQLite says into our kinds; a statement that it refuses is our own fault."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension
        if code in _BUSY:
            raise StoreBusy from error
        if isinstance(error, sqlite3.OperationalError) or code in _DAMAGED:
            raise StoreUnavailable(str(error)) from error
        raise RuntimeError("the store refused a statement") from error


def _connect(path: Path, busy_timeout: timedelta) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout.total_seconds(),
        isolation_level=None,  # transactions are ours to begin
        check_same_thread=False,  # closed by another thread, once its own has ended
    )
    try:
        _configure(connection, busy_timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection, busy_timeout: timedelta) -> None:
    # https://www.sqlite.org/wal.html; with FULL a commit is synced before it is answered.
    if _journal_mode(connection, busy_timeout) != "wal":
        raise StoreUnavailable("it cannot keep a write-ahead log")
    connection.execute("PRAGMA synchronous = FULL")
    # What is deleted is overwritten: names that were erased are not to be read out of the file.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -16384")  # KiB


def _journal_mode(connection: sqlite3.Connection, busy_timeout: timedelta) -> str:
    """Ask for a write-ahead log, and return what the file has.

    The change of a new file's mode does not wait for SQLite's locks, so starts that meet on one
    would be refused: https://www.sqlite.org/c3ref/busy_handler.html
    """
    give_up_at = time.monotonic() + busy_timeout.total_seconds()
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in _BUSY
            if not busy or time.monotonic() >= give_up_at:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS)  # in the connection's own thread
        else:
            return str(mode)
