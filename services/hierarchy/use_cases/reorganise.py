"""Change units: in one go, or one at a time by the same rules."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kit.clock import Clock
from services.hierarchy.domain.access import Viewer
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.fingerprints import fingerprint_of_all
from services.hierarchy.domain.model import Unit, UnitId, UnitKey, UnitWithCounts
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.records import UNITS_BY_ID, WATCHES_BY_UNIT
from services.hierarchy.domain.reorganisation import (
    CloseStep,
    MoveStep,
    Reorganisation,
    ReorganisationReport,
    Rights,
    UpdateStep,
    decide_reorganisation,
)
from services.hierarchy.domain.tree import Tree
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.trees import Trees

# What `OrgGraph.find` and `OrgGraph.tally` take.
_UNITS_AT_ONCE = 60_000


@dataclass(frozen=True, slots=True)
class UnitChanged:
    """A unit as one step leaves it, None where it ended, and what the step did."""

    unit: UnitWithCounts | None
    report: ReorganisationReport


class Reorganiser:
    """Changes units on behalf of a caller.

    Whoever changes a unit needs `administer` over it, over the unit that it stands under and over
    the one that it comes to stand under; over the whole tenant where that is none.
    """

    def __init__(self, graph: OrgGraph, trees: Trees, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._trees = trees
        self._access = access
        self._clock = clock

    async def reorganise(self, caller: Caller, request: Reorganisation) -> ReorganisationReport:
        """Apply all steps or none; or with `validate_only` say what they would do.

        What was carried along is counted on the tree as it stands when this answers, also when the
        answer to an earlier request is repeated.

        Raises:
            NotAllowed: see above.
            InvalidInput: with everything that is wrong; a unit that the caller does not see is
                unknown.
            TreeChangedMeanwhile, UnitChangedMeanwhile: the caller saw something else.
            BlueprintNotFound, QuotaExceeded, RequestIdReused: see there.
        """
        viewer = await self._access.enter(caller)
        return await self._write(viewer, request)

    async def change_unit(self, caller: Caller, request: Reorganisation) -> UnitChanged:
        """The same for one step that creates, updates, moves or closes a unit.

        Raises:
            UnitNotFound: it is not there, or not for the caller.
            Exception: as `reorganise` does.
        """
        viewer = await self._access.enter(caller)
        report = await self._write(viewer, request)
        if isinstance(request.steps[0], CloseStep):
            return UnitChanged(None, report)
        after = next((each.after for each in report.changes), None)
        unit = after or await self._unchanged(viewer, request)
        tree = await self._trees.seen(viewer.header)
        if unit.id in tree.forest:
            return UnitChanged(tree.count(unit), report)
        # It is new: to this tree, which is that of before, or to all when it was only tried.
        if request.validate_only:
            unit = replace(unit, id=UnitId(""))
        return UnitChanged(UnitWithCounts(unit, 0, 1), report)

    async def _write(self, viewer: Viewer, request: Reorganisation) -> ReorganisationReport:
        viewer.require_somewhere("administer")
        rights = await self._rights(viewer)
        operation = Operation(
            name="change unit" if request.is_single else "reorganise",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=await asyncio.to_thread(_fingerprint, request),
            answer_type=ReorganisationReport,
            decide=partial(decide_reorganisation, request, rights),
            validate_only=request.validate_only,
        )
        report = await self._graph.write(viewer.tenant, operation)
        return await self._with_carried(viewer, report) if report.moved else report

    async def _rights(self, viewer: Viewer) -> Rights:
        scopes = [
            None if viewer.roots(each) is None else await self._access.scope(viewer, each)
            for each in ("view", "administer")
        ]
        return Rights(*scopes)

    async def _with_carried(
        self, viewer: Viewer, report: ReorganisationReport
    ) -> ReorganisationReport:
        # Before or after the move is all one: what is below the moved units is the same.
        tree = await self._trees.seen(viewer.header)
        carried_count, units = await asyncio.to_thread(_below, tree, report.moved)
        now = self._clock.now()
        appointments = watches = 0
        for some in _runs(units):
            tallies = await self._graph.tally(viewer.tenant, units=some, at=now, verified_since=now)
            appointments += sum(each.count for each in tallies)
            found = await self._graph.find(viewer.tenant, WATCHES_BY_UNIT, some, at=now)
            watches += sum(map(len, found.value.values()))
        return replace(
            report,
            carried_count=carried_count,
            appointment_carried_count=appointments,
            watch_carried_count=watches,
        )

    async def _unchanged(self, viewer: Viewer, request: Reorganisation) -> Unit:
        """The unit that a step left as it was."""
        step = request.steps[0]
        if not isinstance(step, UpdateStep | MoveStep) or isinstance(step.unit, UnitKey):
            raise TypeError(f"{type(step).__name__} changes something")
        found = await self._graph.find(viewer.tenant, UNITS_BY_ID, [step.unit])
        for unit in found.value.get(step.unit, ()):
            return unit
        raise UnitNotFound(step.unit)


def _fingerprint(request: Reorganisation) -> str:
    told = (request.is_single, request.effective_at, request.tree_version)
    return fingerprint_of_all((told, *request.steps))


def _below(tree: Tree, moved: Sequence[UnitId]) -> tuple[int, list[UnitId]]:
    """How many units are below these and not among them, and all of both."""
    touched = np.zeros(tree.unit_count, dtype=np.bool)
    standing = [each for each in moved if each in tree.forest]
    for each in standing:
        start, end = tree.forest.subtree(each)
        touched[start:end] = True
    places = np.flatnonzero(touched).tolist()
    return len(places) - len(standing), [UnitId(tree.forest.ids[place]) for place in places]


def _runs(units: Sequence[UnitId]) -> Iterator[Sequence[UnitId]]:
    for start in range(0, len(units), _UNITS_AT_ONCE):
        yield units[start : start + _UNITS_AT_ONCE]
