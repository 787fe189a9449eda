"""How a process of ours starts and ends: settings, logs, telemetry, then its work until SIGTERM."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kit import logs, telemetry
from kit.errors import ChaupalError
from kit.settings import ProcessSettings, SettingsError

_log = logging.getLogger(__name__)

Ready = Callable[[int], None]


class Run(Protocol):
    """The work of a process, until it is told to stop; calls `ready` with its port."""

    def __call__(self, settings: Any, *, ready: Ready) -> Awaitable[None]:
        """Run with settings of the job's type."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a process does: which settings it reads, and what it runs with them."""

    settings: type[ProcessSettings]
    run: Run


def run_process(
    package: str, jobs: Mapping[str, Job], arguments: Sequence[str], environ: Mapping[str, str]
) -> int:
    """Runs one job until SIGTERM.

    Args:
        package: What is started, such as "services.messaging"; its last word is the service.
        jobs: By the argument that chooses each; "" is chosen by none.
        arguments: Of the command line.
        environ: The environment; handed down from `__main__`, the only reader of it.

    Returns:
        The exit code: 0, 1 for a failure, 2 for wrong settings or arguments.
    """
    chosen = " ".join(arguments)
    if chosen not in jobs:
        others = "".join(f" [{name}]" for name in jobs if name)
        return _refuse(f"usage: python -m {package}{others}")
    job = jobs[chosen]
    try:
        settings = job.settings.load(environ)
    except SettingsError as error:
        return _refuse(str(error))
    service = package.rpartition(".")[2]
    name = f"{service}-{chosen}" if chosen else service
    logs.set_up(settings.log_level, service_name=name, log_format=settings.log_format)
    return _run(job, settings, name, environ)


def _run(job: Job, settings: ProcessSettings, name: str, environ: Mapping[str, str]) -> int:
    failures: list[BaseException] = []
    try:
        signals = telemetry.set_up(
            name,
            environ=environ,
            metrics_port=settings.metrics_port,
            metrics_host=settings.host,
        )
        try:
            asyncio.run(_serve(job, settings))
        finally:
            signals.shutdown()
    except* (ChaupalError, OSError) as errors:
        failures = _leaves(errors)
    for failure in failures:
        _log.error("cannot run: %s", failure)
    return 1 if failures else 0


async def _serve(job: Job, settings: ProcessSettings) -> None:
    await job.run(settings, ready=_say_ready)


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
