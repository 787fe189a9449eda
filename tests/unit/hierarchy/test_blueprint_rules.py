"""The rules of a blueprint, alone and against the levels that have units."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.blueprints import blueprint_violations, plan_blueprint
from services.hierarchy.domain.errors import BlueprintInUse
from services.hierarchy.domain.model import Category, GroupKind, LocalizedText
from services.hierarchy.domain.text import is_code, is_key
from tests.builders_hierarchy import LEVELS, a_blueprint, text

KEYS = st.lists(st.sampled_from((*LEVELS, "house", "country")), min_size=1, unique=True)


def test_a_good_blueprint_has_no_violations() -> None:
    assert blueprint_violations(a_blueprint(), "blueprint") == ()
    assert blueprint_violations(replace(a_blueprint(), categories=()), "blueprint") == ()
    assert blueprint_violations(a_blueprint(style="category"), "blueprint") == ()


def test_keys_are_unique_within_their_list_only() -> None:
    shared = replace(
        a_blueprint(("internal",)),
        group_kinds=(GroupKind("internal", text("Internal"), has_category=False),),
        categories=(Category("internal", text("Internal")),),
    )
    assert blueprint_violations(shared, "b") == ()

    twice = replace(shared, categories=(*shared.categories, *shared.categories))
    (violation,) = blueprint_violations(twice, "b")
    assert (violation.field, violation.reason) == ("b.categories[1].key", "DUPLICATE_KEY")


def test_every_name_is_looked_at() -> None:
    nameless = replace(
        a_blueprint(("state",)),
        names=LocalizedText.of({}),
        group_kinds=(GroupKind("internal", LocalizedText.of({"hi": "x"}), has_category=False),),
        categories=(Category("farmers", LocalizedText.of({"en": "\n"})),),
    )
    found = [(each.field, each.reason) for each in blueprint_violations(nameless, "b")]

    assert found == [
        ("b.names.by_language.en", "MISSING"),
        ("b.group_kinds[0].names.by_language.en", "MISSING"),
        ("b.categories[0].names.by_language.en", "MISSING"),
    ]


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


@given(old=KEYS, new=KEYS, used=st.sets(st.sampled_from((*LEVELS, "house", "country"))))
def test_levels_in_use_keep_their_order(old: list[str], new: list[str], used: set[str]) -> None:
    used &= set(old)
    before, draft = replace(a_blueprint(old), version=3), a_blueprint(new)
    kept = [key for key in old if key in used] == [key for key in new if key in used]

    if old == new:
        assert plan_blueprint(before, draft, used).blueprint == before
    elif kept:
        plan = plan_blueprint(before, draft, used)
        assert plan.blueprint == replace(draft, version=4)
        assert plan.changes_blueprint
        assert plan.changes_tree == bool(used)
    else:
        with pytest.raises(BlueprintInUse) as refused:
            plan_blueprint(before, draft, used)
        assert set(refused.value.levels) <= used
        assert refused.value.levels
