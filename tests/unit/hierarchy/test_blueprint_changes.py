"""Putting a blueprint where another stands: what is in the way, and what changes with it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.blueprints import Holders, Holding, decide_blueprint, narrowings
from services.hierarchy.domain.errors import BlueprintInUse, HoldersChanged
from services.hierarchy.domain.events import AccessChanged, BlueprintChanged, TreeChanged
from services.hierarchy.domain.model import Blueprint, Position, TeamKind, TenantId
from services.hierarchy.domain.tenants import TenantHeader, with_teams
from tests.blueprint_strategies import valid_blueprints
from tests.builders_hierarchy import LEVELS, a_blueprint, a_small_tree, text
from tests.unit.hierarchy.deciding import Deciding

NEEM = TenantId("neem")
KEYS = st.lists(st.sampled_from((*LEVELS, "house", "country")), min_size=1, unique=True)
NOW = 7  # the access version

PRESIDENT = Position("president", text("President"), ("state", "district"), roles=("head",))
MEMBER = Position("member", text("Member"), ("state", "district", "mandal"), seats=0)
OBSERVER = Position("observer", text("Observer"), ("state",), roles=("monitor",))
CORE = TeamKind("core", text("Core team"), ("state", "district"))
STANDS = replace(a_blueprint(), version=3, positions=(PRESIDENT, MEMBER), team_kinds=(CORE,))
TEAMS = {"core/district": 2}


def a_header(**changes: Any) -> TenantHeader:
    """A tenant with that blueprint, a state, two districts and a team in each of those."""
    used = {"state": 1, "district": 2}
    header = TenantHeader(NEEM, STANDS, 5, 2, NOW, used_levels=used, used_team_kinds=TEAMS)
    return replace(header, **changes)


def holders(version: int = NOW, **by_position: Holding) -> Holders:
    return Holders(version, by_position)


def decide(draft: Blueprint, held: Holders | None = None, **header: Any) -> Blueprint:
    deciding = Deciding(a_header(**header))
    return deciding.decide(partial(decide_blueprint, draft, holders=held)).answer.blueprint


def refusal(draft: Blueprint, held: Holders | None = None, **header: Any) -> BlueprintInUse:
    with pytest.raises(BlueprintInUse) as refused:
        decide(draft, held, **header)
    return refused.value


@given(old=KEYS, new=KEYS, used=st.sets(st.sampled_from((*LEVELS, "house", "country"))))
def test_levels_in_use_keep_their_order(old: list[str], new: list[str], used: set[str]) -> None:
    used &= set(old)
    before, draft = replace(a_blueprint(old), version=3), a_blueprint(new)
    header = TenantHeader(NEEM, before, 5, 2, NOW, used_levels=dict.fromkeys(used, 1))
    deciding = Deciding(header)
    kept = [key for key in old if key in used] == [key for key in new if key in used]

    if old == new:
        decision = deciding.decide(partial(decide_blueprint, draft))
        assert decision.answer.blueprint == before
        assert not decision.changes_anything
    elif kept:
        decision = deciding.decide(partial(decide_blueprint, draft))
        assert decision.answer.blueprint == replace(draft, version=4)
        assert decision.header == replace(
            header,
            blueprint=decision.answer.blueprint,
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

    assert put.blueprint == deciding.header.blueprint == replace(a_blueprint(), version=1)
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


def test_what_stands_is_named_with_how_many_stand_on_it() -> None:
    draft = replace(STANDS, levels=STANDS.levels[1:], positions=(), team_kinds=())

    refused = refusal(draft, holders(president=Holding(1), member=Holding(52_000)))

    assert refused.reason == "BLUEPRINT_IN_USE"
    assert refused.fields() == {
        "levels": "state",
        "positions": "president,member",
        "team_kinds": "core",
    }
    assert refused.message == (
        "the blueprint is in use: the level state has 1 unit;"
        " the position president has 1 appointment in force;"
        " the position member has 52,000 appointments in force;"
        " there are 2 teams of the kind core on the level district"
    )


def test_a_position_that_nobody_holds_may_go() -> None:
    draft = replace(STANDS, positions=(MEMBER,))

    assert decide(draft, holders(member=Holding(3))).positions == (MEMBER,)
    assert refusal(draft, holders(president=Holding(1))).positions == ("president",)


def test_a_position_keeps_the_levels_on_which_it_is_held() -> None:
    draft = replace(STANDS, positions=(replace(PRESIDENT, levels=("district", "booth")), MEMBER))

    put = decide(draft, holders(president=Holding(2, {"district": 2})))
    assert put.positions == draft.positions
    refused = refusal(draft, holders(president=Holding(3, {"district": 2, "state": 1})))
    assert refused.positions == ("president",)
    assert "held in 1 unit of the level state" in refused.message


@pytest.mark.parametrize(("most", "may"), [(0, True), (4, True), (5, False)])
@pytest.mark.parametrize("seats_before", [0, 9])
def test_seats_do_not_go_below_what_is_held(seats_before: int, most: int, may: bool) -> None:
    stands = replace(STANDS, positions=(replace(MEMBER, seats=seats_before),))
    draft = replace(stands, positions=(replace(MEMBER, seats=4),))
    held = holders(member=Holding(most * 2, {}, most))

    if may:
        assert decide(draft, held, blueprint=stands).positions[0].seats == 4
    else:
        refused = refusal(draft, held, blueprint=stands)
        assert refused.positions == ("member",)
        assert "held by 5 in one unit, above 4" in refused.message


def test_a_kind_of_team_stays_where_there_are_such_teams() -> None:
    elsewhere = replace(STANDS, team_kinds=(replace(CORE, levels=("state",)),))
    fewer = replace(STANDS, team_kinds=(replace(CORE, levels=("district",), max_members=1),))

    assert refusal(replace(STANDS, team_kinds=())).team_kinds == ("core",)
    assert refusal(elsewhere).team_kinds == ("core",)
    assert decide(fewer).team_kinds == fewer.team_kinds
    assert decide(elsewhere, used_team_kinds={}).team_kinds == elsewhere.team_kinds


def test_there_is_one_centre_at_most() -> None:
    draft = replace(STANDS, centre_level="state")

    assert decide(draft).centre_level == "state"
    assert decide(draft, used_levels={}).centre_level == "state"
    refused = refusal(draft, used_levels={"state": 2})
    assert refused.levels == ("state",)
    assert "2 units" in refused.message


WIDER: Mapping[str, Blueprint] = {
    "position": replace(STANDS, positions=(PRESIDENT, MEMBER, replace(MEMBER, key="other"))),
    "level of a position": replace(
        STANDS, positions=(replace(PRESIDENT, levels=("booth", "district", "state")), MEMBER)
    ),
    "seats": replace(STANDS, positions=(replace(PRESIDENT, seats=2), MEMBER)),
    "no bound": replace(STANDS, positions=(replace(PRESIDENT, seats=0), MEMBER)),
    "roles and grants": replace(STANDS, positions=(replace(PRESIDENT, roles=()), MEMBER)),
    "order": replace(STANDS, positions=(MEMBER, PRESIDENT)),
}


@pytest.mark.parametrize("name", WIDER)
def test_what_takes_nothing_from_a_position_needs_no_look_at_its_holders(name: str) -> None:
    assert narrowings(STANDS, WIDER[name]) == {}
    assert decide(WIDER[name]) == replace(WIDER[name], version=4)


def test_a_position_makes_monitors_as_long_as_such_watch() -> None:
    monitor = replace(MEMBER, roles=("monitor",))
    stands, draft = replace(STANDS, positions=(monitor,)), replace(STANDS, positions=(MEMBER,))

    assert decide(draft, holders(member=Holding(3)), blueprint=stands).positions == (MEMBER,)
    refused = refusal(draft, holders(member=Holding(3, watch_count=1_200)), blueprint=stands)
    assert refused.positions == ("member",)
    assert "1,200 watches stand on the role monitor of the position member" in refused.message


@pytest.mark.parametrize(
    "held", [None, holders(NOW - 1), holders(NOW + 1), Holders(NOW, {}, watches=1)]
)
@pytest.mark.parametrize("taken", ["position", "level", "seats", "role"])
def test_holders_of_another_version_decide_nothing(held: Holders | None, taken: str) -> None:
    changed = {
        "position": (PRESIDENT, OBSERVER),
        "level": (PRESIDENT, replace(MEMBER, levels=("state", "district")), OBSERVER),
        "seats": (PRESIDENT, replace(MEMBER, seats=1_000), OBSERVER),
        "role": (PRESIDENT, MEMBER, replace(OBSERVER, roles=())),
    }
    stands = replace(STANDS, positions=(PRESIDENT, MEMBER, OBSERVER))
    draft = replace(STANDS, positions=changed[taken])

    with pytest.raises(HoldersChanged):
        decide(draft, held, blueprint=stands)
    assert decide(draft, holders(NOW), blueprint=stands).positions == draft.positions


@given(old=valid_blueprints(), new=valid_blueprints())
def test_where_nothing_stands_any_blueprint_follows_any_other(
    old: Blueprint, new: Blueprint
) -> None:
    header = TenantHeader(NEEM, replace(old, version=1), access_version=NOW)
    put = Deciding(header).decide(partial(decide_blueprint, new, holders=holders())).answer
    same = old.says_the_same_as(new)

    assert put.blueprint == replace(new, version=1 if same else 2)
    assert bool(put.differences) != same


def test_teams_are_counted_as_they_begin_and_end() -> None:
    began = with_teams(a_header(used_team_kinds={}), began=[("core", "state")] * 2)
    changed = with_teams(began, began=[("core", "booth")], ended=[("core", "state")])

    assert began.used_team_kinds == {"core/state": 2}
    assert changed.used_team_kinds == {"core/booth": 1, "core/state": 1}
    assert with_teams(began, ended=[("core", "state")] * 2).used_team_kinds == {}


def test_an_error_names_no_more_than_it_can_carry() -> None:
    many = tuple(replace(MEMBER, key=f"member_{number}") for number in range(200))
    held = Holders(NOW, {each.key: Holding(1) for each in many})
    stands = replace(STANDS, positions=many)

    refused = refusal(replace(STANDS, positions=()), held, blueprint=stands)

    assert len(refused.positions) == 16
    assert refused.message.endswith("; and 190 more")
