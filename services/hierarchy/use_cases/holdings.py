"""In which units persons hold something: what decides who may see and change them."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TypeVar

from services.hierarchy.domain.access import Viewer
from services.hierarchy.domain.model import TenantId, UnitId
from services.hierarchy.domain.people import Appointment, PersonId
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_PERSON,
    MEMBERSHIPS_BY_PERSON,
    TEAMS_BY_ID,
    WATCHES_BY_PERSON,
)
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.domain.tenures import is_open
from services.hierarchy.ports import OrgGraph
from services.hierarchy.use_cases.access import Access

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where a person holds an appointment, is in a team, or watches.

    Attributes:
        ever: units, those of former things included.
        still: units of what stands or is still to begin.
    """

    ever: frozenset[UnitId] = frozenset()
    still: frozenset[UnitId] = frozenset()


NOTHING = Holdings()


async def holdings(
    graph: OrgGraph, tenant: TenantId, ids: Collection[PersonId], now: datetime
) -> Mapping[PersonId, Holdings]:
    """Where each of these persons holds something; who never did is absent."""
    if not ids:
        return {}
    appointments, memberships, watches = await asyncio.gather(
        graph.find(tenant, APPOINTMENTS_BY_PERSON, ids),
        graph.find(tenant, MEMBERSHIPS_BY_PERSON, ids),
        graph.find(tenant, WATCHES_BY_PERSON, ids),
    )
    team_ids = {each.team_id for run in memberships.value.values() for each in run}
    teams = (await graph.find(tenant, TEAMS_BY_ID, team_ids)).value if team_ids else {}
    held: list[Appointment | Watch] = [*_all(appointments.value), *_all(watches.value)]
    return await asyncio.to_thread(_summed, held, [*_all(memberships.value)], teams, now)


def _all(found: Mapping[str, Sequence[T]]) -> Iterator[T]:
    return chain.from_iterable(found.values())


def _summed(
    held: Sequence[Appointment | Watch],
    memberships: Sequence[Membership],
    teams: Mapping[str, Sequence[Team]],
    now: datetime,
) -> Mapping[PersonId, Holdings]:
    """What was found, by person; 1 us each, and there may be tens of thousands."""
    ever: dict[PersonId, set[UnitId]] = {}
    still: dict[PersonId, set[UnitId]] = {}

    def note(person: PersonId, unit: UnitId, *, stands: bool) -> None:
        ever.setdefault(person, set()).add(unit)
        if stands:
            still.setdefault(person, set()).add(unit)

    for each in held:
        note(each.person_id, each.unit_id, stands=is_open(each, now))
    for member in memberships:
        for team in teams.get(member.team_id, ()):
            note(member.person_id, team.unit_id, stands=is_open(member, now))
    return {
        person: Holdings(frozenset(units), frozenset(still.get(person, ())))
        for person, units in ever.items()
    }


@dataclass(frozen=True, slots=True)
class Sight:
    """Which of some persons a viewer sees, and whose number they may see whole.

    Attributes:
        seen: those whom the viewer sees.
        whole: those over whom they have `administer`, seen or not.
    """

    seen: Collection[PersonId]
    whole: Collection[PersonId]


async def look(
    graph: OrgGraph, access: Access, viewer: Viewer, ids: Collection[PersonId], now: datetime
) -> Sight:
    """What the viewer may see of these persons, who need not exist."""
    sees_all = viewer.roots("view") is None
    administered = viewer.roots("administer")
    if sees_all and (administered is None or not administered):
        return Sight(ids, ids if administered is None else ())
    held = await holdings(graph, viewer.tenant, ids, now)
    view = await access.scope(viewer, "view")
    administer = await access.scope(viewer, "administer")
    own = viewer.person.id if viewer.person else None
    return Sight(
        seen={
            each
            for each in ids
            if sees_all or each == own or any(unit in view for unit in held.get(each, NOTHING).ever)
        },
        whole={
            each
            for each in ids
            if administered is None
            or any(unit in administer for unit in held.get(each, NOTHING).still)
        },
    )
