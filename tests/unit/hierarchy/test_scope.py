"""What somebody sees whose rights come from an office: a part of the tree, and no more."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.clock import FakeClock
from kit.errors import Forbidden, NotFound
from services.hierarchy.domain.model import Grant, Position, UnitRow
from services.hierarchy.translate.blueprints import blueprint_to_proto
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree, text
from tests.hierarchy_server import Caller, Hierarchy, a_caller, running

RJ, JPR, M1 = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")
DAY = timedelta(days=1)


def an_office(key: str, *grants: Grant) -> Position:
    return Position(key, text(key.title()), LEVELS, seats=0, grants=grants)


OFFICES = replace(
    a_blueprint(),
    positions=(
        an_office("viewer", Grant("view")),
        an_office("convenor", Grant("view"), Grant("administer")),
        an_office("scribe", Grant("compose")),
    ),
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def hierarchy(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path, clock) as server:
        await server.put(OFFICES)
        await server.import_rows(*a_small_tree(), a_row("booth", "B9", under=("district", "AJM")))
        yield server


@pytest.fixture
async def viewer(hierarchy: Hierarchy) -> Caller:
    """Who sees the district JPR: M1 with B1 and B2, and M2."""
    return await hierarchy.appoint("viewer-1", "viewer", await hierarchy.unit(*JPR))


def codes(units: object) -> list[str]:
    return [unit.code for unit in units]  # type: ignore[attr-defined]  # a repeated field


async def test_their_units_are_answered_with_counts(hierarchy: Hierarchy, viewer: Caller) -> None:
    for key in (JPR, M1, ("booth", "B2")):
        assert await hierarchy.unit(*key, viewer) == await hierarchy.unit(*key)


@pytest.mark.parametrize("key", [RJ, ("district", "AJM"), ("booth", "B9")])
async def test_others_are_as_if_they_were_not(
    hierarchy: Hierarchy, viewer: Caller, key: tuple[str, str]
) -> None:
    unit_id = (await hierarchy.unit(*key)).id

    for method, request in (
        ("GetUnit", pb.GetUnitRequest(key=pb.UnitKey(level=key[0], code=key[1]))),
        ("GetUnit", pb.GetUnitRequest(id=unit_id)),
        ("ListChildren", pb.ListChildrenRequest(parent_id=unit_id)),
        ("ListAncestors", pb.ListAncestorsRequest(unit_id=unit_id)),
    ):
        with pytest.raises(NotFound) as refused:
            await hierarchy.call(method, request, viewer)
        assert refused.value.reason == "UNIT_NOT_FOUND"


async def test_batches_answer_each_for_itself(hierarchy: Hierarchy, viewer: Caller) -> None:
    seen, unseen = (await hierarchy.unit(*M1)).id, (await hierarchy.unit(*RJ)).id
    for method, request in (
        ("BatchGetUnits", pb.BatchGetUnitsRequest(ids=[unseen, seen])),
        ("BatchListChildren", pb.BatchListChildrenRequest(parent_ids=[unseen, seen])),
        ("BatchListAncestors", pb.BatchListAncestorsRequest(unit_ids=[unseen, seen])),
    ):
        results = (await hierarchy.call(method, request, viewer)).results
        assert [result.status.code for result in results] == [5, 0]


async def test_ancestors_end_where_they_cannot_see(hierarchy: Hierarchy, viewer: Caller) -> None:
    booth = await hierarchy.unit("booth", "B1")

    reply = await hierarchy.call("ListAncestors", pb.ListAncestorsRequest(unit_id=booth.id), viewer)

    assert codes(reply.units) == ["M1", "JPR"]


async def test_without_a_parent_comes_their_highest_unit(
    hierarchy: Hierarchy, viewer: Caller
) -> None:
    reply = await tops(hierarchy, viewer)

    assert (codes(reply.units), reply.total_count) == (["JPR"], 1)
    assert reply.units[0] == await hierarchy.unit(*JPR)


async def test_several_highest_units_come_in_pages_by_code(hierarchy: Hierarchy) -> None:
    keys = [M1, ("booth", "B9"), ("mandal", "M2"), ("booth", "B1")]  # the last lies in the first
    units = [await hierarchy.unit(*key) for key in keys]
    caller = await hierarchy.appoint("viewer-2", "viewer", *units)

    first = await tops(hierarchy, caller, page_size=2)
    rest = await tops(hierarchy, caller, page_size=2, page_token=first.next_page_token)

    assert (codes(first.units), first.total_count) == (["B9", "M1"], 3)
    assert (codes(rest.units), rest.next_page_token) == (["M2"], "")
    assert [unit.subtree_count for unit in first.units] == [1, 3]


async def test_the_tree_is_theirs_alone_whatever_version_they_hold(
    hierarchy: Hierarchy,
) -> None:
    units = [await hierarchy.unit(*key) for key in (M1, ("district", "AJM"))]
    caller = await hierarchy.appoint("viewer-2", "viewer", *units)

    for known in (0, 1):
        header, (page,) = await hierarchy.stream_tree(known, caller)
        assert (header.tree_version, header.unit_count) == (1, 5)
        assert list(header.levels) == list(LEVELS)
        assert list(page.codes) == ["AJM", "B9", "M1", "B1", "B2"]
        assert list(page.parents) == [-1, 0, -1, 2, 2]
        assert [header.levels[level] for level in page.levels] == [
            "district", "booth", "mandal", "booth", "booth",
        ]  # fmt: skip


async def test_who_was_closed_out_sees_nothing_with_the_next_call(
    hierarchy: Hierarchy, clock: FakeClock
) -> None:
    """Offices begin and end by themselves, without a write."""
    now = clock.now()
    caller = await hierarchy.appoint(
        "soon", "viewer", await hierarchy.unit(*M1), valid_from=now + DAY, valid_to=now + 2 * DAY
    )

    assert await may_see(hierarchy, caller) is False
    clock.advance(DAY.total_seconds())
    assert await may_see(hierarchy, caller) is True
    clock.advance(DAY.total_seconds())
    assert await may_see(hierarchy, caller) is False


async def test_an_office_that_gives_no_view_shows_nothing(hierarchy: Hierarchy) -> None:
    caller = await hierarchy.appoint("scribe-1", "scribe", await hierarchy.unit(*RJ))

    assert await may_see(hierarchy, caller) is False


async def test_the_blueprint_is_for_all_who_see_anything(
    hierarchy: Hierarchy, viewer: Caller
) -> None:
    reply = await hierarchy.call("GetBlueprint", pb.GetBlueprintRequest(), viewer)

    assert reply.blueprint.version == 1


async def test_who_administers_a_part_changes_neither_blueprint_nor_units_by_file(
    hierarchy: Hierarchy,
) -> None:
    caller = await hierarchy.appoint("convenor-1", "convenor", await hierarchy.unit(*RJ))
    row: UnitRow = a_row("booth", "B8", under=M1)
    draft = blueprint_to_proto(a_blueprint(name="Taken over"))

    with pytest.raises(Forbidden) as no_file:
        await hierarchy.import_rows(row, caller=caller)
    with pytest.raises(Forbidden) as no_blueprint:
        await hierarchy.call("PutBlueprint", pb.PutBlueprintRequest(blueprint=draft), caller)

    for refused in (no_file, no_blueprint):
        assert refused.value.reason == "CAPABILITY_MISSING"
        assert refused.value.fields() == {"capability": "administer", "unit_id": ""}
    with pytest.raises(NotFound):
        await hierarchy.unit("booth", "B8")


async def test_a_subject_of_another_tenant_is_nobody(hierarchy: Hierarchy, viewer: Caller) -> None:
    del viewer  # exists in the first tenant
    namesake = a_caller(tenant="peepal", capabilities=(), subject="viewer-1")

    with pytest.raises(Forbidden):
        await hierarchy.stream_tree(caller=namesake)


async def test_after_a_move_the_scope_has_moved(hierarchy: Hierarchy, viewer: Caller) -> None:
    booth = (await hierarchy.unit("booth", "B1")).id
    await hierarchy.import_rows(a_row(*M1, under=("district", "AJM")))

    with pytest.raises(NotFound):
        await hierarchy.call("GetUnit", pb.GetUnitRequest(id=booth), viewer)
    assert (await hierarchy.unit(*JPR, viewer)).subtree_count == 2


async def tops(
    hierarchy: Hierarchy, caller: Caller, page_size: int = 0, page_token: str = ""
) -> pb.ListChildrenResponse:
    request = pb.ListChildrenRequest(page_size=page_size, page_token=page_token)
    reply: pb.ListChildrenResponse = await hierarchy.call("ListChildren", request, caller)
    return reply


async def may_see(hierarchy: Hierarchy, caller: Caller) -> bool:
    with suppress(Forbidden):
        await hierarchy.stream_tree(caller=caller)
        return True
    return False
