"""The first answer to a write is given again, to whoever asked, for the same request only."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import Conflict
from services.hierarchy.domain.model import Grant, Position, TenantId
from services.hierarchy.domain.records import RECORD_TYPES
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import LEVELS, a_blueprint, a_request_id, a_small_tree, text
from tests.hierarchy_server import Hierarchy, import_messages, running

NEEM = TenantId("neem")
HEAD = Position("head", text("Head"), LEVELS, grants=(Grant("view"), Grant("administer")))


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path, FakeClock()) as server:
        await server.start(*a_small_tree())
        await server.put(replace(a_blueprint(), positions=(HEAD,)))
        yield server


async def state_of(hierarchy: Hierarchy) -> tuple[object, ...]:
    """Everything that the tenant has."""
    graph = hierarchy.store.graph
    records = [list(await graph.page(NEEM, each, limit=1_000)) for each in RECORD_TYPES]
    return await graph.header(NEEM), records


async def test_what_one_was_told_is_not_repeated_to_another(hierarchy: Hierarchy) -> None:
    """The other administers a district too: not the one that the request is about."""
    jaipur, ajmer = await hierarchy.unit("district", "JPR"), await hierarchy.unit("district", "AJM")
    ours = await hierarchy.appoint("ours", "head", jaipur)
    theirs = await hierarchy.appoint("theirs", "head", ajmer)
    renaming = pb.UpdateStep(unit=pb.UnitRef(id=jaipur.id), names=names_to_proto(text("Jaypur")))
    request = pb.ReorganiseRequest(
        steps=[pb.ReorganisationStep(update=renaming)], request_id=a_request_id()
    )
    first = await hierarchy.call("Reorganise", request, ours)
    before = await state_of(hierarchy)

    with pytest.raises(Conflict) as refused:
        await hierarchy.call("Reorganise", request, theirs)

    assert (refused.value.reason, refused.value.fields()) == (
        "REQUEST_ID_REUSED",
        {"request_id": request.request_id},
    )
    assert await hierarchy.call("Reorganise", request, ours) == first
    assert await state_of(hierarchy) == before


async def test_a_request_id_of_one_call_is_not_one_of_another(hierarchy: Hierarchy) -> None:
    request_id = a_request_id()
    await hierarchy.send_import(import_messages(a_small_tree(), request_id=request_id))
    before = await state_of(hierarchy)
    area = pb.Area(kind="seat", code="1", names=names_to_proto(text("Seat")))
    request = pb.PutAreasRequest(areas=[pb.AreaEntry(area=area)], request_id=request_id)

    with pytest.raises(Conflict) as refused:
        await hierarchy.call("PutAreas", request)

    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert await state_of(hierarchy) == before
