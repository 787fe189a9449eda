"""How hierarchy's calls grow with the organisation, and what a server needs for a large one.

    make bench ARGS=growth

Each size is the reference organisation in other numbers, in the embedded store, served by a
process of its own. A call's cost is what its caller waits for. "Growth" is the cost at the largest
size by that at the smallest, beside how much more there is of what the call reads.
"""

import asyncio
import gc
import itertools
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2 as people_pb

from bench.hierarchy_reference import (
    UNITS,
    Serving,
    appoint,
    load,
    reference_rows,
    seconds,
    serving,
)
from bench.report import Figure
from services.hierarchy.bootstrap import COLLECT_AFTER
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import text
from tests.org_graphs import open_embedded

SIZES = (6_000, 60_000, 600_000)
APPOINTMENTS = 1_000_000
ROUNDS = 9
_FEW_ROUNDS = 3
_codes = itertools.count(900_000)

Call = Callable[[], Awaitable[Any]]


def figures() -> Iterator[Figure]:
    """The growth, then the memory."""
    costs = {units: asyncio.run(_costs(units)) for units in SIZES}
    small, large = SIZES[0], SIZES[-1]
    for name in costs[small]:
        for units in SIZES:
            yield Figure(f"{name}, {units:,} units", costs[units][name] * 1e3, "ms")
        growth = costs[large][name] / costs[small][name]
        yield Figure(f"{name}, growth", growth, "x", f"{large // small} x as many units")
    yield from asyncio.run(_memory())


async def _costs(units: int) -> Mapping[str, float]:
    """Seconds of each main call."""
    with tempfile.TemporaryDirectory(prefix="chaupal-") as text_of_folder:
        folder = Path(text_of_folder)
        gc.set_threshold(*COLLECT_AFTER)  # as a server has it
        rows = reference_rows(units)
        async with open_embedded(folder / "hierarchy.sqlite3", "bench") as world:
            [loading] = await seconds_of_one(lambda: load(world, rows))
            tenant = world.tenant
        async with serving(folder, tenant) as server:
            costs = {"load": loading}
            for name, (call, rounds) in (await _calls(server)).items():
                costs[name] = median(await seconds(call, rounds))
            return costs


async def seconds_of_one(work: Call) -> list[float]:
    """How long it took, the first time."""
    started = asyncio.get_running_loop().time()
    await work()
    return [asyncio.get_running_loop().time() - started]


async def _calls(server: Serving) -> Mapping[str, tuple[Call, int]]:
    booths = await server.ids("booth", 5_000)
    mandals = await server.ids("mandal", 2)
    [district] = await server.ids("district", 1)
    kendras = await server.ids("kendra", 2)
    batch = booths[:: len(booths) // 500][:500]
    turn = itertools.cycle(reversed(kendras))

    def create() -> Awaitable[Any]:
        unit = pb.NewUnit(
            level="kendra",
            code=str(next(_codes)),
            names=names_to_proto(text("New")),
            parent=pb.UnitRef(id=mandals[0]),
        )
        return server.call(pb.CreateUnitRequest(unit=unit, request_id=str(uuid.uuid4())))

    def move() -> Awaitable[Any]:
        request = pb.MoveUnitRequest(
            id=booths[0], parent_id=next(turn), request_id=str(uuid.uuid4())
        )
        return server.call(request)

    async def move_and_count() -> None:
        await move()
        await server.call(pb.CountUnitsRequest(unit_id=district))

    return {
        "GetUnit": (lambda: server.call(pb.GetUnitRequest(id=booths[7])), ROUNDS),
        "BatchGetUnits of 500": (
            lambda: server.call(pb.BatchGetUnitsRequest(ids=batch)),
            ROUNDS,
        ),
        "ListChildren": (
            lambda: server.call(pb.ListChildrenRequest(parent_id=mandals[0])),
            ROUNDS,
        ),
        "ListAncestors": (
            lambda: server.call(pb.ListAncestorsRequest(unit_id=booths[7])),
            ROUNDS,
        ),
        "CountUnits": (lambda: server.call(pb.CountUnitsRequest()), ROUNDS),
        "SearchUnits": (
            lambda: server.call(pb.SearchUnitsRequest(query="Booth 417")),
            ROUNDS,
        ),
        "StreamTree, whole": (lambda: server.stream(pb.StreamTreeRequest()), _FEW_ROUNDS),
        "CreateUnit": (create, ROUNDS),
        "MoveUnit": (move, ROUNDS),
        "MoveUnit and a read that sees it": (move_and_count, ROUNDS),
    }


async def _ask_people(server: Serving) -> None:
    booths = await server.ids("booth", 1_000)
    for request in (
        people_pb.CountAppointmentsRequest(),
        people_pb.ListVacanciesRequest(position="agent", level="booth"),
        people_pb.ListVerificationQueueRequest(page_size=1_000),
        people_pb.BatchListUnitAppointmentsRequest(unit_ids=booths),
    ):
        await server.call(request)


async def _memory() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="chaupal-") as text_of_folder:
        folder = Path(text_of_folder)
        async with open_embedded(folder / "hierarchy.sqlite3", "bench") as world:
            await load(world, reference_rows())
            await appoint(world, APPOINTMENTS)
            tenant = world.tenant
        found = []
        size = f"{UNITS:,} units and {APPOINTMENTS:,} appointments"
        async with serving(folder, tenant) as server:
            found.append(Figure("memory of a server at its start", server.resident_mb, "MB"))
            for call, _ in (await _calls(server)).values():
                await call()
            found.append(Figure(f"memory after the calls above, {size}", server.resident_mb, "MB"))
            await _ask_people(server)
            people = f"memory after counts and lists of people, {size}"
            found.append(Figure(people, server.resident_mb, "MB"))
        return found
