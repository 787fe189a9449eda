"""The people of Neem Sangathan: who leads what, who watches, who is in which team."""

from collections.abc import Collection, Iterator, Sequence
from random import Random

from cli.demo import words
from cli.demo.circles import Circles
from cli.demo.people import People
from cli.demo.sites import Site
from cli.demo.sizes import NeemSizes
from cli.demo.staff import Staff
from cli.demo.teams import led_by, team_rows
from cli.records import TeamRecord, WatchRecord

_HEADS = {
    "centre": "central_coordinator",
    "state": "state_president",
    "division": "division_in_charge",
    "district": "district_convenor",
    "mandal": "mandal_president",
    "shakti_kendra": "shakti_kendra_in_charge",
    "booth": "booth_president",
}
# How many are vacant. The top is whole, so that an incident always has somewhere to go.
_VACANT = {"district": 0.03, "mandal": 0.05, "shakti_kendra": 0.06, "booth": 0.1}
_GENERAL_SECRETARIES = 4
_MONITORS = 7
_EXECUTIVES_PER_CATEGORY = 5
# One for each category, and one more.
_OFFICE_BEARERS = len(words.CATEGORIES) + 1
# Committees that exist on paper: nobody beside the president.
_ON_PAPER = 0.25
# The presidents of a shakti kendra's booths who are in its team.
_PRESIDENTS_IN_TEAM = 3


def neem_people(sites: Sequence[Site], sizes: NeemSizes, staff: Staff, random: Random) -> People:
    """Appoint everybody, from the top down."""
    booths = [one.key for one in sites if one.level == "booth"]
    committees = set(random.sample(booths, sizes.committees))
    for one in sites:
        staff.fill(one, _HEADS[one.level], _VACANT.get(one.level, 0.0))
        if one.level == "state":
            _appoint_state(one, staff)
        elif one.level == "district":
            staff.appoint(one, "district_office_bearer", _OFFICE_BEARERS)
        elif one.key in committees and random.random() >= _ON_PAPER:
            staff.appoint(one, "page_in_charge", random.randint(1, sizes.pages))
    desks = {"district": "district_office_bearer"}
    circles = Circles(sites, staff, _HEADS, desks, words.CATEGORIES)
    teams = [row for one in sites for row in _teams(one, staff, circles, committees)]
    return People(staff, circles, teams, list(_watches(sites, staff)))


def _appoint_state(state: Site, staff: Staff) -> None:
    staff.appoint(state, "state_general_secretary", _GENERAL_SECRETARIES)
    staff.appoint(state, "state_monitoring_co_convenor")
    staff.appoint(state, "monitor", _MONITORS)
    for category in words.CATEGORIES:
        members = staff.appoint(state, "state_executive_member", _EXECUTIVES_PER_CATEGORY)
        staff.executives[category] = members


def _teams(
    one: Site, staff: Staff, circles: Circles, committees: Collection[tuple[str, str]]
) -> Iterator[TeamRecord]:
    head = circles.head(one)
    below = [person for each in circles.below(one) for person in circles.head(each)]
    name = one.label + words.TEAM
    match one.level:
        case "state":
            yield from _state_teams(one, staff, head)
        case "district":
            bearers = staff.holders(one.key, "district_office_bearer")
            yield from team_rows(one, "district_team", name, led_by(head, bearers))
        case "mandal":
            yield from team_rows(one, "mandal_team", name, led_by(head, below))
        case "shakti_kendra":
            members = led_by(head, below[:_PRESIDENTS_IN_TEAM])
            yield from team_rows(one, "shakti_kendra_team", name, members)
        case "booth" if one.key in committees:
            pages = staff.holders(one.key, "page_in_charge")
            committee = one.label + words.COMMITTEE
            yield from team_rows(one, "booth_committee", committee, led_by(head, pages))
        case _:
            pass


def _state_teams(state: Site, staff: Staff, president: Sequence[str]) -> Iterator[TeamRecord]:
    convenor = staff.holders(state.key, "state_monitoring_co_convenor")
    monitors = staff.holders(state.key, "monitor")
    members = dict.fromkeys(convenor, "convenor") | dict.fromkeys(monitors, "monitor")
    yield from team_rows(state, "monitoring", words.MONITORING, members)
    secretaries = staff.holders(state.key, "state_general_secretary")
    executive = staff.holders(state.key, "state_executive_member")
    led = led_by(president, [*secretaries, *convenor, *executive])
    yield from team_rows(state, "state_team", state.label + words.TEAM, led)


def _watches(sites: Sequence[Site], staff: Staff) -> Iterator[WatchRecord]:
    """A division each; the last has nobody who watches it, and the last monitor watches nothing."""
    state = next(one.key for one in sites if one.level == "state")
    divisions = [one for one in sites if one.level == "division"]
    monitors = staff.holders(state, "monitor")
    for division, monitor in zip(divisions[:-1], monitors[:-1], strict=True):
        yield WatchRecord(division.level, division.code, monitor)
