"""What is translated in bulk is not translated in the loop that serves everybody else."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from services.hierarchy.domain.tree import Tree
from services.hierarchy.translate.imports import row_from_proto
from services.hierarchy.translate.values import unit_to_proto
from tests.builders_hierarchy import a_row, a_small_tree
from tests.hierarchy_server import Hierarchy, running

MANY = 300


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path) as server:
        await server.start(*a_small_tree())
        yield server


@contextmanager
def calls_in_this_thread() -> Iterator[Counter[CodeType]]:
    """How often each function begins in this thread, which is that of the server's loop."""
    calls: Counter[CodeType] = Counter()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            calls[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


async def test_one_unit_is_translated_in_the_loop(hierarchy: Hierarchy) -> None:
    """Which also shows that the tests below would see it."""
    with calls_in_this_thread() as calls:
        await hierarchy.unit("state", "RJ")

    assert calls[unit_to_proto.__code__] == calls[Tree.count.__code__] == 1


@pytest.mark.parametrize("method", ["BatchGetUnits", "BatchListAncestors", "ListChildren"])
async def test_many_units_are_translated_in_a_thread(hierarchy: Hierarchy, method: str) -> None:
    state = await hierarchy.unit("state", "RJ")
    booth = await hierarchy.unit("booth", "B1")
    requests = {
        "BatchGetUnits": pb.BatchGetUnitsRequest(ids=[state.id, booth.id]),
        "BatchListAncestors": pb.BatchListAncestorsRequest(unit_ids=[state.id, booth.id]),
        "ListChildren": pb.ListChildrenRequest(parent_id=state.id),
    }

    with calls_in_this_thread() as calls:
        reply = await hierarchy.call(method, requests[method])

    assert reply.ByteSize() > 100
    assert calls[unit_to_proto.__code__] == 0


async def test_many_children_are_counted_and_translated_in_threads(hierarchy: Hierarchy) -> None:
    under = ("mandal", "M2")
    await hierarchy.import_rows(*(a_row("booth", f"C{n}", under=under) for n in range(MANY)))
    mandal = await hierarchy.unit(*under)
    request = pb.BatchListChildrenRequest(parent_ids=[mandal.id], page_size=MANY)

    with calls_in_this_thread() as calls:
        reply = await hierarchy.call("BatchListChildren", request)

    assert len(reply.results[0].children.units) == MANY
    assert calls[unit_to_proto.__code__] == calls[Tree.count.__code__] == 0


async def test_rows_are_translated_in_a_thread(hierarchy: Hierarchy) -> None:
    with calls_in_this_thread() as calls:
        report = await hierarchy.import_rows(a_row("state", "MP"), a_row("state", "GJ"))

    assert report.created_count == 2
    assert calls[row_from_proto.__code__] == 0
