"""Runs messaging: `python -m services.messaging`, or with `worker` what plans and dispatches."""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from kit import logs, telemetry
from kit.errors import ChaupalError
from kit.settings import SettingsError
from services.messaging.bootstrap import run_server, run_worker
from services.messaging.config import Settings, WorkerSettings

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until SIGTERM and return the exit code: 0, 1 for a failure, 2 for wrong settings."""
    if list(arguments) not in ([], ["worker"]):
        return _refuse("usage: python -m services.messaging [worker]")
    try:
        settings = (WorkerSettings if arguments else Settings).load(environ)
    except SettingsError as error:
        return _refuse(str(error))
    name = f"messaging-{arguments[0]}" if arguments else "messaging"
    logs.set_up(settings.log_level, service_name=name, log_format=settings.log_format)
    return _run(settings, name, environ)


def _run(settings: Settings, name: str, environ: Mapping[str, str]) -> int:
    failures: list[BaseException] = []
    try:
        signals = telemetry.set_up(
            name,
            environ=environ,
            metrics_port=settings.metrics_port,
            metrics_host=settings.host,
        )
        try:
            asyncio.run(_serve(settings))
        finally:
            signals.shutdown()
    except* (ChaupalError, OSError) as errors:
        failures = _leaves(errors)
    for failure in failures:
        _log.error("cannot run: %s", failure)
    return 1 if failures else 0


async def _serve(settings: Settings) -> None:
    if isinstance(settings, WorkerSettings):
        await run_worker(settings, ready=_say_ready)
    else:
        await run_server(settings, ready=_say_ready)


def _say_ready(port: int) -> None:
    _log.info("ready", extra={"port": port})


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 2


def _leaves(group: BaseExceptionGroup[Exception]) -> list[BaseException]:
    return [
        leaf
        for each in group.exceptions
        for leaf in (_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
