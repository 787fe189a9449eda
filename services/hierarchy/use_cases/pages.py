"""Pages of what stands in the order of the tree: which units, and where the next page begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.hierarchy.domain.access import Scope
from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.tree import Tree

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Behind what a page begins.

    Attributes:
        unit_id: the unit that came last.
        place: where it stood; serves when it is gone meanwhile.
        item: the id of the last thing of that unit which was listed; empty for all of them.
    """

    unit_id: UnitId
    place: int
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
    tree: Tree, places: Places, unit_count: int, *, limit: int, after: Cursor | None
) -> UnitPage:
    """One page of the units at these places."""
    begin = int(np.searchsorted(places, first_place(tree, after)))
    run: list[int] = places[begin : begin + limit].tolist()
    ids = [UnitId(tree.forest.ids[place]) for place in run]
    more = begin + limit < len(places)
    return UnitPage(ids, Cursor(ids[-1], run[-1]) if more else None, len(places), unit_count)


def first_place(tree: Tree, after: Cursor | None) -> int:
    """The place at which a page begins: behind the cursor's unit, or at it for more of its items.

    Where the unit is gone, what stands in its place now is as good as any.
    """
    if after is None:
        return 0
    place = tree.forest.find(after.unit_id)
    if place is None:
        return after.place
    return place if after.item else place + 1


def places_from(ranges: Iterable[tuple[int, int]], first: int) -> Places:
    """All places of the ranges, in order, from the first one on."""
    runs: list[Any] = [np.arange(max(start, first), end) for start, end in ranges if end > first]
    return np.concatenate(runs) if runs else np.empty(0, dtype=np.intp)
