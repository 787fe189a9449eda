"""Pages of what stands in the order of the tree: which units, and where the next page begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.hierarchy.domain.access import Scope
from services.hierarchy.domain.model import UnitId

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Behind what a page begins.

    Attributes:
        unit_id: the unit that came last.
        rank: how many of the units that the viewer sees stood before it; serves when it is gone
            meanwhile. Travels in page tokens, so it says nothing of other units.
        item: the id of the last thing of that unit which was listed; empty for all of them.
    """

    unit_id: UnitId
    rank: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class UnitPage:
    """Units in pre-order.

    Attributes:
        unit_ids: of this page.
        next: where the next one begins; None on the last.
        total_count: how many there are on all pages.
        unit_count: of how many units.
    """

    unit_ids: Sequence[UnitId]
    next: Cursor | None
    total_count: int
    unit_count: int


def places_of_level(scope: Scope, root: UnitId | None, level: str) -> Places:
    """Where the units of a level stand, of those in the scope and a unit's subtree, in order.

    Raises:
        UnitNotFound: the root is not in the scope.
    """
    tree = scope.tree
    ranges = scope.within(root)
    if level not in tree.level_keys:
        return np.empty(0, dtype=np.intp)
    index = tree.level_keys.index(level)
    runs = [np.flatnonzero(tree.levels[start:end] == index) + start for start, end in ranges]
    return np.concatenate(runs) if runs else np.empty(0, dtype=np.intp)


def page_of_places(
    scope: Scope, places: Places, unit_count: int, *, limit: int, after: Cursor | None
) -> UnitPage:
    """One page of the units at these places of the scope."""
    begin = int(np.searchsorted(places, first_place(scope, after)))
    run: list[int] = places[begin : begin + limit].tolist()
    ids = [UnitId(scope.tree.forest.ids[place]) for place in run]
    following = cursor_at(scope, run[-1]) if begin + limit < len(places) else None
    return UnitPage(ids, following, len(places), unit_count)


def cursor_at(scope: Scope, place: int, item: str = "") -> Cursor:
    """Behind the unit at a place of the scope, or behind a thing of that unit."""
    return Cursor(UnitId(scope.tree.forest.ids[place]), scope.rank(place), item)


def first_place(scope: Scope, after: Cursor | None) -> int:
    """The place at which a page begins: behind the cursor's unit, or at it for more of its items.

    Where the unit is gone, what stands in its place now is as good as any.
    """
    if after is None:
        return 0
    if after.unit_id not in scope:
        return scope.place(after.rank)
    place = scope.tree.forest.position(after.unit_id)
    return place if after.item else place + 1


def places_from(ranges: Iterable[tuple[int, int]], first: int) -> Places:
    """All places of the ranges, in order, from the first one on."""
    runs: list[Any] = [np.arange(max(start, first), end) for start, end in ranges if end > first]
    return np.concatenate(runs) if runs else np.empty(0, dtype=np.intp)
