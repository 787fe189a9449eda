"""Global ids, cursors and paths: round trips, and that nonsense is refused."""

import itertools
import string
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.graph.ids import GlobalId, decode_id, encode_id, parse_id
from gateway.graph.pages import Page, PageRequest, cut_page, page_request, read_page
from gateway.graph.paths import camel_case, graphql_path, in_graphql_words
from kit.errors import FieldViolation, InvalidInput

UUID = "0190f5a2-7c1e-7def-8abc-0123456789ab"
NAMES = st.text(string.ascii_letters, min_size=1, max_size=20)
UUIDS = st.uuids().map(str)


@given(NAMES, UUIDS)
def test_an_id_says_what_it_was_made_of(type_name: str, uuid: str) -> None:
    made = encode_id(type_name, uuid)
    assert parse_id(made) == GlobalId(type_name, uuid)
    assert decode_id(made.rstrip("="), type_name, "id") == uuid


@given(st.text(max_size=200))
def test_other_texts_are_no_ids_and_never_an_exception(text: str) -> None:
    parsed = parse_id(text)
    assert parsed is None or encode_id(parsed.type_name, parsed.uuid).rstrip("=") == text.rstrip(
        "="
    )


@pytest.mark.parametrize("text", ["", "=", "Unit:" + UUID, "VW5pdDo", "é", "VW5pdDo=" * 40])
def test_nonsense_is_no_id(text: str) -> None:
    assert parse_id(text) is None


def test_a_uuid_in_capitals_is_no_id() -> None:
    assert parse_id(encode_id("Unit", UUID.upper())) is None


def test_an_id_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_id(encode_id("Group", UUID), "Unit", "input.unitId")
    assert caught.value.violations[0].field == "input.unitId"


@given(
    items=st.lists(st.integers(), max_size=40),
    service_page=st.integers(1, 7),
    sizes=st.lists(st.integers(1, 9), min_size=1),
    from_middle=st.booleans(),
)
def test_following_cursors_gives_every_item_once_in_order(
    items: list[int], service_page: int, sizes: list[int], from_middle: bool
) -> None:
    """From the end of each page or from the middle of it, whatever sizes the service likes."""
    seen: list[int] = []
    after, at = None, 0
    while True:
        request = page_request(sizes[at % len(sizes)], after, default=5)
        start = int(request.page_token or 0)
        size = max(request.page_size, service_page if from_middle else 1)
        end = start + min(size, request.page_size)
        page = cut_page(request, items[start:end], str(end) if end < len(items) else "")
        keep = max(1, len(page.items) // 2) if from_middle else len(page.items)
        seen += page.items[:keep]
        more = page.info.has_next_page or keep < len(page.items)
        if not more or not page.items:
            break
        after, at = page.cursors[keep - 1], at + 1
    assert seen == items


@dataclass
class Answer:
    items: list[int]
    next_page_token: str


class Service:
    """Twenty items; each answer is as short as the next of `lengths` says, whatever is asked."""

    def __init__(self, lengths: list[int]) -> None:
        self.items = list(range(20))
        self.lengths = itertools.cycle(lengths)
        self.asked: list[PageRequest] = []

    async def ask(self, request: PageRequest) -> Answer:
        self.asked.append(request)
        start = int(request.page_token or 0)
        end = start + min(next(self.lengths), request.page_size)
        return Answer(self.items[start:end], str(end) if end < len(self.items) else "")

    async def page(self, request: PageRequest) -> Page[int]:
        request, reply = await read_page(request, self.ask, lambda answer: answer.items)
        return cut_page(request, reply.items, reply.next_page_token)


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8).filter(any),
    sizes=st.lists(st.integers(1, 9), min_size=1),
    steps=st.lists(st.integers(1, 9), min_size=1),
)
async def test_a_service_that_answers_short_is_followed_to_an_item(
    lengths: list[int], sizes: list[int], steps: list[int]
) -> None:
    """Empty answers too; every page has an edge and no more than were asked for."""
    service = Service(lengths)
    seen: list[int] = []
    after: str | None = None
    for size, step in zip(itertools.cycle(sizes), itertools.cycle(steps), strict=False):
        page = await service.page(page_request(size, after, default=5))
        assert 1 <= len(page.items) <= size
        kept = page.items[:step]
        seen += kept
        if not page.info.has_next_page and len(kept) == len(page.items):
            break
        after = page.cursors[len(kept) - 1]
    assert seen == service.items


async def test_a_service_whose_items_never_fit_is_told_so_after_some_answers() -> None:
    service = Service([0])
    with pytest.raises(InvalidInput) as caught:
        await service.page(page_request(5, None, default=5))
    assert caught.value.reason == "ANSWER_TOO_LARGE"
    assert caught.value.violations[0].field == "first"
    assert len(service.asked) == 11


def test_a_page_without_an_item_and_with_more_to_come_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        cut_page(page_request(5, None, default=5), [], "more")
    assert caught.value.reason == "ANSWER_TOO_LARGE"
    assert caught.value.violations[0].field == "first"
    nothing: Page[int] = cut_page(page_request(5, None, default=5), [], "")
    assert (nothing.items, nothing.info.has_next_page) == ([], False)


@given(st.text(max_size=50))
def test_other_texts_are_no_cursors_and_never_another_exception(text: str) -> None:
    with suppress(InvalidInput):
        request = page_request(5, text, default=5)
        assert request.skip < 1000


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("unit_id", "unitId"),
        ("audience.include[0].unit_ids[2]", "audience.include[0].unitIds[2]"),
        ("broadcast.audience.include[0].unit_ids[2]", "input.audience.include[0].unitIds[2]"),
        ("broadcast", "input"),
        ("page_size", "first"),
        ("request_id", "requestId"),
        ("", ""),
    ],
)
def test_paths_in_graphql_s_words(path: str, expected: str) -> None:
    assert graphql_path(path, {"broadcast": "input", "page_size": "first"}) == expected
    assert graphql_path(expected, {}) == expected


def test_camel_case_twice_is_camel_case() -> None:
    assert camel_case(camel_case("a_b_1c")) == camel_case("a_b_1c") == "aB1c"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("broadcast.audience: selects nothing", "input.audience: selects nothing"),
        (
            "nothing is sent to broadcast.audience.include[0].unit_ids[2], nor any below",
            "nothing is sent to input.audience.include[0].unitIds[2], nor any below",
        ),
        ("id: must be the id of a broadcast.", "input.broadcastId: must be the id of a broadcast."),
        ("no path in e.g. this or page_size", "no path in e.g. this or page_size"),
    ],
)
def test_a_message_says_graphql_s_paths_wherever_it_names_one(message: str, expected: str) -> None:
    error = InvalidInput.from_wire(reason="ANY", message=message, fields={})
    error.violations = (
        FieldViolation("id", "ANY"),
        FieldViolation("broadcast.", "MORE_VIOLATIONS"),
    )
    told = in_graphql_words(error, {"broadcast": "input", "id": "input.broadcastId"})
    assert told.message == expected
    assert [each.field for each in told.violations] == ["input.broadcastId", ""]
