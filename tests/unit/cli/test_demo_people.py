"""The demo's people: nobody real, whole where it matters, with the flaws that a screen shows."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from cli.demo.names import FAMILIES, GIVEN
from cli.demo.samples import SAMPLE_PEOPLE, SamplePerson
from cli.demo.sizes import SCALES
from cli.demo.tenants import TENANTS, DemoTenant, demo_tenant
from cli.files.blueprint import read_blueprint
from cli.records import AppointmentRecord, BlueprintRecord, GroupRecord
from kit.ids import is_uuid
from tests.demo import DAY, demo

# Unassigned as a number: what follows the country code begins with India's own prefix, 0.
_PHONE = re.compile(r"\+910000[0-9]{6}")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]+ [\u0900-\u097f]+")


@pytest.fixture(params=[(tenant, scale) for scale in SCALES for tenant in TENANTS], ids="-".join)
def tenant(request: pytest.FixtureRequest) -> DemoTenant:
    return demo(*request.param)


@pytest.fixture
def blueprint(tenant: DemoTenant) -> BlueprintRecord:
    record, _ = read_blueprint(tenant.blueprint)
    assert record is not None
    return record


def in_force(appointments: Iterable[AppointmentRecord]) -> list[AppointmentRecord]:
    day = str(DAY)
    return [
        each
        for each in appointments
        if each.valid_from <= day and (not each.valid_to or day < each.valid_to)
    ]


def holders(tenant: DemoTenant, blueprint: BlueprintRecord, role: str) -> list[str]:
    """Who holds a position with a role now."""
    positions = {each.key for each in blueprint.positions if role in each.roles}
    return [each.person_id for each in in_force(tenant.appointments) if each.position in positions]


def admins(group: GroupRecord) -> list[str]:
    return [person for person in (group.owner, *group.admins, group.backup) if person]


def levels(units: Collection[tuple[str, str]]) -> set[str]:
    return {level for level, _ in units}


def test_everybody_is_one_person_under_an_id_of_their_own(tenant: DemoTenant) -> None:
    ids = [each.id for each in tenant.persons]

    assert all(map(is_uuid, ids))
    assert len(set(ids)) == len(ids)


def test_ids_belong_to_offices_and_not_to_names_that_a_seed_gives() -> None:
    one, other = (demo_tenant("neem", "small", DAY, seed) for seed in (1, 2))
    monitors = [
        [each.person_id for each in made.appointments if each.position == "monitor"]
        for made in (one, other)
    ]
    names = [{each.id: each.name for each in made.persons} for made in (one, other)]

    assert set(monitors[0]) & set(monitors[1])
    assert names[0][monitors[0][0]] != names[1][monitors[0][0]]


def test_the_same_office_of_another_organisation_is_another_person() -> None:
    neem, peepal = ({each.id for each in demo(one, "small").persons} for one in TENANTS)

    assert not neem & peepal


def test_nobody_can_have_their_phone_numbers(tenant: DemoTenant) -> None:
    phones = [each.phone for each in tenant.persons if each.phone]

    assert all(map(_PHONE.fullmatch, phones))
    assert len(set(phones)) == len(phones)
    # As in a real list, of some nobody knows it.
    assert 0 < len(tenant.persons) - len(phones) < 0.05 * len(tenant.persons)


def test_names_are_made_of_the_lists_in_both_languages(tenant: DemoTenant) -> None:
    made = {(given + family) for given in GIVEN for family in FAMILIES}
    names = [(each.name, each.name_hi) for each in tenant.persons]

    assert set(names) <= {(each.en, each.hi) for each in made}
    assert all(_DEVANAGARI.fullmatch(hindi) for _, hindi in set(names))
    assert all(unicodedata.is_normalized("NFC", hindi) for _, hindi in set(names))
    # None comes twice before each came once.
    assert len(set(names)) == min(len(names), len(made))


def test_no_name_stands_twice_in_a_list() -> None:
    for names in (GIVEN, FAMILIES):
        assert len({each.en for each in names}) == len({each.hi for each in names}) == len(names)


def test_appointments_are_of_people_to_offices_that_their_units_have(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    units = {(each.level, each.code) for each in tenant.units}
    persons = {each.id for each in tenant.persons}
    levels_of = {each.key: each.levels for each in blueprint.positions}

    assert {each.person_id for each in tenant.appointments} == persons
    for each in tenant.appointments:
        assert (each.unit_level, each.unit_code) in units
        assert each.unit_level in levels_of[each.position]


def test_nobody_sits_where_another_sits(tenant: DemoTenant, blueprint: BlueprintRecord) -> None:
    seats = {each.key: each.seats for each in blueprint.positions}
    by_office: defaultdict[tuple[str, str, str], list[AppointmentRecord]] = defaultdict(list)
    for each in tenant.appointments:
        by_office[each.unit_level, each.unit_code, each.position].append(each)

    for (_, _, position), held in by_office.items():
        for each in held if seats[position] else ():
            at = each.valid_from
            there = [x for x in held if x.valid_from <= at and (not x.valid_to or at < x.valid_to)]
            assert len(there) <= seats[position]


def test_dates_are_in_order_and_none_is_ahead_of_the_day(tenant: DemoTenant) -> None:
    for each in tenant.appointments:
        begins, ends = (
            date.fromisoformat(x) if x else None for x in (each.valid_from, each.valid_to)
        )
        verified = date.fromisoformat(each.verified_at) if each.verified_at else None
        assert begins is not None
        assert begins < DAY
        assert ends is None or begins < ends < DAY
        assert verified is None or begins <= verified < DAY


def test_some_appointments_are_verified_some_stale_some_unverified_and_few_are_over(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    held = in_force(tenant.appointments)
    since = str(DAY - timedelta(days=blueprint.verification_days))
    counts = Counter(
        "unverified"
        if not each.verified_at
        else "verified"
        if each.verified_at > since
        else "stale"
        for each in held
    )
    ended_count = len(tenant.appointments) - len(held)

    assert min(counts[state] for state in ("unverified", "stale")) > 0.1 * len(held)
    assert counts["verified"] > 0.6 * len(held)
    assert 0 < ended_count < 0.06 * len(tenant.appointments)


def test_on_another_day_only_the_days_of_verification_differ() -> None:
    later = DAY + timedelta(days=400)
    one, other = (demo_tenant("peepal", "small", day) for day in (DAY, later))
    unverified = [
        [replace(each, verified_at="") for each in made.appointments] for made in (one, other)
    ]

    assert one.appointments != other.appointments
    assert unverified[0] == unverified[1]
    assert (one.persons, one.teams, one.groups) == (other.persons, other.teams, other.groups)


def test_every_level_has_heads_and_below_the_divisions_some_are_missing(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    heads = {each.levels[0]: each.key for each in blueprint.positions if "head" in each.roles}
    led = {(each.unit_level, each.unit_code) for each in in_force(tenant.appointments)
           if each.position == heads[each.unit_level]}  # fmt: skip
    vacant = {(each.level, each.code) for each in tenant.units} - led

    assert levels(led) == set(heads) == {each.level for each in tenant.units}
    assert levels(vacant) == levels(vacant) & {"district", "mandal", "shakti_kendra", "booth"}
    assert levels(vacant) >= {"mandal"}
    assert len(vacant) < 0.15 * len(tenant.units)


@pytest.mark.parametrize("scale", SCALES)
def test_seven_monitors_under_one_convenor_are_the_monitoring_team(scale: str) -> None:
    neem = demo("neem", scale)
    blueprint, _ = read_blueprint(neem.blueprint)
    assert blueprint is not None
    monitors = holders(neem, blueprint, "monitor")
    (convenor,) = holders(neem, blueprint, "convenor")
    team = {each.person_id: each.role for each in neem.teams if each.kind == "monitoring"}

    assert len(set(monitors)) == 7
    assert team == {**dict.fromkeys(monitors, "monitor"), convenor: "convenor"}
    # Their line ends at the centre, where somebody is.
    assert [each.unit_code for each in in_force(neem.appointments)
            if each.position == "central_coordinator"] == ["DELHI"]  # fmt: skip


def test_there_are_exactly_seven_who_may_watch(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    assert len(set(holders(tenant, blueprint, "monitor"))) == 7


@pytest.mark.parametrize("scale", SCALES)
def test_six_monitors_watch_a_division_each_and_one_division_has_nobody(scale: str) -> None:
    neem = demo("neem", scale)
    divisions = {each.code for each in neem.units if each.level == "division"}
    watched = [each.unit_code for each in neem.watches if each.unit_level == "division"]

    assert len(watched) == len(neem.watches) == len({each.person_id for each in neem.watches}) == 6
    assert len(divisions - set(watched)) == 1


def test_who_watches_may_and_no_unit_has_two(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    watched = [(each.unit_level, each.unit_code) for each in tenant.watches]

    assert {each.person_id for each in tenant.watches} < set(holders(tenant, blueprint, "monitor"))
    assert len(set(watched)) == len(watched)
    # At the level that is watched, some are left.
    level = watched[0][0]
    assert {(each.level, each.code) for each in tenant.units if each.level == level} > set(watched)


def test_every_admin_is_a_person_who_holds_an_office(tenant: DemoTenant) -> None:
    in_office = {each.person_id for each in in_force(tenant.appointments)}
    executives = {each.state_executive for each in tenant.groups if each.state_executive}

    named = {person for group in tenant.groups for person in admins(group)} | executives
    assert named <= in_office
    for group in tenant.groups:
        assert len(set(admins(group))) == len(admins(group))
        assert bool(group.owner) == bool(admins(group))


def test_a_group_has_its_own_people_before_others(tenant: DemoTenant) -> None:
    """Who leads a unit administers its groups, unless the group has a category and a desk."""
    unit_of = {each.person_id: (each.unit_level, each.unit_code) for each in tenant.appointments}
    staffed = {unit_of[each.person_id] for each in in_force(tenant.appointments)}

    for group in tenant.groups:
        if (
            group.owner
            and group.kind != "category"
            and (group.unit_level, group.unit_code) in staffed
        ):
            assert unit_of[group.owner] == (group.unit_level, group.unit_code)


def test_a_category_group_has_somebody_of_the_state_executive_but_for_a_handful(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    executive = set(holders(tenant, blueprint, "state_executive"))
    groups = [each for each in tenant.groups if each.category]
    without = [each for each in groups if not each.state_executive]

    assert {each.state_executive for each in groups} - {""} <= executive
    assert 0 < len(without) < 0.06 * len(groups)
    assert all(not each.state_executive for each in tenant.groups if not each.category)


def test_nobody_of_the_state_executive_answers_for_two_categories(tenant: DemoTenant) -> None:
    categories: defaultdict[str, set[str]] = defaultdict(set)
    for group in tenant.groups:
        if group.state_executive:
            categories[group.state_executive].add(group.category)

    assert {len(each) for each in categories.values()} == {1}
    assert set().union(*categories.values()) == {"farmers", "students", "women", "traders",
                                                "professionals"}  # fmt: skip


@pytest.mark.parametrize("scale", SCALES)
def test_every_category_of_peepal_has_its_secretary(scale: str) -> None:
    peepal = demo("peepal", scale)
    category_of = {each.state_executive: each.category for each in peepal.groups}
    secretaries = {each.position: category_of[each.person_id]
                   for each in in_force(peepal.appointments)
                   if each.position.endswith("_secretary")}  # fmt: skip

    assert len(secretaries) == 5
    assert all(position == f"{category}_secretary" for position, category in secretaries.items())


def test_teams_are_such_as_the_blueprint_has_where_it_has_them(
    tenant: DemoTenant, blueprint: BlueprintRecord
) -> None:
    kinds = {each.key: each for each in blueprint.team_kinds}
    units = {(each.level, each.code) for each in tenant.units}
    in_office = {each.person_id for each in in_force(tenant.appointments)}
    members: defaultdict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    last = None
    for each in tenant.teams:
        key = (each.unit_level, each.unit_code, each.kind, each.team_name)
        assert key == last or key not in members, "the rows of a team stand together"
        last = key
        members[key].append(each.person_id)
        assert bool(each.person_id) == bool(each.role)
        assert each.team_name_hi

    assert {kind for _, _, kind, _ in members} == set(kinds)
    for (level, code, kind, _), people in members.items():
        assert level in kinds[kind].levels
        assert (level, code) in units
        assert len(set(people)) == len(people)
        assert set(people) <= in_office or people == [""]
        assert not kinds[kind].max_members or len(people) <= kinds[kind].max_members


@pytest.mark.parametrize("scale", SCALES)
def test_neem_has_teams_down_to_the_booths_and_committees_on_paper(scale: str) -> None:
    neem = demo("neem", scale)
    sizes = Counter((each.unit_code, each.kind) for each in neem.teams if each.person_id)
    committees = {each.unit_code for each in neem.teams if each.kind == "booth_committee"}
    alone = [code for code in committees if sizes[code, "booth_committee"] < 2]

    assert levels([(each.unit_level, "") for each in neem.teams]) == {
        "state", "district", "mandal", "shakti_kendra", "booth",
    }  # fmt: skip
    assert 0.1 * len(committees) < len(alone) < 0.5 * len(committees)
    assert any(not each.person_id for each in neem.teams)


def test_areas_are_the_real_ones_and_units_lie_in_each(tenant: DemoTenant) -> None:
    units = {f"{each.level}:{each.code}" for each in tenant.units}
    counts = Counter(each.kind for each in tenant.areas)

    assert counts == {"administrative_district": 33, "assembly_constituency": 200}
    assert len({(each.kind, each.code) for each in tenant.areas}) == len(tenant.areas)
    for each in tenant.areas:
        assert set(each.units.split(";")) <= units


def test_units_are_not_areas() -> None:
    """Two districts as the organisation draws them lie in one of the administration."""
    neem = demo("neem", "small")
    districts = {each.code: each.units.split(";") for each in neem.areas
                 if each.kind == "administrative_district"}  # fmt: skip

    assert districts["JPR"] == ["district:JPR-C", "district:JPR-R"]
    assert Counter(len(each) for each in districts.values()) == {1: 22, 2: 11}


@pytest.mark.parametrize("sample", SAMPLE_PEOPLE, ids=lambda sample: sample.subject)
@pytest.mark.parametrize("scale", SCALES)
def test_who_has_a_login_holds_the_office_that_is_told(sample: SamplePerson, scale: str) -> None:
    made = demo(sample.tenant, scale)
    (person,) = (each.id for each in made.persons if each.subject == sample.subject)
    held = [(each.position, (each.unit_level, each.unit_code))
            for each in in_force(made.appointments) if each.person_id == person]  # fmt: skip
    names = {(each.level, each.code): each.name for each in made.units}

    assert held == [sample.office]
    assert sample.unit[0] == "state" or sample.told.endswith(names[sample.unit])


@pytest.mark.parametrize("scale", SCALES)
def test_the_sample_monitor_watches_what_is_told(scale: str) -> None:
    neem = demo("neem", scale)
    (monitor,) = (each.id for each in neem.persons if each.subject == "ajmer-monitor@neem")

    assert [each.unit_code for each in neem.watches if each.person_id == monitor] == ["AJM"]


def test_a_state_has_about_as_many_people_as_its_groups_need() -> None:
    neem = demo("neem", "state")

    assert len(neem.appointments) == pytest.approx(70_000, rel=0.02)
    assert len(neem.persons) <= len(neem.appointments)
