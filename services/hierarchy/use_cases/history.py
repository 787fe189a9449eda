"""What units were, how many there are, and all that lie below one."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from kit.errors import Violations
from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.model import Unit, UnitId, UnitWithCounts
from services.hierarchy.domain.records import PAST_UNITS_BY_ID, UNITS_BY_ID, PastUnit
from services.hierarchy.domain.text import quoted
from services.hierarchy.domain.tree import Tree
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.pages import Places, places_from
from services.hierarchy.use_cases.slices import slices_by_id

DESCENDANTS_PER_PAGE = 500
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some of what a unit was, newest first, without counts.

    Attributes:
        has_more: whether older ones follow.
        successor_ids: those that took over when it ended, as far as the caller sees them.
    """

    versions: Sequence[UnitWithCounts]
    has_more: bool
    successor_ids: Sequence[UnitId]


@dataclass(frozen=True, slots=True)
class LevelCount:
    """How many units of a level there are."""

    level: str
    unit_count: int


class HistoryReader:
    """Reads on behalf of a caller, what they may see. Every method needs `view` over something."""

    def __init__(self, graph: OrgGraph, access: Access) -> None:
        self._graph = graph
        self._access = access

    async def list_history(
        self, caller: Caller, unit_id: UnitId, *, limit: int, before: int | None = None
    ) -> HistoryPage:
        """What a unit is and was, also when it is closed: then for those who saw it at its end.

        Args:
            caller: who is asking.
            unit_id: whose.
            limit: at most so many.
            before: only what has a lower revision.

        Raises:
            UnitNotFound: there never was such a unit, or not for the caller.
        """
        viewer = await self._enter(caller)
        # In this order: what ends between the two reads is found twice, and not missed.
        standing = await self._graph.find(viewer.tenant, UNITS_BY_ID, [unit_id])
        ended = await self._graph.find(viewer.tenant, PAST_UNITS_BY_ID, [unit_id])
        past = ended.value.get(unit_id, ())
        versions = {unit.revision: _uncounted(unit) for unit in standing.value.get(unit_id, ())}
        versions |= {each.unit.revision: _past(each) for each in past}
        last = next((each for each in past if each.closed), None)
        await self._require_seen(viewer, unit_id, last)
        revisions = sorted(versions, reverse=True)
        revisions = [each for each in revisions if before is None or each < before]
        return HistoryPage(
            [versions[each] for each in revisions[:limit]],
            len(revisions) > limit,
            await self._seen(viewer, last.successor_ids) if last else (),
        )

    async def count(
        self, caller: Caller, root: UnitId | None, at: datetime | None = None
    ) -> Sequence[LevelCount]:
        """How many units each level has, in a subtree or in all that the caller sees.

        The levels of the blueprint from the top down; behind them those that are gone since, where
        they had units then. Raises `UnitNotFound`.
        """
        viewer = await self._enter(caller)
        scope = await self._access.scope(viewer, "view", at)
        tree = scope.tree
        counts = np.zeros(len(tree.level_keys), dtype=np.int64)
        for start, end in scope.within(root):
            counts += np.bincount(tree.levels[start:end], minlength=len(counts))
        pairs = zip(tree.level_keys, counts.tolist(), strict=True)
        return [LevelCount(level, count) for level, count in pairs]

    async def descendants(
        self,
        caller: Caller,
        root: UnitId | None,
        levels: Collection[str],
        at: datetime | None = None,
    ) -> AsyncIterator[Sequence[UnitWithCounts]]:
        """The units below one, or all that the caller sees, in pre-order, a page at a time.

        Which ones and in which order is that of the tree when this begins; what is closed before
        its page is read is left out.

        Raises:
            UnitNotFound: the unit is not there for the caller.
            InvalidInput: UNKNOWN_LEVEL on a level.
        """
        viewer = await self._enter(caller)
        scope = await self._access.scope(viewer, "view", at)
        tree = scope.tree
        places = await asyncio.to_thread(_places_below, scope, root, _indexes(tree, levels))
        for start in range(0, len(places), DESCENDANTS_PER_PAGE):
            run = places[start : start + DESCENDANTS_PER_PAGE].tolist()
            ids = [UnitId(tree.forest.ids[place]) for place in run]
            found = await slices_by_id(self._graph, viewer.tenant, ids, at)
            yield [tree.count(*found.value[each]) for each in ids if each in found.value]

    async def _enter(self, caller: Caller) -> Viewer:
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        return viewer

    async def _require_seen(self, viewer: Viewer, unit_id: UnitId, last: PastUnit | None) -> None:
        if last is None:
            scope = await self._access.scope(viewer, "view")
            scope.require_seen(unit_id)
        elif viewer.roots("view") is not None:
            scope = await self._access.scope(viewer, "view", last.until - _INSTANT)
            scope.require_seen(unit_id)

    async def _seen(self, viewer: Viewer, ids: Sequence[UnitId]) -> Sequence[UnitId]:
        if viewer.roots("view") is None or not ids:
            return ids
        scope = await self._access.scope(viewer, "view")
        return [each for each in ids if each in scope]


def _uncounted(unit: Unit) -> UnitWithCounts:
    return UnitWithCounts(unit, 0, 0)


def _past(past: PastUnit) -> UnitWithCounts:
    return UnitWithCounts(past.unit, 0, 0, past.until)


def _indexes(tree: Tree, levels: Collection[str]) -> list[int]:
    faults = Violations()
    for place, level in enumerate(levels):
        if level not in tree.level_keys:
            known = ", ".join(tree.level_keys)
            said = f"{quoted(level)} is none of the levels: {known}"
            faults.add(f"levels[{place}]", "UNKNOWN_LEVEL", said)
    faults.raise_if_any()
    return [tree.level_keys.index(level) for level in levels]


def _places_below(scope: Scope, root: UnitId | None, levels: Sequence[int]) -> Places:
    places = places_from(scope.within(root), 0)
    if root is not None:
        places = places[1:]
    return places[np.isin(scope.tree.levels[places], levels)] if levels else places
