"""The whole tree of a tenant at one version, as parallel arrays in pre-order."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kit.forest import Forest
from services.hierarchy.domain.model import Unit, UnitId, UnitWithCounts, level_index


class TreeRow(NamedTuple):
    """What the tree needs to know of one unit."""

    id: UnitId
    parent_id: UnitId | None
    level: str
    code: str


@dataclass(frozen=True, slots=True)
class TreeRows:
    """Every unit of a tenant at one version, siblings in order of code and then level."""

    tree_version: int
    level_keys: tuple[str, ...]
    rows: Sequence[TreeRow]


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree at one version. Positions are places in pre-order, from 0.

    Attributes:
        tree_version: which version; 0 before the first unit.
        level_keys: keys of the levels from the top down; in the tree of a past moment followed by
            those of its levels that are gone since.
        forest: ids, parents and subtrees.
        levels: uint8, at each position the index of the unit's level in `level_keys`.
        codes: the code at each position.
        child_counts: int32, how many children the unit at each position has.
    """

    tree_version: int
    level_keys: tuple[str, ...]
    forest: Forest
    levels: NDArray[np.uint8]
    codes: tuple[str, ...]
    child_counts: NDArray[np.int32]

    @classmethod
    def of(cls, rows: TreeRows) -> "Tree":
        """Number the rows: about 0.1 s for 60,000 units, so not for an event loop."""
        place = {row.id: index for index, row in enumerate(rows.rows)}
        parents = [place[row.parent_id] if row.parent_id else -1 for row in rows.rows]
        level_keys = _all_levels(rows)
        index = level_index(level_keys)
        forest, order = Forest.ordered(
            [row.id for row in rows.rows], np.array(parents, dtype=np.int32)
        )
        levels = np.array([index[row.level] for row in rows.rows], dtype=np.uint8)
        codes = [row.code for row in rows.rows]
        return cls._of(rows.tree_version, level_keys, forest, levels[order], _at(codes, order))

    @classmethod
    def _of(
        cls,
        tree_version: int,
        level_keys: tuple[str, ...],
        forest: Forest,
        levels: NDArray[np.uint8],
        codes: Iterable[str],
    ) -> "Tree":
        below = forest.parents[forest.parents >= 0]
        counts = np.bincount(below, minlength=forest.size).astype(np.int32)
        return cls(tree_version, level_keys, forest, levels, tuple(codes), counts)

    def after(self, tree_version: int, units: Sequence[Unit], closed: Collection[UnitId]) -> "Tree":
        """The tree at a later version with the same levels.

        Args:
            tree_version: which one.
            units: those that were created or changed since, as they stand.
            closed: those that are gone; ids that never were in the tree do no harm.
        """
        stays = not any(each in self.forest for each in closed)
        if stays and all(self._stands(unit) for unit in units):
            return replace(self, tree_version=tree_version)
        # Those that changed are taken out, and put in again behind all others: from there to where
        # they belong among their siblings.
        added = sorted(units, key=lambda unit: (unit.code, unit.level))
        found = (self.forest.find(each) for each in (*closed, *(unit.id for unit in added)))
        stays_at = np.ones(self.unit_count, dtype=np.bool_)
        stays_at[[place for place in found if place is not None]] = False
        label, parents = self._labelled(added, stays_at)
        kept = len(parents) - len(added)
        order = np.insert(
            np.arange(kept, dtype=np.int32),
            [self._place_among_siblings(unit, stays_at, label, kept) for unit in added],
            np.arange(kept, len(parents), dtype=np.int32),
        )
        place_of = np.empty(len(order) + 1, dtype=np.int32)
        place_of[order] = np.arange(len(order), dtype=np.int32)
        place_of[-1] = -1
        ids = [*compress(self.forest.ids, stays_at.tolist()), *(unit.id for unit in added)]
        forest, places = Forest.ordered([*_at(ids, order)], place_of[parents[order]])
        index = level_index(self.level_keys)
        new_levels = np.array([index[unit.level] for unit in added], dtype=np.uint8)
        levels = np.concatenate((self.levels[stays_at], new_levels))
        codes = [*compress(self.codes, stays_at.tolist()), *(unit.code for unit in added)]
        numbers = order[places]
        return Tree._of(tree_version, self.level_keys, forest, levels[numbers], _at(codes, numbers))

    def _labelled(
        self, added: Sequence[Unit], stays_at: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """New numbers: of what stays, in its order, and then of what is added.

        Returns:
            The number of each unit that is in the tree, -1 of one that is gone; the number of each
            number's parent, -1 of a root.
        """
        kept = int(stays_at.sum())
        label = np.full(self.unit_count + 1, -1, dtype=np.int32)
        label[:-1][stays_at] = np.arange(kept, dtype=np.int32)
        new = {unit.id: kept + number for number, unit in enumerate(added)}
        for unit_id, number in new.items():
            if (place := self.forest.find(unit_id)) is not None:
                label[place] = number
        above = self.forest.parents[stays_at]
        parents_of_kept = label[above]
        if np.any((above >= 0) & (parents_of_kept < 0)):
            raise KeyError("a unit stays whose parent is gone")

        def parent_of(unit: Unit) -> int:
            if unit.parent_id is None:
                return -1
            if unit.parent_id in new:
                return new[unit.parent_id]
            return int(label[self.forest.position(unit.parent_id)])

        parents_of_added = np.array([parent_of(unit) for unit in added], dtype=np.int32)
        if any(unit.parent_id and at < 0 for unit, at in zip(added, parents_of_added, strict=True)):
            raise KeyError("a unit is put under one that is gone")
        return label, np.concatenate((parents_of_kept, parents_of_added))

    def _place_among_siblings(
        self, unit: Unit, stays_at: NDArray[np.bool_], label: NDArray[np.int32], kept: int
    ) -> int:
        """The number of the first sibling that stays and comes behind the unit, or `kept`."""
        if unit.parent_id is None:
            places = self.tops([(0, self.unit_count)])
        elif (parent := self.forest.find(unit.parent_id)) is None:
            return kept
        else:
            places = self.tops([(parent + 1, int(self.forest.ends[parent]))])
        siblings = [place for place in places if stays_at[place]]
        behind = bisect_right(siblings, (unit.code, unit.level), key=self.sibling_key)
        return int(label[siblings[behind]]) if behind < len(siblings) else kept

    def _stands(self, unit: Unit) -> bool:
        """Whether the unit is where it was: other names or another place are nothing here."""
        place = self.forest.find(unit.id)
        return place is not None and self._row(place)[1:] == (
            unit.parent_id,
            unit.level,
            unit.code,
        )

    def _row(self, place: int) -> TreeRow:
        ids, parent = self.forest.ids, int(self.forest.parents[place])
        parent_id = UnitId(ids[parent]) if parent >= 0 else None
        level = self.level_keys[self.levels[place]]
        return TreeRow(UnitId(ids[place]), parent_id, level, self.codes[place])

    @property
    def unit_count(self) -> int:
        """How many units there are."""
        return self.forest.size

    def count(self, unit: Unit, until: datetime | None = None) -> UnitWithCounts:
        """The unit with its counts. Raises KeyError for a unit that is not in the tree."""
        start, end = self.forest.subtree(unit.id)
        return UnitWithCounts(unit, int(self.child_counts[start]), end - start, until)

    def tops(self, ranges: Iterable[tuple[int, int]]) -> list[int]:
        """The positions of the highest units in runs of whole subtrees."""
        places: list[int] = []
        for start, end in ranges:
            place = start
            while place < end:
                places.append(place)
                place = int(self.forest.ends[place])
        return places

    def sibling_key(self, place: int) -> tuple[str, str]:
        """By what siblings are ordered: the code and the level key of the unit at a position."""
        return self.codes[place], self.level_keys[self.levels[place]]


def _at(texts: Sequence[str], places: NDArray[np.int32]) -> Iterator[str]:
    return map(texts.__getitem__, places.tolist())


def _all_levels(rows: TreeRows) -> tuple[str, ...]:
    """The level keys, and below them those that are gone but had units at the time."""
    gone = {row.level for row in rows.rows} - set(rows.level_keys)
    return (*rows.level_keys, *sorted(gone))
