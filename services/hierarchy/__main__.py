"""Runs hierarchy: `python -m services.hierarchy`; with `worker` the relay of its events, and with
`migrate` the job that brings the database's schema up to date.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from kit.process import Job, run_process
from services.hierarchy.bootstrap import run_migrations, run_server, run_worker
from services.hierarchy.config import Settings, StoreSettings, WorkerSettings

_JOBS = {
    "": Job(Settings, run_server),
    "worker": Job(WorkerSettings, run_worker),
    "migrate": Job(StoreSettings, run_migrations),
}


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until SIGTERM and return the exit code: 0, 1 for a failure, 2 for wrong settings."""
    return run_process("services.hierarchy", _JOBS, arguments, environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
