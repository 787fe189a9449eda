"""Watches: assigned, ended, listed; who watches what, up to the centre; and what nobody watches."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from kit.clock import Clock
from kit.errors import InvalidInput
from services.hierarchy.domain.access import Scope, Viewer, require_both
from services.hierarchy.domain.errors import BlueprintNotFound
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.people_errors import PersonNotFound, WatchNotFound
from services.hierarchy.domain.records import PERSONS_BY_ID, WATCHES_BY_ID, WATCHES_BY_PERSON
from services.hierarchy.domain.teams import Watch, WatchId
from services.hierarchy.domain.tenures import in_force
from services.hierarchy.domain.watch_changes import (
    AssignWatch,
    EndWatch,
    WatchAssigned,
    decide_assign_watch,
    decide_end_watch,
)
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.holdings import look
from services.hierarchy.use_cases.pages import (
    Cursor,
    UnitPage,
    cursor_at,
    first_place,
    page_of_places,
    places_of_level,
)

# A tenant has some dozens of watches, and some thousands that ended.
_WATCHES_PER_READ = 5_000


@dataclass(frozen=True, slots=True)
class WatchPage:
    """Some watches in pre-order of their units, and where the next page begins, if any."""

    watches: Sequence[Watch]
    next: Cursor | None


class Watches:
    """Watches of the caller's tenant; those of units out of sight do not exist."""

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock

    async def assign(self, caller: Caller, request: AssignWatch) -> WatchAssigned:
        """Make a monitor answer for a unit's subtree. Needs `administer` over the unit.

        Raises:
            UnitNotFound, PersonNotFound, PersonErased, WatchNotFound, NotAMonitor,
                AlreadyWatching, AlreadyCovered, WatchPlanned, InvalidInput, RequestIdReused: see
                `decide_assign_watch`.
        """
        viewer = await self._access.enter(caller)
        await self._require_over(viewer, request.unit_id)
        operation = Operation(
            name="assign watch",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=fingerprint(request),
            answer_type=WatchAssigned,
            decide=partial(decide_assign_watch, request),
            validate_only=request.validate_only,
        )
        return await self._graph.write(viewer.tenant, operation)

    async def end(self, caller: Caller, request: EndWatch) -> Watch:
        """End a watch. Needs `administer` over its unit.

        Raises:
            WatchNotFound, WatchEnded, InvalidInput, RequestIdReused: see `decide_end_watch`.
        """
        viewer = await self._access.enter(caller)
        await self._require_over(viewer, await self._unit_of(viewer, request.id))
        operation = Operation(
            name="end watch",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=fingerprint(request),
            answer_type=Watch,
            decide=partial(decide_end_watch, request),
        )
        return await self._graph.write(viewer.tenant, operation)

    async def listed(
        self,
        caller: Caller,
        person_id: PersonId | None,
        *,
        limit: int,
        at: datetime | None = None,
        after: Cursor | None = None,
    ) -> WatchPage:
        """The watches in force of a monitor, or of all, whose units the caller sees.

        Raises:
            PersonNotFound: there is no such person in sight.
        """
        viewer = await self._access.enter(caller)
        instant = at or self._clock.now()
        if person_id is None:
            viewer.require_somewhere("view")
            watches = await self._all_in_force(viewer, instant)
        else:
            watches = await self._of_person(viewer, person_id, instant)
        scope = await self._access.scope(viewer, "view", at)
        return await asyncio.to_thread(_watch_page, scope, watches, limit, after)

    async def unwatched(
        self,
        caller: Caller,
        level: str,
        within: UnitId | None,
        *,
        limit: int,
        after: Cursor | None = None,
    ) -> UnitPage:
        """The units of a level that nobody watches now, neither them nor anything above them.

        Raises:
            UnitNotFound: `within` is out of sight.
            InvalidInput: UNKNOWN_LEVEL.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        _require_level(viewer, level)
        scope = await self._access.scope(viewer, "view")
        watches = await self._all_in_force(viewer, self._clock.now())

        def page() -> UnitPage:
            places = places_of_level(scope, within, level)
            watched = np.zeros(scope.tree.unit_count, dtype=np.bool)
            for each in watches:
                if each.unit_id in scope.tree.forest:
                    start, end = scope.tree.forest.subtree(each.unit_id)
                    watched[start:end] = True
            left = places[~watched[places]]
            return page_of_places(scope, left, len(places), limit=limit, after=after)

        return await asyncio.to_thread(page)

    async def _require_over(self, viewer: Viewer, unit_id: UnitId) -> None:
        view = await self._access.scope(viewer, "view")
        administer = await self._access.scope(viewer, "administer")
        require_both(view, administer, [unit_id])

    async def _unit_of(self, viewer: Viewer, watch_id: WatchId) -> UnitId:
        read = await self._graph.find(viewer.tenant, WATCHES_BY_ID, [watch_id])
        view = await self._access.scope(viewer, "view")
        for watch in read.value.get(watch_id, ()):
            if watch.unit_id in view:
                return watch.unit_id
        raise WatchNotFound(watch_id)

    async def _of_person(
        self, viewer: Viewer, person_id: PersonId, instant: datetime
    ) -> Sequence[Watch]:
        persons = await self._graph.find(viewer.tenant, PERSONS_BY_ID, [person_id])
        sight = await look(self._graph, self._access, viewer, [person_id], self._clock.now())
        if not persons.value or person_id not in sight.seen:
            raise PersonNotFound(person_id)
        read = await self._graph.find(viewer.tenant, WATCHES_BY_PERSON, [person_id], at=instant)
        return read.value.get(person_id, ())

    async def _all_in_force(self, viewer: Viewer, instant: datetime) -> Sequence[Watch]:
        found: list[Watch] = []
        after = ""
        while True:
            run = await self._graph.page(viewer.tenant, Watch, after=after, limit=_WATCHES_PER_READ)
            found += [each for each in run if in_force(each, instant)]
            if len(run) < _WATCHES_PER_READ:
                return found
            after = run[-1].id


def _require_level(viewer: Viewer, level: str) -> None:
    blueprint = viewer.header.blueprint
    if blueprint is None:
        raise BlueprintNotFound
    if level not in blueprint.level_keys:
        raise InvalidInput.of("level", "UNKNOWN_LEVEL", "no such level in the blueprint")


def _watch_page(
    scope: Scope, watches: Collection[Watch], limit: int, after: Cursor | None
) -> WatchPage:
    """Those in the scope, in pre-order of their units and by id within one."""
    forest = scope.tree.forest
    item = after.item if after and after.unit_id in scope else ""
    begin = (first_place(scope, after), item)
    ordered = sorted(
        (forest.position(each.unit_id), each.id, each) for each in watches if each.unit_id in scope
    )
    rest = [(place, each) for place, watch_id, each in ordered if (place, watch_id) > begin]
    listed = [each for _, each in rest[:limit]]
    if len(rest) <= limit:
        return WatchPage(listed, None)
    place, last = rest[limit - 1]
    return WatchPage(listed, cursor_at(scope, place, last.id))
