"""The demo organisations are the same for the same seed, of the promised size, and valid."""

import re
import unicodedata
from collections import Counter

import pytest

from cli.demo.facts import read_facts
from cli.demo.sizes import SCALES
from cli.demo.tenants import TENANTS, DemoTenant, demo_tenant
from cli.demo.words import CATEGORIES
from cli.files.blueprint import read_blueprint
from cli.records import GROUP_STATES
from tests.demo import DAY, demo

_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@pytest.fixture(params=[(tenant, scale) for scale in SCALES for tenant in TENANTS], ids="-".join)
def tenant(request: pytest.FixtureRequest) -> DemoTenant:
    return demo(*request.param)


def test_the_facts_are_whole() -> None:
    facts = read_facts()

    assert len(facts.divisions) == 7
    assert len(facts.districts) == 33
    assert len(facts.constituencies) == 200
    assert {area.parent for area in facts.districts.values()} == set(facts.divisions)
    assert all(one.name.hi for one in facts.constituencies.values())


def test_organisational_districts_cover_each_constituency_once_within_its_district() -> None:
    facts = read_facts()

    drawn = [
        (number, one.district)
        for one in facts.organisational_districts
        for number in one.constituencies
    ]

    assert len(facts.organisational_districts) == 44
    assert sorted(drawn) == [(one.number, one.district) for one in facts.constituencies.values()]


@pytest.mark.parametrize("tenant_id", TENANTS)
def test_the_same_seed_gives_the_same_rows_and_another_seed_others(tenant_id: str) -> None:
    first = demo_tenant(tenant_id, "small", DAY, seed=1)

    assert demo_tenant(tenant_id, "small", DAY, seed=1) == first
    assert demo_tenant(tenant_id, "small", DAY, seed=2).groups != first.groups


def test_small_has_about_700_units_and_1500_groups() -> None:
    tenants = [demo(tenant, "small") for tenant in TENANTS]

    assert sum(len(one.units) for one in tenants) == 703
    assert sum(len(one.groups) for one in tenants) == 1_517


@pytest.mark.parametrize("scale", ["small", "state"])
def test_peepal_has_gaps_where_no_group_of_a_district_has_a_category(scale: str) -> None:
    peepal = demo("peepal", scale)
    district_of = {unit.code: unit.parent_code for unit in peepal.units if unit.level == "mandal"}
    districts = {unit.code for unit in peepal.units if unit.level == "district"}

    there = {
        (district_of.get(group.unit_code, group.unit_code), group.category)
        for group in peepal.groups
        if group.category
    }
    gaps = {(code, category) for code in districts for category in CATEGORIES} - there

    assert len(gaps) == 14
    # The grid stays a grid: no empty row, no empty column, and more than one category lacks one.
    assert {code for code, _ in there} == districts
    assert {category for _, category in there} == set(CATEGORIES)
    assert len({category for _, category in gaps}) > 1


def test_a_district_group_with_admins_may_lack_one_of_the_state_executive() -> None:
    found = [
        group
        for group in demo("peepal", "small").groups
        if group.category and group.unit_level == "district"
        if group.state == "active" and group.owner and not group.state_executive
    ]

    assert found


def test_state_is_the_reference_organisation() -> None:
    neem = demo("neem", "state")

    assert Counter(unit.level for unit in neem.units) == {
        "centre": 1,
        "state": 1,
        "division": 7,
        "district": 44,
        "mandal": 1_000,
        "shakti_kendra": 7_000,
        "booth": 52_000,
    }
    assert len(neem.groups) == 100_000
    voters = [one.member_count for one in neem.groups if one.kind == "booth_voters"]
    assert sum(voters) == pytest.approx(51_600_000, rel=0.03)


def test_units_have_one_root_unique_codes_and_parents_a_level_above(tenant: DemoTenant) -> None:
    blueprint, _ = read_blueprint(tenant.blueprint)
    assert blueprint is not None
    depth = {level.key: index for index, level in enumerate(blueprint.levels)}
    seen: set[tuple[str, str]] = set()

    for unit in tenant.units:
        assert (unit.level, unit.code) not in seen
        assert _CODE.fullmatch(unit.code)
        assert unit.name
        assert unit.name_hi
        if seen:
            assert (unit.parent_level, unit.parent_code) in seen
            assert depth[unit.parent_level] == depth[unit.level] - 1
        else:
            assert (unit.parent_level, unit.parent_code) == ("", "")
        seen.add((unit.level, unit.code))


def test_every_unit_but_the_last_level_has_children(tenant: DemoTenant) -> None:
    last = tenant.units[-1].level
    parents = {(unit.parent_level, unit.parent_code) for unit in tenant.units}

    assert all((unit.level, unit.code) in parents for unit in tenant.units if unit.level != last)


def test_a_district_is_spelled_in_hindi_as_the_consoles_spell_it(tenant: DemoTenant) -> None:
    blueprint, _ = read_blueprint(tenant.blueprint)
    assert blueprint is not None
    levels = {level.key: level.names["hi"] for level in blueprint.levels}
    kinds = {kind.key: kind.names["hi"] for kind in blueprint.group_kinds}

    assert levels["district"] == "ज़िला"
    assert kinds["district_office"] == "ज़िला पदाधिकारी"


def test_hindi_is_of_one_form_so_that_equal_names_are_equal_text(tenant: DemoTenant) -> None:
    names = {unit.name_hi for unit in tenant.units} | {one.name_hi for one in tenant.groups}

    assert all(unicodedata.is_normalized("NFC", name) for name in names)


def test_groups_name_units_kinds_and_categories_that_exist(tenant: DemoTenant) -> None:
    blueprint, _ = read_blueprint(tenant.blueprint)
    assert blueprint is not None
    kinds = {kind.key: kind.has_category for kind in blueprint.group_kinds}
    categories = {category.key for category in blueprint.categories}
    units = {(unit.level, unit.code) for unit in tenant.units}

    assert len({group.code for group in tenant.groups}) == len(tenant.groups)
    for group in tenant.groups:
        assert _CODE.fullmatch(group.code)
        assert (group.unit_level, group.unit_code) in units
        assert kinds[group.kind] == bool(group.category)
        assert not group.category or group.category in categories
        assert group.state in GROUP_STATES
        assert 0 <= group.member_count <= group.capacity


def test_every_kind_of_flaw_occurs_and_stays_the_exception(tenant: DemoTenant) -> None:
    groups = tenant.groups
    counts = {
        "planned": sum(one.state == "planned" for one in groups),
        "retired": sum(one.state == "retired" for one in groups),
        "unverified": sum(one.state == "unverified" for one in groups),
        "orphaned": sum(not (one.owner or one.admins or one.backup) for one in groups),
        "full": sum(one.member_count == one.capacity for one in groups),
        "incomplete": sum(bool(one.category) and not one.state_executive for one in groups),
    }

    assert all(0 < count < 0.15 * len(groups) for count in counts.values()), counts
