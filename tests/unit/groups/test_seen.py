"""A narrowed index says what an index of nothing else would say."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from kit.forest import Forest
from services.groups.adapters.facet_index import FacetIndex
from services.groups.adapters.hierarchy_client import ForestTree
from services.groups.domain.access import Scope, ScopedGrant
from services.groups.domain.answers import GroupFilter
from services.groups.domain.model import Group, GroupFlag, GroupState, UnitId
from services.groups.ports import AudienceIndex
from tests.unit.groups.builders import BLUEPRINT, PlainTree, a_state, group, register_of, unit_id
from tests.unit.groups.strategies import CATEGORIES, KINDS, LEVELS, audiences, groups_of, trees

# Pure and quick, and the cases that matter are rare.
MANY = settings(max_examples=settings().max_examples * 5)


@st.composite
def grants_over(draw: st.DrawFn, units: Sequence[str]) -> list[ScopedGrant]:
    """A few grants, some narrowed, some over all, some over a unit that is gone."""
    place = st.sampled_from([None, "gone", *units, *units])
    return [
        ScopedGrant(
            draw(st.sampled_from(("view", "view", "administer"))),
            None if (name := draw(place)) is None else unit_id(name),
            tuple(draw(st.lists(st.sampled_from(KINDS), max_size=2, unique=True))),
            tuple(draw(st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True))),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]


def above(tree: PlainTree, unit: UnitId) -> set[UnitId]:
    """The unit and all that it is under; nothing for one that the tree does not have."""
    return {
        unit_id(each.name)
        for each in tree.units
        if unit in {unit_id(name) for name in tree.subtree(each.name)}
    }


def sees_unit(grants: Sequence[ScopedGrant], tree: PlainTree, unit: UnitId) -> bool:
    line = above(tree, unit)
    return bool(line) and any(
        each.capability == "view" and (each.unit_id is None or each.unit_id in line)
        for each in grants
    )


def holds(
    grants: Sequence[ScopedGrant], capability: str, tree: PlainTree, said: tuple[UnitId, str, str]
) -> bool:
    """The model: walking up from the group's unit, grant by grant."""
    unit, kind, category = said
    line = above(tree, unit)
    return any(
        each.capability == capability
        and (each.unit_id is None or each.unit_id in line)
        and (not each.kinds or kind in each.kinds)
        and (not each.categories or category in each.categories)
        for each in grants
    )


def sees_group(grants: Sequence[ScopedGrant], tree: PlainTree, each: Group) -> bool:
    said = each.content
    return holds(grants, "view", tree, (said.unit_id, said.kind, said.category))


def only(tree: PlainTree, seen: set[UnitId]) -> ForestTree:
    """The tree as if there were no other units, in the same order."""
    order = [unit for unit in tree.in_preorder() if unit_id(unit.name) in seen]
    position = {unit.name: index for index, unit in enumerate(order)}
    return ForestTree(
        version=tree.version,
        levels=tree.levels,
        forest=Forest(
            [unit_id(u.name) for u in order], [position.get(u.parent or "", -1) for u in order]
        ),
        level_numbers=[tree.levels.index(u.level) for u in order],
        codes=[u.name for u in order],
    )


@MANY
@given(st.data())
def test_it_is_as_if_nothing_else_were_there(data: st.DataObject) -> None:
    tree = data.draw(trees())
    names = [unit.name for unit in tree.units]
    groups = data.draw(groups_of([*names, "gone"]))
    grants = data.draw(grants_over(names))
    snapshot, register = tree.snapshot(), register_of(groups)
    index = FacetIndex(register, snapshot)

    scope = Scope.of(grants, ("view",), snapshot)
    narrowed = index.within(scope)

    units = {unit_id(name) for name in names if sees_unit(grants, tree, unit_id(name))}
    seen = [each for each in groups if sees_group(grants, tree, each)]
    seen_register = register_of(seen)
    expected = FacetIndex(seen_register, only(tree, units))
    for name in names:
        position = snapshot.find(unit_id(name))
        assert position is not None
        assert scope.has_unit(position) == (unit_id(name) in units)
    if seen_names := [name for name in names if unit_id(name) in units]:
        rule = data.draw(audiences(seen_names))
        split = data.draw(st.sampled_from(("", *LEVELS)))
        assert narrowed.preview(rule, BLUEPRINT, split) == expected.preview(rule, BLUEPRINT, split)
        assert narrowed.resolve(rule, BLUEPRINT) == expected.resolve(rule, BLUEPRINT)
    asked = [unit_id(name) for name in [*names, "nowhere"]]
    assert narrowed.counts(asked) == expected.counts(asked)
    narrow = GroupFilter(
        own_only=data.draw(st.booleans()),
        kinds=tuple(data.draw(st.lists(st.sampled_from(KINDS), max_size=2))),
        flags=tuple(data.draw(st.lists(st.sampled_from(GroupFlag), max_size=2))),
        states=tuple(data.draw(st.lists(st.sampled_from(GroupState), max_size=2))),
    )
    size = data.draw(st.integers(1, 7))

    def told(of: AudienceIndex, held: list[Group]) -> list[object]:
        pages = of.pages(narrow, [None, *asked], None, size)
        return [
            page and ([held[each].id for each in page.ordinals], page.has_more, page.total_count)
            for page in pages
        ]

    assert told(narrowed, groups) == told(expected, seen)


@MANY
@given(st.data())
def test_a_group_is_in_a_scope_by_any_one_grant(data: st.DataObject) -> None:
    tree = data.draw(trees())
    names = [unit.name for unit in tree.units]
    grants = data.draw(grants_over(names))
    snapshot = tree.snapshot()
    scope = Scope.of(grants, ("administer",), snapshot)
    for name in names:
        position = snapshot.find(unit_id(name))
        assert position is not None
        for kind in KINDS:
            for category in ("", *CATEGORIES):
                said = (unit_id(name), kind, category)
                expected = holds(grants, "administer", tree, said)
                assert scope.has_group(position, kind, category) == expected


def test_grants_do_not_lend_each_other_what_they_are_narrowed_to() -> None:
    tree = a_state().snapshot()
    groups = [
        group("farmers-here", "b-1", kind="category", category="farmers"),
        group("women-here", "b-1", kind="category", category="women"),
        group("farmers-there", "b-3", kind="category", category="farmers"),
    ]
    grants = [
        ScopedGrant("view", unit_id("alwar"), (), ("women",)),
        ScopedGrant("view", unit_id("dausa"), (), ("farmers",)),
    ]
    index = FacetIndex(register_of(groups), tree).within(Scope.of(grants, ("view",), tree))

    [page] = index.pages(GroupFilter(), [None], None, 10)

    assert page is not None
    assert page.ordinals == [1, 2]


def test_the_same_scope_is_made_once_and_few_are_kept() -> None:
    tree = a_state().snapshot()
    index = FacetIndex(register_of([group("a")]), tree)
    scopes = [
        Scope.of([ScopedGrant("view", unit_id("raj"), (), (str(n),))], ("view",), tree)
        for n in range(100)
    ]
    first = index.within(scopes[0])
    assert index.within(scopes[0]) is first
    for each in scopes:
        index.within(each)
    assert index.within(scopes[99]) is index.within(scopes[99])
    assert index.within(scopes[0]) is not first
