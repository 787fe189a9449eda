"""`PeopleService`: its parts, joined."""

from dataclasses import dataclass

from services.hierarchy.servicers.appointments import AppointmentCalls
from services.hierarchy.servicers.persons import PersonCalls
from services.hierarchy.servicers.teams import TeamCalls, WatchCalls
from services.hierarchy.use_cases.appointments import Appointments
from services.hierarchy.use_cases.people import People
from services.hierarchy.use_cases.staffing import Staffing
from services.hierarchy.use_cases.teams import Teams
from services.hierarchy.use_cases.watch_lines import WatchLines
from services.hierarchy.use_cases.watches import Watches

SERVICE_NAME = "chaupal.hierarchy.v1.PeopleService"


@dataclass(frozen=True, slots=True)
class PeopleUseCases:
    """What the calls of the service come to."""

    people: People
    appointments: Appointments
    staffing: Staffing
    teams: Teams
    watches: Watches
    lines: WatchLines


class PeopleServicer(PersonCalls, AppointmentCalls, TeamCalls, WatchCalls):
    """Serves `chaupal.hierarchy.v1.PeopleService`; the contract's comments are the promise."""

    def __init__(self, use_cases: PeopleUseCases) -> None:
        self._people = use_cases.people
        self._appointments = use_cases.appointments
        self._staffing = use_cases.staffing
        self._teams = use_cases.teams
        self._watches = use_cases.watches
        self._lines = use_cases.lines
