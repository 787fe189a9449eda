"""What stands in a unit ends with it: appointments, teams, watches, and that it lies in areas."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.hierarchy.domain.appointing import watches_that_end
from services.hierarchy.domain.areas import AreaLink, end_links
from services.hierarchy.domain.events import Change
from services.hierarchy.domain.model import Blueprint, Unit, UnitId
from services.hierarchy.domain.operations import Want
from services.hierarchy.domain.people import Appointment
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_UNIT,
    AREA_LINKS_BY_UNIT,
    MEMBERSHIPS_BY_TEAM,
    TEAMS_BY_UNIT,
    WATCHES_BY_UNIT,
    Record,
)
from services.hierarchy.domain.reorganisation.overlay import Asking, runs
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.domain.tenants import TenantHeader, with_teams
from services.hierarchy.domain.tenures import (
    Tenure,
    appointments_changed,
    ended,
    is_open,
    watches_changed,
)

T = TypeVar("T", bound=Tenure)


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends with units that close.

    Whatever would have begun later ends at its own beginning: it is kept, and holds at no instant.
    Only that a unit would have lain in an area is forgotten.
    """

    appointments: Sequence[Appointment] = ()
    teams: Sequence[Team] = ()
    memberships: Sequence[Membership] = ()
    watches: Sequence[Watch] = ()
    links: Sequence[AreaLink] = ()
    forgotten: Sequence[AreaLink] = ()
    # The kind and level of each team that was open.
    open_teams: Sequence[tuple[str, str]] = ()

    @property
    def puts(self) -> Sequence[Record]:
        """The records as they now end."""
        return (
            *self.appointments,
            *self.teams,
            *self.memberships,
            *self.watches,
            *self.links,
        )

    @property
    def changes(self) -> Sequence[Change]:
        """What peers are told of them."""
        return (*appointments_changed(self.appointments), *watches_changed(self.watches))

    def counted(self, header: TenantHeader) -> TenantHeader:
        """The header without the teams that were open."""
        return with_teams(header, ended=self.open_teams) if self.open_teams else header


def end_with(units: Sequence[Unit], at: datetime, blueprint: Blueprint) -> Asking[Ends]:
    """Everything that ends with these units at an instant.

    Also watches of other units, where their monitors' desks were in these.
    """
    appointments: list[Appointment] = []
    teams: list[Team] = []
    watches: list[Watch] = []
    links: list[AreaLink] = []
    for some in runs([unit.id for unit in units]):
        found = yield Want(
            {
                APPOINTMENTS_BY_UNIT: some,
                TEAMS_BY_UNIT: some,
                WATCHES_BY_UNIT: some,
                AREA_LINKS_BY_UNIT: some,
            }
        )
        for unit_id in some:
            appointments += found.all(APPOINTMENTS_BY_UNIT, unit_id)
            teams += found.all(TEAMS_BY_UNIT, unit_id)
            watches += found.all(WATCHES_BY_UNIT, unit_id)
            links += found.all(AREA_LINKS_BY_UNIT, unit_id)
    memberships: list[Membership] = []
    for few in runs([team.id for team in teams]):
        found = yield Want({MEMBERSHIPS_BY_TEAM: few})
        memberships += (each for team_id in few for each in found.all(MEMBERSHIPS_BY_TEAM, team_id))
    levels = {unit.id: unit.level for unit in units}
    offices = _ended(appointments, at)
    deserted = yield from watches_that_end(
        offices, at, blueprint, {each.id: each for each in offices}
    )
    ending = {each.id: each for each in (*_ended(watches, at), *deserted)}
    return Ends(
        offices,
        _ended(teams, at),
        _ended(memberships, at),
        sorted(ending.values(), key=lambda each: each.id),
        *end_links(links, at),
        open_teams=_open_teams(teams, levels),
    )


def _ended(tenures: Iterable[T], at: datetime) -> list[T]:
    open_ones = (each for each in tenures if is_open(each, at))
    return [ended(each, at) for each in sorted(open_ones, key=lambda each: each.id)]


def _open_teams(teams: Iterable[Team], levels: Mapping[UnitId, str]) -> list[tuple[str, str]]:
    return [(team.kind, levels[team.unit_id]) for team in teams if team.valid_to is None]
