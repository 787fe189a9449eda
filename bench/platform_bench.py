"""How fast the whole platform is ready, and how fast a state's files come in.

Everything is measured as a user meets it: by the command line, from the start of the command to
its last byte, against the real processes.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.report import Figure
from tests.e2e.platform import Platform, chaupal, running
from tests.servers.neo4j.distribution import distribution, version_of
from tests.servers.neo4j.server import Neo4jServer
from tests.servers.valkey.server import ValkeyServer

_READY_ROUNDS = 3
# In the order in which each names what came before; and what is counted of each, if it is told.
_FILES = {
    "units": "units",
    "areas": "",
    "persons": "persons",
    "appointments": "appointments",
    "teams": "rows",
    "groups": "groups",
}


def ready_figures() -> Iterator[Figure]:
    """From the command to the ready line, with the small demo data: first and second start."""
    firsts, seconds = [], []
    for _ in range(_READY_ROUNDS):
        with tempfile.TemporaryDirectory(prefix="chaupal-") as folder:
            firsts.append(_seconds_to_ready(Path(folder)))
            seconds.append(_seconds_to_ready(Path(folder)))
    yield Figure.of_many("ready, small demo data, first start", firsts, "s")
    yield Figure.of_many("ready, small demo data, second start", seconds, "s")


def _seconds_to_ready(folder: Path) -> float:
    started = time.perf_counter()
    with running(folder, "--scale", "small"):
        return time.perf_counter() - started


def import_figures(stores: str) -> Iterator[Figure]:
    """The files of the reference organisation by `chaupal import`, into an empty tenant.

    Args:
        stores: "embedded" or "neo4j".
    """
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="chaupal-")))
        data = _state_files(folder / "state")
        platform = held.enter_context(_platform(stores, folder))
        whole = 0.0
        for kind, noun in _FILES.items():
            count, seconds = _import(platform, kind, data)
            whole += seconds
            if noun:
                yield Figure(f"import {kind}, {stores}", count / seconds, f"{noun}/s")
        yield Figure(f"import a whole state, {stores}", whole, "s")


def _state_files(folder: Path) -> Path:
    chaupal("demo-data", "--scale", "state", "--out", str(folder))
    return folder / "neem"


def _import(platform: Platform, kind: str, data: Path) -> tuple[int, float]:
    if kind == "units":
        platform.chaupal("import", "blueprint", str(data / "blueprint.yaml"), "--tenant", "bench")
    started = time.perf_counter()
    file = str(data / f"{kind}.csv")
    run = platform.chaupal("import", kind, file, "--tenant", "bench", "-o", "json")
    seconds = time.perf_counter() - started
    report = json.loads(run.stdout)
    if not report["applied"]:
        sys.exit(f"the import was refused: {report['errors'][:3]}")
    return int(report["createdCount"]), seconds


@contextmanager
def _platform(stores: str, folder: Path) -> Iterator[Platform]:
    if stores == "embedded":
        with running(folder / "platform", "--scale", "none") as platform:
            yield platform
        return
    for name in ("neo4j", "valkey"):
        (folder / name).mkdir()
    with (
        Neo4jServer(distribution(version_of()), folder / "neo4j", heap="2g") as neo4j,
        ValkeyServer(folder / "valkey") as valkey,
    ):
        servers = {"NEO4J_URI": neo4j.uri, "REDIS_URL": valkey.url}
        arguments = ("--stores", "servers", "--scale", "none")
        with running(folder / "platform", *arguments, environ=servers) as platform:
            yield platform


def has_jdk() -> bool:
    """Whether this machine can start Neo4j."""
    return _runs("mvn", "-version") and _runs("javac", "-version")


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
