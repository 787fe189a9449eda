"""What somebody sees of an index: a bitmap of ranks, and runs of units."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from services.groups.adapters.facet_index.counting import Counts
from services.groups.adapters.facet_index.facets import Facets, ranks_of
from services.groups.adapters.facet_index.order import TreeOrder
from services.groups.domain.access import Part, Scope
from services.groups.domain.model import UnitId


class Seen:
    """A scope on the index's tree.

    Attributes:
        ranks: the groups in it.
    """

    def __init__(self, scope: Scope, order: TreeOrder, facets: Facets) -> None:
        self._scope = scope
        self._order = order
        self._facets = facets
        self.ranks = BitMap()
        for part in scope.parts:
            self.ranks |= self._ranks_of(part)

    @cached_property
    def units(self) -> NDArray[np.bool_]:
        """Whether the unit at each position is seen."""
        units = np.zeros(self._order.tree.unit_count, dtype=np.bool_)
        for start, end in self._scope.runs:
            units[start:end] = True
        return units

    @cached_property
    def counts(self) -> Counts:
        """Counts of the groups in it alone; some milliseconds for 100,000 when first used."""
        return Counts(self._order, ranks_of(self.ranks))

    def has_unit(self, unit_id: UnitId) -> bool:
        """Whether there is such a unit, and it is seen."""
        position = self._order.tree.find(unit_id)
        return position is not None and self._scope.has_unit(position)

    def has_all(self, ranks: tuple[int, int]) -> bool:
        """Whether every group of this range of ranks is seen."""
        return self.ranks.range_cardinality(*ranks) == ranks[1] - ranks[0]

    def _ranks_of(self, part: Part) -> BitMap:
        ranks = BitMap()
        ranks.add_range(int(self._order.bounds[part.start]), int(self._order.bounds[part.end]))
        return self._facets.matched(ranks, part.kinds, part.categories)
