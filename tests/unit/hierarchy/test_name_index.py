"""Units by name: what is found, and what comes first."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.hierarchy.domain.model import LocalizedText, Unit, UnitId
from services.hierarchy.domain.name_index import (
    CODE,
    WHOLE,
    WHOLE_PREFIX,
    WHOLE_SOUND,
    WORD,
    WORD_PREFIX,
    Match,
    NameIndex,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_unit(code: str, english: str, hindi: str = "") -> Unit:
    names = {"en": english} | ({"hi": hindi} if hindi else {})
    return Unit(
        UnitId(code), "district", code, LocalizedText.of(names), None, None, NOW, NOW, revision=1
    )


INDEX = NameIndex.of(
    [
        a_unit("JPR", "Jaipur", "जयपुर"),
        a_unit("JPG", "Jaipur Rural", "जयपुर ग्रामीण"),
        a_unit("SNG", "Sanganer near Jaipur", "सांगानेर"),
        a_unit("JDH", "Jodhpur", "जोधपुर"),
        a_unit("A-1", "Ajmer", "अजमेर"),
    ]
)


def found(query: str) -> dict[str, Match]:
    return {str(unit_id): match for unit_id, match in INDEX.search(query).items()}


@pytest.mark.parametrize(
    ("query", "scores"),
    [
        ("Jaipur", {"JPR": WHOLE, "JPG": WHOLE_PREFIX, "SNG": WORD}),
        ("jai", {"JPR": WHOLE_PREFIX, "JPG": WHOLE_PREFIX, "SNG": WORD_PREFIX}),
        ("rural jaipur", {"JPG": WORD}),
        ("जयपुर ग्रा", {"JPG": WHOLE_PREFIX}),
        ("a-1", {"A-1": CODE}),
        ("Udaipur", {}),
        ("—", {}),
    ],
)  # fmt: skip
def test_what_a_query_finds_and_how_well(query: str, scores: dict[str, float]) -> None:
    assert {code: match.score for code, match in found(query).items()} == scores


def test_a_name_is_found_as_it_is_spelt_by_ear() -> None:
    assert found("Jaypur")["JPR"].score == WHOLE_SOUND


def test_a_name_in_one_script_is_found_in_the_other() -> None:
    only_hindi = NameIndex.of([a_unit("PHL", "फलौदी")])
    assert only_hindi.search("Phalodi") == {"PHL": Match(WHOLE_SOUND, "en")}


def test_the_language_that_matched_is_told() -> None:
    assert found("अजमेर") == {"A-1": Match(WHOLE, "hi")}


def test_nothing_is_found_among_nothing() -> None:
    assert NameIndex.of([]).search("Jaipur") == {}


@pytest.mark.parametrize("query", ["\U0010ffff", "\0", "ा", "  "])
def test_odd_queries_find_nothing(query: str) -> None:
    assert found(query) == {}


class Counted(list[Any]):
    """A list that counts what is read of it in runs."""

    read_count = 0

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        if isinstance(place, slice):
            self.read_count += len(found)
        return found


def test_a_word_costs_once_however_often_it_is_typed() -> None:
    """A hundred letters cost half a minute of the process when all names began with them."""
    index = NameIndex.of([a_unit(f"B{number}", "Ada") for number in range(9)])

    def read_for(query: str) -> int:
        words = Counted(index.words)
        replace(index, words=words).search(query)
        return words.read_count

    assert read_for("a a a a a a") == read_for("a") == 9


def test_a_word_is_looked_for_only_among_what_fits_the_longer_ones() -> None:
    both = a_unit("3", "Adarsh Bal")
    index = NameIndex.of([a_unit("1", "Ada Bal"), a_unit("2", "Adarsh"), both])

    assert index.search("b adarsh").keys() == {both.id}
    assert index.search("adarsh nobody") == {}
