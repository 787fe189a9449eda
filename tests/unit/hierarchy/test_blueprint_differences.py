"""In what two blueprints differ."""

from dataclasses import replace

from hypothesis import given

from services.hierarchy.domain.blueprints import Difference, differences
from services.hierarchy.domain.model import Blueprint, Category, Grant, Level, Position, TeamKind
from tests.blueprint_strategies import valid_blueprints
from tests.builders_hierarchy import a_blueprint, text

MEMBER = Position("member", text("Member", "सदस्य"), ("state",), grants=(Grant("view"),))
CORE = TeamKind("core", text("Core team"), ("state",))
STANDS = replace(a_blueprint(), positions=(MEMBER,), team_kinds=(CORE,))
COUNTS = {
    "levels": {"state": 1, "district": 44},
    "positions": {"member": 3},
    "team_kinds": {"core": 2},
}


@given(old=valid_blueprints(), new=valid_blueprints())
def test_blueprints_that_differ_have_a_difference_and_others_none(
    old: Blueprint, new: Blueprint
) -> None:
    assert differences(old, old, {}) == ()
    assert bool(differences(old, new, {})) != old.says_the_same_as(new)


@given(old=valid_blueprints(), new=valid_blueprints())
def test_the_way_back_has_the_same_differences_turned_round(old: Blueprint, new: Blueprint) -> None:
    there = {(each.path, bool(each.before), bool(each.after)) for each in differences(old, new, {})}
    back = {(each.path, bool(each.after), bool(each.before)) for each in differences(new, old, {})}
    assert there == back


@given(old=valid_blueprints(), new=valid_blueprints())
def test_each_thing_is_told_once(old: Blueprint, new: Blueprint) -> None:
    paths = [each.path for each in differences(old, new, {})]
    assert len(paths) == len(set(paths))


def test_the_first_blueprint_is_all_new() -> None:
    found = differences(None, STANDS, {})

    assert all(each.before == "" and each.after for each in found)
    told = {each.path: each.after for each in found}
    assert told["style"] == "party"
    assert told["levels[state]"] == "State, at the top"
    assert told["levels[district]"] == "District, below State"
    assert told["positions[member]"] == "Member"


def test_what_changed_in_an_item_is_told_by_its_path_with_what_stands_on_it() -> None:
    changed = replace(
        MEMBER,
        names=text("Member", "साथी"),
        levels=("state", "district"),
        seats=0,
        roles=("monitor",),
        grants=(Grant("view"), Grant("compose", ("farmers",), ("category", "internal"))),
    )
    draft = replace(
        STANDS,
        positions=(changed,),
        team_kinds=(replace(CORE, max_members=7),),
        centre_level="state",
    )

    assert differences(STANDS, draft, COUNTS) == (
        Difference("centre_level", "", "state", 0),
        Difference("positions[member].names.hi", "सदस्य", "साथी", 3),
        Difference("positions[member].levels", "state", "state, district", 3),
        Difference("positions[member].seats", "1", "any number", 3),
        Difference("positions[member].roles", "", "monitor", 3),
        Difference(
            "positions[member].grants",
            "view",
            "view; compose (categories farmers; group kinds category, internal)",
            3,
        ),
        Difference("team_kinds[core].max_members", "any number", "7", 2),
    )


def test_what_comes_goes_and_changes_places() -> None:
    state, district, *_ = STANDS.levels
    draft = replace(
        STANDS,
        levels=(district, Level("block", text("Block")), state),
        categories=(Category("women", text("Women")),),
        positions=(),
    )

    assert differences(STANDS, draft, COUNTS) == (
        Difference("levels", "state, district", "district, state", 45),
        Difference("levels[mandal]", "Mandal", "", 0),
        Difference("levels[booth]", "Booth", "", 0),
        Difference("levels[block]", "", "Block, below District", 0),
        Difference("categories[farmers]", "Farmers", "", 0),
        Difference("categories[women]", "", "Women", 0),
        Difference("positions[member]", "Member", "", 3),
    )
