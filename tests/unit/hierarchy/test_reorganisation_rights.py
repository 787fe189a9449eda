"""Who may re-organise what: `administer` over each unit that changes, and where it stood."""

import pytest

from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.access import ScopedGrant as Over
from services.hierarchy.domain.errors import NotAllowed
from services.hierarchy.domain.model import Grant, Unit
from services.hierarchy.domain.reorganisation import Rights, Step
from services.hierarchy.domain.tree import Tree, TreeRow, TreeRows
from tests.builders_hierarchy import LEVELS, a_small_tree
from tests.unit.hierarchy.deciding import Deciding
from tests.unit.hierarchy.reorganising import (
    close,
    create,
    decided,
    faults_of,
    merge,
    move,
    parents,
    reorganise,
    split,
    update,
)


@pytest.fixture
def tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree())
    return tenant


def rights(tenant: Deciding, *, view: str, administer: str) -> Rights:
    """The rights of somebody with two appointments."""
    units = sorted(tenant.all(Unit), key=lambda unit: unit.code)
    rows = [TreeRow(unit.id, unit.parent_id, unit.level, unit.code) for unit in units]
    tree = Tree.of(TreeRows(tenant.header.tree_version, LEVELS, rows))
    grants = [
        Over(Grant(capability), tenant.unit(*said.split()).id)
        for capability, said in (("view", view), ("administer", administer))
    ]
    viewer = Viewer(tenant.header, "user-1", None, (), grants, None)
    return Rights(Scope.of(viewer, "view", tree), Scope.of(viewer, "administer", tree))


@pytest.mark.parametrize(
    "step",
    [
        create("mandal M3", "district JPR"),
        create("booth B3", "mandal M1"),
        update("district JPR", code="J2"),
        move("booth B1", "mandal M2"),
        merge("mandal M1", into="mandal M2"),
        split("mandal M1", create(" M3", take=["booth B1", "booth B2"])),
        close("booth B1"),
    ],
)
def test_who_administers_a_unit_may_change_what_is_below_it(tenant: Deciding, step: Step) -> None:
    mine = rights(tenant, view="state RJ", administer="district JPR")

    assert decided(tenant, step, rights=mine).answer.applied


@pytest.mark.parametrize(
    ("step", "at"),
    [
        (create("mandal M3", "district AJM"), "district AJM"),
        (create("state MP"), ""),
        (update("state RJ", code="R2"), "state RJ"),
        (move("mandal M1", "district AJM"), "district AJM"),
        (move("district JPR", "state RJ"), "state RJ"),
        (merge("district AJM", into="district JPR"), "district AJM"),
        (merge("district JPR", into="district AJM"), "district AJM"),
        # The parts would stand under the state.
        (split("district JPR", create(" J2", take=["mandal M1", "mandal M2"])), "state RJ"),
        (close("district AJM"), "district AJM"),
    ],
)
def test_who_does_not_may_not(tenant: Deciding, step: Step, at: str) -> None:
    mine = rights(tenant, view="state RJ", administer="district JPR")

    with pytest.raises(NotAllowed) as refused:
        decided(tenant, step, rights=mine)

    expected = tenant.unit(*at.split()).id if at else ""
    assert (refused.value.capability, refused.value.unit_id) == ("administer", expected)


def test_who_takes_a_unit_away_needs_the_right_where_it_stood(tenant: Deciding) -> None:
    mine = rights(tenant, view="state RJ", administer="mandal M1")
    made = [create("mandal M9", "district JPR", take=["booth B1"])]

    with pytest.raises(NotAllowed) as refused:
        decided(tenant, *made, rights=mine)
    assert refused.value.unit_id == tenant.unit("district", "JPR").id

    theirs = rights(tenant, view="state RJ", administer="mandal M2")
    with pytest.raises(NotAllowed) as refused:
        decided(tenant, move("booth B1", "mandal M2"), rights=theirs)
    assert refused.value.unit_id == tenant.unit("booth", "B1").id


def test_what_somebody_does_not_see_is_not_there(tenant: Deciding) -> None:
    mine = rights(tenant, view="district JPR", administer="district JPR")
    hidden = tenant.unit("district", "AJM").id

    for ref in ("district AJM", hidden, "district NO"):
        assert faults_of(tenant, move("mandal M1", ref), close(ref), rights=mine) == [
            ("steps[0].move.parent", "UNKNOWN_UNIT"),
            ("steps[1].close.unit", "UNKNOWN_UNIT"),
        ]


def test_whoever_creates_a_unit_may_use_it_at_once(tenant: Deciding) -> None:
    mine = rights(tenant, view="district JPR", administer="district JPR")

    reorganise(
        tenant,
        create("mandal M3", "district JPR"),
        create("booth B3", "mandal M3"),
        move("booth B1", "mandal M3"),
        close("booth B3"),
        rights=mine,
    )

    assert parents(tenant)["booth B1"] == "mandal M3"


def test_a_key_means_the_unit_that_has_it_when_the_step_is_done(tenant: Deciding) -> None:
    """Somebody renames a unit between the check of a key and the write: the check is in it."""
    mine = rights(tenant, view="state RJ", administer="district JPR")
    reorganise(tenant, update("district JPR", code="J2"), update("district AJM", code="JPR"))

    with pytest.raises(NotAllowed):
        decided(tenant, close("district JPR"), rights=mine)
