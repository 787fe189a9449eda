"""hierarchy's server as a process that is killed and started again, and a client that insists."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from chaupal.hierarchy.v1.people_pb2_grpc import PeopleServiceStub

from kit.channel import open_channel, outgoing
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, Unavailable
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.servicers import hierarchy, people
from tests.hierarchy_processes import environment, port_of, process
from tests.hierarchy_server import Caller
from tests.servers.process import ServerProcess
from tests.timing import wait_until

# Neo4j is back in 6 s here, and in half a minute where five others want the processors too.
DEADLINE_SECONDS = 180.0
# Of one attempt; whoever waits longer asks again.
_ATTEMPT_SECONDS = 15.0


def environment_of(folder: Path, neo4j_uri: str | None, **more: str) -> dict[str, str]:
    """The settings of processes over the embedded store, or over the Neo4j there."""
    environ = environment(folder, **more)
    if neo4j_uri:
        KeyFile.open_or_make(folder / "keys")
        del environ["DATABASE_FILE"]
        environ |= {
            "NEO4J_URI": neo4j_uri,
            "KEY_ENCRYPTION_KEYS_FILE": str(folder / "keys"),
            "MIGRATE_AT_START": "true",
        }
    return environ


@dataclass
class Moments:
    """Counts what has happened, and does something as soon as a chosen count is reached.

    A request and its answer count each, so that chosen counts lie all over the work.
    """

    count: int = 0
    _waiting: dict[int, asyncio.Event] = field(default_factory=dict)

    def pass_one(self) -> None:
        """One more has happened."""
        self.count += 1
        if event := self._waiting.get(self.count):
            event.set()

    async def reach(self, count: int) -> None:
        """Return when so many have happened."""
        if self.count < count:
            await self._waiting.setdefault(count, asyncio.Event()).wait()


@dataclass
class Served:
    """One server process after another over the same store."""

    folder: Path
    environ: Mapping[str, str]
    caller: Caller
    moments: Moments = field(default_factory=Moments)
    attempts: int = 0
    _life: AsyncExitStack = field(default_factory=AsyncExitStack)
    _process: ServerProcess | None = None
    _stubs: Mapping[str, Any] = field(default_factory=dict)

    async def start(self) -> None:
        """Start a process on what the last one left, and call it from now on."""
        self._process = self._life.enter_context(process(self.folder, self.environ))
        port = await asyncio.to_thread(port_of, self._process)
        stubs: dict[str, Any] = {}
        for name, stub in _STUBS.items():
            channel = await self._life.enter_async_context(
                open_channel(f"127.0.0.1:{port}", service=name)
            )
            stubs[name] = stub(channel)
        self._stubs = stubs

    def kill(self) -> None:
        """End the process as a power cut would."""
        assert self._process is not None
        assert self._process.running, self._process.log_tail()
        self._process.kill()
        self._stubs = {}

    async def close(self) -> None:
        """End the process, and all channels, which until then may have calls of the last life."""
        await self._life.aclose()

    async def insist(self, request: Any) -> Any:
        """The reply to a request, which is sent until it is answered.

        Raises:
            ChaupalError: it was answered by a refusal.
        """
        self.moments.pass_one()
        reply = await wait_until(lambda: self._attempt(request), DEADLINE_SECONDS, "an answer")
        self.moments.pass_one()
        return reply

    async def tree(self) -> list[tuple[str, str | None, str]]:
        """The id, parent and code of every unit, from the snapshot that peers get."""
        request = pb.StreamTreeRequest()
        async with self._outgoing(hierarchy.SERVICE_NAME, "StreamTree") as options:
            stream: Any = self._stubs[hierarchy.SERVICE_NAME].StreamTree(request, **options)
            pages = [part.page async for part in stream if part.HasField("page")]
        ids = [each for page in pages for each in page.ids]
        parents = [ids[each] if each >= 0 else None for page in pages for each in page.parents]
        codes = [each for page in pages for each in page.codes]
        return list(zip(ids, parents, codes, strict=True))

    async def _attempt(self, request: Any) -> Any:
        service = _service_of(request)
        if service not in self._stubs:
            return None
        method = type(request).__name__.removesuffix("Request")
        self.attempts += 1
        try:
            async with self._outgoing(service, method) as options:
                return await getattr(self._stubs[service], method)(request, **options)
        except (Unavailable, DeadlineExceeded):
            return None

    def _outgoing(self, service: str, method: str) -> Any:
        deadline = Deadline.after(_ATTEMPT_SECONDS)
        return outgoing(f"{service}/{method}", deadline=deadline, token=self.caller.token)


_STUBS: Mapping[str, Callable[[grpc.aio.Channel], Any]] = {
    hierarchy.SERVICE_NAME: HierarchyServiceStub,
    people.SERVICE_NAME: PeopleServiceStub,
}


def _service_of(request: Any) -> str:
    is_of_units = request.DESCRIPTOR.file.name.endswith("/hierarchy.proto")
    return hierarchy.SERVICE_NAME if is_of_units else people.SERVICE_NAME


@asynccontextmanager
async def served(folder: Path, environ: Mapping[str, str], caller: Caller) -> AsyncIterator[Served]:
    """A server that runs, until the block ends."""
    server = Served(folder, environ, caller)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def killing(
    moments: Moments,
    points: Sequence[int],
    delays: Sequence[float],
    kill: Callable[[], None],
    start_again: Callable[[], Awaitable[None]],
) -> None:
    """Kill at each point, and start again.

    Args:
        moments: what is counted.
        points: at which counts, in order.
        delays: how many seconds later, so that the blow falls anywhere in what is going on then,
            and not always right after an answer.
        kill: ends something at once.
        start_again: returns when it is back.
    """
    for point, delay in zip(points, delays, strict=True):
        await moments.reach(point)
        await asyncio.sleep(delay)
        kill()
        await start_again()
