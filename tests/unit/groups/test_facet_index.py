"""The audience engine says what a plain walk over all groups says."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.forest import Forest
from services.groups.adapters.facet_index import FacetIndex
from services.groups.adapters.hierarchy_client import ForestTree
from services.groups.adapters.redis.rows import id_text
from services.groups.domain.answers import GroupFilter, Place, Preview, Resolved
from services.groups.domain.audience import Audience, AudienceTerm, ExclusionReason
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import Group, GroupFlag, GroupId, GroupState, Identity, UnitId
from tests.unit.groups import naive
from tests.unit.groups.builders import (
    AT,
    BLUEPRINT,
    EXECUTIVE,
    OWNER,
    PlainTree,
    a_state,
    content,
    group,
    register_of,
    unit_id,
)
from tests.unit.groups.strategies import CATEGORIES, KINDS, LEVELS, audiences, groups_of, trees

# Pure and quick, and the cases that matter are rare.
MANY = settings(max_examples=settings().max_examples * 5)


def index_of(tree: PlainTree, groups: Sequence[Group]) -> FacetIndex:
    return FacetIndex(register_of(groups), tree.snapshot())


def ids_of(packed: bytes) -> list[str]:
    return [id_text(packed[start : start + 16]) for start in range(0, len(packed), 16)]


def under(tree: PlainTree, groups: Sequence[Group], name: str) -> list[Group]:
    inside = {unit_id(each) for each in tree.subtree(name)}
    return [each for each in groups if each.content.unit_id in inside]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[PlainTree, list[Group]]:
    """A tree and groups in it; some in a unit that the tree does not have."""
    tree = draw(trees())
    names = [unit.name for unit in tree.units]
    return tree, draw(groups_of([*names, "gone"]))


@st.composite
def blueprints(draw: st.DrawFn) -> Blueprint:
    """The blueprint may have changed since the groups were registered."""
    said = {kind: draw(st.booleans()) for kind in draw(st.sets(st.sampled_from(KINDS)))}
    return Blueprint(2, said, frozenset(CATEGORIES))


@MANY
@given(st.data())
def test_an_audience_means_what_a_walk_over_all_groups_finds(data: st.DataObject) -> None:
    tree, groups = data.draw(worlds())
    audience = data.draw(audiences([unit.name for unit in tree.units]))
    blueprint = data.draw(blueprints())
    split = data.draw(st.sampled_from(("", *LEVELS)))

    index = index_of(tree, groups)
    resolved = index.resolve(audience, blueprint)
    preview = index.preview(audience, blueprint, split)

    outcomes = {each.id: naive.outcome(audience, blueprint, tree, each) for each in groups}
    targets = [each for each in naive.in_tree_order(tree, groups) if outcomes[each.id] == "SEND"]
    left_out = Counter(reason for reason in outcomes.values() if reason not in (None, "SEND"))
    assert ids_of(resolved.group_ids) == [each.id for each in targets]
    assert {each.reason.value: each.group_count for each in resolved.exclusions} == left_out
    assert [each.reason for each in resolved.exclusions] == [
        reason for reason in ExclusionReason if left_out[reason.value]
    ]
    assert preview.exclusions == resolved.exclusions
    expect_preview(preview, tree, targets, split)
    expect_frame(resolved, tree, targets)


def expect_preview(preview: Preview, tree: PlainTree, targets: Sequence[Group], split: str) -> None:
    """Everything in a preview is a sum over the targets."""

    def counted(groups: Sequence[Group]) -> tuple[int, int]:
        return len(groups), sum(each.content.member_count for each in groups)

    assert (preview.group_count, preview.member_count) == counted(targets)
    by_kind = {kind: [g for g in targets if g.content.kind == kind] for kind in KINDS}
    assert [(c.key, (c.group_count, c.member_count)) for c in preview.by_kind] == [
        (kind, counted(groups)) for kind, groups in by_kind.items() if groups
    ]
    by_category = {key: [g for g in targets if g.content.category == key] for key in CATEGORIES}
    assert [(c.key, (c.group_count, c.member_count)) for c in preview.by_category] == [
        (key, counted(groups)) for key, groups in by_category.items() if groups
    ]
    at_level = [u.name for u in tree.in_preorder() if u.level == split]
    by_unit = {unit_id(name): under(tree, targets, name) for name in at_level}
    assert [(c.unit_id, (c.group_count, c.member_count)) for c in preview.by_unit] == [
        (each, counted(groups)) for each, groups in by_unit.items() if groups
    ]


def expect_frame(resolved: Resolved, tree: PlainTree, targets: Sequence[Group]) -> None:
    """The frame has the units with targets, and each says which of the targets are its own."""
    frame = resolved.frame
    kept = [u for u in tree.in_preorder() if under(tree, targets, u.name)]
    names = [unit.name for unit in kept]
    assert ids_of(frame.unit_ids) == [unit_id(name) for name in names]
    assert [resolved.levels[level] for level in frame.levels] == [unit.level for unit in kept]
    assert frame.parents == [
        -1 if unit.parent is None else names.index(unit.parent) for unit in kept
    ]
    for name, start, end in zip(names, frame.starts, frame.ends, strict=True):
        assert list(targets[start:end]) == under(tree, targets, name)


@MANY
@given(st.data())
def test_counts_of_a_subtree_are_sums_over_its_live_groups(data: st.DataObject) -> None:
    tree, groups = data.draw(worlds())
    asked = data.draw(st.lists(st.sampled_from([*(u.name for u in tree.units), "nowhere"])))

    counts = index_of(tree, groups).counts([unit_id(name) for name in asked])

    assert len(counts) == len(asked)
    for name, count in zip(asked, counts, strict=True):
        if name == "nowhere":
            assert count is None
            continue
        live = [g for g in under(tree, groups, name) if g.content.state is not GroupState.RETIRED]
        assert count is not None
        assert count.group_count == len(live)
        assert count.member_count == sum(g.content.member_count for g in live)
        members = Counter[str]()
        for each in live:
            members[each.content.kind] += each.content.member_count
        kinds = Counter(g.content.kind for g in live)
        assert {c.key: (c.group_count, c.member_count) for c in count.by_kind} == {
            kind: (number, members[kind]) for kind, number in kinds.items()
        }
        categories = Counter(g.content.category for g in live if g.content.category)
        assert {c.key: c.group_count for c in count.by_category} == categories
        assert [c.key for c in count.by_category] == sorted(categories)
        flags = Counter(flag for g in live for flag in g.content.flags)
        assert [(c.flag, c.group_count) for c in count.by_flag] == [
            (flag, flags[flag]) for flag in GroupFlag if flags[flag]
        ]


@MANY
@given(st.data())
def test_pages_one_after_the_other_are_the_filtered_groups_in_tree_order(
    data: st.DataObject,
) -> None:
    tree, groups = data.draw(worlds())
    name = data.draw(st.sampled_from([None, *(u.name for u in tree.units)]))
    narrow = GroupFilter(
        own_only=data.draw(st.booleans()),
        kinds=tuple(data.draw(st.lists(st.sampled_from((*KINDS, "unused")), max_size=2))),
        categories=tuple(data.draw(st.lists(st.sampled_from(CATEGORIES), max_size=2))),
        flags=tuple(data.draw(st.lists(st.sampled_from(GroupFlag), max_size=2))),
        states=tuple(data.draw(st.lists(st.sampled_from(GroupState), max_size=2))),
    )
    size = data.draw(st.integers(1, 7))

    index, register = index_of(tree, groups), register_of(groups)
    found: list[str] = []
    after: Place | None = None
    while True:
        asked = None if name is None else unit_id(name)
        [page] = index.pages(narrow, [asked], after, size)
        assert page is not None
        assert len(page.ordinals) <= size
        found += [identity.id for identity in register.identities(page.ordinals)]
        if not page.has_more:
            break
        last = groups[page.ordinals[-1]].content
        after = Place(last.unit_id, last.code)

    expected = [g for g in selected(tree, groups, name, narrow.own_only) if passes(g, narrow)]
    assert found == [each.id for each in naive.in_tree_order(tree, expected)]
    assert page.total_count == len(expected)


def selected(
    tree: PlainTree, groups: Sequence[Group], name: str | None, own_only: bool
) -> Sequence[Group]:
    if name is None:
        return groups
    if own_only:
        return [each for each in groups if each.content.unit_id == unit_id(name)]
    return under(tree, groups, name)


def passes(each: Group, narrow: GroupFilter) -> bool:
    said = each.content
    return (
        (not narrow.kinds or said.kind in narrow.kinds)
        and (not narrow.categories or said.category in narrow.categories)
        and (not narrow.flags or bool(set(said.flags) & set(narrow.flags)))
        and (not narrow.states or said.state in narrow.states)
    )


@MANY
@given(st.data())
def test_an_index_that_follows_another_says_what_a_new_one_says(data: st.DataObject) -> None:
    """Whatever the earlier one was of: fewer groups, moved groups, or another tree."""
    tree, groups = data.draw(worlds())
    names = [unit.name for unit in tree.units]
    kept = data.draw(st.integers(0, len(groups)))
    earlier_groups = [
        group(each.content.code, data.draw(st.sampled_from(names)))
        if data.draw(st.booleans())
        else each
        for each in groups[:kept]
    ]
    snapshot = tree.snapshot()
    same_tree = data.draw(st.booleans())
    earlier = FacetIndex(
        register_of(earlier_groups), snapshot if same_tree else data.draw(trees()).snapshot()
    )

    register = register_of(groups, version=2)
    following = FacetIndex(register, snapshot, earlier)

    [page] = following.pages(GroupFilter(), [None], None, len(groups) + 1)
    assert page is not None
    found = [identity.id for identity in register.identities(page.ordinals)]
    assert found == [each.id for each in naive.in_tree_order(tree, groups)]
    for name in names:
        [counts] = following.counts([unit_id(name)])
        [expected] = FacetIndex(register, snapshot).counts([unit_id(name)])
        assert counts == expected


class TestOneState:
    """Single cases by name, on a tree that a reader can hold in the head."""

    def test_a_page_goes_on_where_its_unit_now_stands(self) -> None:
        tree = a_state()
        groups = [group("a", "alwar"), group("b", "b-1"), group("c", "dausa"), group("d", "kota")]
        moved = PlainTree(tree.levels, [u for u in tree.units if u.name != "alwar"], version=2)
        moved.add("alwar", "district", "kota")

        [page] = index_of(moved, groups).pages(
            GroupFilter(), [None], Place(unit_id("alwar"), "a"), 10
        )

        # Alwar and its booths now come last.
        assert page is not None
        assert page.ordinals == [1]

    def test_a_page_after_a_unit_that_is_gone_is_empty_and_not_an_error(self) -> None:
        [page] = index_of(a_state(), [group("a", "alwar")]).pages(
            GroupFilter(), [None], Place(unit_id("nowhere"), "z"), 10
        )

        assert page is not None
        assert (page.ordinals, page.has_more, page.total_count) == ([], False, 1)

    def test_own_only_leaves_out_what_lies_below(self) -> None:
        groups = [group("a", "alwar"), group("b", "b-1")]
        [page] = index_of(a_state(), groups).pages(
            GroupFilter(own_only=True), [unit_id("alwar")], None, 10
        )

        assert page is not None
        assert page.ordinals == [0]

    def test_a_unit_that_is_not_there_has_no_page(self) -> None:
        index = index_of(a_state(), [group("a", "alwar")])
        assert index.pages(GroupFilter(), [unit_id("nowhere")], None, 10) == [None]

    def test_an_empty_register_answers_everything(self) -> None:
        index = index_of(a_state(), [])
        raj = unit_id("raj")
        rule = Audience((AudienceTerm((raj,), ("category",), ("farmers",)),))

        [counts] = index.counts([raj])
        resolved = index.resolve(rule, BLUEPRINT)
        preview = index.preview(rule, BLUEPRINT, "division")

        assert counts is not None
        assert (counts.group_count, counts.by_kind, counts.by_flag) == (0, (), ())
        assert (resolved.group_ids, resolved.frame.unit_ids) == (b"", b"")
        assert (preview.group_count, preview.by_unit) == (0, ())

    def test_a_tree_without_units_still_lists_the_register(self) -> None:
        [page] = index_of(PlainTree(), [group("b"), group("a")]).pages(
            GroupFilter(), [None], None, 10
        )
        assert page is not None
        assert page.ordinals == [1, 0]

    def test_ids_that_end_in_zero_bytes_are_found_and_told_whole(self) -> None:
        odd = "0198aaaa-bbbb-7ccc-8ddd-eeeeeeee0000"
        tree = ForestTree(1, ("state",), Forest([odd], [-1]), [0], ["raj"])
        there = Group(Identity(GroupId(odd), AT), content("a", unit_id=UnitId(odd)))
        register = register_of([there])
        rule = Audience((AudienceTerm((UnitId(odd),)),))

        resolved = FacetIndex(register, tree).resolve(rule, BLUEPRINT)

        assert ids_of(resolved.group_ids) == [odd]
        assert ids_of(resolved.frame.unit_ids) == [odd]
        assert register.ordinals_of_ids([GroupId(odd)]) == [0]
        assert register.identities([0]) == [there.identity]

    def test_an_index_after_a_move_puts_its_groups_where_their_unit_now_is(self) -> None:
        before, groups = a_state(), [group("a", "dausa"), group("b", "alwar")]
        after = PlainTree(before.levels, [u for u in before.units if u.name != "dausa"], 2)
        after.add("dausa", "district", "kota")
        register = register_of(groups)
        earlier = FacetIndex(register, before.snapshot())

        [page] = FacetIndex(register, after.snapshot(), earlier).pages(
            GroupFilter(), [unit_id("kota")], None, 10
        )

        assert page is not None
        assert page.ordinals == [0]

    @pytest.mark.parametrize(
        ("kinds", "sent"),
        [({"category": False}, 1), ({"category": True}, 0), ({"another": False}, 0)],
    )
    def test_an_incomplete_group_is_sent_to_once_its_kind_is_said_to_have_no_category(
        self, kinds: dict[str, bool], sent: int
    ) -> None:
        """A kind that the blueprint no longer has is no reason to send."""
        groups = [group("a", "b-1", kind="category", category="farmers")]
        rule = Audience((AudienceTerm((unit_id("raj"),)),))
        named = Audience((AudienceTerm((unit_id("raj"),), (), ("farmers",)),))
        blueprint = Blueprint(2, kinds, frozenset({"farmers"}))

        index = index_of(a_state(), groups)

        assert index.preview(rule, blueprint, "").group_count == sent
        assert index.preview(named, blueprint, "").group_count == 0

    @pytest.mark.parametrize("names_category", [True, False])
    def test_an_incomplete_group_gets_no_message_while_its_kind_has_categories(
        self, names_category: bool
    ) -> None:
        groups = [
            group("led", "b-1", kind="category", category="farmers", admins=(EXECUTIVE,)),
            group("not-led", "b-1", kind="category", category="farmers", admins=(OWNER,)),
        ]
        categories = ("farmers",) if names_category else ()
        rule = Audience((AudienceTerm((unit_id("raj"),), (), categories),))

        preview = index_of(a_state(), groups).preview(rule, BLUEPRINT, "")

        assert preview.group_count == 1
        assert [(e.reason, e.group_count) for e in preview.exclusions] == [
            (ExclusionReason.INCOMPLETE, 1)
        ]
