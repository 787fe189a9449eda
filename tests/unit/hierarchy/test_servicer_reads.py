"""The reading methods over gRPC: what they answer, what they refuse."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import InvalidInput, NotFound
from kit.status import status_to_error
from services.hierarchy.domain.model import UnitRow
from tests.builders_hierarchy import LEVELS, a_row, a_small_tree
from tests.hierarchy_server import Hierarchy, running

RJ, JPR, M1 = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")
STRANGER = str(uuid.UUID(int=404))


@pytest.fixture
async def hierarchy(tmp_path: Path) -> AsyncIterator[Hierarchy]:
    async with running(tmp_path) as server:
        await server.start(*a_small_tree())
        yield server


def codes(units: object) -> list[str]:
    return [unit.code for unit in units]  # type: ignore[attr-defined]  # a repeated field


async def violations(hierarchy: Hierarchy, method: str, request: object) -> list[tuple[str, str]]:
    """The fields and reasons of the refusal."""
    with pytest.raises(InvalidInput) as refused:
        await hierarchy.call(method, request)
    assert refused.value.domain == "hierarchy.chaupal"
    return [(each.field, each.reason) for each in refused.value.violations]


async def test_a_unit_comes_by_id_with_everything(hierarchy: Hierarchy) -> None:
    state = await hierarchy.unit("state", "RJ")

    reply = await hierarchy.call("GetUnit", pb.GetUnitRequest(id=state.id))

    unit = reply.unit
    assert unit == state
    assert (unit.level, unit.code, unit.parent_id) == ("state", "RJ", "")
    assert dict(unit.names.by_language) == {"en": "Rajasthan", "hi": "राजस्थान"}
    assert (unit.place.latitude, unit.place.longitude) == (26.92, 75.78)
    assert unit.valid_from.ToJsonString() == "2026-01-01T00:00:00Z"
    assert (unit.child_count, unit.subtree_count) == (2, 7)
    assert unit.etag


async def test_a_leaf_has_no_place_and_counts_itself(hierarchy: Hierarchy) -> None:
    booth = await hierarchy.unit("booth", "B1")

    assert not booth.HasField("place")
    assert (booth.child_count, booth.subtree_count) == (0, 1)
    assert booth.parent_id == (await hierarchy.unit("mandal", "M1")).id


async def test_counts_follow_every_change(hierarchy: Hierarchy) -> None:
    await hierarchy.import_rows(a_row("booth", "B3", under=M1))

    state = await hierarchy.unit("state", "RJ")

    assert (state.child_count, state.subtree_count) == (2, 8)
    assert (await hierarchy.unit("mandal", "M1")).child_count == 3


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (pb.GetUnitRequest(), [("by", "MISSING")]),
        (pb.GetUnitRequest(id=""), [("id", "MISSING")]),
        (pb.GetUnitRequest(id="RJ"), [("id", "BAD_ID")]),
        (pb.GetUnitRequest(id=STRANGER.upper() + " "), [("id", "BAD_ID")]),
        (pb.GetUnitRequest(id="x" * 100_000), [("id", "BAD_ID")]),
        (pb.GetUnitRequest(key=pb.UnitKey()), [("key.level", "MISSING"), ("key.code", "MISSING")]),
        (
            pb.GetUnitRequest(key=pb.UnitKey(level="State", code="R J")),
            [("key.level", "BAD_KEY"), ("key.code", "BAD_CODE")],
        ),
        (
            pb.GetUnitRequest(key=pb.UnitKey(level="state", code="c" * 65)),
            [("key.code", "BAD_CODE")],
        ),
    ],
)
async def test_get_unit_refuses(
    hierarchy: Hierarchy, request_: pb.GetUnitRequest, expected: list[tuple[str, str]]
) -> None:
    assert await violations(hierarchy, "GetUnit", request_) == expected


async def test_an_unknown_unit_is_not_found(hierarchy: Hierarchy) -> None:
    with pytest.raises(NotFound) as refused:
        await hierarchy.call("GetUnit", pb.GetUnitRequest(id=STRANGER))
    assert refused.value.reason == "UNIT_NOT_FOUND"
    assert refused.value.fields() == {"unit_id": STRANGER}

    with pytest.raises(NotFound) as refused:
        await hierarchy.unit("booth", "B77")
    assert refused.value.reason == "UNIT_NOT_FOUND"
    assert refused.value.fields() == {"level": "booth", "code": "B77"}


async def test_a_batch_answers_each_id_in_order(hierarchy: Hierarchy) -> None:
    state, booth = await hierarchy.unit("state", "RJ"), await hierarchy.unit("booth", "B1")
    ids = [booth.id, STRANGER, "nonsense", state.id, booth.id, ""]

    reply = await hierarchy.call("BatchGetUnits", pb.BatchGetUnitsRequest(ids=ids))

    assert [result.WhichOneof("result") for result in reply.results] == [
        "unit", "status", "status", "unit", "unit", "status",
    ]  # fmt: skip
    assert [reply.results[at].unit for at in (0, 3, 4)] == [booth, state, booth]
    unknown, bad, empty = (status_to_error(reply.results[at].status) for at in (1, 2, 5))
    assert (type(unknown), unknown.reason, unknown.domain) == (
        NotFound,
        "UNIT_NOT_FOUND",
        "hierarchy.chaupal",
    )
    assert isinstance(bad, InvalidInput)
    assert isinstance(empty, InvalidInput)
    assert [(v.field, v.reason) for v in bad.violations] == [("ids[2]", "BAD_ID")]
    assert [(v.field, v.reason) for v in empty.violations] == [("ids[5]", "MISSING")]


@pytest.mark.parametrize(
    ("method", "request_type", "field", "maximum"),
    [
        ("BatchGetUnits", pb.BatchGetUnitsRequest, "ids", 1_000),
        ("BatchListChildren", pb.BatchListChildrenRequest, "parent_ids", 500),
        ("BatchListAncestors", pb.BatchListAncestorsRequest, "unit_ids", 1_000),
    ],
)
async def test_batches_have_a_size(
    hierarchy: Hierarchy, method: str, request_type: type, field: str, maximum: int
) -> None:
    assert await violations(hierarchy, method, request_type()) == [(field, "MISSING")]
    too_many = request_type(**{field: [STRANGER] * (maximum + 1)})
    assert await violations(hierarchy, method, too_many) == [(field, "TOO_MANY")]
    just_right = request_type(**{field: [STRANGER] * maximum})
    reply = await hierarchy.call(method, just_right)
    assert len(reply.results) == maximum
    assert {result.status.code for result in reply.results} == {5}


async def test_children_come_in_pages(hierarchy: Hierarchy) -> None:
    await hierarchy.import_rows(*(a_row("booth", f"C{n:03}", under=M1) for n in range(120)))
    mandal = (await hierarchy.unit("mandal", "M1")).id
    request = pb.ListChildrenRequest(parent_id=mandal, page_size=50)
    seen: list[str] = []

    while True:
        reply = await hierarchy.call("ListChildren", request)
        assert reply.total_count == 122
        seen += codes(reply.units)
        if not reply.next_page_token:
            break
        request.page_token = reply.next_page_token

    assert seen == ["B1", "B2"] + [f"C{n:03}" for n in range(120)]
    default = await hierarchy.call("ListChildren", pb.ListChildrenRequest(parent_id=mandal))
    assert len(default.units) == 100
    whole = pb.ListChildrenRequest(parent_id=mandal, page_size=99_999)
    assert len((await hierarchy.call("ListChildren", whole)).units) == 122


async def test_roots_are_the_children_of_nobody(hierarchy: Hierarchy) -> None:
    await hierarchy.import_rows(a_row("state", "MP"), a_row("state", "GJ"))

    reply = await hierarchy.call("ListChildren", pb.ListChildrenRequest(page_size=2))

    assert (codes(reply.units), reply.total_count) == (["GJ", "MP"], 3)
    rest = pb.ListChildrenRequest(page_size=2, page_token=reply.next_page_token)
    reply = await hierarchy.call("ListChildren", rest)
    assert (codes(reply.units), reply.next_page_token) == (["RJ"], "")
    assert reply.units[0].subtree_count == 7


async def test_list_children_refuses(hierarchy: Hierarchy) -> None:
    method, request = "ListChildren", pb.ListChildrenRequest
    assert await violations(hierarchy, method, request(parent_id="x")) == [("parent_id", "BAD_ID")]
    assert await violations(hierarchy, method, request(page_size=-1)) == [
        ("page_size", "PAGE_SIZE_INVALID")
    ]
    invalid = [("page_token", "PAGE_TOKEN_INVALID")]
    assert await violations(hierarchy, method, request(page_token="gibberish")) == invalid
    state = (await hierarchy.unit("state", "RJ")).id
    token = (await hierarchy.call(method, request(parent_id=state, page_size=1))).next_page_token
    assert token
    assert await violations(hierarchy, method, request(page_token=token)) == invalid
    with pytest.raises(NotFound) as refused:
        await hierarchy.call(method, request(parent_id=STRANGER))
    assert refused.value.fields() == {"unit_id": STRANGER}


async def test_a_batch_of_first_pages_answers_each_parent_in_order(hierarchy: Hierarchy) -> None:
    state, district = await hierarchy.unit("state", "RJ"), await hierarchy.unit("district", "JPR")
    booth = await hierarchy.unit("booth", "B1")
    request = pb.BatchListChildrenRequest(
        parent_ids=[district.id, STRANGER, state.id, "x", booth.id], page_size=1
    )

    reply = await hierarchy.call("BatchListChildren", request)

    first, unknown, second, bad, leaf = reply.results
    assert (codes(first.children.units), first.children.total_count) == (["M1"], 2)
    assert (codes(second.children.units), second.children.total_count) == (["AJM"], 2)
    assert (codes(leaf.children.units), leaf.children.next_page_token) == ([], "")
    assert status_to_error(unknown.status).reason == "UNIT_NOT_FOUND"
    assert status_to_error(bad.status).reason == "BAD_ID"
    follow = pb.ListChildrenRequest(
        parent_id=district.id, page_token=first.children.next_page_token
    )
    assert codes((await hierarchy.call("ListChildren", follow)).units) == ["M2"]


async def test_a_batch_of_pages_is_bounded_as_a_whole(hierarchy: Hierarchy) -> None:
    request = pb.BatchListChildrenRequest
    over = request(parent_ids=[STRANGER] * 500, page_size=101)
    assert await violations(hierarchy, "BatchListChildren", over) == [("page_size", "TOO_MANY")]
    negative = request(parent_ids=[STRANGER], page_size=-5)
    assert await violations(hierarchy, "BatchListChildren", negative) == [
        ("page_size", "PAGE_SIZE_INVALID")
    ]
    exactly = request(parent_ids=[STRANGER] * 50, page_size=1_000)
    assert len((await hierarchy.call("BatchListChildren", exactly)).results) == 50


async def test_ancestors_come_nearest_first(hierarchy: Hierarchy) -> None:
    booth, state = await hierarchy.unit("booth", "B1"), await hierarchy.unit("state", "RJ")

    reply = await hierarchy.call("ListAncestors", pb.ListAncestorsRequest(unit_id=booth.id))
    assert codes(reply.units) == ["M1", "JPR", "RJ"]
    assert reply.units[2] == state
    reply = await hierarchy.call("ListAncestors", pb.ListAncestorsRequest(unit_id=state.id))
    assert codes(reply.units) == []


async def test_list_ancestors_refuses(hierarchy: Hierarchy) -> None:
    method, request = "ListAncestors", pb.ListAncestorsRequest
    assert await violations(hierarchy, method, request()) == [("unit_id", "MISSING")]
    assert await violations(hierarchy, method, request(unit_id="x")) == [("unit_id", "BAD_ID")]
    with pytest.raises(NotFound) as refused:
        await hierarchy.call(method, request(unit_id=STRANGER))
    assert refused.value.reason == "UNIT_NOT_FOUND"


async def test_a_batch_of_ancestors_answers_each_unit_in_order(hierarchy: Hierarchy) -> None:
    booth, state = await hierarchy.unit("booth", "B2"), await hierarchy.unit("state", "RJ")
    request = pb.BatchListAncestorsRequest(unit_ids=[state.id, booth.id, STRANGER, "?"])

    reply = await hierarchy.call("BatchListAncestors", request)

    root, line, unknown, bad = reply.results
    # A root's empty list is an answer, not the lack of one.
    assert (root.WhichOneof("result"), codes(root.ancestors.units)) == ("ancestors", [])
    assert codes(line.ancestors.units) == ["M1", "JPR", "RJ"]
    assert status_to_error(unknown.status).reason == "UNIT_NOT_FOUND"
    assert status_to_error(bad.status).reason == "BAD_ID"


async def test_the_tree_streams_in_pre_order(hierarchy: Hierarchy) -> None:
    header, pages = await hierarchy.stream_tree()

    assert (header.tree_version, header.unit_count) == (1, 7)
    assert list(header.levels) == list(LEVELS)
    (page,) = pages
    assert list(page.codes) == ["RJ", "AJM", "JPR", "M1", "B1", "B2", "M2"]
    assert list(page.parents) == [-1, 0, 0, 2, 3, 3, 2]
    assert [header.levels[level] for level in page.levels] == [
        "state", "district", "district", "mandal", "booth", "booth", "mandal",
    ]  # fmt: skip
    for code, level, unit_id in zip(page.codes, page.levels, page.ids, strict=True):
        assert (await hierarchy.unit(LEVELS[level], code)).id == unit_id


async def test_who_holds_the_current_tree_gets_the_header_alone(hierarchy: Hierarchy) -> None:
    header, pages = await hierarchy.stream_tree(known_version=1)
    assert (header.tree_version, pages) == (1, [])

    await hierarchy.import_rows(a_row("booth", "B3", under=M1))
    header, pages = await hierarchy.stream_tree(known_version=1)
    assert (header.tree_version, header.unit_count, len(pages)) == (2, 8, 1)
    # A version from another life of the store is not current either.
    assert len((await hierarchy.stream_tree(known_version=99))[1]) == 1


async def test_a_large_tree_streams_in_pages_whose_parents_count_through(tmp_path: Path) -> None:
    async with running(tmp_path) as hierarchy:
        rows = [a_row(*RJ), *(a_row("district", f"D{n:05}", under=RJ) for n in range(10_050))]
        await hierarchy.start(*rows)

        header, pages = await hierarchy.stream_tree()

    assert (header.unit_count, [len(page.ids) for page in pages]) == (10_051, [5_000, 5_000, 51])
    parents = [parent for page in pages for parent in page.parents]
    assert parents == [-1] + [0] * 10_050
    assert [code for page in pages for code in page.codes][1:] == [row.key.code for row in rows[1:]]


async def test_a_tenant_without_units_has_an_empty_tree(tmp_path: Path) -> None:
    async with running(tmp_path) as hierarchy:
        header, pages = await hierarchy.stream_tree()
        assert (header.tree_version, header.unit_count, list(header.levels)) == (0, 0, [])
        await hierarchy.start()
        header, more = await hierarchy.stream_tree()

    assert (header.tree_version, list(header.levels), pages + more) == (0, list(LEVELS), [])


async def test_the_known_version_is_not_negative(hierarchy: Hierarchy) -> None:
    with pytest.raises(InvalidInput) as refused:
        await hierarchy.stream_tree(known_version=-1)
    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("known_version", "OUT_OF_RANGE")
    ]


def long_named(level: str, code: str, under: tuple[str, str] = ("", "")) -> UnitRow:
    """A unit of about 8 KB: ten languages of 200 letters of four bytes."""
    tags = ("en", "hi", "mr", "ta", "te", "kn", "ml", "gu", "pa", "bn")
    row = a_row(level, code, under=under)
    names = type(row.names).of(dict.fromkeys(tags, "𑀅" * 200))
    return UnitRow(row.row, row.key, names, row.parent, row.place)


async def test_answers_are_cut_or_refused_before_they_outgrow_a_message(tmp_path: Path) -> None:
    async with running(tmp_path) as hierarchy:
        await hierarchy.start(a_row(*RJ))
        districts = [long_named("district", f"D{n:04}", under=RJ) for n in range(600)]
        await hierarchy.import_rows(*districts[:300])
        await hierarchy.import_rows(*districts[300:])
        state = (await hierarchy.unit("state", "RJ")).id

        # A page is cut, and the next one goes on where it ended.
        seen: list[str] = []
        request = pb.ListChildrenRequest(parent_id=state, page_size=1_000)
        while True:
            reply = await hierarchy.call("ListChildren", request)
            seen += codes(reply.units)
            if not reply.next_page_token:
                break
            request.page_token = reply.next_page_token
        assert seen == [row.key.code for row in districts]

        # The pages of a batch are cut to one length.
        both = pb.BatchListChildrenRequest(parent_ids=[state, state], page_size=1_000)
        reply = await hierarchy.call("BatchListChildren", both)
        lengths = [len(result.children.units) for result in reply.results]
        assert lengths[0] == lengths[1] < 600
        assert all(result.children.next_page_token for result in reply.results)
        assert all(result.children.total_count == 600 for result in reply.results)

        # Ids have no pages.
        _, pages = await hierarchy.stream_tree()
        ids = list(pages[0].ids)
        everything = pb.BatchGetUnitsRequest(ids=ids)
        assert await violations(hierarchy, "BatchGetUnits", everything) == [
            ("ids", "ANSWER_TOO_LARGE")
        ]
        half = pb.BatchGetUnitsRequest(ids=ids[:300])
        assert len((await hierarchy.call("BatchGetUnits", half)).results) == 300
