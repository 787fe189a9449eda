"""Who may call what, and for which tenant."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from services.hierarchy.domain.model import TenantId
from services.hierarchy.translate.blueprints import blueprint_to_proto
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import a_blueprint, a_request_id, a_row, a_small_tree, text
from tests.hierarchy_server import (
    SERVICE_SUBJECT,
    Caller,
    Hierarchy,
    a_caller,
    import_messages,
    running,
)

SOME_ID = "00000000-0000-0000-0000-000000000001"
XX = pb.NewUnit(level="state", code="XX", names=names_to_proto(text("XX")))
READS: list[tuple[str, Any]] = [
    ("GetBlueprint", pb.GetBlueprintRequest()),
    ("GetUnit", pb.GetUnitRequest(key=pb.UnitKey(level="state", code="RJ"))),
    ("BatchGetUnits", pb.BatchGetUnitsRequest(ids=["x"])),
    ("ListChildren", pb.ListChildrenRequest()),
    ("BatchListChildren", pb.BatchListChildrenRequest(parent_ids=["x"])),
    ("ListAncestors", pb.ListAncestorsRequest(unit_id="00000000-0000-0000-0000-000000000001")),
    ("BatchListAncestors", pb.BatchListAncestorsRequest(unit_ids=["x"])),
    ("StreamTree", pb.StreamTreeRequest()),
    ("ListUnitHistory", pb.ListUnitHistoryRequest(unit_id=SOME_ID)),
    ("CountUnits", pb.CountUnitsRequest()),
    ("ListDescendants", pb.ListDescendantsRequest()),
    ("ListAreas", pb.ListAreasRequest()),
    ("BatchListUnitAreas", pb.BatchListUnitAreasRequest(unit_ids=["x"])),
]
PUT = pb.PutBlueprintRequest(blueprint=blueprint_to_proto(a_blueprint(name="Taken over")))
WRITES: list[tuple[str, Any]] = [
    ("PutBlueprint", PUT),
    ("ImportUnits", import_messages([a_row("state", "XX")])),
    ("CreateUnit", pb.CreateUnitRequest(unit=XX, request_id=a_request_id())),
    ("UpdateUnit", pb.UpdateUnitRequest(id=SOME_ID, request_id=a_request_id())),
    ("MoveUnit", pb.MoveUnitRequest(id=SOME_ID, parent_id=SOME_ID, request_id=a_request_id())),
    ("CloseUnit", pb.CloseUnitRequest(id=SOME_ID, request_id=a_request_id())),
    (
        "Reorganise",
        pb.ReorganiseRequest(
            steps=[pb.ReorganisationStep(create=pb.CreateStep(unit=XX))],
            request_id=a_request_id(),
        ),
    ),
    (
        "PutAreas",
        pb.PutAreasRequest(
            areas=[pb.AreaEntry(area=pb.Area(kind="polling_area", code="1", names=XX.names))],
            request_id=a_request_id(),
        ),
    ),
]
EVERYTHING = pytest.mark.parametrize(
    ("method", "request_"), [*READS, *WRITES], ids=[name for name, _ in [*READS, *WRITES]]
)


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path) as server:
        await server.start(*a_small_tree())
        yield server


async def call(hierarchy: Hierarchy, method: str, request: Any, caller: Caller) -> Any:
    match method:
        case "StreamTree":
            return await hierarchy.stream_tree(caller=caller)
        case "ListDescendants":
            async with hierarchy.around(method, caller) as options:
                stream: Any = hierarchy.stub.ListDescendants(request, **options)
                return [page async for page in stream]
        case "ImportUnits":
            return await hierarchy.send_import(request, caller)
        case _:
            return await hierarchy.call(method, request, caller)


async def untouched(hierarchy: Hierarchy) -> bool:
    graph = hierarchy.store.graph
    header = await graph.header(TenantId("neem"))
    return (
        header.blueprint is not None and header.blueprint.version == 1 and header.tree_version == 1
    )


@EVERYTHING
@pytest.mark.parametrize(
    ("caller", "reason"),
    [
        (Caller("not a token"), "TOKEN_INVALID"),
        (a_caller(lasts=timedelta(minutes=-5)), "TOKEN_EXPIRED"),
        (a_caller(tenant=None), "TENANT_REQUIRED"),
        (a_caller(tenant=None, subject=SERVICE_SUBJECT), "TENANT_REQUIRED"),
    ],
    ids=["broken", "expired", "tenantless-user", "tenantless-service"],
)
async def test_nobody_in_particular_may_do_nothing(
    hierarchy: Hierarchy, method: str, request_: Any, caller: Caller, reason: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await call(hierarchy, method, request_, caller)
    assert refused.value.reason == reason
    assert await untouched(hierarchy)


@EVERYTHING
async def test_each_method_needs_its_capability(
    hierarchy: Hierarchy, method: str, request_: Any
) -> None:
    needed = "administer" if method in dict(WRITES) else "view"
    every = {"view", "compose", "approve", "administer", "relay", "monitor"}

    with pytest.raises(Forbidden) as refused:
        await call(hierarchy, method, request_, a_caller(capabilities=every - {needed}))

    assert refused.value.reason == "CAPABILITY_MISSING"
    assert refused.value.fields()["capability"] == needed
    assert await untouched(hierarchy)


@pytest.mark.parametrize(("method", "request_"), READS[:4], ids=[name for name, _ in READS[:4]])
async def test_view_is_enough_to_read(hierarchy: Hierarchy, method: str, request_: Any) -> None:
    assert await call(hierarchy, method, request_, a_caller(capabilities=["view"])) is not None


async def test_a_service_works_for_the_tenant_that_it_names(hierarchy: Hierarchy) -> None:
    service = a_caller(tenant=None, capabilities=(), subject=SERVICE_SUBJECT, named_tenant="neem")

    header, _ = await hierarchy.stream_tree(caller=service)

    assert header.unit_count == 7


async def test_a_user_who_names_a_tenant_stays_in_their_own(hierarchy: Hierarchy) -> None:
    stranger = a_caller(tenant="peepal", named_tenant="neem")

    header, pages = await hierarchy.stream_tree(caller=stranger)
    with pytest.raises(NotFound):
        await hierarchy.call("GetBlueprint", pb.GetBlueprintRequest(), stranger)

    assert (header.unit_count, pages) == (0, [])


async def test_tenants_do_not_meet(hierarchy: Hierarchy) -> None:
    stranger = a_caller(tenant="peepal")
    ours = await hierarchy.unit("state", "RJ")
    token = (
        await hierarchy.call("ListChildren", pb.ListChildrenRequest(parent_id=ours.id, page_size=1))
    ).next_page_token

    with pytest.raises(NotFound):
        await hierarchy.call("GetUnit", pb.GetUnitRequest(id=ours.id), stranger)
    with pytest.raises(NotFound):
        await hierarchy.unit("state", "RJ", stranger)
    with pytest.raises(NotFound):
        await hierarchy.call("ListAncestors", pb.ListAncestorsRequest(unit_id=ours.id), stranger)
    reply = await hierarchy.call("ListChildren", pb.ListChildrenRequest(), stranger)
    assert (list(reply.units), reply.total_count) == ([], 0)
    for method, request, field in (
        ("BatchGetUnits", pb.BatchGetUnitsRequest(ids=[ours.id]), "results"),
        ("BatchListAncestors", pb.BatchListAncestorsRequest(unit_ids=[ours.id]), "results"),
        ("BatchListChildren", pb.BatchListChildrenRequest(parent_ids=[ours.id]), "results"),
    ):
        results = getattr(await hierarchy.call(method, request, stranger), field)
        assert [result.status.code for result in results] == [5]
    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call(
            "ListChildren", pb.ListChildrenRequest(parent_id=ours.id, page_token=token), stranger
        )
    assert refused.value.reason == "PAGE_TOKEN_INVALID"
    await hierarchy.start(a_row("state", "RJ", name="Theirs"), caller=stranger)
    assert await untouched(hierarchy)
    assert (await hierarchy.unit("state", "RJ")) == ours
