"""What each step of a re-organisation does to the tree, to history and to its report."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.hierarchy.domain.events import AccessChanged, TreeChanged
from services.hierarchy.domain.model import Place, Unit
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.domain.reorganisation import UnitChange, What
from tests.builders_hierarchy import a_small_tree, text
from tests.unit.hierarchy.deciding import HOUR, START, Deciding, only
from tests.unit.hierarchy.reorganising import (
    close,
    create,
    decided,
    merge,
    move,
    parents,
    reorganise,
    split,
    update,
)

SMALL = {
    "state RJ": "",
    "district JPR": "state RJ",
    "district AJM": "state RJ",
    "mandal M1": "district JPR",
    "mandal M2": "district JPR",
    "booth B1": "mandal M1",
    "booth B2": "mandal M1",
}


@pytest.fixture
def tenant() -> Deciding:
    """The small tree, an hour old."""
    tenant = Deciding()
    tenant.start(*a_small_tree())
    tenant.now = START + HOUR
    tenant.told.clear()
    return tenant


def test_a_unit_is_created_and_takes_others(tenant: Deciding) -> None:
    before = tenant.unit("mandal", "M2")

    report = reorganise(
        tenant,
        create("district UDP", "state RJ", take=["mandal M2"], place=Place(24.58, 73.71)),
    )

    assert parents(tenant) == SMALL | {"district UDP": "state RJ", "mandal M2": "district UDP"}
    made, moved = tenant.unit("district", "UDP"), tenant.unit("mandal", "M2")
    assert made.place == Place(24.58, 73.71)
    assert (made.valid_from, made.since, made.revision) == (tenant.now, tenant.now, 2)
    assert (moved.valid_from, moved.since, moved.revision) == (START, tenant.now, 2)
    assert tenant.all(PastUnit) == [PastUnit(before, tenant.now, ended_by=2, closed=False)]
    assert report.changes == (
        UnitChange(0, What.CREATED, None, made),
        UnitChange(0, What.MOVED, before, moved),
    )
    assert (report.created_count, report.moved_count, report.moved) == (1, 1, (before.id,))
    assert (report.applied, report.tree_version, report.effective_at) == (True, 2, tenant.now)
    assert tenant.told == [TreeChanged(2), AccessChanged(tenant.header.access_version)]


def test_a_centre_is_put_above_everything(tenant: Deciding) -> None:
    blueprint = tenant.header.blueprint
    assert blueprint is not None
    levels = (replace(blueprint.levels[0], key="centre"), *blueprint.levels)
    tenant.header = replace(
        tenant.header, blueprint=replace(blueprint, levels=levels, centre_level="centre")
    )

    reorganise(tenant, create("centre IN", take=["state RJ"]))

    assert parents(tenant) == SMALL | {"centre IN": "", "state RJ": "centre IN"}


def test_a_unit_gets_other_names_another_code_and_place(tenant: Deciding) -> None:
    before = tenant.unit("state", "RJ")

    report = reorganise(tenant, update("state RJ", names=text("New"), code="R2", clear_place=True))

    after = replace(before, names=text("New"), code="R2", place=None, since=tenant.now, revision=2)
    assert tenant.unit("state", "R2") == after
    assert report.changes == (UnitChange(0, What.UPDATED, before, after),)
    assert (report.updated_count, report.moved_count) == (1, 0)


def test_what_an_update_leaves_out_stays(tenant: Deciding) -> None:
    before = tenant.unit("state", "RJ")

    reorganise(tenant, update("state RJ", place=Place(1.0, 2.0)))

    after = replace(before, place=Place(1.0, 2.0), since=tenant.now, revision=2)
    assert tenant.unit("state", "RJ") == after


def test_a_unit_is_moved_with_all_below_it(tenant: Deciding) -> None:
    report = reorganise(tenant, move("mandal M1", "district AJM"))

    assert parents(tenant) == SMALL | {"mandal M1": "district AJM"}
    assert (report.moved_count, report.updated_count) == (1, 0)
    assert tenant.unit("booth", "B1").revision == 1


def test_units_are_merged_into_another(tenant: Deciding) -> None:
    into, ended = tenant.unit("district", "AJM"), tenant.unit("district", "JPR")

    report = reorganise(tenant, merge("district JPR", into="district AJM"))

    expected = SMALL | {"mandal M1": "district AJM", "mandal M2": "district AJM"}
    expected.pop("district JPR")
    assert parents(tenant) == expected
    assert only(tenant.past("district", "JPR")) == PastUnit(
        ended, tenant.now, ended_by=2, closed=True, successor_ids=(into.id,)
    )
    assert [(each.what, each.before and each.before.code) for each in report.changes] == [
        (What.MOVED, "M1"),
        (What.MOVED, "M2"),
        (What.CLOSED, "JPR"),
    ]
    assert (report.moved_count, report.closed_count) == (2, 1)
    assert tenant.header.counts.units == len(expected)
    assert tenant.header.used_levels["district"] == 1


def test_a_unit_is_split_and_its_code_goes_on(tenant: Deciding) -> None:
    old = tenant.unit("district", "JPR")

    reorganise(
        tenant,
        split(
            "district JPR",
            create(" JPR", take=["mandal M1"]),
            create("district JPG", take=["mandal M2"]),
        ),
    )

    assert parents(tenant) == SMALL | {
        "district JPG": "state RJ",
        "mandal M2": "district JPG",
    }
    parts = tenant.unit("district", "JPR"), tenant.unit("district", "JPG")
    assert only(tenant.past("district", "JPR")) == PastUnit(
        old, tenant.now, ended_by=2, closed=True, successor_ids=(parts[0].id, parts[1].id)
    )
    assert parts[0].id != old.id


def test_a_unit_that_is_split_may_keep_what_nobody_takes(tenant: Deciding) -> None:
    old = tenant.unit("district", "JPR")

    reorganise(
        tenant, split("district JPR", create("district JPG", take=["mandal M2"]), keeps=True)
    )

    assert parents(tenant) == SMALL | {"district JPG": "state RJ", "mandal M2": "district JPG"}
    assert tenant.unit("district", "JPR") == old


def test_a_part_may_stand_elsewhere(tenant: Deciding) -> None:
    reorganise(
        tenant,
        split("mandal M1", create(" M3", "district AJM", take=["booth B1", "booth B2"])),
    )

    expected = SMALL | dict.fromkeys(("booth B1", "booth B2"), "mandal M3")
    expected.pop("mandal M1")
    assert parents(tenant) == expected | {"mandal M3": "district AJM"}


def test_a_unit_without_children_is_closed(tenant: Deciding) -> None:
    old = tenant.unit("booth", "B1")

    report = reorganise(tenant, close("booth B1"))

    assert "booth B1" not in parents(tenant)
    assert only(tenant.past("booth", "B1")) == PastUnit(old, tenant.now, 2, closed=True)
    assert report.changes == (UnitChange(0, What.CLOSED, old, None),)


def test_steps_see_what_those_before_them_did(tenant: Deciding) -> None:
    reorganise(
        tenant,
        create("mandal M3", "district JPR"),
        update("mandal M3", code="M4"),
        move("booth B1", "mandal M4"),
        merge("mandal M1", into="mandal M4"),
        close("mandal M2"),
        move("mandal M4", "district AJM"),
        close("district JPR"),
        create("district JPR", "state RJ"),
    )

    assert parents(tenant) == {
        "state RJ": "",
        "district AJM": "state RJ",
        "district JPR": "state RJ",
        "mandal M4": "district AJM",
        "booth B1": "mandal M4",
        "booth B2": "mandal M4",
    }


def test_a_unit_touched_often_leaves_one_slice_and_is_told_of_for_each_step(
    tenant: Deciding,
) -> None:
    before = tenant.unit("mandal", "M1")

    report = reorganise(
        tenant,
        update("mandal M1", names=text("First")),
        update(before.id, code="M9"),
        move("mandal M9", "district AJM"),
    )

    after = tenant.unit("mandal", "M9")
    assert tenant.all(PastUnit) == [PastUnit(before, tenant.now, ended_by=2, closed=False)]
    assert after.revision == 2
    told = [(each.step, each.what, each.before, each.after) for each in report.changes]
    first = replace(before, names=text("First"), since=tenant.now, revision=2)
    second = replace(first, code="M9")
    assert told == [
        (0, What.UPDATED, before, first),
        (1, What.UPDATED, first, second),
        (2, What.MOVED, second, after),
    ]
    assert (report.updated_count, report.moved_count) == (1, 1)


def test_what_comes_and_goes_in_one_batch_leaves_nothing(tenant: Deciding) -> None:
    before, header = tenant.all(Unit), tenant.header

    decision = decided(
        tenant,
        create("mandal M3", "district JPR"),
        close("mandal M3"),
        move("mandal M1", "district AJM"),
        move("mandal M1", "district JPR"),
    )

    assert not decision.changes_anything
    report = decision.answer
    assert (report.applied, report.tree_version) == (False, header.tree_version)
    assert (report.created_count, report.closed_count, report.moved_count) == (0, 0, 0)
    assert [each.what for each in report.changes] == [
        What.CREATED,
        What.CLOSED,
        What.MOVED,
        What.MOVED,
    ]
    assert tenant.all(Unit) == before


def test_a_preview_says_the_same_and_applies_nothing(tenant: Deciding) -> None:
    steps = (move("mandal M1", "district AJM"), close("booth B1"))
    preview = decided(tenant, *steps, validate_only=True).answer

    report = reorganise(tenant, *steps)

    assert preview == replace(report, applied=False, tree_version=1)


def test_a_change_may_be_told_late(tenant: Deciding) -> None:
    tenant.now = START + timedelta(days=30)
    then = START + HOUR

    report = reorganise(tenant, close("booth B1"), effective_at=then)

    assert report.effective_at == tenant.header.changed_until == then
    assert only(tenant.past("booth", "B1")).until == then


def test_changes_at_the_same_instant_leave_no_empty_slices(tenant: Deciding) -> None:
    old = tenant.unit("mandal", "M1")
    reorganise(tenant, move("mandal M1", "district AJM"))
    between = tenant.unit("mandal", "M1")
    reorganise(tenant, update("mandal M1", code="M7"))
    reorganise(tenant, create("mandal M1", "district JPR"))

    assert tenant.all(PastUnit) == [PastUnit(old, tenant.now, ended_by=2, closed=False)]
    assert (between.since, tenant.unit("mandal", "M7").since) == (tenant.now, tenant.now)


def test_a_report_holds_the_first_thousand_changes_and_all_sums(tenant: Deciding) -> None:
    steps = [create(f"booth N{number}", "mandal M1") for number in range(1_001)]

    report = reorganise(tenant, *steps)

    assert (len(report.changes), report.created_count) == (1_000, 1_001)
    assert [each.step for each in report.changes] == list(range(1_000))
