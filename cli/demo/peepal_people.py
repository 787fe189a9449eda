"""The people of Peepal Manch: the executive and its categories, the department, the districts."""

from collections.abc import Iterator, Mapping, Sequence

from cli.demo import words
from cli.demo.circles import Circles
from cli.demo.facts import Facts
from cli.demo.people import People
from cli.demo.sites import Site
from cli.demo.staff import Staff
from cli.demo.teams import led_by, team_rows
from cli.records import TeamRecord, WatchRecord

_HEADS = {
    "state": "state_president",
    "district": "district_president",
    "mandal": "mandal_coordinator",
}
_VACANT = {"district": 0.03, "mandal": 0.08}
_MONITORS = 7
# Beside the secretary of the category.
_EXECUTIVES_PER_CATEGORY = 6
_OFFICE_BEARERS = len(words.CATEGORIES) + 1


def peepal_people(sites: Sequence[Site], facts: Facts, staff: Staff) -> People:
    """Appoint everybody, from the top down."""
    for one in sites:
        staff.fill(one, _HEADS[one.level], _VACANT.get(one.level, 0.0))
        if one.level == "state":
            _appoint_state(one, staff)
        elif one.level == "district":
            staff.appoint(one, "district_office_bearer", _OFFICE_BEARERS)
    desks = {"district": "district_office_bearer"}
    circles = Circles(sites, staff, _HEADS, desks, words.CATEGORIES)
    teams = [row for one in sites for row in _teams(one, staff, circles)]
    return People(staff, circles, teams, list(_watches(sites, facts, staff)))


def _appoint_state(state: Site, staff: Staff) -> None:
    staff.appoint(state, "department_chairman")
    staff.appoint(state, "department_member", _MONITORS)
    for category in words.CATEGORIES:
        secretary = staff.appoint(state, f"{category}_secretary")
        members = staff.appoint(state, "state_executive_member", _EXECUTIVES_PER_CATEGORY)
        staff.executives[category] = [*secretary, *members]


def _teams(one: Site, staff: Staff, circles: Circles) -> Iterator[TeamRecord]:
    if one.level == "state":
        chairman = staff.holders(one.key, "department_chairman")
        members = staff.holders(one.key, "department_member")
        department = led_by(chairman, members)
        yield from team_rows(one, "digital_department", words.DEPARTMENT, department)
        executive = [person for group in staff.executives.values() for person in group]
        led = led_by(circles.head(one), [*chairman, *executive])
        yield from team_rows(one, "state_executive", one.label + words.EXECUTIVE, led)
    elif one.level == "district":
        bearers = staff.holders(one.key, "district_office_bearer")
        led = led_by(circles.head(one), bearers)
        yield from team_rows(one, "district_team", one.label + words.TEAM, led)


def _watches(sites: Sequence[Site], facts: Facts, staff: Staff) -> Iterator[WatchRecord]:
    """The districts of a division each; nobody watches those of the last division."""
    state = next(one.key for one in sites if one.level == "state")
    members = staff.holders(state, "department_member")
    divisions = list(facts.divisions)[:-1]
    watchers: Mapping[str, str] = dict(zip(divisions, members[:-1], strict=True))
    for one in sites:
        if one.level == "district" and (member := watchers.get(facts.districts[one.code].parent)):
            yield WatchRecord(one.level, one.code, member)
