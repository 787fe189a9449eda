"""Hypothesis strategies: blueprints that are right, of any shape."""

from collections.abc import Sequence

from hypothesis import strategies as st

from services.hierarchy.domain.model import (
    CAPABILITIES,
    ROLES,
    Blueprint,
    Category,
    Grant,
    GroupKind,
    Level,
    Position,
    TeamKind,
)
from tests.strategies import NAMES

# Some of them mean something else in YAML 1.1 or in our files; all are keys.
KEYS = st.sampled_from(
    ("a", "booth", "false", "head", "level_2", "names", "no", "null", "on", "state", "view", "y")
)
ROLES_BUT_HEAD = tuple(role for role in ROLES if role != "head")


def _some(keys: Sequence[str], at_least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Some of the keys, in any order."""
    if not keys:
        return st.just(())
    return st.lists(st.sampled_from(keys), min_size=at_least, unique=True).map(tuple)


def _keys(at_least: int, at_most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(KEYS, min_size=at_least, max_size=at_most, unique=True)


@st.composite
def valid_blueprints(draw: st.DrawFn) -> Blueprint:
    """A blueprint without violations; positions, teams, categories and a centre may be absent."""
    levels = draw(_keys(1, 4))
    kinds, categories = draw(_keys(1, 3)), draw(_keys(0, 3))
    grants = st.builds(Grant, st.sampled_from(CAPABILITIES), _some(categories), _some(kinds))
    positions = [
        Position(
            key,
            draw(NAMES),
            draw(_some(levels, at_least=1)),
            draw(st.sampled_from((0, 1, 7, 1_000))),
            draw(_some(ROLES_BUT_HEAD)),
            tuple(draw(st.lists(grants, max_size=3, unique=True))),
        )
        for key in draw(_keys(0, 4))
    ]
    with_head = draw(st.booleans())
    if positions and with_head:
        first, *others = positions
        roles = (*first.roles, "head")
        positions = [
            Position(first.key, first.names, first.levels, 1, roles, first.grants),
            *others,
        ]
    return Blueprint(
        style=draw(st.sampled_from(("party", "category"))),
        names=draw(NAMES),
        levels=tuple(Level(key, draw(NAMES)) for key in levels),
        group_kinds=tuple(GroupKind(key, draw(NAMES), draw(st.booleans())) for key in kinds),
        categories=tuple(Category(key, draw(NAMES)) for key in categories),
        positions=tuple(positions),
        team_kinds=tuple(
            TeamKind(
                key, draw(NAMES), draw(_some(levels, at_least=1)), draw(st.integers(0, 10_000))
            )
            for key in draw(_keys(0, 3))
        ),
        centre_level=draw(st.sampled_from(("", levels[0]))),
        verification_days=draw(st.integers(1, 3_650)),
    )
