"""What stands in a unit that closes ends with it, and peers are told."""

from dataclasses import replace
from datetime import datetime

import pytest

from services.hierarchy.domain.areas import AreaId, AreaLink, AreaLinkId
from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentChange,
    AppointmentsChanged,
    TreeChanged,
    WatchChange,
    WatchesChanged,
)
from services.hierarchy.domain.model import Blueprint, UnitId
from services.hierarchy.domain.people import Appointment, AppointmentId, PersonId
from services.hierarchy.domain.records import Record
from services.hierarchy.domain.teams import (
    Membership,
    MembershipId,
    Team,
    TeamId,
    Watch,
    WatchId,
)
from tests.builders_hierarchy import a_small_tree, text
from tests.builders_people import a_position
from tests.unit.hierarchy.deciding import HOUR, START, Deciding
from tests.unit.hierarchy.reorganising import close, decided, merge, move, reorganise

NOW = START + HOUR
LATER = NOW + HOUR
SOMEBODY = PersonId("person")


@pytest.fixture
def tenant() -> Deciding:
    tenant = Deciding()
    tenant.start(*a_small_tree())
    tenant.now = NOW
    tenant.told.clear()
    return tenant


def an_appointment(
    name: str, unit: UnitId, begins: datetime = START, ends: datetime | None = None
) -> Appointment:
    return Appointment(AppointmentId(name), unit, "president", SOMEBODY, begins, ends, None, 1)


def a_watch(name: str, unit: UnitId, begins: datetime = START) -> Watch:
    return Watch(WatchId(name), unit, SOMEBODY, None, begins, None, 1)


def with_monitors(blueprint: Blueprint | None) -> Blueprint:
    assert blueprint
    return replace(blueprint, positions=(a_position("monitor", "mandal", roles=["monitor"]),))


def a_team(name: str, unit: UnitId, ends: datetime | None = None) -> Team:
    return Team(TeamId(name), unit, "it", text("IT"), START, ends, 1)


def a_membership(name: str, team: str, ends: datetime | None = None) -> Membership:
    return Membership(MembershipId(name), TeamId(team), SOMEBODY, "lead", START, ends, 1)


def a_link(name: str, unit: UnitId, begins: datetime = START) -> AreaLink:
    return AreaLink(AreaLinkId(name), unit, AreaId("area"), begins, None, 1)


def test_everything_in_a_closed_unit_ends(tenant: Deciding) -> None:
    closed, other = tenant.unit("mandal", "M2").id, tenant.unit("mandal", "M1").id
    stays: list[Record] = [
        an_appointment("stays", other),
        a_watch("w-stays", other),
        a_team("t-stays", other),
        a_membership("m-stays", "t-stays"),
        a_link("l-stays", other),
    ]
    ends: list[Appointment | Team | Membership | Watch | AreaLink] = [
        an_appointment("ends", closed),
        an_appointment("ends-sooner", closed, ends=LATER),
        a_watch("w", closed),
        a_team("t", closed),
        a_membership("m", "t"),
        a_link("l", closed),
    ]
    tenant.put(*stays, *ends)
    tenant.header = replace(tenant.header, used_team_kinds={"it/mandal": 2})

    report = reorganise(tenant, close("mandal M2"))

    for each in ends:
        assert tenant.records[type(each), each.id] == replace(each, valid_to=NOW, revision=2)
    for other_record in stays:
        assert tenant.records[type(other_record), other_record.id] == other_record
    counts = (report.appointment_ended_count, report.team_ended_count, report.watch_ended_count)
    assert counts == (2, 1, 1)
    assert tenant.header.used_team_kinds == {"it/mandal": 1}
    assert tenant.told == [
        TreeChanged(2),
        AppointmentsChanged(
            (
                AppointmentChange(AppointmentId("ends"), SOMEBODY, closed, "president", NOW),
                AppointmentChange(AppointmentId("ends-sooner"), SOMEBODY, closed, "president", NOW),
            )
        ),
        WatchesChanged((WatchChange(WatchId("w"), SOMEBODY, closed, NOW),)),
        AccessChanged(tenant.header.access_version),
    ]


def test_what_ended_before_stays_as_it_was(tenant: Deciding) -> None:
    closed = tenant.unit("mandal", "M2").id
    over: list[Record] = [
        an_appointment("over", closed, ends=NOW),
        a_team("t-over", closed, ends=START + HOUR / 2),
        a_membership("m-over", "t-over", ends=START + HOUR / 2),
    ]
    tenant.put(*over)

    decision = decided(tenant, close("mandal M2"))

    assert not [each for each in decision.puts if each in over or each.id in ("over", "t-over")]
    assert decision.answer.appointment_ended_count == decision.answer.team_ended_count == 0


def test_what_would_have_begun_later_holds_at_no_instant(tenant: Deciding) -> None:
    closed = tenant.unit("mandal", "M2").id
    appointment, watch = an_appointment("later", closed, LATER), a_watch("w-later", closed, LATER)
    link = a_link("l-later", closed, LATER)
    tenant.put(appointment, watch, link)

    report = reorganise(tenant, close("mandal M2"))

    assert tenant.all(Appointment) == [replace(appointment, valid_to=LATER, revision=2)]
    assert tenant.all(Watch) == [replace(watch, valid_to=LATER, revision=2)]
    assert tenant.all(AreaLink) == []
    assert (report.appointment_ended_count, report.watch_ended_count) == (1, 1)


def test_what_ended_after_a_change_that_is_told_late_never_stood_in_the_unit(
    tenant: Deciding,
) -> None:
    closed = tenant.unit("mandal", "M2").id
    team = a_team("t", closed, ends=START + HOUR / 2)
    tenant.put(team)
    tenant.header = replace(tenant.header, used_team_kinds={"it/mandal": 3})

    reorganise(tenant, close("mandal M2"), effective_at=START + HOUR / 4)

    assert tenant.all(Team) == [replace(team, valid_to=START + HOUR / 4, revision=2)]
    assert tenant.header.used_team_kinds == {"it/mandal": 3}, "it was not open any more"


def test_what_stands_in_a_unit_that_moves_stays(tenant: Deciding) -> None:
    moved = tenant.unit("mandal", "M1").id
    tenant.put(an_appointment("a", moved), a_watch("w", moved))

    decision = decided(tenant, move("mandal M1", "district AJM"))

    assert {type(each).__name__ for each in decision.puts} == {"Unit", "PastUnit"}
    assert [type(each) for each in decision.changes] == [TreeChanged, AccessChanged]


def test_a_merged_unit_ends_with_what_stands_in_it(tenant: Deciding) -> None:
    district = tenant.unit("district", "JPR").id
    tenant.put(an_appointment("a", district))

    report = reorganise(tenant, merge("district JPR", into="district AJM"))

    assert report.appointment_ended_count == 1
    assert tenant.all(Appointment)[0].valid_to == NOW


def test_who_is_no_monitor_any_more_watches_nothing_any_more(tenant: Deciding) -> None:
    """As when the appointment is ended by itself: the desk went with its unit."""
    desk, watched = tenant.unit("mandal", "M2").id, tenant.unit("mandal", "M1").id
    tenant.header = replace(tenant.header, blueprint=with_monitors(tenant.header.blueprint))
    tenant.put(
        replace(an_appointment("desk", desk), position="monitor"),
        a_watch("w", watched),
        replace(a_watch("cover", watched), person_id=PersonId("other"), covers=WatchId("w")),
        a_watch("w-desk", desk),
    )

    report = reorganise(tenant, close("mandal M2"))

    assert report.watch_ended_count == 3
    assert [each.valid_to for each in tenant.all(Watch)] == [NOW, NOW, NOW]
    told = [each for each in tenant.told if isinstance(each, WatchesChanged)]
    ids = sorted(change.watch_id for each in told for change in each.changes)
    assert ids == ["cover", "w", "w-desk"]


def test_whoever_is_monitor_elsewhere_by_then_watches_on(tenant: Deciding) -> None:
    desk, watched = tenant.unit("mandal", "M2").id, tenant.unit("mandal", "M1").id
    tenant.header = replace(tenant.header, blueprint=with_monitors(tenant.header.blueprint))
    tenant.put(
        replace(an_appointment("desk", desk), position="monitor"),
        replace(an_appointment("new", watched, NOW), position="monitor"),
        a_watch("w", watched),
        a_watch("w-new", watched, NOW),
    )

    reorganise(tenant, close("mandal M2"), effective_at=NOW - HOUR / 2)

    ends = {each.id: each.valid_to for each in tenant.all(Watch)}
    assert ends == {"w": NOW - HOUR / 2, "w-new": None}


def test_peers_are_told_in_events_of_five_hundred(tenant: Deciding) -> None:
    closed = tenant.unit("mandal", "M2").id
    tenant.put(*(an_appointment(f"a{number:04}", closed) for number in range(1_001)))

    reorganise(tenant, close("mandal M2"))

    told = [each for each in tenant.told if isinstance(each, AppointmentsChanged)]
    assert [len(each.changes) for each in told] == [500, 500, 1]
    ids = [change.appointment_id for each in told for change in each.changes]
    assert ids == [f"a{number:04}" for number in range(1_001)]
