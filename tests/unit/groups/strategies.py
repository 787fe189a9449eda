"""Hypothesis strategies: trees, groups and audiences that are small and collide often."""

from collections.abc import Sequence

from hypothesis import strategies as st

from services.groups.domain.audience import Audience, AudienceTerm
from services.groups.domain.model import Admin, AdminRole, Group, GroupState
from tests.unit.groups.builders import BLUEPRINT, PlainTree, group, unit_id

LEVELS = ("state", "division", "district", "booth")
KINDS = tuple(sorted(BLUEPRINT.kinds))
CATEGORIES = tuple(sorted(BLUEPRINT.categories))


@st.composite
def trees(draw: st.DrawFn, most: int = 14) -> PlainTree:
    """Up to `most` units, under each other in any shape that the levels allow."""
    tree = PlainTree(LEVELS)
    for index in range(draw(st.integers(1, most))):
        above = [each for each in tree.units if each.level != LEVELS[-1]]
        parent = draw(st.sampled_from([None, *above]))
        lowest = 0 if parent is None else LEVELS.index(parent.level) + 1
        level = draw(st.sampled_from(LEVELS[lowest:]))
        tree.add(f"u{index}", level, parent.name if parent else None)
    return tree


@st.composite
def admin_tuples(draw: st.DrawFn) -> tuple[Admin, ...]:
    roles = draw(st.lists(st.sampled_from(AdminRole), max_size=2))
    return tuple(Admin(f"p-{index}", role) for index, role in enumerate(roles))


@st.composite
def groups_of(draw: st.DrawFn, units: Sequence[str], most: int = 30) -> list[Group]:
    """Groups with different codes in these units; their category need not fit their kind."""
    codes = draw(st.lists(st.from_regex(r"[ab]{1,3}", fullmatch=True), max_size=most, unique=True))
    return [
        group(
            code,
            draw(st.sampled_from(units)),
            kind=draw(st.sampled_from(KINDS)),
            category=draw(st.sampled_from(("", *CATEGORIES))),
            admins=draw(admin_tuples()),
            member_count=draw(st.integers(0, 3)),
            capacity=2,
            state=draw(st.sampled_from(GroupState)),
        )
        for code in codes
    ]


@st.composite
def terms(draw: st.DrawFn, units: Sequence[str], least_units: int) -> AudienceTerm:
    named = draw(st.lists(st.sampled_from(units), min_size=least_units, max_size=3))
    return AudienceTerm(
        unit_ids=tuple(map(unit_id, named)),
        kinds=tuple(draw(st.lists(st.sampled_from(KINDS), max_size=2))),
        categories=tuple(draw(st.lists(st.sampled_from(CATEGORIES), max_size=2))),
    )


@st.composite
def audiences(draw: st.DrawFn, units: Sequence[str]) -> Audience:
    return Audience(
        tuple(draw(st.lists(terms(units, 1), min_size=1, max_size=3))),
        tuple(draw(st.lists(terms(units, 0), max_size=2))),
    )
