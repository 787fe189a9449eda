"""What puts of teams decide."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.people_errors import TeamEnded, TeamNotFound, TooManyTeams
from services.hierarchy.domain.team_changes import (
    MAX_TEAMS,
    PutTeam,
    TeamWithMembers,
    decide_put_team,
)
from services.hierarchy.domain.teams import Membership, Team, TeamId
from tests.builders_hierarchy import BEGINNING, a_small_tree, text
from tests.builders_people import DAY, a_person, a_put_team, a_staffed_blueprint
from tests.unit.hierarchy.deciding import Deciding, only

ASHA, BELA, CHARU = a_person(1), a_person(2), a_person(3)


@pytest.fixture
def tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree(), blueprint=a_staffed_blueprint())
    tenant.put(ASHA, BELA, CHARU)
    tenant.told = []
    return tenant


@pytest.fixture
def cell(tenant: Deciding) -> Team:
    """An IT cell of a district, with Asha and Bela."""
    return begin(tenant).team


def begin(tenant: Deciding) -> TeamWithMembers:
    unit = tenant.unit("district", "JPR").id
    return write(tenant, a_put_team(ASHA, BELA, unit_id=unit, kind="it_cell"))


def write(tenant: Deciding, request: PutTeam) -> TeamWithMembers:
    return tenant.write(partial(decide_put_team, request))


def refusal(tenant: Deciding, do: Callable[[], object]) -> ChaupalError:
    before = dict(tenant.records), tenant.header
    with pytest.raises(ChaupalError) as refused:
        do()
    assert before == (tenant.records, tenant.header)
    return refused.value


def faults(tenant: Deciding, request: PutTeam) -> list[tuple[str, str]]:
    refused = refusal(tenant, partial(write, tenant, request))
    assert isinstance(refused, InvalidInput)
    return [(each.field, each.reason) for each in refused.violations]


def test_a_team_begins_with_its_members_and_is_counted_by_kind(tenant: Deciding) -> None:
    made = begin(tenant)

    unit = tenant.unit("district", "JPR").id
    assert made.team == Team(made.team.id, unit, "it_cell", text("Cell"), BEGINNING, None, 1)
    assert [(each.person_id, each.role, each.valid_from) for each in made.members] == [
        (ASHA.id, "member", BEGINNING),
        (BELA.id, "member", BEGINNING),
    ]
    assert tenant.all(Team) == [made.team]
    assert tenant.all(Membership) == list(made.members)
    assert tenant.header.used_team_kinds == {"it_cell/district": 1}


def test_only_members_that_differ_change(tenant: Deciding, cell: Team) -> None:
    tenant.now = BEGINNING + DAY

    changed = write(tenant, a_put_team(BELA, CHARU, id=cell.id))

    assert changed.team == replace(cell, revision=2)
    assert [(each.person_id, each.valid_from) for each in changed.members] == [
        (BELA.id, BEGINNING),
        (CHARU.id, tenant.now),
    ]
    ended = only(each for each in tenant.all(Membership) if each.valid_to is not None)
    assert (ended.person_id, ended.valid_to) == (ASHA.id, tenant.now)


def test_another_role_is_another_membership(tenant: Deciding, cell: Team) -> None:
    changed = write(tenant, a_put_team(ASHA, BELA, id=cell.id, role="lead"))

    assert [each.role for each in changed.members] == ["lead", "lead"]
    assert len(tenant.all(Membership)) == 4


def test_what_stands_already_is_not_written(tenant: Deciding, cell: Team) -> None:
    decision = tenant.decide(partial(decide_put_team, a_put_team(BELA, ASHA, id=cell.id)))

    assert not decision.changes_anything
    assert decision.answer.team == cell
    assert len(decision.answer.members) == 2


def test_closing_ends_the_team_and_its_memberships(tenant: Deciding, cell: Team) -> None:
    tenant.now = BEGINNING + DAY

    closed = write(tenant, a_put_team(id=cell.id, closed=True))
    again = tenant.decide(partial(decide_put_team, a_put_team(id=cell.id, closed=True)))

    assert closed == TeamWithMembers(replace(cell, valid_to=tenant.now, revision=2), ())
    assert {each.valid_to for each in tenant.all(Membership)} == {tenant.now}
    assert tenant.header.used_team_kinds == {}
    assert not again.changes_anything
    assert isinstance(
        refusal(tenant, partial(write, tenant, a_put_team(ASHA, id=cell.id))), TeamEnded
    )


def test_a_team_stays_in_its_unit_and_of_its_kind(tenant: Deciding, cell: Team) -> None:
    state = tenant.unit("state", "RJ").id

    assert faults(tenant, a_put_team(id=cell.id, unit_id=state, kind="monitoring")) == [
        ("team.unit_id", "CANNOT_CHANGE"),
        ("team.kind", "CANNOT_CHANGE"),
    ]
    same = a_put_team(ASHA, BELA, id=cell.id, unit_id=cell.unit_id, kind=cell.kind)
    assert write(tenant, same).team == cell


def test_members_are_there_and_no_more_than_the_kind_takes(tenant: Deciding) -> None:
    erased = replace(a_person(4), erased_at=BEGINNING)
    tenant.put(erased)
    unit = tenant.unit("district", "JPR").id

    assert faults(tenant, a_put_team(erased, a_person(9), unit_id=unit, kind="it_cell")) == [
        ("team.members[0].person_id", "PERSON_ERASED"),
        ("team.members[1].person_id", "PERSON_NOT_FOUND"),
    ]
    assert faults(tenant, a_put_team(ASHA, BELA, CHARU, unit_id=unit, kind="it_cell")) == [
        ("team.members", "TOO_MANY")
    ]


@pytest.mark.parametrize(
    ("kind", "reason"), [("choir", "UNKNOWN_TEAM_KIND"), ("monitoring", "TEAM_KIND_NOT_AT_LEVEL")]
)
def test_a_unit_has_teams_of_its_level(tenant: Deciding, kind: str, reason: str) -> None:
    unit = tenant.unit("district", "JPR").id

    assert faults(tenant, a_put_team(unit_id=unit, kind=kind)) == [("team.kind", reason)]


def test_what_is_not_there_is_not_found(tenant: Deciding) -> None:
    missing = a_put_team(id=TeamId("none"))
    nowhere = a_put_team(unit_id="nowhere", kind="it_cell")

    assert isinstance(refusal(tenant, partial(write, tenant, missing)), TeamNotFound)
    assert isinstance(refusal(tenant, partial(write, tenant, nowhere)), UnitNotFound)


def test_a_unit_has_so_many_teams_at_most(tenant: Deciding) -> None:
    unit = tenant.unit("district", "JPR").id
    request = a_put_team(unit_id=unit, kind="it_cell")
    teams = [write(tenant, request).team for _ in range(MAX_TEAMS)]

    refused = refusal(tenant, partial(write, tenant, request))

    assert isinstance(refused, TooManyTeams)
    assert refused.fields() == {"limit": "100"}
    write(tenant, a_put_team(id=teams[0].id, closed=True))
    write(tenant, request)
