"""What is wrong with the rows of a file, one fault at a time."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.hierarchy.domain.imports import plan_import
from services.hierarchy.domain.model import (
    LocalizedText,
    Place,
    RowError,
    Unit,
    UnitKey,
    UnitRow,
)
from services.hierarchy.domain.row_checks import MAX_REPORTED_ERRORS, Standing, row_errors
from tests.builders_hierarchy import LEVELS, a_blueprint, a_row, a_small_tree, a_unit, numbered

RJ, JPR, M1 = ("state", "RJ"), ("district", "JPR"), ("mandal", "M1")


def standing(*units: Unit, centre: str = "") -> Standing:
    return Standing(
        blueprint=replace(a_blueprint(), centre_level=centre),
        tree_version=3,
        units={unit.key: unit for unit in units},
        used_levels=Counter(unit.level for unit in units),
    )


def faults(rows: list[UnitRow], *units: Unit, centre: str = "") -> list[tuple[int, str, str]]:
    _, errors = row_errors(numbered(rows), standing(*units, centre=centre))
    return [(error.row, error.field, error.reason) for error in errors]


def with_names(**by_language: str) -> UnitRow:
    row = a_row(*RJ)
    return replace(row, names=LocalizedText.of(by_language))


def test_a_right_file_has_no_faults() -> None:
    assert faults(a_small_tree()) == []
    assert faults(a_small_tree(), centre="state") == []


def test_there_is_one_centre() -> None:
    """Also when it stands: then rows may change it, and make none."""
    rows = [a_row(*RJ), a_row("state", "MP"), a_row("state", "GJ")]
    exists = [(number, "code", "CENTRE_EXISTS") for number in (2, 3, 4)]

    assert faults(rows, centre="state") == exists[1:]
    assert faults(rows, a_unit("state", "GJ"), centre="state") == exists[:2]
    assert faults(rows, a_unit("state", "UP"), centre="state") == exists
    assert faults(rows) == []
    nowhere = [a_row("", "X"), a_row("", "Y")]
    assert faults(nowhere) == [(2, "level", "MISSING"), (3, "level", "MISSING")]
    _, errors = row_errors(numbered(rows[:2]), standing(centre="state"))
    assert [each.description for each in errors] == ["there is one state only: state RJ in row 2"]


def test_a_row_that_stands_twice_is_no_second_centre() -> None:
    rows = [a_row(*RJ), a_row(*RJ)]

    assert faults(rows, centre="state") == [(3, "code", "DUPLICATE_CODE")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (a_row("", "RJ"), ("level", "MISSING")),
        (a_row("street", "RJ"), ("level", "UNKNOWN_LEVEL")),
        (a_row("State", "RJ"), ("level", "UNKNOWN_LEVEL")),
        (a_row("state", ""), ("code", "MISSING")),
        (a_row("state", "R J"), ("code", "BAD_CODE")),
        (a_row("state", "राज"), ("code", "BAD_CODE")),
        (a_row("state", "RJ\n", name="x"), ("code", "BAD_CODE")),
        (a_row("state", "x" * 65), ("code", "BAD_CODE")),
        (with_names(hi="राजस्थान"), ("names.en", "MISSING")),
        (with_names(), ("names.en", "MISSING")),
        (with_names(en="  "), ("names.en", "MISSING")),
        (with_names(en="x" * 201), ("names.en", "BAD_NAME")),
        (with_names(en="a\tb"), ("names.en", "BAD_NAME")),
        (with_names(en="Rajasthan", hi=""), ("names.hi", "BAD_NAME")),
        (with_names(en="Rajasthan", EN="x"), ("names", "BAD_NAME")),
        (with_names(en="x", **{"x-y": "x"}), ("names", "BAD_NAME")),
        (with_names(en="x", **{f"a{c}": "x" for c in "abcdefghij"}), ("names", "BAD_NAME")),
        (a_row(*RJ, place=Place(90.1, 0)), ("place.latitude", "BAD_PLACE")),
        (a_row(*RJ, place=Place(0, -180.1)), ("place.longitude", "BAD_PLACE")),
        (a_row(*RJ, place=Place(float("nan"), 0)), ("place.latitude", "BAD_PLACE")),
        (a_row(*RJ, place=Place(0, float("inf"))), ("place.longitude", "BAD_PLACE")),
        (a_row(*JPR, under=("state", "")), ("parent_code", "MISSING")),
        (a_row(*JPR, under=("", "RJ")), ("parent_level", "MISSING")),
        (a_row(*JPR, under=("country", "IN")), ("parent_level", "UNKNOWN_LEVEL")),
        (a_row(*JPR, under=("state", "MP")), ("parent_code", "UNKNOWN_PARENT")),
        (a_row(*JPR, under=("district", "JPR")), ("parent_level", "LEVEL_ORDER")),
        (a_row(*JPR, under=("mandal", "M1")), ("parent_level", "LEVEL_ORDER")),
    ],
)
def test_each_fault_has_its_field_and_reason(row: UnitRow, expected: tuple[str, str]) -> None:
    found = faults([row], a_unit("state", "RJ"), a_unit("mandal", "M1"))

    assert (2, *expected) in found
    assert len(found) == (2 if row.parent == row.key else 1)  # that one runs in a circle too


def test_what_is_just_within_the_bounds_passes() -> None:
    rows = [
        replace(a_row("state", "x" * 64), names=LocalizedText.of({"en": "x" * 200})),
        a_row("state", "A.b_c-9", place=Place(-90, 180)),
        replace(
            a_row("state", "Z"),
            names=LocalizedText.of({"en": "x", **{f"a{c}": "क्‍ष" for c in "abcdefghi"}}),
        ),
    ]

    assert faults(rows) == []


def test_every_fault_of_a_row_is_told() -> None:
    row = replace(a_row("street", "R J", under=("country", "")), place=Place(91, 181))

    assert faults([row]) == [
        (2, "level", "UNKNOWN_LEVEL"),
        (2, "code", "BAD_CODE"),
        (2, "place.latitude", "BAD_PLACE"),
        (2, "place.longitude", "BAD_PLACE"),
        (2, "parent_code", "MISSING"),
    ]


def test_a_code_stands_once_in_a_file_and_the_first_row_is_named() -> None:
    rows = [a_row(*RJ), a_row("state", "MP"), a_row(*RJ, name="Again"), a_row(*RJ, name="Again")]

    _, errors = row_errors(numbered(rows), standing())

    assert errors == [
        RowError(4, "code", "DUPLICATE_CODE", "state RJ stands in row 2 already"),
        RowError(5, "code", "DUPLICATE_CODE", "state RJ stands in row 2 already"),
    ]


def test_the_same_code_on_two_levels_is_two_units() -> None:
    assert faults([a_row("state", "JPR"), a_row("district", "JPR", under=("state", "JPR"))]) == []


def test_a_parent_may_exist_already_or_stand_below() -> None:
    rows = [a_row("booth", "B1", under=M1), a_row(*M1, under=RJ)]

    assert faults(rows, a_unit(*RJ)) == []


def test_rows_that_run_in_a_circle_are_each_named() -> None:
    rows = [
        a_row("state", "A", under=("booth", "C")),
        a_row("district", "B", under=("state", "A")),
        a_row("booth", "C", under=("district", "B")),
        a_row("booth", "OUT", under=("district", "B")),  # hangs on the circle, is not in it
    ]

    assert faults(rows) == [
        (2, "parent_level", "LEVEL_ORDER"),
        (2, "parent_code", "CYCLE"),
        (3, "parent_code", "CYCLE"),
        (4, "parent_code", "CYCLE"),
    ]
    _, errors = row_errors(numbered(rows), standing())
    assert errors[1].description == (
        'would be its own ancestor: state "A" under booth "C" under district "B" under state "A"'
    )


def test_a_unit_under_itself_runs_in_a_circle() -> None:
    assert faults([a_row(*JPR, under=JPR)], a_unit(*RJ)) == [
        (2, "parent_level", "LEVEL_ORDER"),
        (2, "parent_code", "CYCLE"),
    ]


def test_two_circles_and_long_ones_are_found() -> None:
    ring = [
        a_row("booth", f"R{n}", under=("booth", f"R{(n + 1) % 6}"), name="Ring") for n in range(6)
    ]
    pair = [
        a_row("mandal", "X", under=("mandal", "Y")),
        a_row("mandal", "Y", under=("mandal", "X")),
    ]

    found = faults([*ring, *pair])

    assert [row for row, _, reason in found if reason == "CYCLE"] == list(range(2, 10))


def test_a_row_of_nothing_is_no_circle() -> None:
    assert faults([a_row("", "", name="x"), a_row("", "", name="y")]) == [
        (2, "level", "MISSING"),
        (2, "code", "MISSING"),
        (3, "level", "MISSING"),
        (3, "code", "MISSING"),
    ]


def test_only_the_highest_units_stand_without_a_parent() -> None:
    rows = [a_row(*RJ), a_row(*JPR), a_row("state", "MP"), a_row("booth", "B1")]
    alone = [(3, "parent_code", "MISSING"), (5, "parent_code", "MISSING")]
    assert faults(rows) == alone

    # An organisation may begin below the top of its blueprint ...
    assert faults([a_row("mandal", "M1"), a_row("mandal", "M2")]) == []
    # ... and grow upwards later.
    assert faults([a_row(*RJ), a_row(*M1, under=RJ)], a_unit("mandal", "M1")) == []
    # What exists counts as what the file brings.
    assert faults([a_row(*JPR)], a_unit(*RJ)) == [(2, "parent_code", "MISSING")]


def test_a_file_without_rows_is_at_fault_as_a_whole() -> None:
    assert row_errors([], standing()) == (1, [RowError(0, "", "MISSING", "the file has no rows")])


def test_errors_come_by_row_number_and_their_number_is_bounded() -> None:
    rows = [a_row("state", "", number=number) for number in range(3_000, 0, -1)]

    count, errors = row_errors(rows, standing())

    assert count == 3_000
    assert [error.row for error in errors] == list(range(1, MAX_REPORTED_ERRORS + 1))


def test_what_people_typed_is_quoted_short_and_without_surprises() -> None:
    row = a_row("state", "\x1b[31m" + "x" * 10_000, name="x")

    _, (error,) = row_errors([row], standing())

    assert len(error.description) < 150
    assert "\x1b" not in error.description


def test_levels_are_named_in_the_message_that_misses_one() -> None:
    _, (error,) = row_errors([a_row("street", "S", under=RJ)], standing(a_unit(*RJ)))

    assert error.description == f'"street" is none of the levels: {", ".join(LEVELS)}'


def test_a_refused_plan_writes_nothing_and_keeps_the_version() -> None:
    plan = plan_import(
        numbered([a_row("state", ""), a_row(*RJ)]),
        standing(),
        new_id=lambda: pytest.fail("no unit is made"),
        effective_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert plan.edits == ()
    assert (plan.report.row_count, plan.report.error_count, plan.report.tree_version) == (2, 1, 3)


def test_keys_are_what_they_say() -> None:
    assert UnitKey("state", "RJ") == ("state", "RJ")
