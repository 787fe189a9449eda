"""What stands, as rows that import back, as far as the caller sees it."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from kit.clock import Clock
from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.areas import Area
from services.hierarchy.domain.errors import TreeChangedMeanwhile
from services.hierarchy.domain.model import NO_KEY, UnitId, UnitKey, UnitRow
from services.hierarchy.domain.people import Appointment, Person, PersonId
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_UNIT,
    AREA_LINKS_BY_AREA,
    MEMBERSHIPS_BY_TEAM,
    PERSONS_BY_ID,
    TEAMS_BY_UNIT,
    WATCHES_BY_UNIT,
)
from services.hierarchy.domain.team_changes import by_coming
from services.hierarchy.domain.teams import Membership, Team
from services.hierarchy.domain.transfers import (
    NOBODY,
    AppointmentRow,
    AreaRow,
    ExportedRow,
    PersonRef,
    PersonRow,
    RowKind,
    TeamRow,
)
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.appointments import places_of_positions
from services.hierarchy.use_cases.secrets import Secrets
from services.hierarchy.use_cases.slices import slices_by_id

# With ten appointments to a unit some 0.1 s of work at a time.
UNITS_PER_LOOK = 500
PERSONS_PER_LOOK = 1_000
_AREAS_PER_LOOK = 1_000
# Of at most 10,000 members each.
_TEAMS_PER_LOOK = 100
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowQuery:
    """What to export; see the contract's request of that name."""

    kind: RowKind
    within: UnitId | None = None
    with_ended: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """What an export leaves out."""

    partial: bool
    phones_left_out: bool


@dataclass(frozen=True, slots=True)
class Export:
    """An export that may begin."""

    header: ExportHeader
    pages: AsyncIterator[Sequence[ExportedRow]]


class RowExports:
    """Reads the caller's tenant. Nothing is held but a page, and who was named already."""

    def __init__(self, graph: OrgGraph, access: Access, secrets: Secrets, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._secrets = secrets
        self._clock = clock

    async def start(self, caller: Caller, query: RowQuery) -> Export:
        """An export of what the caller sees.

        Raises:
            NotAllowed: the caller sees nothing at all.
            UnitNotFound: the caller does not see the unit within which to export.
            TreeChangedMeanwhile: from the pages; units were changed while they were read.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        scope = await self._access.scope(viewer, "view", query.at)
        at = query.at or self._clock.now()
        reading = _Reading(
            self._graph, self._secrets, viewer=viewer, scope=scope, query=query, at=at
        )
        if reading.shows_phones and query.kind not in (RowKind.UNITS, RowKind.AREAS):
            _log.info(
                "phone numbers exported",
                extra={"tenant": viewer.tenant, "subject": viewer.subject, "kind": query.kind},
            )
        return Export(reading.header, _PAGES[query.kind](reading))


class _Reading:
    """One export of one tenant."""

    def __init__(
        self,
        graph: OrgGraph,
        secrets: Secrets,
        *,
        viewer: Viewer,
        scope: Scope,
        query: RowQuery,
        at: datetime,
    ) -> None:
        self._graph = graph
        self._secrets = secrets
        self._viewer = viewer
        self._tenant = viewer.tenant
        self._tree = scope.tree
        self._is_whole = query.within is None and viewer.roots("view") is None
        self._ranges = scope.within(query.within)
        self._query = query
        self._at = at
        self.shows_phones = viewer.roots("administer") is None

    @property
    def header(self) -> ExportHeader:
        """What is left out."""
        return ExportHeader(not self._is_whole, not self.shows_phones)

    async def units(self) -> AsyncIterator[Sequence[ExportedRow]]:
        """Units, parents first."""
        for places in _runs(self._places(), UNITS_PER_LOOK):
            ids = [self._unit_id(each) for each in places]
            found = await slices_by_id(self._graph, self._tenant, ids, self._query.at)
            rows = []
            for place, unit_id in zip(places, ids, strict=True):
                if unit_id not in found.value:
                    raise TreeChangedMeanwhile(found.tree_version)
                unit = found.value[unit_id].unit
                # Keys by the one tree: a row's parent is as its own row says.
                row = UnitRow(0, self._key(place), unit.names, self._parent(place), unit.place)
                rows.append(row)
            yield rows

    async def areas(self) -> AsyncIterator[Sequence[ExportedRow]]:
        """Areas by kind and code, each with its units in the order of the tree."""
        for areas in _runs(await self._standing_areas(), _AREAS_PER_LOOK):
            ids = [each.id for each in areas]
            links = await self._graph.find(self._tenant, AREA_LINKS_BY_AREA, ids, at=self._at)
            rows = []
            for area in areas:
                places = sorted(
                    place
                    for link in links.value.get(area.id, ())
                    if (place := self._place(link.unit_id)) is not None
                )
                if places or self._query.within is None:
                    units = tuple(self._key(each) for each in dict.fromkeys(places))
                    rows.append(AreaRow(0, area.kind, area.code, area.names, units))
            yield rows

    async def persons(self) -> AsyncIterator[Sequence[ExportedRow]]:
        """Persons, each once."""
        pages = self._all_persons() if self._is_whole else self._persons_of_units()
        async for persons in pages:
            known = [each for each in persons if each.erased_at is None]
            refs = await self._refs(known)
            yield [
                PersonRow(0, refs[each.id], (each.subject or "") if self.shows_phones else "")
                for each in known
            ]

    async def appointments(self) -> AsyncIterator[Sequence[ExportedRow]]:
        """Appointments in the order of the tree, then as in the blueprint."""
        order = places_of_positions(self._viewer.header.blueprint)
        at = None if self._query.with_ended else self._at
        for places in _runs(self._places(), UNITS_PER_LOOK):
            ids = [self._unit_id(each) for each in places]
            found = await self._graph.find(self._tenant, APPOINTMENTS_BY_UNIT, ids, at=at)
            held = [
                (place, each)
                for place, unit_id in zip(places, ids, strict=True)
                for each in _in_order(found.value.get(unit_id, ()), order)
            ]
            for run in _runs(held, PERSONS_PER_LOOK):
                refs = await self._refs_by_id({each.person_id for _, each in run})
                yield [
                    AppointmentRow(
                        0,
                        self._key(place),
                        each.position,
                        refs[each.person_id],
                        each.valid_from,
                        each.valid_to,
                        each.verified_at,
                    )
                    for place, each in run
                    if each.person_id in refs
                ]

    async def teams(self) -> AsyncIterator[Sequence[ExportedRow]]:
        """Members of teams in the order of the tree, those of a team together."""
        for places in _runs(self._places(), UNITS_PER_LOOK):
            ids = [self._unit_id(each) for each in places]
            found = await self._graph.find(self._tenant, TEAMS_BY_UNIT, ids, at=self._at)
            teams = [
                (place, team)
                for place, unit_id in zip(places, ids, strict=True)
                for team in sorted(found.value.get(unit_id, ()), key=_kind_and_beginning)
            ]
            for run in _runs(teams, _TEAMS_PER_LOOK):
                yield await self._team_rows(run)

    async def _team_rows(self, teams: Sequence[tuple[int, Team]]) -> Sequence[TeamRow]:
        ids = [team.id for _, team in teams]
        found = await self._graph.find(self._tenant, MEMBERSHIPS_BY_TEAM, ids, at=self._at)
        persons = {each.person_id for run in found.value.values() for each in run}
        refs = await self._refs_by_id(persons)
        rows: list[TeamRow] = []
        for place, team in teams:
            unit = self._key(place)
            members = [
                TeamRow(0, unit, team.kind, team.names, refs[each.person_id], each.role)
                for each in by_coming(found.value.get(team.id, ()))
                if each.person_id in refs
            ]
            rows += members or [TeamRow(0, unit, team.kind, team.names, NOBODY, "")]
        return rows

    async def _standing_areas(self) -> Sequence[Area]:
        """All of them at once: there are 10,000 at most, and an order that is not that of ids."""
        areas: list[Area] = []
        after = ""
        while page := await self._graph.page(
            self._tenant, Area, after=after, limit=_AREAS_PER_LOOK
        ):
            areas += (each for each in page if _stands(each, self._at))
            after = page[-1].id
        return sorted(areas, key=lambda each: each.key)

    async def _all_persons(self) -> AsyncIterator[Sequence[Person]]:
        after = ""
        while page := await self._graph.page(
            self._tenant, Person, after=after, limit=PERSONS_PER_LOOK
        ):
            yield page
            after = page[-1].id

    async def _persons_of_units(self) -> AsyncIterator[Sequence[Person]]:
        """Those who hold or held something in the units, in the order of the tree."""
        named: set[PersonId] = set()
        for places in _runs(self._places(), UNITS_PER_LOOK):
            ids = [self._unit_id(each) for each in places]
            new = [each for each in await self._holders(ids) if each not in named]
            named.update(new)
            for run in _runs(new, PERSONS_PER_LOOK):
                yield await self._persons_by_id(run)

    async def _holders(self, units: Collection[UnitId]) -> Collection[PersonId]:
        appointments = await self._graph.find(self._tenant, APPOINTMENTS_BY_UNIT, units)
        watches = await self._graph.find(self._tenant, WATCHES_BY_UNIT, units)
        teams = await self._graph.find(self._tenant, TEAMS_BY_UNIT, units)
        team_ids = [each.id for run in teams.value.values() for each in run]
        members = await self._members_of(team_ids)
        holders = [each.person_id for run in appointments.value.values() for each in run]
        holders += [each.person_id for each in members]
        holders += [each.person_id for run in watches.value.values() for each in run]
        return dict.fromkeys(sorted(holders))

    async def _members_of(self, teams: Collection[str]) -> Sequence[Membership]:
        if not teams:
            return ()
        found = await self._graph.find(self._tenant, MEMBERSHIPS_BY_TEAM, teams)
        return [each for run in found.value.values() for each in run]

    async def _persons_by_id(self, ids: Collection[PersonId]) -> Sequence[Person]:
        found = await self._graph.find(self._tenant, PERSONS_BY_ID, ids)
        return [person for each in ids for person in found.value.get(each, ())]

    async def _refs_by_id(self, ids: Collection[PersonId]) -> Mapping[PersonId, PersonRef]:
        refs: dict[PersonId, PersonRef] = {}
        for run in _runs(ids, PERSONS_PER_LOOK):
            persons = await self._persons_by_id(run)
            refs.update(await self._refs([each for each in persons if each.erased_at is None]))
        return refs

    async def _refs(self, persons: Sequence[Person]) -> Mapping[PersonId, PersonRef]:
        phones: Mapping[PersonId, PhoneNumber] = {}
        if self.shows_phones:
            phones = await self._secrets.open(self._viewer.header, persons)
        numbers = {person_id: phone.e164 for person_id, phone in phones.items()}
        return {
            each.id: PersonRef(each.id, numbers.get(each.id, ""), each.names) for each in persons
        }

    def _places(self) -> Iterator[int]:
        for start, end in self._ranges:
            yield from range(start, end)

    def _unit_id(self, place: int) -> UnitId:
        return UnitId(self._tree.forest.ids[place])

    def _key(self, place: int) -> UnitKey:
        level = self._tree.level_keys[self._tree.levels[place]]
        return UnitKey(level, self._tree.codes[place])

    def _parent(self, place: int) -> UnitKey:
        parent = int(self._tree.forest.parents[place])
        return self._key(parent) if parent >= 0 and self._covers(parent) else NO_KEY

    def _place(self, unit_id: UnitId) -> int | None:
        place = self._tree.forest.find(unit_id)
        return place if place is not None and self._covers(place) else None

    def _covers(self, place: int) -> bool:
        return any(start <= place < end for start, end in self._ranges)


_PAGES = {
    RowKind.UNITS: _Reading.units,
    RowKind.AREAS: _Reading.areas,
    RowKind.PERSONS: _Reading.persons,
    RowKind.APPOINTMENTS: _Reading.appointments,
    RowKind.TEAMS: _Reading.teams,
}


def _runs(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    rest = iter(items)
    while run := list(islice(rest, size)):
        yield run


def _stands(area: Area, at: datetime) -> bool:
    return area.valid_from <= at and (area.valid_to is None or area.valid_to > at)


def _kind_and_beginning(team: Team) -> tuple[str, datetime, str]:
    return team.kind, team.valid_from, team.id


def _in_order(held: Iterable[Appointment], places: Mapping[str, int]) -> Sequence[Appointment]:
    """Those that were ever in force, as they are listed."""
    real = (each for each in held if each.valid_to is None or each.valid_to > each.valid_from)
    return sorted(
        real, key=lambda each: (places.get(each.position, len(places)), each.valid_from, each.id)
    )
