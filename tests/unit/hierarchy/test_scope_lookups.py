"""A scope of many offices finds a unit without going through all of them."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.access import Scope, ScopedGrant, Viewer
from services.hierarchy.domain.model import Grant, TenantId, UnitId
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import Tree, TreeRow, TreeRows
from tests.builders_hierarchy import LEVELS, an_id

STATES = 400


def unit_of(number: int) -> UnitId:
    return UnitId(an_id("unit", number))


def a_tree(states: int) -> Tree:
    """Each state has two districts: three units, one behind the other."""
    rows = []
    for number in range(0, 3 * states, 3):
        rows.append(TreeRow(unit_of(number), None, "state", f"S{number:05}"))
        rows += [
            TreeRow(unit_of(each), unit_of(number), "district", f"D{each:05}")
            for each in (number + 1, number + 2)
        ]
    return Tree.of(TreeRows(1, LEVELS, rows))


def scope_over(tree: Tree, roots: Collection[int]) -> Scope:
    grants = [ScopedGrant(Grant("view"), unit_of(each)) for each in roots]
    header = TenantHeader(TenantId("neem"))
    return Scope.of(Viewer(header, "user-1", None, (), grants, None), "view", tree)


class Counting(tuple[tuple[int, int], ...]):
    """Runs that count how many of them are looked at."""

    __slots__ = ()
    looks: ClassVar[int] = 0

    def __getitem__(self, at: Any) -> Any:
        Counting.looks += 1
        return super().__getitem__(at)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for each in super().__iter__():
            Counting.looks += 1
            yield each


@given(st.sets(st.integers(0, 35)))
def test_a_unit_is_in_it_where_it_or_one_above_it_is_a_root(roots: set[int]) -> None:
    scope = scope_over(a_tree(12), roots)

    inside = {each for each in range(36) if each in roots or each - each % 3 in roots}
    assert {each for each in range(36) if unit_of(each) in scope} == inside
    assert unit_of(36) not in scope
    assert None not in scope
    assert scope.unit_count == len(inside)


def test_a_look_takes_no_more_than_the_logarithm_of_its_runs() -> None:
    scope = scope_over(a_tree(STATES), range(1, 3 * STATES, 3))
    assert len(scope.ranges) == STATES
    counting = replace(scope, ranges=Counting(scope.ranges))

    for each in range(3 * STATES):
        Counting.looks = 0
        assert (unit_of(each) in counting) is (each % 3 == 1)
        assert Counting.looks <= 12
