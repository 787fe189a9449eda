"""Who answers for a unit: from the monitor's desk to the convenor and to the centre."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from kit.clock import Clock
from services.hierarchy.domain.access import Viewer
from services.hierarchy.domain.model import Blueprint, UnitId
from services.hierarchy.domain.people import Appointment, PersonId
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_PERSON,
    APPOINTMENTS_BY_UNIT,
    WATCHES_BY_UNIT,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.domain.tree import Tree
from services.hierarchy.domain.watch_changes import MONITOR, positions_with
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.appointments import ShownAppointment, shown_appointment

CONVENOR, HEAD = "convenor", "head"


@dataclass(frozen=True, slots=True)
class WatchLine:
    """Who answers for a unit.

    Attributes:
        watches: in force, of the unit or the nearest above it that has any; a cover before what
            it covers.
        convenors: of the units where the monitors are appointed.
        centre: the centre, if the tenant has one.
        heads: of the centre.
    """

    watches: Sequence[Watch]
    convenors: Sequence[ShownAppointment]
    centre: UnitId | None
    heads: Sequence[ShownAppointment]


@dataclass(frozen=True, slots=True)
class _Scene:
    """The tenant at an instant, and what has been read of it."""

    viewer: Viewer
    tree: Tree
    blueprint: Blueprint
    instant: datetime
    now: datetime


class WatchLines:
    """Lines of units that the caller may see.

    What stands above them in the line is told, though it may lie outside the caller's scope: an
    incident is to reach it without walking up the tree.
    """

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock

    async def of_units(
        self, caller: Caller, unit_ids: Collection[UnitId], at: datetime | None = None
    ) -> Mapping[UnitId, WatchLine]:
        """The line of each of these units that the caller may see, as it stood at an instant."""
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        scope = await self._access.scope(viewer, "view", at)
        seen = [each for each in unit_ids if each in scope]
        blueprint = viewer.header.blueprint
        if not seen or blueprint is None:
            return {}
        now = self._clock.now()
        scene = _Scene(viewer, scope.tree, blueprint, at or now, now)
        watches = await self._watches(scene, seen)
        desks = await self._desks(scene, watches)
        convenors = await self._convenors(scene, {each for desk in desks.values() for each in desk})
        centre = _centre(scene)
        heads = (await self._holders(scene, [centre], HEAD)).get(centre, ()) if centre else ()
        return {
            unit: WatchLine(
                watches[unit],
                _once(convenors[desk] for each in watches[unit] for desk in desks[each.person_id]),
                centre,
                heads,
            )
            for unit in seen
        }

    async def _watches(
        self, scene: _Scene, units: Collection[UnitId]
    ) -> Mapping[UnitId, Sequence[Watch]]:
        lines = {unit: _line(scene.tree, unit) for unit in units}
        wanted = {each for line in lines.values() for each in line}
        read = await self._graph.find(
            scene.viewer.tenant, WATCHES_BY_UNIT, wanted, at=scene.instant
        )
        return {
            unit: next((_covers_first(read.value[each]) for each in line if each in read.value), ())
            for unit, line in lines.items()
        }

    async def _desks(
        self, scene: _Scene, watches: Mapping[UnitId, Sequence[Watch]]
    ) -> Mapping[PersonId, Sequence[UnitId]]:
        """The units where each monitor is appointed as one; those closed meanwhile left out."""
        persons = {each.person_id for found in watches.values() for each in found}
        read = await self._graph.find(
            scene.viewer.tenant, APPOINTMENTS_BY_PERSON, persons, at=scene.instant
        )
        positions = positions_with(scene.blueprint, MONITOR)
        return {
            person: sorted(
                {
                    each.unit_id
                    for each in read.value.get(person, ())
                    if each.position in positions and each.unit_id in scene.tree.forest
                },
                key=scene.tree.forest.position,
            )
            for person in persons
        }

    async def _convenors(
        self, scene: _Scene, desks: Collection[UnitId]
    ) -> Mapping[UnitId, Sequence[ShownAppointment]]:
        """The convenors of each unit, or of the nearest above it that has any."""
        lines = {desk: _line(scene.tree, desk) for desk in desks}
        wanted = {each for line in lines.values() for each in line}
        holders = await self._holders(scene, wanted, CONVENOR)
        return {
            desk: next((holders[each] for each in line if each in holders), ())
            for desk, line in lines.items()
        }

    async def _holders(
        self, scene: _Scene, units: Collection[UnitId], role: str
    ) -> Mapping[UnitId, Sequence[ShownAppointment]]:
        """Who holds positions with a role; units without any are absent."""
        if not units:
            return {}
        read = await self._graph.find(
            scene.viewer.tenant, APPOINTMENTS_BY_UNIT, units, at=scene.instant
        )
        positions = positions_with(scene.blueprint, role)
        found = {
            unit: [each for each in run if each.position in positions]
            for unit, run in read.value.items()
        }
        return {
            UnitId(unit): [
                shown_appointment(scene.blueprint, each, scene.now)
                for each in sorted(run, key=_by_beginning)
            ]
            for unit, run in found.items()
            if run
        }


def _line(tree: Tree, unit: UnitId) -> list[UnitId]:
    return [unit, *(UnitId(each) for each in tree.forest.ancestors(unit))]


def _centre(scene: _Scene) -> UnitId | None:
    """The first unit of the centre's level, which is to have one only."""
    tree, level = scene.tree, scene.blueprint.centre_level
    if not level or level not in tree.level_keys:
        return None
    places = np.flatnonzero(tree.levels == tree.level_keys.index(level))
    return UnitId(tree.forest.ids[int(places[0])]) if len(places) else None


def _covers_first(watches: Sequence[Watch]) -> Sequence[Watch]:
    return sorted(watches, key=lambda each: (each.covers is None, each.valid_from, each.id))


def _by_beginning(appointment: Appointment) -> tuple[datetime, str]:
    return appointment.valid_from, appointment.id


def _once(runs: Iterator[Sequence[ShownAppointment]]) -> Sequence[ShownAppointment]:
    found = {each.appointment.id: each for run in runs for each in run}
    return list(found.values())
