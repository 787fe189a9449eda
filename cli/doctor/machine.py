"""What the machine has: Python and its packages, Node, the consoles, the store's program."""

import importlib.util
import re
import shutil
import subprocess
import sys

from cli.doctor.findings import Finding, fault
from cli.errors import Refusal
from cli.launcher.processes import ROOT, missing_consoles
from cli.launcher.store import server_binary

# One of each process's own, so that a half-done set-up shows.
_PACKAGES = ("grpc", "chaupal", "neo4j", "redis", "numpy", "pyroaring", "strawberry", "uvicorn")
# What the consoles' build needs.
_NODE = ((20, 19), (22, 12))


def python() -> Finding:
    """Look at the interpreter and the packages that the processes import."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - said where it is too late to say it otherwise
        return Finding(
            "python", "fault", f"{version} is too old", "make clean setup PYTHON=python3.11"
        )
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return Finding(
            "python", "fault", f"packages are missing: {', '.join(missing)}", "make setup"
        )
    return Finding("python", "ok", f"{version}, with every package")


def store() -> Finding:
    """Look for the program of the private store."""
    try:
        return Finding("store program", "ok", str(server_binary()))
    except Refusal as refusal:
        return fault("store program", refusal)


def node() -> Finding:
    """Look for a Node that can build the consoles; only building needs it."""
    told, fits = _node()
    if fits:
        return Finding("node", "ok", told)
    if not missing_consoles():
        return Finding("node", "ok", f"{told}; the consoles are built already")
    return Finding("node", "warning", told, "make setup, which brings Node as a Python package")


def consoles() -> Finding:
    """Look for the built consoles."""
    missing = missing_consoles()
    if missing:
        told = f"not built: {', '.join(missing)}; the platform runs without"
        return Finding("consoles", "warning", told, "make setup")
    return Finding("consoles", "ok", "built")


def _node() -> tuple[str, bool]:
    program = shutil.which("node", path=str(ROOT / ".venv" / "bin")) or shutil.which("node")
    if program is None:
        return "is not installed", False
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    told = answer.stdout.strip()
    match = re.match(r"v(\d+)\.(\d+)", told)
    if match is None:
        return f"{program} does not say its version", False
    version = int(match[1]), int(match[2])
    fits = version >= _NODE[-1] or (version[0] == _NODE[0][0] and version >= _NODE[0])
    return (told, True) if fits else (f"{told} is too old for building the consoles", False)
