"""The writing methods over gRPC: what they do, what they refuse without a change."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from services.hierarchy.domain.model import (
    Category,
    GroupKind,
    Level,
    LocalizedText,
    Place,
    TenantId,
    Unit,
    UnitRow,
)
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.translate.blueprints import blueprint_to_proto
from tests.builders_hierarchy import LEVELS, a_blueprint, a_request_id, a_row, a_small_tree, text
from tests.hierarchy_server import Hierarchy, header, import_messages, page, running

RJ, JPR, M1 = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")
NEEM = TenantId("neem")


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path) as server:
        yield server


async def state_of(hierarchy: Hierarchy) -> tuple[object, ...]:
    """Everything that the tenant has."""
    graph, outbox = hierarchy.store.graph, hierarchy.store.outbox
    tree = await graph.tree(NEEM)
    units, past = (
        await graph.page(NEEM, Unit, limit=1_000),
        await graph.page(NEEM, PastUnit, limit=1_000),
    )
    events = await outbox.events(NEEM, after=0, limit=1_000)
    return await graph.header(NEEM), tree, list(units), list(past), list(events)


async def test_a_blueprint_is_put_and_got(hierarchy: Hierarchy) -> None:
    sent = blueprint_to_proto(replace(a_blueprint(), version=99))

    put = await hierarchy.call("PutBlueprint", pb.PutBlueprintRequest(blueprint=sent))
    got = await hierarchy.call("GetBlueprint", pb.GetBlueprintRequest())

    sent.version = 1
    assert put.blueprint == got.blueprint == sent


async def test_validating_a_blueprint_puts_nothing(hierarchy: Hierarchy) -> None:
    sent = blueprint_to_proto(a_blueprint())

    reply = await hierarchy.call(
        "PutBlueprint", pb.PutBlueprintRequest(blueprint=sent, validate_only=True)
    )

    assert reply.blueprint.version == 1
    with pytest.raises(NotFound) as refused:
        await hierarchy.call("GetBlueprint", pb.GetBlueprintRequest())
    assert refused.value.reason == "BLUEPRINT_NOT_FOUND"


async def test_every_fault_of_a_blueprint_is_named(hierarchy: Hierarchy) -> None:
    await hierarchy.start(*a_small_tree())
    before = await state_of(hierarchy)
    bad = replace(
        a_blueprint(),
        style="cult",
        names=LocalizedText.of({"hi": "नीम"}),
        levels=(
            Level("State", text("State")),
            Level("booth", text("Booth")),
            Level("booth", LocalizedText.of({"en": "x" * 201, "Hindi": "x", "hi": " "})),
        ),
        group_kinds=(),
        categories=tuple(Category(f"c{n}", text("C")) for n in range(257)),
    )

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.put(bad)

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("blueprint.style", "UNKNOWN_STYLE"),
        ("blueprint.names.by_language.en", "MISSING"),
        ("blueprint.levels[0].key", "BAD_KEY"),
        ("blueprint.levels[2].key", "DUPLICATE_KEY"),
        ("blueprint.levels[2].names.by_language", "BAD_NAME"),
        ("blueprint.levels[2].names.by_language.en", "BAD_NAME"),
        ("blueprint.levels[2].names.by_language.hi", "BAD_NAME"),
        ("blueprint.group_kinds", "MISSING"),
        ("blueprint.categories", "TOO_MANY"),
    ]
    assert await state_of(hierarchy) == before


async def test_an_empty_request_is_no_blueprint(hierarchy: Hierarchy) -> None:
    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call("PutBlueprint", pb.PutBlueprintRequest())

    assert [each.field for each in refused.value.violations] == [
        "blueprint.style",
        "blueprint.names.by_language.en",
        "blueprint.levels",
        "blueprint.group_kinds",
    ]


async def test_the_counts_of_a_blueprint_have_bounds(hierarchy: Hierarchy) -> None:
    most = replace(
        a_blueprint(tuple(f"level_{n}" for n in range(16))),
        group_kinds=tuple(GroupKind(f"k{n}", text("K"), has_category=False) for n in range(64)),
        categories=tuple(Category(f"c{n}", text("C")) for n in range(256)),
    )
    assert (await hierarchy.put(most)).version == 1
    too_many = replace(
        most,
        levels=(*most.levels, Level("more", text("More"))),
        group_kinds=(*most.group_kinds, GroupKind("more", text("More"), has_category=True)),
    )
    before = await state_of(hierarchy)

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.put(too_many)

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("blueprint.levels", "TOO_MANY"),
        ("blueprint.group_kinds", "TOO_MANY"),
    ]
    assert await state_of(hierarchy) == before


async def test_a_blueprint_in_use_is_refused(hierarchy: Hierarchy) -> None:
    await hierarchy.start(*a_small_tree())
    before = await state_of(hierarchy)

    with pytest.raises(PreconditionFailed) as refused:
        await hierarchy.put(a_blueprint(LEVELS[:2]))

    assert refused.value.reason == "BLUEPRINT_IN_USE"
    assert refused.value.fields()["levels"] == "mandal,booth"
    assert await state_of(hierarchy) == before


async def test_rows_become_units(hierarchy: Hierarchy) -> None:
    await hierarchy.start()

    report = await hierarchy.import_rows(*a_small_tree())

    assert report == pb.ImportReport(row_count=7, created_count=7, applied=True, tree_version=1)
    assert (await hierarchy.unit("state", "RJ")).subtree_count == 7


async def test_rows_may_come_in_any_number_of_pages(hierarchy: Hierarchy) -> None:
    await hierarchy.start()
    request_id = a_request_id()
    rows = list(reversed(a_small_tree()))

    first = await hierarchy.send_import(import_messages(rows, request_id=request_id, page_rows=2))
    again = await hierarchy.send_import(import_messages(rows, request_id=request_id, page_rows=3))

    assert first == again
    assert first.created_count == 7


async def test_validating_rows_changes_nothing(hierarchy: Hierarchy) -> None:
    await hierarchy.start()
    before = await state_of(hierarchy)

    report = await hierarchy.send_import(import_messages(a_small_tree(), validate_only=True))

    assert report == pb.ImportReport(row_count=7, created_count=7)
    assert await state_of(hierarchy) == before


async def test_wrong_rows_are_an_answer_that_names_each(hierarchy: Hierarchy) -> None:
    await hierarchy.start(*a_small_tree())
    before = await state_of(hierarchy)
    rows = [
        a_row("booth", "B8", under=M1),
        a_row("booth", "B9", under=M1, place=Place(91, float("nan"))),
        a_row("mandal", "LOOP", under=("booth", "LOOP")),
        a_row("booth", "LOOP", under=("mandal", "LOOP")),
        a_row("mandal", "ALONE"),
    ]

    report = await hierarchy.import_rows(*rows)

    assert [(error.row, error.field, error.reason) for error in report.errors] == [
        (3, "place.latitude", "BAD_PLACE"),
        (3, "place.longitude", "BAD_PLACE"),
        (4, "parent_level", "LEVEL_ORDER"),
        (4, "parent_code", "CYCLE"),
        (5, "parent_code", "CYCLE"),
        (6, "parent_code", "MISSING"),
    ]
    assert all(error.description for error in report.errors)
    assert (report.error_count, report.applied, report.tree_version) == (6, False, 1)
    assert await state_of(hierarchy) == before


async def test_a_file_without_rows_is_refused_as_a_whole(hierarchy: Hierarchy) -> None:
    await hierarchy.start()

    report = await hierarchy.import_rows()

    assert [(error.row, error.reason) for error in report.errors] == [(0, "MISSING")]


async def test_only_the_first_thousand_errors_are_told(hierarchy: Hierarchy) -> None:
    await hierarchy.start(a_row(*RJ))
    rows = [a_row("district", f"bad {n}", under=RJ) for n in range(1_200)]

    report = await hierarchy.import_rows(*rows)

    assert (report.error_count, len(report.errors)) == (1_200, 1_000)
    assert [error.row for error in report.errors] == list(range(2, 1_002))


async def test_a_request_id_replays_its_answer_and_takes_no_other_rows(
    hierarchy: Hierarchy,
) -> None:
    await hierarchy.start()
    request_id = a_request_id()
    first = await hierarchy.send_import(import_messages(a_small_tree(), request_id=request_id))
    before = await state_of(hierarchy)

    again = await hierarchy.send_import(import_messages(a_small_tree(), request_id=request_id))
    with pytest.raises(Conflict) as refused:
        await hierarchy.send_import(import_messages([a_row(*RJ)], request_id=request_id))

    assert again == first
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert refused.value.fields() == {"request_id": request_id}
    assert await state_of(hierarchy) == before


async def test_rows_need_a_blueprint(hierarchy: Hierarchy) -> None:
    with pytest.raises(NotFound) as refused:
        await hierarchy.import_rows(a_row(*RJ))
    assert refused.value.reason == "BLUEPRINT_NOT_FOUND"


def some_rows(count: int) -> list[UnitRow]:
    return [a_row("state", f"S{number}", number=number) for number in range(count)]


GOOD_HEADER = header(str(uuid.UUID(int=1)))


@pytest.mark.parametrize(
    ("messages", "field", "reason"),
    [
        ([], "header", "HEADER_EXPECTED"),
        ([page(some_rows(1))], "header", "HEADER_EXPECTED"),
        ([GOOD_HEADER, GOOD_HEADER], "header", "HEADER_REPEATED"),
        ([GOOD_HEADER, page(some_rows(1)), GOOD_HEADER], "header", "HEADER_REPEATED"),
        ([pb.ImportUnitsRequest()], "part", "MISSING"),
        ([GOOD_HEADER, pb.ImportUnitsRequest()], "part", "MISSING"),
        ([header("first try"), page(some_rows(1))], "header.request_id", "BAD_ID"),
        ([GOOD_HEADER, page(some_rows(5_001))], "page.rows", "TOO_MANY"),
    ],
)
async def test_messages_out_of_place_are_refused(
    hierarchy: Hierarchy, messages: list[pb.ImportUnitsRequest], field: str, reason: str
) -> None:
    await hierarchy.start()
    before = await state_of(hierarchy)

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.send_import(messages)

    assert [(each.field, each.reason) for each in refused.value.violations] == [(field, reason)]
    assert await state_of(hierarchy) == before


async def test_an_import_has_at_most_200_000_rows(hierarchy: Hierarchy) -> None:
    await hierarchy.start()
    before = await state_of(hierarchy)
    full = page(some_rows(5_000))

    with pytest.raises(InvalidInput) as refused:
        await hierarchy.send_import([GOOD_HEADER, *[full] * 40, page(some_rows(1))])

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("page.rows", "TOO_MANY")
    ]
    assert await state_of(hierarchy) == before


async def test_imports_of_one_tenant_wait_for_each_other(hierarchy: Hierarchy) -> None:
    await hierarchy.start(a_row(*RJ))

    reports = await asyncio.gather(
        *(hierarchy.import_rows(a_row("district", f"D{n}", under=RJ)) for n in range(8))
    )

    assert sorted(report.tree_version for report in reports) == list(range(2, 10))
    assert (await hierarchy.unit("state", "RJ")).child_count == 8


async def test_names_of_any_script_come_back_as_they_were_sent(hierarchy: Hierarchy) -> None:
    await hierarchy.start()
    names = LocalizedText.of(
        {
            "en": "Jaipur",
            "hi": "जयपुर",
            "hi-Latn": "Jaypur",
            "zh-Hans-CN": "斋浦尔",
            "ml": "ജ\u200dയ",
        }
    )
    row = a_row(*RJ)

    await hierarchy.import_rows(UnitRow(row.row, row.key, names, row.parent, None))

    assert dict((await hierarchy.unit(*RJ)).names.by_language) == names.by_language
