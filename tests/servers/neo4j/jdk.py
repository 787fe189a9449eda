"""Finds a Java development kit that is new enough."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import ServerMissing

# Where Debian, macOS and Homebrew put them; looked at after JAVA_HOME and PATH.
USUAL_PLACES = (
    "usr/lib/jvm/*",
    "Library/Java/JavaVirtualMachines/*/Contents/Home",
    "opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
)


@dataclass(frozen=True, slots=True)
class Jdk:
    """A Java home with its compiler."""

    home: Path
    version: int

    def tool(self, name: str) -> str:
        """Return the path of `java` or `javac`."""
        return str(self.home / "bin" / name)


def find_jdk(
    minimum: int,
    environ: Mapping[str, str] = os.environ,
    usual_places: Sequence[str] = USUAL_PLACES,
) -> Jdk:
    """Return the first that is new enough: JAVA_HOME, PATH, then the usual places, oldest first.

    Raises:
        ServerMissing: None is; names what was found and what to install.
    """
    found = list(_found(environ, usual_places))
    for jdk in found:
        if jdk.version >= minimum:
            return jdk
    seen = ", ".join(f"{jdk.version} in {jdk.home}" for jdk in found) or "none"
    raise ServerMissing(
        f"no JDK {minimum} or newer (found: {seen}): install one, with javac, and set JAVA_HOME"
    )


def _found(environ: Mapping[str, str], usual_places: Sequence[str]) -> Iterator[Jdk]:
    named = environ.get("JAVA_HOME")
    compiler = shutil.which("javac", path=environ.get("PATH"))
    first = [Path(named)] if named else []
    if compiler is not None:
        first.append(Path(compiler).resolve().parent.parent)
    yield from filter(None, map(_jdk, first))
    usual = [home for place in usual_places for home in Path("/").glob(place)]
    yield from sorted(filter(None, map(_jdk, usual)), key=lambda jdk: (jdk.version, jdk.home))


def _jdk(home: Path) -> Jdk | None:
    # The file `release` is in every JDK since 9, and reading it is quicker than starting one.
    release = home / "release"
    if not (home / "bin" / "javac").exists() or not release.is_file():
        return None
    version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return None if version is None else Jdk(home, int(version[1]))
