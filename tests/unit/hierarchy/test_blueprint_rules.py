"""The rules of a blueprint by itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from services.hierarchy.domain.blueprints import blueprint_violations
from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    Grant,
    GroupKind,
    LocalizedText,
    Position,
    TeamKind,
)
from services.hierarchy.domain.text import is_code, is_key
from tests.blueprint_strategies import valid_blueprints
from tests.builders_hierarchy import LEVELS, a_blueprint, text

PRESIDENT = Position("president", text("President"), ("state",), roles=("head",))
MEMBER = Position("member", text("Member"), ("state", "district"), seats=0)
CORE = TeamKind("core", text("Core team"), ("state",), max_members=7)


def full(**changes: Any) -> Blueprint:
    """A blueprint with positions and a kind of team, some of it changed."""
    blueprint = replace(a_blueprint(), positions=(PRESIDENT, MEMBER), team_kinds=(CORE,))
    return replace(blueprint, **changes)


def with_member(**changes: Any) -> Blueprint:
    """The same, with the second position changed."""
    return full(positions=(PRESIDENT, replace(MEMBER, **changes)))


def faults(draft: Blueprint) -> list[tuple[str, str]]:
    """Path and reason of everything that is wrong."""
    return [(each.field, each.reason) for each in blueprint_violations(draft, "b")]


@given(draft=valid_blueprints())
def test_a_good_blueprint_has_no_violations(draft: Blueprint) -> None:
    assert blueprint_violations(draft, "blueprint") == ()


def test_categories_positions_and_teams_may_be_absent() -> None:
    assert faults(full(categories=(), positions=(), team_kinds=())) == []


def test_monitors_may_do_without_a_convenor() -> None:
    assert faults(with_member(roles=("monitor",))) == []


def test_keys_are_unique_within_their_list_only() -> None:
    shared = replace(
        a_blueprint(("internal",)),
        group_kinds=(GroupKind("internal", text("Internal"), has_category=False),),
        categories=(Category("internal", text("Internal")),),
        positions=(Position("internal", text("Internal"), ("internal",)),),
        team_kinds=(TeamKind("internal", text("Internal"), ("internal",)),),
    )
    assert faults(shared) == []

    twice = replace(shared, categories=(*shared.categories, *shared.categories))
    assert faults(twice) == [("b.categories[1].key", "DUPLICATE_KEY")]


def test_every_name_is_looked_at() -> None:
    nameless = replace(
        a_blueprint(("state",)),
        names=LocalizedText.of({}),
        group_kinds=(GroupKind("internal", LocalizedText.of({"hi": "x"}), has_category=False),),
        categories=(Category("farmers", LocalizedText.of({"en": "\n"})),),
        positions=(replace(PRESIDENT, names=LocalizedText.of({})),),
        team_kinds=(replace(CORE, names=LocalizedText.of({"en": "Core", "hi": " "})),),
    )

    assert faults(nameless) == [
        ("b.names.by_language.en", "MISSING"),
        ("b.group_kinds[0].names.by_language.en", "MISSING"),
        ("b.categories[0].names.by_language.en", "MISSING"),
        ("b.positions[0].names.by_language.en", "MISSING"),
        ("b.team_kinds[0].names.by_language.hi", "BAD_NAME"),
    ]


ONE_FAULT: Mapping[str, tuple[Blueprint, tuple[str, str]]] = {
    "style": (full(style="army"), ("b.style", "UNKNOWN_STYLE")),
    "no kinds of group": (full(group_kinds=()), ("b.group_kinds", "MISSING")),
    "key of a position": (with_member(key="Member"), ("b.positions[1].key", "BAD_KEY")),
    "key twice": (with_member(key="president"), ("b.positions[1].key", "DUPLICATE_KEY")),
    "no level": (with_member(levels=()), ("b.positions[1].levels", "MISSING")),
    "unknown level": (
        with_member(levels=("state", "ward")),
        ("b.positions[1].levels[1]", "UNKNOWN_LEVEL"),
    ),
    "level twice": (
        with_member(levels=("state", "booth", "state")),
        ("b.positions[1].levels[2]", "DUPLICATE"),
    ),
    "seats below none": (with_member(seats=-1), ("b.positions[1].seats", "OUT_OF_RANGE")),
    "too many seats": (with_member(seats=1_001), ("b.positions[1].seats", "OUT_OF_RANGE")),
    "unknown role": (with_member(roles=("boss",)), ("b.positions[1].roles[0]", "UNKNOWN_ROLE")),
    "role twice": (
        with_member(roles=("monitor", "monitor")),
        ("b.positions[1].roles[1]", "DUPLICATE"),
    ),
    "second head": (with_member(roles=("head",)), ("b.positions[1].roles", "SECOND_HEAD")),
    "unknown capability": (
        with_member(grants=(Grant("fly"),)),
        ("b.positions[1].grants[0].capability", "UNKNOWN_CAPABILITY"),
    ),
    "unknown category": (
        with_member(grants=(Grant("view", ("farmers", "poets")),)),
        ("b.positions[1].grants[0].categories[1]", "UNKNOWN_CATEGORY"),
    ),
    "unknown kind of group": (
        with_member(grants=(Grant("view", (), ("poets",)),)),
        ("b.positions[1].grants[0].group_kinds[0]", "UNKNOWN_KIND"),
    ),
    "category twice": (
        with_member(grants=(Grant("view", ("farmers", "farmers")),)),
        ("b.positions[1].grants[0].categories[1]", "DUPLICATE"),
    ),
    "grant twice": (
        with_member(grants=(Grant("view"), Grant("compose"), Grant("view"))),
        ("b.positions[1].grants[2]", "DUPLICATE"),
    ),
    "too many grants": (
        with_member(grants=(Grant("view"),) * 17),
        ("b.positions[1].grants", "TOO_MANY"),
    ),
    "endless roles": (with_member(roles=("monitor",) * 257), ("b.positions[1].roles", "TOO_MANY")),
    "team without a level": (
        full(team_kinds=(replace(CORE, levels=()),)),
        ("b.team_kinds[0].levels", "MISSING"),
    ),
    "team of an unknown level": (
        full(team_kinds=(replace(CORE, levels=("ward",)),)),
        ("b.team_kinds[0].levels[0]", "UNKNOWN_LEVEL"),
    ),
    "team too large": (
        full(team_kinds=(replace(CORE, max_members=10_001),)),
        ("b.team_kinds[0].max_members", "OUT_OF_RANGE"),
    ),
    "kind of team twice": (full(team_kinds=(CORE, CORE)), ("b.team_kinds[1].key", "DUPLICATE_KEY")),
    "centre of an unknown level": (full(centre_level="delhi"), ("b.centre_level", "UNKNOWN_LEVEL")),
    "centre below the top": (full(centre_level="district"), ("b.centre_level", "NOT_TOP_LEVEL")),
    "no days": (full(verification_days=0), ("b.verification_days", "OUT_OF_RANGE")),
    "too many days": (full(verification_days=3_651), ("b.verification_days", "OUT_OF_RANGE")),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_each_rule_names_the_field_and_the_reason(name: str) -> None:
    draft, fault = ONE_FAULT[name]
    assert faults(draft) == [fault]


def test_the_bounds_themselves_are_allowed() -> None:
    grants = tuple(Grant("view", (), kinds) for kinds in ((), ("internal",), ("category",)))
    assert faults(with_member(seats=1_000, grants=grants)) == []
    assert faults(full(team_kinds=(replace(CORE, max_members=10_000),))) == []
    assert faults(full(centre_level="state", verification_days=3_650)) == []
    assert faults(full(verification_days=1)) == []


def test_one_head_for_each_level_and_no_more() -> None:
    def head(key: str, *levels: str) -> Position:
        return Position(key, text(key), levels, roles=("head",))

    apart = (head("president", "state", "district"), head("in_charge", "mandal", "booth"))
    assert faults(full(positions=apart)) == []

    meeting = (*apart, head("third", "booth", "district"))
    found = blueprint_violations(full(positions=meeting), "b")
    assert [(each.field, each.reason) for each in found] == [
        ("b.positions[2].roles", "SECOND_HEAD"),
        ("b.positions[2].roles", "SECOND_HEAD"),
    ]
    assert "in_charge" in found[0].description
    assert "president" in found[1].description


@pytest.mark.parametrize(
    ("section", "at_most"),
    [("levels", 16), ("group_kinds", 64), ("categories", 256), ("positions", 256),
     ("team_kinds", 64)],
)  # fmt: skip
def test_every_list_has_a_bound(section: str, at_most: int) -> None:
    # Other items name the levels, kinds and categories that stand, so those come first.
    kept = getattr(full(), section) if section != "positions" else (PRESIDENT,)
    more = [replace(kept[0], key=f"more_{number}") for number in range(at_most)]
    if section == "positions":
        more = [replace(each, roles=()) for each in more]

    assert faults(full(**{section: (*kept, *more)[:at_most]})) == []
    too_many = (*kept, *more)[: at_most + 1]
    assert faults(full(**{section: too_many})) == [(f"b.{section}", "TOO_MANY")]


def test_what_is_wrong_is_told_with_what_there_is() -> None:
    (fault,) = blueprint_violations(with_member(levels=("ward\x07",)), "b")
    assert fault.description == f'"ward�" is not among those that there are: {", ".join(LEVELS)}'


@pytest.mark.parametrize("key", ["state", "shakti_kendra", "level_2", "a", "x9", "k" * 64])
def test_keys(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize(
    "key", ["", "State", "2nd", "_a", "a_", "a__b", "a-b", "a b", "राज", "k" * 65, "a\n"]
)
def test_no_keys(key: str) -> None:
    assert not is_key(key)


@pytest.mark.parametrize("code", ["", "a b", "a/b", "क", "a\n", "x" * 65, "a,b"])
def test_no_codes(code: str) -> None:
    assert not is_code(code)
