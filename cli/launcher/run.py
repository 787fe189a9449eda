"""Runs one platform from start to stop."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cli.errors import Refusal
from cli.identity.documents import serve_documents
from cli.identity.issuer import DevelopmentIssuer, load_or_make_key
from cli.launcher.encryption_keys import make_encryption_keys
from cli.launcher.folder import SOCKET, DataFolder, prepare, socket_folder
from cli.launcher.lock import held
from cli.launcher.ports import HOST, check_free
from cli.launcher.processes import DRAIN_SECONDS, Wiring, process_specs, store_spec
from cli.launcher.signals import stopping_on_signals
from cli.launcher.store import socket_url, wait_answering
from cli.launcher.supervisor import Supervisor
from cli.launcher.tokens import keep_service_tokens, write_service_tokens
from cli.launcher.watchdog import watchdog
from cli.platform_file import PlatformFile

# A store with a large append-only file takes a while to read it.
_STORE_SECONDS = 120.0
# What a process may take beyond its drain to close what it holds.
_GRACE_SECONDS = DRAIN_SECONDS + 5.0


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `chaupal up` was asked for.

    Attributes:
        data: The data folder.
        scale: Of the demo data, or "none".
        ports: By name.
        redis_url: A store that runs already; empty for a private one.
        neo4j: Whether the org graph lives in Neo4j, by the NEO4J_ variables.
        environ: The caller's environment.
        say: Told what happens, for people.
        announce: Called once, when everything is ready.
    """

    data: Path
    scale: str
    ports: Mapping[str, int]
    redis_url: str
    neo4j: bool
    environ: Mapping[str, str]
    say: Callable[[str], None]
    announce: Callable[["ReadyPlatform"], None]


@dataclass(frozen=True, slots=True)
class ReadyPlatform:
    """What runs, once it is ready."""

    file: PlatformFile
    issuer: DevelopmentIssuer
    pids: Mapping[str, int]
    failure_rate: float
    seconds: float


async def run(options: UpOptions) -> None:
    """Start everything, announce it once it is ready, and run until SIGINT or SIGTERM.

    Raises:
        Refusal: The platform could not start. Nothing is left running.
    """
    began = time.monotonic()
    if not options.data.exists():
        # What is in the way of a first start is told before there is a folder.
        check_free(options.ports)
    folder = prepare(options.data)
    with held(folder.lock, options.say) as lock_descriptor:
        check_free(options.ports)
        issuer = DevelopmentIssuer(
            load_or_make_key(folder.key), f"http://{HOST}:{options.ports['issuer']}"
        )
        write_service_tokens(folder, issuer)
        if options.neo4j:
            make_encryption_keys(folder)
        with (
            watchdog(lock_descriptor) as dog,
            stopping_on_signals(options.say) as stopping,
            contextlib.ExitStack() as leftovers,
        ):
            async with (
                serve_documents(issuer, HOST, options.ports["issuer"]),
                Supervisor(dog, options.say, _GRACE_SECONDS) as supervisor,
            ):
                stopping.at_once = supervisor.kill
                platform = _Platform(options, folder, issuer, supervisor, leftovers)
                await _first_of(platform.serve(began), supervisor.failure(), _set(stopping.asked))


@dataclass(frozen=True, slots=True)
class _Platform:
    """One run; what must be removed after it goes to `leftovers`."""

    options: UpOptions
    folder: DataFolder
    issuer: DevelopmentIssuer
    supervisor: Supervisor
    leftovers: contextlib.ExitStack

    async def serve(self, began: float) -> None:
        """Start everything, announce it, and look after the tokens for ever."""
        options = self.options
        options.say(f"starting; the logs are in {self.folder.logs}")
        if options.redis_url:
            options.say(f"the store is that of REDIS_URL, {_without_password(options.redis_url)}")
        redis_url = options.redis_url or await self._start_store()
        wiring = Wiring(
            self.folder, options.ports, self.issuer.url, redis_url, options.neo4j, options.environ
        )
        await self.supervisor.start(process_specs(wiring))
        # Only now: these imports take 0.5 s, in which the processes do their own.
        from cli.launcher.readiness import wait_ready  # noqa: PLC0415

        await wait_ready(wiring, self.issuer, options.scale, options.say)
        self.supervisor.ready = True
        file = self._write_file(redis_url)
        seconds = time.monotonic() - began
        ready = ReadyPlatform(
            file, self.issuer, self.supervisor.pids, float(wiring.failure_rate), seconds
        )
        options.announce(ready)
        await keep_service_tokens(self.folder, self.issuer)

    async def _start_store(self) -> str:
        place = socket_folder(self.folder)
        if place != self.folder.store:
            self.leftovers.callback(shutil.rmtree, place, ignore_errors=True)
        socket_path = place / SOCKET
        await self.supervisor.start([store_spec(self.folder, socket_path, self.options.environ)])
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                await wait_answering(socket_path)
        except TimeoutError as error:
            raise Refusal(
                "STORE_NOT_READY",
                f"the store did not answer within {_STORE_SECONDS:g} s",
                f"Look into its log, {self.folder.log('store')}.",
            ) from error
        return socket_url(socket_path)

    def _write_file(self, redis_url: str) -> PlatformFile:
        file = PlatformFile(
            pid=os.getpid(),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            data=str(self.folder.root),
            scale=self.options.scale,
            neo4j=self.options.neo4j,
            redis_url=_without_password(redis_url),
            issuer=self.issuer.url,
            ports=dict(self.options.ports),
        )
        file.write(self.folder.platform)
        self.leftovers.callback(self.folder.platform.unlink, missing_ok=True)
        return file


def _without_password(url: str) -> str:
    """Return a URL that may be written down and shown."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Wait until one of several ends, end the others, and raise what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _set(event: asyncio.Event) -> None:
    await event.wait()
