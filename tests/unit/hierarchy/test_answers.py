"""Answers that have to fit into a message: how they are cut, and that they are built once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.model import LocalizedText, UnitId, UnitKey, UnitWithCounts
from services.hierarchy.translate import answers
from services.hierarchy.use_cases.units import ChildrenWithCounts
from tests.builders_hierarchy import a_unit

PARENT = UnitId("00000000-0000-0000-0000-000000000001")


def units(count: int, letters: int = 1) -> list[UnitWithCounts]:
    """Children whose names have so many letters of four bytes in each of ten languages."""
    tags = ("en", "hi", "mr", "ta", "te", "kn", "ml", "gu", "pa", "bn")
    names = LocalizedText.of(dict.fromkeys(tags, "𑀅" * letters))
    return [
        UnitWithCounts(replace(a_unit("booth", f"B{n:05}"), names=names), 0, 1)
        for n in range(count)
    ]


def a_page(children: Sequence[UnitWithCounts], more: int = 0) -> ChildrenWithCounts:
    return ChildrenWithCounts(PARENT, children, len(children) + more, more > 0)


class Tokens:
    """Tokens that name the last unit shown, and a note of each that was made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, parent: UnitId | None, last: UnitKey) -> str:
        assert parent == PARENT
        self.made.append(last.code)
        return f"after {last.code}"


def lengths(answer: pb.BatchListChildrenResponse) -> list[int]:
    return [len(result.children.units) for result in answer.results]


def test_pages_that_fit_are_whole() -> None:
    tokens = Tokens()
    found: list[ChildrenWithCounts | ChaupalError] = [
        a_page(units(3)),
        UnitNotFound("x"),
        a_page([]),
        a_page(units(2), more=7),
    ]

    answer = answers.children_pages(found, 3, tokens)

    assert [result.WhichOneof("result") for result in answer.results] == [
        "children", "status", "children", "children",
    ]  # fmt: skip
    assert lengths(answer) == [3, 0, 0, 2]
    assert [result.children.total_count for result in answer.results] == [3, 0, 0, 9]
    assert [result.children.next_page_token for result in answer.results] == [
        "", "", "", "after B00001",
    ]  # fmt: skip


def test_pages_are_cut_to_the_limit() -> None:
    answer = answers.children_pages([a_page(units(5)), a_page(units(2))], 2, Tokens())

    assert lengths(answer) == [2, 2]
    assert answer.results[0].children.next_page_token == "after B00001"
    assert answer.results[1].children.next_page_token == ""


def test_a_large_batch_is_built_once_and_cut_where_it_is_full() -> None:
    """Three pages of 8 KB units: about a third of the first fits of each, and no more."""
    tokens, short = Tokens(), a_page(units(2, letters=200))
    long = a_page(units(600, letters=200))

    answer = answers.children_pages([long, short, long, long], 1_000, tokens)

    length = lengths(answer)[0]
    assert lengths(answer) == [length, 2, length, length]
    assert tokens.made == [f"B{length - 1:05}"] * 3
    one = answer.results[0].children.units[0].ByteSize()
    size = answer.ByteSize()
    assert size <= answers.MAX_ANSWER_BYTES < size + 3 * (one + 4) + 4 * 512


def test_a_large_page_is_built_once_and_cut_where_it_is_full() -> None:
    tokens = Tokens()

    answer = answers.children_page(a_page(units(600, letters=200)), 1_000, tokens)

    length = len(answer.units)
    assert tokens.made == [f"B{length - 1:05}"]
    size = answer.ByteSize()
    assert size <= answers.MAX_ANSWER_BYTES < size + answer.units[0].ByteSize() + 4 + 512


def test_a_batch_of_which_not_even_the_first_children_fit_is_refused() -> None:
    first = a_page(units(1, letters=200))

    with pytest.raises(InvalidInput) as refused:
        answers.children_pages([first] * 600, 1, Tokens())

    assert [(each.field, each.reason) for each in refused.value.violations] == [
        ("parent_ids", "ANSWER_TOO_LARGE")
    ]


def test_a_page_whose_units_are_all_gone_leads_on_to_the_next() -> None:
    gone = ChildrenWithCounts(PARENT, [], 7, has_more=True, end=UnitKey("booth", "B00004"))

    answer = answers.children_page(gone, 5, Tokens())

    assert (list(answer.units), answer.next_page_token) == ([], "after B00004")
