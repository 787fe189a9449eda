"""`AudienceIndex` over numpy arrays and roaring bitmaps."""

from collections.abc import Sequence

import numpy as np

from services.groups.adapters.facet_index.counting import CountedRun, Counts, facet_counts
from services.groups.adapters.facet_index.facets import Facets
from services.groups.adapters.facet_index.order import Ints, TreeOrder
from services.groups.domain.answers import (
    Frame,
    GroupCounts,
    GroupFilter,
    Page,
    Place,
    Preview,
    Resolved,
    UnitCount,
)
from services.groups.domain.audience import Audience
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import UnitId
from services.groups.ports import AudienceIndex, Register, Tree

_ID_BYTES = 16


class FacetIndex:
    """One register in the order of one tree. All that answers need is made at once."""

    order: TreeOrder

    def __init__(
        self, register: Register, tree: Tree, previous: AudienceIndex | None = None
    ) -> None:
        self._register = register
        self._tree = tree
        earlier = previous.order if isinstance(previous, FacetIndex) else None
        self.order = TreeOrder(register, tree, earlier)
        self._facets = Facets(self.order)
        self._counts = Counts(self.order)
        self._levels: Ints = np.frombuffer(tree.level_numbers, dtype="<i4").astype(np.int64)

    def preview(self, audience: Audience, blueprint: Blueprint, split_level: str) -> Preview:
        selected = self._facets.select(audience, blueprint)
        ranks = selected.ranks
        members = self.order.members[ranks]
        register = self._register
        return Preview(
            group_count=len(ranks),
            member_count=int(members.sum()),
            exclusions=selected.exclusions,
            by_unit=self._by_unit(ranks, split_level),
            by_kind=facet_counts(self.order.kinds[ranks], members, register.kinds),
            by_category=facet_counts(self.order.categories[ranks], members, register.categories),
        )

    def resolve(self, audience: Audience, blueprint: Blueprint) -> Resolved:
        selected = self._facets.select(audience, blueprint)
        return Resolved(
            group_ids=self.order.ids(selected.ranks),
            exclusions=selected.exclusions,
            levels=self._tree.levels,
            frame=self._frame(selected.ranks),
        )

    def counts(self, unit_ids: Sequence[UnitId]) -> Sequence[GroupCounts | None]:
        ranges = [self.order.subtree(unit_id) for unit_id in unit_ids]
        bounds = np.array([each or (0, 0) for each in ranges], dtype=np.int64).reshape(-1, 2)
        counts = self._counts.within(bounds[:, 0], bounds[:, 1])
        return [None if each is None else count for each, count in zip(ranges, counts, strict=True)]

    def pages(
        self, narrow: GroupFilter, unit_ids: Sequence[UnitId | None], after: Place | None, size: int
    ) -> Sequence[Page | None]:
        chosen = self._facets.narrowed(narrow)
        if chosen is None:
            chosen = np.arange(self.order.size, dtype=np.int64)
        first = 0 if after is None else self.order.rank_after(after)
        return [
            None if ranks is None else self._page(chosen, ranks, first, size)
            for ranks in (self._ranks_of(unit_id, narrow) for unit_id in unit_ids)
        ]

    def _ranks_of(self, unit_id: UnitId | None, narrow: GroupFilter) -> tuple[int, int] | None:
        if unit_id is None:
            return 0, self.order.size
        return self.order.own(unit_id) if narrow.own_only else self.order.subtree(unit_id)

    def _page(self, chosen: Ints, ranks: tuple[int, int], first: int, size: int) -> Page:
        low, start, high = np.searchsorted(chosen, [ranks[0], max(first, ranks[0]), ranks[1]])
        end = min(int(start) + size, int(high))
        return Page(
            ordinals=self.order.ordinals[chosen[start:end]].tolist(),
            has_more=end < high,
            total_count=int(high - low),
        )

    def _by_unit(self, ranks: Ints, split_level: str) -> tuple[UnitCount, ...]:
        if not split_level:
            return ()
        positions = np.flatnonzero(self._levels == self._tree.levels.index(split_level))
        # Ranks stand for themselves here: a run over the targets alone.
        run = CountedRun(ranks, self.order.members)
        groups, members = run.within(*self.order.subtrees(positions))
        return tuple(
            UnitCount(self._unit_id(position), group_count, member_count)
            for position, group_count, member_count in zip(
                positions.tolist(), groups, members, strict=True
            )
            if group_count
        )

    def _frame(self, ranks: Ints) -> Frame:
        lows, highs = self.order.subtrees(np.arange(len(self._levels), dtype=np.int64))
        starts, ends = np.searchsorted(ranks, lows), np.searchsorted(ranks, highs)
        kept = np.flatnonzero(ends > starts)
        # Where each unit stands in the frame; a kept unit's parent is kept too. The spare last
        # place is what a root's -1 points to.
        places = np.full(len(self._levels) + 1, -1, dtype=np.int64)
        places[kept] = np.arange(len(kept))
        parents = np.frombuffer(self._tree.parents, dtype="<i4")
        unit_ids = np.frombuffer(self._tree.unit_ids, dtype="S16")
        return Frame(
            unit_ids=unit_ids[kept].tobytes(),
            parents=places[parents[kept]].tolist(),
            levels=self._levels[kept].tolist(),
            starts=starts[kept].tolist(),
            ends=ends[kept].tolist(),
        )

    def _unit_id(self, position: int) -> UnitId:
        digits = self._tree.unit_ids[position * _ID_BYTES : (position + 1) * _ID_BYTES].hex()
        return UnitId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")
