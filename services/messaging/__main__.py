"""Runs messaging: `python -m services.messaging`, or with `worker` what plans and dispatches."""

import os
import sys
from collections.abc import Mapping, Sequence

from kit.process import Job, run_process
from services.messaging.bootstrap import run_server, run_worker
from services.messaging.config import Settings, WorkerSettings

_JOBS = {"": Job(Settings, run_server), "worker": Job(WorkerSettings, run_worker)}


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until SIGTERM and return the exit code: 0, 1 for a failure, 2 for wrong settings."""
    return run_process("services.messaging", _JOBS, arguments, environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
