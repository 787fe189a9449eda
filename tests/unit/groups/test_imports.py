"""The rules of an import that need no store."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from kit.errors import InvalidInput
from services.groups.domain.imports import (
    MAX_ERRORS_TOLD,
    MAX_ROWS,
    GroupRow,
    check_holders,
    check_rows,
    plan_import,
)
from services.groups.use_cases import imports
from tests.unit.groups.builders import (
    BLUEPRINT,
    a_state,
    content,
    draft,
    group,
    register_of,
    row,
    unit_id,
)

FIND = a_state().snapshot().unit_at


def everywhere(*_group: str) -> bool:
    return True


def test_right_rows_become_contents_in_their_order() -> None:
    checked = check_rows(
        [row(2, "b"), row(3, "a", "dausa", "district")], BLUEPRINT, FIND, everywhere
    )

    assert (checked.error_count, checked.errors, checked.may_be_outdated) == (0, (), False)
    assert checked.contents == [content("b", "b-1"), content("a", "dausa")]


def test_a_unit_is_named_by_level_and_code_together() -> None:
    checked = check_rows([row(2, "a", "alwar", "booth")], BLUEPRINT, FIND, everywhere)
    assert [each.reason for each in checked.errors] == ["UNKNOWN_UNIT"]
    assert checked.may_be_outdated


def test_errors_are_counted_beyond_those_that_are_kept() -> None:
    rows = [row(number, "", member_count=-1) for number in range(9_000, 0, -1)]
    checked = check_rows(rows, BLUEPRINT, FIND, everywhere)
    assert checked.error_count == 18_000
    assert len(checked.errors) == MAX_ERRORS_TOLD
    assert [each.row for each in checked.errors[:4]] == [1, 1, 2, 2]


def test_what_may_not_be_changed_is_named_beside_what_is_wrong() -> None:
    rows = [row(2, "a", "b-1"), row(3, "b", "b-2"), row(4, "", "b-2")]

    def may_change(of: str, kind: str, category: str) -> bool:
        return (of, kind, category) == (unit_id("b-1"), "booth_voters", "")

    checked = check_rows(rows, BLUEPRINT, FIND, may_change)

    assert [(each.row, each.field, each.reason) for each in checked.errors] == [
        (3, "unit_code", "NOT_ALLOWED"),
        (4, "code", "MISSING"),
        (4, "unit_code", "NOT_ALLOWED"),
    ]
    assert checked.may_be_outdated


def test_a_row_may_not_change_a_group_that_is_anothers() -> None:
    register = register_of([group("a", "b-3"), group("b", "b-1")])
    rows = [row(2, "new"), row(3, "a"), row(4, "b")]
    contents = [content("new"), content("a"), content("b")]

    checked = check_holders(rows, contents, register, lambda ordinal: ordinal == 1)

    assert [(each.row, each.field, each.reason) for each in checked.errors] == [
        (3, "code", "NOT_ALLOWED")
    ]
    assert checked.contents == contents


def test_a_plan_sorts_contents_by_what_is_known() -> None:
    register = register_of([group("a"), group("b"), group("c")])
    same, other, new = content("c"), content("a", language="en"), content("d", unit="b-2")

    plan = plan_import([new, same, other], register)

    assert plan.created == [new]
    assert plan.updated == [(0, other)]
    assert plan.unchanged_count == 1
    report = plan.report(applied=True)
    assert (report.row_count, report.created_count, report.updated_count) == (3, 1, 1)
    assert (report.unchanged_count, report.error_count, report.applied) == (1, 0, True)


@pytest.mark.parametrize(
    "said",
    [
        {"names": {"en": "Other", "hi": "समूह g-1"}},
        {"kind": "internal"},
        {"category": "farmers"},
        {"unit_id": unit_id("b-2")},
        {"admins": ()},
        {"language": "en"},
        {"member_count": 901},
        {"capacity": 1025},
        {"state": 4},
    ],
)
def test_every_part_of_a_content_is_in_its_digest(said: dict[str, Any]) -> None:
    assert content(**said).digest() != content().digest()


def test_a_digest_does_not_hang_on_the_order_of_names() -> None:
    one = content(names={"en": "a", "hi": "b"})
    other = content(names={"hi": "b", "en": "a"})
    assert one.digest() == other.digest()


@pytest.mark.parametrize("over", [0, 1])
async def test_an_import_has_at_most_so_many_rows(over: int) -> None:
    async def pages() -> AsyncIterator[Sequence[GroupRow]]:
        page = [row(1, "a")] * 5_000
        for _ in range(MAX_ROWS // 5_000):
            yield page
        yield page[:over]

    if not over:
        assert len(await imports._all_rows(pages())) == MAX_ROWS
        return
    with pytest.raises(InvalidInput) as refused:
        await imports._all_rows(pages())
    [violation] = refused.value.violations
    assert (violation.field, violation.reason) == ("page.rows", "TOO_MANY")


def test_a_request_is_the_same_whatever_the_order_of_its_names() -> None:
    one = row(1, "a", names={"en": "a", "hi": "b"})
    other = row(1, "a", names={"hi": "b", "en": "a"})
    assert imports._key("id", [one]) == imports._key("id", [other])
    assert imports._key("id", [one]) != imports._key("id", [row(1, "a")])
    assert imports._key("id", [one, one]) != imports._key("id", [one])


def test_drafts_differ_by_everything_they_say() -> None:
    assert draft().said() == draft().said()
    assert draft().said() != draft(state=None).said()
