"""Where offices stand empty, and which appointments are to be looked at."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from kit.clock import Clock
from kit.errors import InvalidInput
from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.appointing import position_of
from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.people import Appointment, Verification
from services.hierarchy.domain.records import APPOINTMENTS_BY_UNIT
from services.hierarchy.ports import Caller, OrgGraph, Tally
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.appointments import (
    ShownAppointment,
    good_for,
    places_of_positions,
    shown_appointment,
)
from services.hierarchy.use_cases.pages import (
    Cursor,
    Places,
    UnitPage,
    cursor_at,
    first_place,
    page_of_places,
    places_from,
    places_of_level,
)

# Units whose appointments are read at once, and how often at most for one page: with about ten
# appointments to a unit some 0.1 s a time.
UNITS_PER_LOOK = 1_000
LOOKS_PER_PAGE = 10
# What `OrgGraph.tally` takes.
_UNITS_PER_TALLY = 60_000


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some appointments to be looked at, and where the next page begins; None on the last."""

    appointments: Sequence[ShownAppointment]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """Which appointments to look at.

    Attributes:
        states: of these states.
        within: in this unit's subtree; None for all that the caller sees.
        position: to this position; empty for all.
    """

    states: Collection[Verification]
    within: UnitId | None
    position: str


class Staffing:
    """What is to be done about appointments, as far as the caller sees. Needs `view`."""

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock

    async def vacancies(
        self,
        caller: Caller,
        position: str,
        level: str,
        within: UnitId | None,
        *,
        limit: int,
        after: Cursor | None = None,
    ) -> UnitPage:
        """The units of a level in which nobody holds a position now.

        Raises:
            UnitNotFound: `within` is out of sight.
            InvalidInput: UNKNOWN_POSITION, or POSITION_NOT_AT_LEVEL on `level`.
        """
        viewer, scope = await self._enter(caller)
        if level not in position_of(viewer.header.blueprint, position).levels:
            said = f"units of this level have no {position}"
            raise InvalidInput.of("level", "POSITION_NOT_AT_LEVEL", said)
        held = await self._graph.units_with(viewer.tenant, position, self._clock.now())

        def page() -> UnitPage:
            places = places_of_level(scope, within, level)
            empty = _without(scope, places, held)
            return page_of_places(scope, empty, len(places), limit=limit, after=after)

        return await asyncio.to_thread(page)

    async def queue(
        self, caller: Caller, query: QueueQuery, *, limit: int, after: Cursor | None = None
    ) -> QueuePage:
        """Appointments in force, in one of the states, in pre-order of their units.

        A page may have fewer than `limit`, and even none, although another follows.

        Raises:
            UnitNotFound: `within` is out of sight.
            InvalidInput: UNKNOWN_POSITION.
        """
        viewer, scope = await self._enter(caller)
        now = self._clock.now()
        places = places_from(scope.within(query.within), first_place(scope, after))
        if query.position:
            position_of(viewer.header.blueprint, query.position)
            held = await self._graph.units_with(viewer.tenant, query.position, now)
            places = await asyncio.to_thread(_with, scope, places, held)
        looking = _Looking(viewer, scope, query, after, now)
        found: list[tuple[int, ShownAppointment]] = []
        looked = 0
        for _ in range(LOOKS_PER_PAGE):
            run = places[looked : looked + UNITS_PER_LOOK]
            looked += len(run)
            found += await self._look(looking, run)
            if len(found) > limit or looked == len(places):
                break
        return _queue_page(scope, places, found, looked, limit)

    async def count(self, caller: Caller, within: UnitId | None) -> Sequence[Tally]:
        """How many appointments are in force, by position as in the blueprint, and by state.

        Raises:
            UnitNotFound: `within` is out of sight.
        """
        viewer, scope = await self._enter(caller)
        now = self._clock.now()
        # One that is exactly as old as it may be is stale.
        verified_since = now - good_for(viewer.header.blueprint) + timedelta(microseconds=1)
        counts: Counter[tuple[str, Verification]] = Counter()
        for units in _unit_runs(scope, within):
            tallies = await self._graph.tally(
                viewer.tenant, units=units, at=now, verified_since=verified_since
            )
            for each in tallies:
                counts[each.position, each.verification] += each.count
        return _in_order(counts, places_of_positions(viewer.header.blueprint))

    async def _enter(self, caller: Caller) -> tuple[Viewer, Scope]:
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        return viewer, await self._access.scope(viewer, "view")

    async def _look(
        self, looking: "_Looking", run: Places
    ) -> Sequence[tuple[int, ShownAppointment]]:
        """What a run of units has of it: in their order, and by id within one."""
        ids, header = looking.scope.tree.forest.ids, looking.viewer.header
        by_unit = {ids[place]: place for place in run.tolist()}
        read = await self._graph.find(header.tenant, APPOINTMENTS_BY_UNIT, by_unit, at=looking.now)
        return await asyncio.to_thread(looking.at, by_unit, read.value)


@dataclass(frozen=True, slots=True)
class _Looking:
    """Who looks for what, where, when."""

    viewer: Viewer
    scope: Scope
    query: QueueQuery
    after: Cursor | None
    now: datetime

    def at(
        self, by_unit: Mapping[str, int], found: Mapping[str, Sequence[Appointment]]
    ) -> Sequence[tuple[int, ShownAppointment]]:
        """What is wanted of these units, with their places; some 10 ms, so not in the loop."""
        blueprint = self.viewer.header.blueprint
        shown = (
            (place, shown_appointment(blueprint, each, self.now))
            for unit_id, place in by_unit.items()
            for each in sorted(found.get(unit_id, ()), key=_id)
        )
        return [each for each in shown if self.wants(each[1])]

    def wants(self, shown: ShownAppointment) -> bool:
        """Whether it is asked for, and was not on a page before."""
        appointment, after = shown.appointment, self.after
        if after and appointment.unit_id == after.unit_id and appointment.id <= after.item:
            return False
        position = self.query.position
        asked = not position or appointment.position == position
        return asked and shown.verification in self.query.states


def _id(appointment: Appointment) -> str:
    return appointment.id


def _queue_page(
    scope: Scope,
    places: Places,
    found: Sequence[tuple[int, ShownAppointment]],
    looked: int,
    limit: int,
) -> QueuePage:
    listed = [shown for _, shown in found[:limit]]
    if len(found) > limit:
        place, last = found[limit - 1]
        return QueuePage(listed, cursor_at(scope, place, last.appointment.id))
    if looked < len(places):
        return QueuePage(listed, cursor_at(scope, int(places[looked - 1])))
    return QueuePage(listed, None)


def _with(scope: Scope, places: Places, held: Collection[UnitId]) -> Places:
    return places[_is_in(scope, places, held)]


def _without(scope: Scope, places: Places, held: Collection[UnitId]) -> Places:
    return places[~_is_in(scope, places, held)]


def _is_in(scope: Scope, places: Places, units: Collection[UnitId]) -> np.typing.NDArray[np.bool]:
    """Of each place, whether its unit is one of these; those not in the tree are left out."""
    marked = np.zeros(scope.tree.unit_count, dtype=np.bool)
    found = [scope.tree.forest.find(each) for each in units]
    marked[[place for place in found if place is not None]] = True
    return marked[places]


def _unit_runs(scope: Scope, within: UnitId | None) -> Iterator[Collection[UnitId] | None]:
    """The units to count in, so many at a time as may be asked; None for all that there are."""
    ranges = scope.within(within)
    if sum(end - start for start, end in ranges) == scope.tree.unit_count:
        yield None
        return
    places = places_from(ranges, 0).tolist()
    ids = scope.tree.forest.ids
    for start in range(0, len(places), _UNITS_PER_TALLY):
        yield [UnitId(ids[place]) for place in places[start : start + _UNITS_PER_TALLY]]


def _in_order(
    counts: Mapping[tuple[str, Verification], int], places: Mapping[str, int]
) -> Sequence[Tally]:
    states = list(Verification)
    ordered = sorted(
        counts.items(),
        key=lambda item: (
            places.get(item[0][0], len(places)),
            item[0][0],
            states.index(item[0][1]),
        ),
    )
    return [Tally(position, state, count) for (position, state), count in ordered if count]
