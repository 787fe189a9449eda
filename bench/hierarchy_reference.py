"""The reference organisation of hierarchy's figures, in any size, and servers that serve it."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from chaupal.hierarchy.v1.people_pb2_grpc import PeopleServiceStub

from kit.channel import open_channel, outgoing
from kit.deadline import Deadline
from services.hierarchy.adapters.key_files import KeyFile
from services.hierarchy.domain.model import UnitRow
from services.hierarchy.domain.people import Appointment
from services.hierarchy.domain.tenants import Counts, Quotas
from services.hierarchy.servicers import hierarchy, people
from tests.builders_hierarchy import a_blueprint, a_person, a_row, an_appointment, an_id, an_import
from tests.builders_people import a_position
from tests.hierarchy_operations import importing, putting
from tests.hierarchy_processes import environment, port_of, process
from tests.hierarchy_server import Caller, a_caller
from tests.org_graphs import World
from tests.servers.process import ServerProcess

LEVELS = ("state", "division", "district", "mandal", "kendra", "booth")
UNITS = 60_000
# How many units of each level there are among 60,000; the rest are booths.
_SHARES = (1, 7, 41, 1_000, 7_000)
_ROWS_AT_ONCE = 100_000
_RECORDS_AT_ONCE = 20_000
_PERSONS = 100_000


def reference_rows(units: int = UNITS) -> list[UnitRow]:
    """So many units in the proportions of the reference organisation, parents first."""
    counts = [max(1, round(share * units / UNITS)) if share > 1 else 1 for share in _SHARES]
    counts.append(units - sum(counts))
    rows: list[UnitRow] = []
    for depth, (level, count) in enumerate(zip(LEVELS, counts, strict=True)):
        for number in range(count):
            above = (LEVELS[depth - 1], f"{number % counts[depth - 1]:06}") if depth else ("", "")
            name = f"{level.title()} {number}"
            rows.append(a_row(level, f"{number:06}", above, name=name, hindi=f"इकाई {number}"))
    return rows


async def load(world: World, rows: Sequence[UnitRow]) -> None:
    """Put the blueprint and the units, as an import does; more of them than one may bring."""
    await begin(world)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        report = await world.graph.write(
            world.tenant, importing(an_import(*rows[start : start + _ROWS_AT_ONCE]))
        )
        assert not report.errors, report.errors[:3]


async def begin(world: World) -> None:
    """Put the blueprint, and quotas that leave room."""
    positions = (
        a_position("convenor", "division", grants=["view"]),
        a_position("agent", "booth", seats=0),
    )
    blueprint = replace(a_blueprint(LEVELS), positions=positions)
    quotas = Quotas(units=2_000_000)
    await world.write(header=lambda before: replace(before, quotas=quotas))
    await world.graph.write(world.tenant, putting(blueprint))


async def appoint(world: World, appointments: int) -> None:
    """Put so many appointments in booths, and the persons who hold them."""
    tree = await world.graph.tree(world.tenant)
    booths = [row.id for row in tree.rows if row.level == "booth"]
    for start in range(0, _PERSONS, _RECORDS_AT_ONCE):
        numbers = range(start, start + _RECORDS_AT_ONCE)
        await world.write(*(a_person(each, phone=None) for each in numbers))
    for start in range(0, appointments, _RECORDS_AT_ONCE):
        numbers = range(start, min(start + _RECORDS_AT_ONCE, appointments))
        await world.write(*(_agent(each, booths[each % len(booths)]) for each in numbers))
    counts = Counts(units=len(tree.rows), persons=_PERSONS, appointments=appointments)
    await world.write(header=lambda before: replace(before, counts=counts))


def _agent(number: int, booth: Any) -> Appointment:
    person: Any = an_id("person", number % _PERSONS)
    return an_appointment(number, unit_id=booth, position="agent", person_id=person)


@dataclass(frozen=True)
class Serving:
    """A server process, and somebody who may do everything."""

    child: ServerProcess
    stubs: Mapping[str, Any]
    caller: Caller

    async def call(self, request: Any, caller: Caller | None = None) -> Any:
        """The reply of the method whose request it is, of units or of people."""
        method = type(request).__name__.removesuffix("Request")
        of_units = request.DESCRIPTOR.file.name.endswith("/hierarchy.proto")
        service = hierarchy.SERVICE_NAME if of_units else people.SERVICE_NAME
        async with self._around(service, method, caller) as options:
            return await getattr(self.stubs[service], method)(request, **options)

    async def stream(self, request: Any, caller: Caller | None = None) -> list[Any]:
        """All messages of a streaming method's answer."""
        method, service = type(request).__name__.removesuffix("Request"), hierarchy.SERVICE_NAME
        async with self._around(service, method, caller) as options:
            stream = getattr(self.stubs[service], method)(request, **options)
            return [each async for each in stream]

    async def ids(self, level: str, limit: int) -> list[str]:
        """The ids of some units of a level."""
        [header, *pages] = await self.stream(pb.StreamTreeRequest())
        index = list(header.header.levels).index(level)
        found = (
            unit_id
            for part in pages
            for unit_id, each in zip(part.page.ids, part.page.levels, strict=True)
            if each == index
        )
        return [unit_id for unit_id, _ in zip(found, range(limit), strict=False)]

    @property
    def cpu_seconds(self) -> float:
        """How long the server has computed so far."""
        times = psutil.Process(self.child.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def resident_mb(self) -> float:
        """How much memory the server has now."""
        return float(psutil.Process(self.child.pid).memory_info().rss) / 1e6

    def _around(self, service: str, method: str, caller: Caller | None) -> Any:
        token = (caller or self.caller).token
        deadline = Deadline.after(300)
        return outgoing(f"{service}/{method}", deadline=deadline, token=token)


@asynccontextmanager
async def serving(
    folder: Path, tenant: str, neo4j_uri: str | None = None
) -> AsyncIterator[Serving]:
    """hierarchy as it is run, over the file in the folder or over Neo4j."""
    environ = environment(folder)
    if neo4j_uri:
        KeyFile.open_or_make(folder / "keys")
        del environ["DATABASE_FILE"]
        environ |= {"NEO4J_URI": neo4j_uri, "KEY_ENCRYPTION_KEYS_FILE": str(folder / "keys")}
    with process(folder, environ) as child:
        target = f"127.0.0.1:{port_of(child)}"
        async with (
            open_channel(target, service=hierarchy.SERVICE_NAME) as units,
            open_channel(target, service=people.SERVICE_NAME) as persons,
        ):
            stubs = {
                hierarchy.SERVICE_NAME: HierarchyServiceStub(units),
                people.SERVICE_NAME: PeopleServiceStub(persons),
            }
            yield Serving(child, stubs, a_caller(tenant=tenant))


async def seconds(work: Callable[[], Awaitable[Any]], rounds: int) -> list[float]:
    """How long each of so many rounds took, after one that does not count."""
    await work()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - started)
    return taken
