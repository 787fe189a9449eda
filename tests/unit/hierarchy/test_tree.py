"""The numbered tree against counting by hand."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.imports import plan_import
from services.hierarchy.domain.model import Unit, UnitId, UnitRow
from services.hierarchy.domain.row_checks import Standing
from services.hierarchy.domain.tree import Tree, TreeRow, TreeRows
from tests.builders_hierarchy import LEVELS, a_blueprint
from tests.strategies import valid_trees
from tests.unit.hierarchy.test_plan_import import NOW


def units_of(rows: list[UnitRow]) -> list[Unit]:
    numbers = iter(range(1, 10_000))
    made = plan_import(
        rows,
        Standing(a_blueprint(), 0, {}, {}),
        new_id=lambda: f"{next(numbers):08}-0000-4000-8000-000000000000",
        effective_at=NOW,
    )
    return [edit.after for edit in made.edits if edit.after]


@given(valid_trees())
def test_positions_counts_and_levels_are_as_counted_by_hand(rows: list[UnitRow]) -> None:
    units = units_of(rows)
    by_id = {unit.id: unit for unit in units}
    in_order = sorted(units, key=lambda unit: (unit.code, unit.level))
    tree = Tree.of(
        TreeRows(
            tree_version=1,
            level_keys=LEVELS,
            rows=[TreeRow(unit.id, unit.parent_id, unit.level, unit.code) for unit in in_order],
        )
    )

    def children(of: str | None) -> list[Unit]:
        return [unit for unit in in_order if unit.parent_id == of]

    def walk(of: str | None) -> list[Unit]:
        return [each for child in children(of) for each in (child, *walk(child.id))]

    expected = walk(None)
    assert list(tree.forest.ids) == [unit.id for unit in expected]
    assert list(tree.codes) == [unit.code for unit in expected]
    assert [LEVELS[level] for level in tree.levels] == [unit.level for unit in expected]
    for unit in units:
        counted = tree.count(unit)
        assert counted.child_count == len(children(unit.id))
        assert counted.subtree_count == 1 + len(walk(unit.id))
    assert tree.unit_count == len(by_id)
    assert [tree.forest.ids[place] for place in tree.tops([(0, tree.unit_count)])] == [
        unit.id for unit in children(None)
    ]


def tree_of(units: Iterable[Unit], tree_version: int = 1) -> Tree:
    in_order = sorted(units, key=lambda unit: (unit.code, unit.level))
    rows = [TreeRow(unit.id, unit.parent_id, unit.level, unit.code) for unit in in_order]
    return Tree.of(TreeRows(tree_version, LEVELS, rows))


@given(valid_trees(), st.data())
def test_a_tree_after_changes_is_the_tree_of_what_stands(
    rows: list[UnitRow], data: st.DataObject
) -> None:
    before = {unit.id: unit for unit in units_of(rows)}
    after = dict(before)
    parents = {unit.parent_id for unit in before.values()}
    leaves = [unit for unit in before.values() if unit.id not in parents]
    closed = data.draw(st.sets(st.sampled_from([unit.id for unit in leaves])))
    for each in closed:
        del after[each]
    changed = []
    for unit in data.draw(st.lists(st.sampled_from(list(after.values())))) if after else []:
        above = [other for other in after.values() if is_above(other, unit)]
        parent = data.draw(st.sampled_from(above)).id if above else None
        moved = replace(
            unit, code=data.draw(st.sampled_from([unit.code, f"new-{unit.code}"])), parent_id=parent
        )
        after[unit.id] = moved
        changed.append(unit.id)
    made = tree_of(before.values()).after(2, [after[each] for each in set(changed)], closed)

    whole = tree_of(after.values(), tree_version=2)
    assert (made.tree_version, made.level_keys, made.codes) == (2, LEVELS, whole.codes)
    assert made.forest.parents.tolist() == whole.forest.parents.tolist()
    assert made.levels.tolist() == whole.levels.tolist()
    assert sorted(made.forest.ids) == sorted(whole.forest.ids)


def is_above(other: Unit, unit: Unit) -> bool:
    return LEVELS.index(other.level) < LEVELS.index(unit.level)


def test_levels_that_are_gone_come_behind_the_others() -> None:
    rows = [
        TreeRow(UnitId("a"), None, "state", "A"),
        TreeRow(UnitId("b"), UnitId("a"), "ward", "B"),
    ]

    tree = Tree.of(TreeRows(3, ("state", "booth"), rows))

    assert tree.level_keys == ("state", "booth", "ward")
    assert [tree.sibling_key(place) for place in (0, 1)] == [("A", "state"), ("B", "ward")]
