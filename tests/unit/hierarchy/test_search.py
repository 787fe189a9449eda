"""Units by name, through the service: what is found, by whom, in what order and in which pages."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import InvalidInput, NotFound
from services.hierarchy.domain.model import Grant, LocalizedText, Position, UnitRow
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, text
from tests.hierarchy_server import Hierarchy, a_caller, running

RJ, JPR, JDH = ("state", "RJ"), ("district", "JPR"), ("district", "JDH")


def named(row: UnitRow, english: str, hindi: str = "") -> UnitRow:
    names = {"en": english} | ({"hi": hindi} if hindi else {})
    return replace(row, names=LocalizedText.of(names))


ROWS = (
    named(a_row(*RJ), "Rajasthan", "राजस्थान"),
    named(a_row(*JPR, under=RJ), "Jaipur", "जयपुर"),
    named(a_row(*JDH, under=RJ), "Jodhpur", "जोधपुर"),
    named(a_row("mandal", "M1", under=JPR), "Jaipur North", "जयपुर उत्तर"),
    named(a_row("mandal", "M2", under=JDH), "Jaipur Road"),
)


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    viewer = Position("viewer", text("Viewer"), LEVELS, seats=0, grants=(Grant("view"),))
    async with running(tmp_path) as server:
        await server.put(replace(a_blueprint(), positions=(viewer,)))
        await server.import_rows(*ROWS)
        yield server


async def search(hierarchy: Hierarchy, query: str, *, caller: Any = None, **more: Any) -> Any:
    request = pb.SearchUnitsRequest(query=query, **more)
    return await hierarchy.call("SearchUnits", request, caller)


def codes(answer: pb.SearchUnitsResponse) -> list[str]:
    return [match.unit.code for match in answer.matches]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Jaipur", ["JPR", "M2", "M1"]),  # equals in the order of the tree
        ("जयपुर", ["JPR", "M1", "M2"]),
        ("jodh", ["JDH"]),
        ("jaypur nort", ["M1"]),
        ("M2", ["M2"]),
        ("Udaipur", []),
    ],
)
async def test_units_are_found_in_either_script_best_first(
    hierarchy: Hierarchy, query: str, found: list[str]
) -> None:
    assert codes(await search(hierarchy, query)) == found


async def test_a_match_says_how_well_and_by_which_name(hierarchy: Hierarchy) -> None:
    best = (await search(hierarchy, "जयपुर")).matches[0]
    assert (best.score, best.language, best.unit.child_count) == (1.0, "hi", 1)


async def test_levels_and_a_subtree_narrow_it(hierarchy: Hierarchy) -> None:
    jaipur = await hierarchy.unit(*JPR)
    assert codes(await search(hierarchy, "jaipur", levels=["mandal"])) == ["M2", "M1"]
    assert codes(await search(hierarchy, "jaipur", within_unit_id=jaipur.id)) == ["JPR", "M1"]


async def test_what_changes_is_found_as_it_is_now(hierarchy: Hierarchy) -> None:
    await search(hierarchy, "jaipur")
    await hierarchy.import_rows(named(a_row("mandal", "M2", under=JDH), "Pali Road"))

    assert codes(await search(hierarchy, "jaipur")) == ["JPR", "M1"]
    assert codes(await search(hierarchy, "pali")) == ["M2"]


async def test_a_closed_unit_is_found_no_more(hierarchy: Hierarchy) -> None:
    await search(hierarchy, "jaipur")
    north = await hierarchy.unit("mandal", "M1")
    request = pb.CloseUnitRequest(id=north.id, request_id="0190f5d2-0000-7000-8000-000000000001")
    await hierarchy.call("CloseUnit", request)

    assert codes(await search(hierarchy, "jaipur")) == ["JPR", "M2"]


async def test_nothing_outside_of_the_scope_is_found(hierarchy: Hierarchy) -> None:
    viewer = await hierarchy.appoint("viewer-1", "viewer", await hierarchy.unit(*JPR))
    jodhpur = await hierarchy.unit(*JDH)

    assert codes(await search(hierarchy, "jaipur", caller=viewer)) == ["JPR", "M1"]
    with pytest.raises(NotFound):
        await search(hierarchy, "jaipur", caller=viewer, within_unit_id=jodhpur.id)


async def test_another_tenant_finds_nothing(hierarchy: Hierarchy) -> None:
    assert codes(await search(hierarchy, "jaipur", caller=a_caller("peepal"))) == []


async def test_pages_make_the_whole(hierarchy: Hierarchy) -> None:
    found, token = [], ""
    for _ in range(3):
        answer = await search(hierarchy, "jaipur", page_size=1, page_token=token)
        found += codes(answer)
        token = answer.next_page_token
    assert (found, token) == (["JPR", "M2", "M1"], "")


@pytest.mark.parametrize(
    ("request_fields", "field", "reason"),
    [
        ({"query": "  "}, "query", "MISSING"),
        ({"query": "a" * 101}, "query", "TOO_LONG"),
        ({"query": "a", "levels": ["Not a key"]}, "levels[0]", "BAD_KEY"),
        ({"query": "a", "levels": ["a"] * 17}, "levels", "TOO_MANY"),
        ({"query": "a", "within_unit_id": "here"}, "within_unit_id", "BAD_ID"),
        ({"query": "a", "page_size": -1}, "page_size", "PAGE_SIZE_INVALID"),
        ({"query": "a", "page_token": "no token"}, "page_token", "PAGE_TOKEN_INVALID"),
    ],
)
async def test_bad_input_is_named(
    hierarchy: Hierarchy, request_fields: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call("SearchUnits", pb.SearchUnitsRequest(**request_fields))
    assert [(each.field, each.reason) for each in refused.value.violations] == [(field, reason)]


async def test_a_token_fits_only_its_own_query(hierarchy: Hierarchy) -> None:
    token = (await search(hierarchy, "jaipur", page_size=1)).next_page_token
    with pytest.raises(InvalidInput):
        await search(hierarchy, "jodhpur", page_token=token)
