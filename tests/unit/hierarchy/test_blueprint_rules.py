"""The rules of a blueprint, alone and against the levels that have units."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.blueprints import blueprint_violations, decide_blueprint
from services.hierarchy.domain.errors import BlueprintInUse
from services.hierarchy.domain.events import AccessChanged, BlueprintChanged, TreeChanged
from services.hierarchy.domain.model import Category, GroupKind, LocalizedText, TenantId
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.text import is_code, is_key
from tests.builders_hierarchy import LEVELS, a_blueprint, a_small_tree, text
from tests.unit.hierarchy.deciding import Deciding

NEEM = TenantId("neem")
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
    header = TenantHeader(NEEM, before, 5, 2, 7, used_levels=dict.fromkeys(used, 1))
    deciding = Deciding(header)
    kept = [key for key in old if key in used] == [key for key in new if key in used]

    if old == new:
        decision = deciding.decide(partial(decide_blueprint, draft))
        assert decision.answer == before
        assert not decision.changes_anything
    elif kept:
        decision = deciding.decide(partial(decide_blueprint, draft))
        assert decision.answer == replace(draft, version=4)
        assert decision.header == replace(
            header,
            blueprint=decision.answer,
            tree_version=6 if used else 5,
            levels_version=6 if used else 2,
            access_version=8,
        )
        told = [BlueprintChanged(4), AccessChanged(8)]
        assert list(decision.changes) == ([TreeChanged(6), *told] if used else told)
    else:
        with pytest.raises(BlueprintInUse) as refused:
            deciding.decide(partial(decide_blueprint, draft))
        assert set(refused.value.levels) <= used
        assert refused.value.levels


def test_the_first_blueprint_is_version_one() -> None:
    deciding = Deciding()

    put = deciding.write(partial(decide_blueprint, a_blueprint()))

    assert put == deciding.header.blueprint == replace(a_blueprint(), version=1)
    assert deciding.header.tree_version == 0
    assert deciding.told == [BlueprintChanged(1), AccessChanged(1)]


def test_other_words_for_levels_are_no_other_tree() -> None:
    deciding = Deciding()
    deciding.start(*a_small_tree())
    levels = tuple(replace(level, names=text("Other")) for level in a_blueprint().levels)

    deciding.write(partial(decide_blueprint, replace(a_blueprint(), levels=levels)))

    header = deciding.header
    assert (header.tree_version, header.levels_version, header.access_version) == (1, 0, 3)
    assert deciding.told[-2:] == [BlueprintChanged(2), AccessChanged(3)]
