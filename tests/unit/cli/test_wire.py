"""Rows become the contracts' messages, in pages that a message can hold."""

from dataclasses import replace

import pytest
from chaupal.groups.v1 import groups_pb2 as groups
from chaupal.hierarchy.v1 import hierarchy_pb2 as hierarchy

from cli.clients import wire
from cli.clients.blueprints import blueprint_message
from cli.clients.wire import group_row, import_stream, pages, unit_row
from cli.demo.tenants import blueprint_file
from cli.files.blueprint import read_blueprint
from cli.records import GroupRecord, UnitRecord

UNIT = UnitRecord("division", "JPR", "Jaipur", "जयपुर", "state", "RJ", 26.91, 75.79)
GROUP = GroupRecord(
    "G1", "Farmers", "", "category", "farmers", "district", "JPR", "hi", 250, 1_024, "active",
    "p1", ("p2", "p3"), "", "p9",
)  # fmt: skip


def test_a_unit_keeps_its_row_names_parent_and_place() -> None:
    assert unit_row(7, UNIT) == hierarchy.UnitRow(
        row=7,
        level="division",
        code="JPR",
        names=hierarchy.LocalizedText(by_language={"en": "Jaipur", "hi": "जयपुर"}),
        parent_level="state",
        parent_code="RJ",
        place=hierarchy.Place(latitude=26.91, longitude=75.79),
    )


def test_what_a_unit_has_not_is_absent() -> None:
    row = unit_row(2, replace(UNIT, name_hi="", latitude=None, longitude=None))

    assert not row.HasField("place")
    assert dict(row.names.by_language) == {"en": "Jaipur"}


def test_a_group_keeps_each_admin_with_the_role_of_the_column() -> None:
    row = group_row(3, GROUP)

    assert [(admin.person, admin.role) for admin in row.admins] == [
        ("p1", groups.ADMIN_ROLE_OWNER),
        ("p2", groups.ADMIN_ROLE_ADMIN),
        ("p3", groups.ADMIN_ROLE_ADMIN),
        ("p9", groups.ADMIN_ROLE_STATE_EXECUTIVE),
    ]
    assert row.state == groups.GROUP_STATE_ACTIVE
    assert dict(row.names) == {"en": "Farmers"}


def test_pages_hold_as_many_rows_as_the_contract_allows() -> None:
    rows = [group_row(number, GROUP) for number in range(wire.MAX_PAGE_ROWS + 1)]

    sizes = [len(page) for page in pages(rows)]

    assert sizes == [wire.MAX_PAGE_ROWS, 1]


def test_pages_of_long_rows_stay_below_a_messages_limit() -> None:
    long = group_row(1, replace(GROUP, name="न" * 200, admins=tuple("a" * 64 for _ in range(18))))
    rows = [long] * 5_000

    found = list(pages(rows))

    assert len(found) > 1
    assert sum(map(len, found)) == 5_000
    assert all(groups.ImportGroupsPage(rows=page).ByteSize() < 4 * 1024 * 1024 for page in found)


def test_no_rows_make_no_page() -> None:
    assert list(pages(list[groups.GroupRow]())) == []


async def test_an_import_is_its_header_and_then_pages_each_told_once_it_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "MAX_PAGE_ROWS", 2)
    rows = [unit_row(number, UNIT) for number in (2, 3, 4)]
    header = hierarchy.ImportUnitsRequest(header=hierarchy.ImportUnitsHeader(request_id="r"))
    told: list[int] = []

    stream = import_stream(
        header,
        rows,
        lambda page: hierarchy.ImportUnitsRequest(page=hierarchy.ImportUnitsPage(rows=page)),
        told.append,
    )
    seen = [([row.row for row in request.page.rows], list(told)) async for request in stream]

    # With each request: its rows, and what was told before it was asked for.
    assert seen == [([], []), ([2, 3], []), ([4], [2])]
    assert told == [2, 1]


async def test_an_import_of_nothing_is_its_header() -> None:
    header = groups.ImportGroupsRequest(header=groups.ImportGroupsHeader(request_id="r"))
    told: list[int] = []

    stream = import_stream(
        header, list[groups.GroupRow](), lambda _: groups.ImportGroupsRequest(), told.append
    )

    assert [request async for request in stream] == [header]
    assert told == []


def test_a_demo_blueprint_becomes_a_message() -> None:
    record, _ = read_blueprint(blueprint_file("neem"))
    assert record is not None

    message = blueprint_message(record)

    assert [level.key for level in message.levels][:3] == ["centre", "state", "division"]
    assert [kind.key for kind in message.group_kinds if kind.has_category] == ["category"]
    assert message.names.by_language["hi"] == "नीम संगठन"
