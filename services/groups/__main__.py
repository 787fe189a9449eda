"""Runs groups: `python -m services.groups`."""

import os
import sys
from collections.abc import Mapping, Sequence

from kit.process import Job, run_process
from services.groups.bootstrap import run_server
from services.groups.config import Settings

_JOBS = {"": Job(Settings, run_server)}


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until SIGTERM and return the exit code: 0, 1 for a failure, 2 for wrong settings."""
    return run_process("services.groups", _JOBS, arguments, environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
