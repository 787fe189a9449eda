"""Limits of documents: what is counted, and that counting takes no longer than reading."""

import time
from collections.abc import Callable

import pytest
from graphql import build_schema, parse

from gateway.http.documents import Documents
from gateway.http.limits import DocumentTooLarge, Limits, check_limits, check_nesting

from .fakes.servers import Client

SCHEMA = build_schema(
    """directive @d(n: Int) repeatable on FIELD | QUERY | FRAGMENT_SPREAD
    type Query { a: Query b(x: [Int], s: String): Query c: Int }"""
)


def refused(document: str, **limits: int) -> str | None:
    """The reason why a document is refused, if it is."""
    try:
        check_limits(parse(document), Limits(**limits))
    except DocumentTooLarge as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("document", "limit", "largest", "reason"),
    [
        ("{ a { a { c } } }", "depth", 3, "TOO_DEEP"),
        ("{ a { ... on Query { a { c } } } }", "depth", 3, "TOO_DEEP"),
        (
            "{ ...F } fragment F on Query { a { ...G } } fragment G on Query { c }",
            "depth",
            2,
            "TOO_DEEP",
        ),
        ("{ x: c y: c a { z: c } }", "aliases", 3, "TOO_MANY_ALIASES"),
        ("{ ...F a { ...F } } fragment F on Query { x: c y: c }", "aliases", 4, "TOO_MANY_ALIASES"),
        ("{ c a { c } b { c } }", "root_fields", 3, "TOO_MANY_ROOT_FIELDS"),
        (
            "{ ...F c } fragment F on Query { x: c ... { y: c } }",
            "root_fields",
            3,
            "TOO_MANY_ROOT_FIELDS",
        ),
        (
            "query @d { c @d @d ...F @d } fragment F on Query { c @d }",
            "directives",
            5,
            "TOO_MANY_DIRECTIVES",
        ),
        ("{ ...F a { ...F } } fragment F on Query { a { c } c }", "fields", 7, "TOO_MANY_FIELDS"),
    ],
)
def test_each_limit_holds_exactly(document: str, limit: str, largest: int, reason: str) -> None:
    assert refused(document, **{limit: largest}) is None
    assert refused(document, **{limit: largest - 1}) == reason


def test_each_operation_of_a_document_is_measured() -> None:
    assert refused("query A { c } query B { a { a { c } } }", depth=2) == "TOO_DEEP"


def test_introspection_may_nest_deep() -> None:
    inner = "name ofType { " * 9 + "name" + " }" * 9
    assert (
        refused(f"{{ __schema {{ types {{ fields {{ type {{ {inner} }} }} }} }} }}", depth=3)
        is None
    )


def test_a_fragment_that_spreads_itself_comes_to_an_end() -> None:
    assert refused("{ ...F } fragment F on Query { a { ...F } }") is None


@pytest.mark.parametrize("levels", [10, 20, 40])
def test_fragments_that_double_are_measured_once_each(levels: int) -> None:
    """2^40 fields: walking every spread would never come back."""
    chain = " ".join(
        f"fragment F{at} on Query {{ x: a {{ ...F{at + 1} }} y: a {{ ...F{at + 1} }} }}"
        for at in range(levels)
    )
    document = f"{{ ...F0 }} {chain} fragment F{levels} on Query {{ c }}"
    started = time.perf_counter()
    assert refused(document, depth=100) == "TOO_MANY_ALIASES"
    assert refused(document, depth=100, aliases=2**60) == "TOO_MANY_FIELDS"
    assert time.perf_counter() - started < 0.5


def timed(work: Callable[[str], object], text: str) -> float:
    return min(_once(work, text) for _ in range(3))


def _once(work: Callable[[str], object], text: str) -> float:
    started = time.perf_counter()
    work(text)
    return time.perf_counter() - started


@pytest.mark.parametrize(
    "document",
    [
        "{ c " * 200,
        "{ b(x: " + "[" * 200,
        '{ b(s: "{{{" ' + "} " + "{ c " * 200,
        "{ # }}}}}}\n" + "a { " * 200,
        '{ b(s: """{{{ \\""" {{{""") { ' + "a { " * 120,
    ],
)
def test_deep_nesting_is_refused_before_it_is_parsed(document: str) -> None:
    with pytest.raises(DocumentTooLarge) as caught:
        check_nesting(document)
    assert caught.value.reason == "TOO_DEEP"


@pytest.mark.parametrize(
    "document",
    [
        '{ b(s: "' + "{" * 500 + '") { c } }',
        "{ c # " + "{" * 500 + "\n}",
        '{ b(s: """' + "{" * 500 + '""") { c } }',
    ],
)
def test_brackets_in_strings_and_comments_do_not_nest(document: str) -> None:
    check_nesting(document)
    parse(document)


def test_looking_for_nesting_takes_time_in_proportion() -> None:
    small, large = "{ c } " * 5_000, "{ c } " * 50_000
    assert timed(check_nesting, large) < 40 * timed(check_nesting, small)
    quotes = '"' * 100_000
    assert timed(check_nesting, quotes) < 0.5
    escapes = '"' + '\\"' * 100_000  # a string without an end
    assert timed(check_nesting, escapes) < 0.5


def test_documents_are_kept_and_the_oldest_forgotten() -> None:
    documents = Documents(SCHEMA, Limits())
    first = documents.get("{ c }")
    assert documents.get("{ c }") is first
    for at in range(600):
        documents.get(f"{{ n{at}: c }}")
    assert documents.get("{ c }") is not first


def test_what_cannot_be_read_is_an_error_and_never_an_exception() -> None:
    documents = Documents(SCHEMA, Limits())
    for text in (
        "",
        "{",
        "\x00",
        "{ c(",
        "{ b(x: " + "9" * 5000 + ") { c } }",
        '{ b(s: "\\uD800") }',
    ):
        document = documents.get(text)
        assert document.node is None
        assert document.errors


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{ " + "viewer { tenant } " * 300 + "}", "TOO_MANY_TOKENS"),
        (
            "{ viewer { " + "".join(f"a{at}: tenant " for at in range(16)) + "} }",
            "TOO_MANY_ALIASES",
        ),
        ("{ " + "viewer { tenant } " * 21 + "}", "TOO_MANY_ROOT_FIELDS"),
        ("{ units { nodes { " + "parent { " * 22 + "id" + " }" * 25, "TOO_DEEP"),
        ("{" * 101, "TOO_DEEP"),
        ("{ viewer { tenant " + "@skip(if: false) " * 51 + "} }", "TOO_MANY_DIRECTIVES"),
    ],
)
async def test_a_document_over_a_limit_is_told_so(
    asking: Client, document: str, reason: str
) -> None:
    response = await asking.post(document)
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert error["extensions"]["reason"] == reason
    assert asking.world.calls.log == []
