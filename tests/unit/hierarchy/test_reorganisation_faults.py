"""What a re-organisation refuses: each wrong thing by its path, all of them at once, no change."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kit.errors import InvalidInput
from services.hierarchy.domain.errors import (
    BlueprintNotFound,
    QuotaExceeded,
    TreeChangedMeanwhile,
    UnitChangedMeanwhile,
    UnitNotFound,
)
from services.hierarchy.domain.model import LocalizedText, Place, UnitId
from services.hierarchy.domain.reorganisation import CloseStep, MoveStep, Step, UpdateStep
from tests.builders_hierarchy import a_small_tree, text
from tests.unit.hierarchy.deciding import HOUR, START, Deciding
from tests.unit.hierarchy.reorganising import (
    close,
    create,
    decided,
    faults_of,
    merge,
    move,
    reorganise,
    split,
    update,
)

STRANGER = UnitId("00000000-0000-7000-8000-000000000000")
NAMELESS = LocalizedText.of({"hi": "नाम"})


@pytest.fixture
def tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree())
    tenant.now = START + HOUR
    return tenant


@pytest.mark.parametrize(
    ("step", "path", "reason"),
    [
        (create("mandal M1", "district AJM"), "create.unit.code", "DUPLICATE_CODE"),
        (create("hamlet H1", "district AJM"), "create.unit.level", "UNKNOWN_LEVEL"),
        (create(" H1", "district AJM"), "create.unit.level", "MISSING"),
        (create("mandal ", "district AJM"), "create.unit.code", "MISSING"),
        (create("mandal a/b", "district AJM"), "create.unit.code", "BAD_CODE"),
        (create("mandal M3", "district NO"), "create.unit.parent", "UNKNOWN_UNIT"),
        (create("mandal M3", STRANGER), "create.unit.parent", "UNKNOWN_UNIT"),
        (create("mandal M3", "mandal M1"), "create.unit.parent", "LEVEL_ORDER"),
        (create("mandal M3", "booth B1"), "create.unit.parent", "LEVEL_ORDER"),
        (create("mandal M3"), "create.unit.parent", "MISSING"),
        (
            create("mandal M3", "district AJM", names=NAMELESS),
            "create.unit.names.by_language.en",
            "MISSING",
        ),
        (
            create("mandal M3", "district AJM", place=Place(91, 0)),
            "create.unit.place.latitude",
            "BAD_PLACE",
        ),
        (
            create("mandal M3", "district AJM", take=["booth B1", "booth NO"]),
            "create.take[1]",
            "UNKNOWN_UNIT",
        ),
        (
            create("mandal M3", "district AJM", take=["mandal M2"]),
            "create.take[0]",
            "LEVEL_ORDER",
        ),
        (update("mandal NO"), "update.unit", "UNKNOWN_UNIT"),
        (update("mandal M1", code="M2"), "update.code", "DUPLICATE_CODE"),
        (update("mandal M1", code="M 2"), "update.code", "BAD_CODE"),
        (update("mandal M1", names=NAMELESS), "update.names.by_language.en", "MISSING"),
        (update("mandal M1", place=Place(0, 181)), "update.place.longitude", "BAD_PLACE"),
        (
            update("mandal M1", place=Place(0, 0), clear_place=True),
            "update.clear_place",
            "CONTRADICTION",
        ),
        (move("mandal NO", "district AJM"), "move.unit", "UNKNOWN_UNIT"),
        (move("mandal M1", "district NO"), "move.parent", "UNKNOWN_UNIT"),
        (move("mandal M1", "mandal M2"), "move.parent", "LEVEL_ORDER"),
        (move("district JPR", "booth B1"), "move.parent", "LEVEL_ORDER"),
        (move("district JPR", "district JPR"), "move.parent", "LEVEL_ORDER"),
        (merge("mandal NO", into="mandal M1"), "merge.units[0]", "UNKNOWN_UNIT"),
        (merge("mandal M1", into="mandal NO"), "merge.into", "UNKNOWN_UNIT"),
        (merge("mandal M2", "mandal M1", into="mandal M1"), "merge.units[1]", "SAME_UNIT"),
        (merge("mandal M1", into="district AJM"), "merge.units[0]", "LEVEL_MISMATCH"),
        (merge("district JPR", into="mandal M1"), "merge.units[0]", "LEVEL_MISMATCH"),
        (merge("mandal M2", "mandal M2", into="mandal M1"), "merge.units[1]", "DUPLICATE_UNIT"),
        (split("mandal NO", create(" M3")), "split.unit", "UNKNOWN_UNIT"),
        (
            split("mandal M1", create(" M3", take=["booth B1"])),
            "split.parts",
            "NOT_ALL_TAKEN",
        ),
        (
            split("mandal M2", create(" M3", take=["booth B1"])),
            "split.parts[0].take[0]",
            "NOT_A_CHILD",
        ),
        (
            split(
                "mandal M1",
                create(" M3", take=["booth B1", "booth B2"]),
                create(" M4", take=["booth B1"]),
            ),
            "split.parts[1].take[0]",
            "NOT_A_CHILD",
        ),
        (
            split("mandal M2", create("booth M3")),
            "split.parts[0].unit.level",
            "LEVEL_MISMATCH",
        ),
        (
            split("mandal M2", create(" M2"), keeps=True),
            "split.parts[0].unit.code",
            "DUPLICATE_CODE",
        ),
        (
            split("mandal M2", create(" M3", "booth B1")),
            "split.parts[0].unit.parent",
            "LEVEL_ORDER",
        ),
        (
            split("mandal M2", create(" M3", "district NO")),
            "split.parts[0].unit.parent",
            "UNKNOWN_UNIT",
        ),
        (close("mandal NO"), "close.unit", "UNKNOWN_UNIT"),
        (close("mandal M1"), "close.unit", "HAS_CHILDREN"),
    ],
)
def test_each_wrong_thing_is_named(tenant: Deciding, step: Step, path: str, reason: str) -> None:
    assert faults_of(tenant, step) == [(f"steps[0].{path}", reason)]


def test_two_parts_cannot_have_one_code(tenant: Deciding) -> None:
    step = split("mandal M2", create(" M3"), create(" M3"))

    assert faults_of(tenant, step) == [
        ("steps[0].split.parts[0].unit.code", "DUPLICATE_CODE"),
        ("steps[0].split.parts[1].unit.code", "DUPLICATE_CODE"),
    ]


def test_there_is_one_centre(tenant: Deciding) -> None:
    blueprint = tenant.header.blueprint
    assert blueprint is not None
    tenant.header = replace(tenant.header, blueprint=replace(blueprint, centre_level="state"))

    assert faults_of(tenant, create("state MP")) == [("steps[0].create.unit.code", "CENTRE_EXISTS")]


def test_all_faults_of_steps_that_have_nothing_to_do_with_each_other_are_told(
    tenant: Deciding,
) -> None:
    assert faults_of(
        tenant,
        create("mandal a b", "district NO", names=NAMELESS),
        move("mandal M2", "district AJM"),
        close("mandal M1"),
        update("district AJM", code="?", place=Place(99, 999)),
    ) == [
        ("steps[0].create.unit.parent", "UNKNOWN_UNIT"),
        ("steps[0].create.unit.code", "BAD_CODE"),
        ("steps[0].create.unit.names.by_language.en", "MISSING"),
        ("steps[2].close.unit", "HAS_CHILDREN"),
        ("steps[3].update.code", "BAD_CODE"),
        ("steps[3].update.place.latitude", "BAD_PLACE"),
        ("steps[3].update.place.longitude", "BAD_PLACE"),
    ]


def test_what_follows_from_a_wrong_step_is_not_told_as_well(tenant: Deciding) -> None:
    assert faults_of(
        tenant,
        create("district UDP", "state NO", take=["mandal M1"]),
        move("mandal M2", "district UDP"),
        close("district JPR"),
        move("mandal M1", "district AJM"),
        update("mandal M1", code="M2"),
        update("district AJM", code=""),
        close("booth NO"),
    ) == [
        ("steps[0].create.unit.parent", "UNKNOWN_UNIT"),
        ("steps[6].close.unit", "UNKNOWN_UNIT"),
    ]


def test_a_code_that_a_wrong_step_would_give_up_may_be_free(tenant: Deciding) -> None:
    assert faults_of(
        tenant,
        update("district AJM", code="B?D"),
        create("district AJM", "state RJ"),
        close("district NO"),
    ) == [("steps[0].update.code", "BAD_CODE"), ("steps[2].close.unit", "UNKNOWN_UNIT")]


def test_a_step_that_is_refused_in_part_is_undone_in_whole(tenant: Deciding) -> None:
    """Were a state made by the first, the second could not be a root."""
    blueprint = tenant.header.blueprint
    assert blueprint is not None
    levels = (replace(blueprint.levels[0], key="centre"), *blueprint.levels)
    tenant.header = replace(tenant.header, blueprint=replace(blueprint, levels=levels))

    faults = faults_of(tenant, create("centre IN", take=["booth NO"]), create("state MP"))

    assert faults == [("steps[0].create.take[0]", "UNKNOWN_UNIT")]


def test_a_hundred_faults_are_told_and_that_there_are_more(tenant: Deciding) -> None:
    steps = [close(f"booth N{number}") for number in range(150)]

    faults = faults_of(tenant, *steps)

    assert len(faults) == 101
    assert faults[99] == ("steps[99].close.unit", "UNKNOWN_UNIT")
    assert faults[100] == ("", "MORE_VIOLATIONS")


@pytest.mark.parametrize("count", [1, 100])
def test_up_to_a_hundred_faults_are_all_there_are(tenant: Deciding, count: int) -> None:
    faults = faults_of(tenant, *(close(f"booth N{number}") for number in range(count)))

    assert [reason for _, reason in faults] == ["UNKNOWN_UNIT"] * count


@pytest.mark.parametrize(
    ("step", "path"),
    [
        (create("mandal M1", "district AJM"), "unit.code"),
        (create("mandal M3", "district NO"), "unit.parent"),
        (update("mandal M1", names=NAMELESS), "names.by_language.en"),
        (move("mandal M1", "booth B1"), "parent_id"),
        (move("mandal M1", STRANGER), "parent_id"),
        (close("mandal M1"), "id"),
    ],
)
def test_a_single_call_has_the_paths_of_its_own_request(
    tenant: Deciding, step: Step, path: str
) -> None:
    assert [each for each, _ in faults_of(tenant, step, is_single=True)] == [path]


@pytest.mark.parametrize(
    "step", [update(STRANGER), move(STRANGER, "district AJM"), close(STRANGER)]
)
def test_a_single_call_for_a_unit_that_is_not_there_finds_nothing(
    tenant: Deciding, step: Step
) -> None:
    with pytest.raises(UnitNotFound) as refused:
        decided(tenant, step, is_single=True)

    assert refused.value.unit_id == STRANGER


def test_units_are_changed_neither_ahead_of_time_nor_before_the_last_change(
    tenant: Deciding,
) -> None:
    reorganise(tenant, close("booth B1"), effective_at=START + HOUR / 2)
    step = close("booth B2")

    ahead = faults_of(tenant, step, effective_at=tenant.now + timedelta(microseconds=1))
    too_late = faults_of(tenant, step, effective_at=START + HOUR / 2 - timedelta(microseconds=1))
    assert ahead == [("effective_at", "IN_FUTURE")]
    assert too_late == [("effective_at", "BEFORE_LAST_CHANGE")]
    reorganise(tenant, step, effective_at=START + HOUR / 2)


def test_who_saw_another_tree_is_told(tenant: Deciding) -> None:
    with pytest.raises(TreeChangedMeanwhile) as refused:
        decided(tenant, close("booth B1"), tree_version=2)

    assert (refused.value.reason, refused.value.tree_version) == ("TREE_CHANGED", 1)
    assert decided(tenant, close("booth B1"), tree_version=1).answer.applied


@pytest.mark.parametrize(
    "step",
    [
        update("mandal M1", names=text("Other")),
        move("mandal M1", "district AJM"),
        close("booth B1"),
    ],
)
def test_who_saw_another_unit_is_told(
    tenant: Deciding, step: UpdateStep | MoveStep | CloseStep
) -> None:
    with pytest.raises(UnitChangedMeanwhile) as refused:
        decided(tenant, replace(step, etag="9"))

    assert (refused.value.reason, refused.value.current_etag) == ("UNIT_CHANGED", "1")
    assert decided(tenant, replace(step, etag="1")).answer.applied


def test_there_are_as_many_units_as_the_tenant_may_have(tenant: Deciding) -> None:
    tenant.quota(units=8)
    more = [create("booth B3", "mandal M2"), create("booth B4", "mandal M2")]

    with pytest.raises(QuotaExceeded) as refused:
        decided(tenant, *more)

    assert (refused.value.quota, refused.value.limit) == ("units", 8)
    assert decided(tenant, *more, close("booth B1")).answer.applied
    assert decided(tenant, more[0]).answer.applied


def test_without_a_blueprint_there_is_nothing_to_organise() -> None:
    with pytest.raises(BlueprintNotFound):
        decided(Deciding(), create("state RJ"))


def test_a_refusal_is_an_invalid_input_with_the_reason_that_all_faults_share(
    tenant: Deciding,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        decided(tenant, close("mandal M1"))

    assert refused.value.reason == "HAS_CHILDREN"
    assert refused.value.violations[0].description == (
        "booth B1, booth B2 still stand under it: move or close them first"
    )
