"""The whole tree of a tenant at one version, as parallel arrays in pre-order."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
        forest = Forest.from_parents([row.id for row in rows.rows], parents)
        in_order = [rows.rows[place[UnitId(unit_id)]] for unit_id in forest.ids]
        level_keys = _all_levels(rows)
        index = level_index(level_keys)
        below = forest.parents[forest.parents >= 0]
        return cls(
            tree_version=rows.tree_version,
            level_keys=level_keys,
            forest=forest,
            levels=np.array([index[row.level] for row in in_order], dtype=np.uint8),
            codes=tuple(row.code for row in in_order),
            child_counts=np.bincount(below, minlength=forest.size).astype(np.int32),
        )

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
        gone = {*closed, *(unit.id for unit in units)}
        rows = [row for row in self._rows() if row.id not in gone]
        rows += [TreeRow(unit.id, unit.parent_id, unit.level, unit.code) for unit in units]
        rows.sort(key=lambda row: (row.code, row.level))
        return Tree.of(TreeRows(tree_version, self.level_keys, rows))

    def _stands(self, unit: Unit) -> bool:
        """Whether the unit is where it was: other names or another place are nothing here."""
        place = self.forest.find(unit.id)
        return place is not None and self._row(place)[1:] == (
            unit.parent_id,
            unit.level,
            unit.code,
        )

    def _rows(self) -> Iterator[TreeRow]:
        return (self._row(place) for place in range(self.unit_count))

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


def _all_levels(rows: TreeRows) -> tuple[str, ...]:
    """The level keys, and below them those that are gone but had units at the time."""
    gone = {row.level for row in rows.rows} - set(rows.level_keys)
    return (*rows.level_keys, *sorted(gone))
