"""The Neo4j of a test run: started in the background as soon as it is known to be needed."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import pytest

from tests.servers.folders import new_folder, remove_folder
from tests.servers.neo4j.distribution import distribution, is_fetched, version_of
from tests.servers.neo4j.server import QUICK_START, Neo4jServer
from tests.servers.process import ServerMissing

URI_VARIABLE = "NEO4J_TEST_URI"
VERSION_VARIABLE = "NEO4J_TEST_VERSION"
MARK = "neo4j"
FIXTURE = "neo4j_uri"


class SharedNeo4j:
    """A pytest plugin that starts one server when a selected test needs it.

    A test needs it by the fixture `neo4j_uri`, or by the mark `neo4j` where the fixture is asked
    for by name only while the test runs. Its start then overlaps with the other tests. Both are
    selected by `-m neo4j`.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._future: Future[str] | None = None
        self._server: Neo4jServer | None = None
        self._thread: Thread | None = None
        self._folder: Path | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Mark every test that needs it, before `-m` selects."""
        for item in items:
            if _needs(item):
                item.add_marker(MARK)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start it now where a collected test needs it."""
        if self._environ.get(URI_VARIABLE) or session.config.option.collectonly:
            return
        if any(_needs(item) for item in session.items):
            self._begin(session.config)

    def pytest_unconfigure(self) -> None:
        """End it and remove its data."""
        if self._server is not None:
            # Also while it still starts: its start then fails, and the thread ends.
            self._server.kill()
        if self._thread is not None:
            self._thread.join()
        if self._folder is not None:
            remove_folder(self._folder)

    def uri(self, config: pytest.Config) -> str:
        """Return the address of the server, or of the one that `NEO4J_TEST_URI` names.

        Raises:
            ServerMissing: This machine cannot run one.
            ServerFailed: It did not start.
        """
        existing = self._environ.get(URI_VARIABLE)
        if existing:
            return existing
        return self._begin(config).result()

    def _begin(self, config: pytest.Config) -> Future[str]:
        if self._future is None:
            self._future = Future()
            try:
                self._launch(self._future, config)
            except ServerMissing as error:
                hint = f"{error}; or set {URI_VARIABLE} to a server that is there to be written to"
                self._future.set_exception(ServerMissing(hint))
        return self._future

    def _launch(self, future: Future[str], config: pytest.Config) -> None:
        version = version_of(self._environ.get(VERSION_VARIABLE))
        if not is_fetched(version):
            # In the foreground, where no test's time limit runs.
            config.get_terminal_writer().line(f"fetching Neo4j {version} (150 MB, once) ...")
        chosen = distribution(version, self._environ)
        self._folder = new_folder("neo4j")
        server = Neo4jServer(chosen, self._folder, jvm_flags=QUICK_START)
        server.launch()
        self._server = server
        self._thread = Thread(target=_await, args=(server, future), name="neo4j-start")
        self._thread.start()


def _await(server: Neo4jServer, future: Future[str]) -> None:
    try:
        server.wait_ready()
    except BaseException as error:  # noqa: BLE001  handed to whoever asks for the address
        future.set_exception(error)
    else:
        future.set_result(server.uri)


def _needs(item: pytest.Item) -> bool:
    return FIXTURE in getattr(item, "fixturenames", ()) or item.get_closest_marker(MARK) is not None
