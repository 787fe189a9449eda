"""Runs groups: `python -m services.groups`."""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from kit import logs, telemetry
from kit.errors import ChaupalError
from kit.settings import SettingsError
from services.groups.bootstrap import run_server
from services.groups.config import Settings

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until SIGTERM and return the exit code: 0, 1 for a failure, 2 for wrong settings."""
    if arguments:
        return _refuse("usage: python -m services.groups")
    try:
        settings = Settings.load(environ)
    except SettingsError as error:
        return _refuse(str(error))
    logs.set_up(settings.log_level, service_name="groups", log_format=settings.log_format)
    return _run(settings, environ)


def _run(settings: Settings, environ: Mapping[str, str]) -> int:
    failures: list[BaseException] = []
    try:
        signals = telemetry.set_up(
            "groups",
            environ=environ,
            metrics_port=settings.metrics_port,
            metrics_host=settings.host,
        )
        try:
            asyncio.run(run_server(settings, ready=_say_ready))
        finally:
            signals.shutdown()
    except* (ChaupalError, OSError) as errors:
        failures = _leaves(errors)
    for failure in failures:
        _log.error("cannot run: %s", failure)
    return 1 if failures else 0


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
