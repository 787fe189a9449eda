"""Groups in the order of the tree: which rank each has, and which ranks a unit covers."""

import numpy as np
from numpy.typing import NDArray

from services.groups.domain.answers import Place
from services.groups.domain.model import UnitId
from services.groups.ports import Column, Register, Tree

Ints = NDArray[np.int64]
_TYPES: dict[Column, str] = {
    "id": "S16", "unit": "S16", "kind": "<u2", "category": "<u2", "state": "u1", "flags": "u1",
    "members": "<u4",
}  # fmt: skip


class TreeOrder:
    """The groups of one register by rank: their place in tree order, then by code.

    Attributes:
        ordinals: the ordinal at each rank.
        kinds, categories: the number of each, by rank; category 0 is none.
        states: the number of the state, by rank.
        flags: the bits of the flags, by rank.
        members: how many members, by rank.
        bounds: the first rank whose unit stands at a position or after it; one more for groups
            whose unit the tree does not have, and one past them.
        positions: the position of each group's unit, by ordinal.
    """

    def __init__(self, register: Register, tree: Tree, previous: "TreeOrder | None" = None) -> None:
        self.register = register
        self.tree = tree
        self._ends = np.frombuffer(tree.ends, dtype="<i4").astype(np.int64)
        self.positions = positions = self._positions_after(previous)
        by_code = np.frombuffer(register.by_code, dtype="<u4")
        # Stable, so that groups of one unit keep the order of their codes.
        self.ordinals: Ints = by_code[np.argsort(positions[by_code], kind="stable")].astype(
            np.int64
        )
        counts = np.bincount(positions, minlength=len(self._ends) + 1)
        self.bounds: Ints = np.concatenate(([0], np.cumsum(counts)))

        self.kinds = self._by_rank("kind")
        self.categories = self._by_rank("category")
        self.states = self._by_rank("state")
        self.flags = self._by_rank("flags")
        self.members = self._by_rank("members")

    @property
    def size(self) -> int:
        """How many groups."""
        return len(self.ordinals)

    def ids(self, ranks: Ints) -> bytes:
        """The ids of the groups at these ranks, 16 bytes each."""
        ids: bytes = self._by_ordinal("id")[self.ordinals[ranks]].tobytes()
        return ids

    def subtree(self, unit_id: UnitId) -> tuple[int, int] | None:
        """The ranks of the groups in a unit's subtree, from, and up to but not with."""
        position = self.tree.find(unit_id)
        if position is None:
            return None
        return int(self.bounds[position]), int(self.bounds[self._ends[position]])

    def own(self, unit_id: UnitId) -> tuple[int, int] | None:
        """The ranks of the groups of a unit itself."""
        position = self.tree.find(unit_id)
        return None if position is None else self._at(position)

    def subtrees(self, positions: Ints) -> tuple[Ints, Ints]:
        """The first ranks and the ends of the subtrees at these positions."""
        return self.bounds[positions], self.bounds[self._ends[positions]]

    def rank_after(self, place: Place) -> int:
        """The first rank after a place, wherever its unit now stands."""
        position = self.tree.find(place.unit_id)
        low, high = self._at(len(self._ends) if position is None else position)
        while low < high:
            middle = (low + high) // 2
            if self.register.code(int(self.ordinals[middle])) <= place.code:
                low = middle + 1
            else:
                high = middle
        return low

    def _positions_after(self, previous: "TreeOrder | None") -> Ints:
        """The positions; those of an earlier register of the same tree are taken over.

        Looking up 100,000 units takes 25 ms, and most writes are of one group.
        """
        units = self._by_ordinal("unit")
        if previous is None or previous.tree is not self.tree:
            return _positions(units, self.tree.unit_ids)
        known = previous._by_ordinal("unit")  # noqa: SLF001  # one of us
        # Compared as numbers: text of 100,000 takes 20 times as long.
        if not np.array_equal(units[: len(known)].view("<u8"), known.view("<u8")):
            return _positions(units, self.tree.unit_ids)
        added = _positions(units[len(known) :], self.tree.unit_ids)
        return np.concatenate((previous.positions, added))

    def _at(self, position: int) -> tuple[int, int]:
        return int(self.bounds[position]), int(self.bounds[position + 1])

    def _by_ordinal(self, column: Column) -> NDArray[np.generic]:
        return np.frombuffer(self.register.column(column), dtype=_TYPES[column])

    def _by_rank(self, column: Column) -> Ints:
        return self._by_ordinal(column)[self.ordinals].astype(np.int64)


def _positions(units: NDArray[np.generic], unit_ids: bytes) -> Ints:
    """The position of each unit; one past the last for a unit that the tree does not have."""
    known = np.frombuffer(unit_ids, dtype="S16")
    if not len(known):
        return np.zeros(len(units), dtype=np.int64)
    order = np.argsort(known)
    known = known[order]
    places = np.minimum(np.searchsorted(known, units), len(known) - 1)
    return np.where(known[places] == units, order[places], len(known))
