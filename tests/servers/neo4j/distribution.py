"""Fetches Neo4j from Maven and compiles the server around it, once for each version."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.neo4j.jdk import USUAL_PLACES, Jdk, find_jdk
from tests.servers.process import ServerMissing, ServerProcess

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_MAIN = _HERE / "Neo4jServer.java"
_CACHE = _HERE.parents[2] / ".cache" / "neo4j"
# 150 MB over a slow line.
_FETCH_DEADLINE_SECONDS = 1800.0
NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A Neo4j version that can be started."""

    version: str
    jdk: Jdk
    jars: Path
    classes: Path

    @property
    def class_path(self) -> str:
        """What `java -cp` takes."""
        return f"{self.classes}:{self.jars}/*"


def version_of(said: str | None = None) -> str:
    """Return the version that is meant: one by its number, "newest", or the default for none."""
    if said and said != NEWEST:
        return said
    name = "neo4j.newest" if said else "neo4j.version"
    named = re.search(f"<{name}>(.+)</{name}>", _POM.read_text())
    if named is None:
        raise ValueError(f"{_POM} names no {name}")
    return named[1]


def is_fetched(version: str) -> bool:
    """Whether `distribution` needs no network."""
    return _jars(version).is_dir()


def distribution(version: str, environ: Mapping[str, str] = os.environ) -> Distribution:
    """Return the version, fetched and compiled; several processes may ask at once.

    Raises:
        ServerMissing: No JDK, no Maven, or the fetch failed; says what to do.
    """
    jdk = jdk_of(version, environ)
    if not is_fetched(version):
        _maven(environ)  # refuses before anything is made
    with _only_one(version):
        jars = _jars(version)
        if not jars.is_dir():
            _fetch(version, jdk, jars, environ)
        # Named by its source, so that a change of the source compiles again.
        digest = hashlib.sha256(_MAIN.read_bytes()).hexdigest()[:12]
        classes = _CACHE / version / f"classes-{digest}"
        if not classes.is_dir():
            _compile(jdk, _java(version), jars, classes)
    return Distribution(version, jdk, jars, classes)


def jdk_of(
    version: str,
    environ: Mapping[str, str] = os.environ,
    usual_places: Sequence[str] = USUAL_PLACES,
) -> Jdk:
    """Return the JDK that a version runs on.

    Raises:
        ServerMissing: None is new enough; says what to do.
    """
    try:
        return find_jdk(_java(version), environ, usual_places)
    except ServerMissing as error:
        raise ServerMissing(f"Neo4j {version}: {error}") from error


def _java(version: str) -> int:
    # 5.26 runs on Java 17 and 21, the calendar versions need 21 (Neo4j's system requirements).
    return 17 if version.startswith("5.") else 21


def _jars(version: str) -> Path:
    return _CACHE / version / "lib"


@contextlib.contextmanager
def _only_one(version: str) -> Iterator[None]:
    (_CACHE / version).mkdir(parents=True, exist_ok=True)
    with (_CACHE / version / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in (_CACHE / version).glob("unfinished-*"):  # by a fetch that was killed
            shutil.rmtree(left)
        yield


@contextlib.contextmanager
def _appears_whole(folder: Path) -> Iterator[Path]:
    """Yield a folder beside `folder` that takes its name when the block ends well."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        yield unfinished
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _maven(environ: Mapping[str, str]) -> str:
    maven = shutil.which("mvn", path=environ.get("PATH"))
    if maven is None:
        raise ServerMissing("no mvn on PATH: install Maven, which fetches Neo4j")
    return maven


def _fetch(version: str, jdk: Jdk, jars: Path, environ: Mapping[str, str]) -> None:
    maven = _maven(environ)
    log = jars.parent / "fetch.log"
    log.unlink(missing_ok=True)
    with _appears_whole(jars) as folder:
        command = [
            *(
                maven,
                "-q",
                "-B",
                "-f",
                str(_POM),
                f"-Dneo4j.version={version}",
            ),
            *("dependency:copy-dependencies", "-DincludeScope=runtime"),
            f"-DoutputDirectory={folder}",
        ]
        process = ServerProcess("mvn", command, log, {**environ, "JAVA_HOME": str(jdk.home)})
        try:
            code = process.wait(_FETCH_DEADLINE_SECONDS)
        except BaseException:
            process.kill()
            raise
        if code != 0:
            raise ServerMissing(f"mvn could not fetch Neo4j {version}:\n{process.log_tail()}")


def _compile(jdk: Jdk, java: int, jars: Path, classes: Path) -> None:
    with _appears_whole(classes) as folder:
        subprocess.run(
            [
                *(jdk.tool("javac"), "--release", str(java), "-nowarn", "-proc:none"),
                *("-cp", f"{jars}/*", "-d", str(folder), str(_MAIN)),
            ],
            check=True,
        )
