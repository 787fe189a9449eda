"""`AudienceIndex` over numpy arrays and roaring bitmaps, for whoever sees all or some of it."""

from collections.abc import Sequence

import numpy as np
from pyroaring import BitMap

from services.groups.adapters.facet_index.counting import CountedRun, Counts, facet_counts
from services.groups.adapters.facet_index.facets import Facets
from services.groups.adapters.facet_index.order import Ints, TreeOrder
from services.groups.adapters.facet_index.seen import Seen
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

_ID_BYTES = 16


class Answers:
    """Answers from the groups and units that somebody sees; all of them when `seen` is None."""

    def __init__(self, order: TreeOrder, facets: Facets, counts: Counts, seen: Seen | None) -> None:
        self._order = order
        self._register = order.register
        self._tree = order.tree
        self._facets = facets
        self._all_counts = counts
        self._seen = seen
        self._levels: Ints = np.frombuffer(self._tree.level_numbers, dtype="<i4").astype(np.int64)

    def preview(self, audience: Audience, blueprint: Blueprint, split_level: str) -> Preview:
        selected = self._facets.select(audience, blueprint, self._ranks)
        ranks = selected.ranks
        members = self._order.members[ranks]
        register = self._register
        return Preview(
            group_count=len(ranks),
            member_count=int(members.sum()),
            exclusions=selected.exclusions,
            by_unit=self._by_unit(ranks, split_level),
            by_kind=facet_counts(self._order.kinds[ranks], members, register.kinds),
            by_category=facet_counts(self._order.categories[ranks], members, register.categories),
        )

    def resolve(self, audience: Audience, blueprint: Blueprint) -> Resolved:
        selected = self._facets.select(audience, blueprint, self._ranks)
        return Resolved(
            group_ids=self._order.ids(selected.ranks),
            exclusions=selected.exclusions,
            levels=self._tree.levels,
            frame=self._frame(selected.ranks),
        )

    def counts(self, unit_ids: Sequence[UnitId]) -> Sequence[GroupCounts | None]:
        ranges = [self._subtree(unit_id) for unit_id in unit_ids]
        bounds = np.array([each or (0, 0) for each in ranges], dtype=np.int64).reshape(-1, 2)
        counts = self._counts_for(ranges).within(bounds[:, 0], bounds[:, 1])
        return [None if each is None else count for each, count in zip(ranges, counts, strict=True)]

    def pages(
        self, narrow: GroupFilter, unit_ids: Sequence[UnitId | None], after: Place | None, size: int
    ) -> Sequence[Page | None]:
        chosen = self._facets.narrowed(narrow, self._ranks)
        if chosen is None:
            chosen = np.arange(self._order.size, dtype=np.int64)
        first = 0 if after is None else self._order.rank_after(after)
        return [
            None if ranks is None else self._page(chosen, ranks, first, size)
            for ranks in (self._ranks_of(unit_id, narrow) for unit_id in unit_ids)
        ]

    @property
    def _ranks(self) -> BitMap | None:
        return self._seen.ranks if self._seen else None

    def _sees(self, unit_id: UnitId) -> bool:
        return self._seen is None or self._seen.has_unit(unit_id)

    def _subtree(self, unit_id: UnitId) -> tuple[int, int] | None:
        return self._order.subtree(unit_id) if self._sees(unit_id) else None

    def _ranks_of(self, unit_id: UnitId | None, narrow: GroupFilter) -> tuple[int, int] | None:
        if unit_id is None:
            return 0, self._order.size
        if narrow.own_only:
            return self._order.own(unit_id) if self._sees(unit_id) else None
        return self._subtree(unit_id)

    def _counts_for(self, ranges: Sequence[tuple[int, int] | None]) -> Counts:
        """Those of everything will do where all groups are seen."""
        seen = self._seen
        if seen is None or all(ranks is None or seen.has_all(ranks) for ranks in ranges):
            return self._all_counts
        return seen.counts

    def _page(self, chosen: Ints, ranks: tuple[int, int], first: int, size: int) -> Page:
        low, start, high = np.searchsorted(chosen, [ranks[0], max(first, ranks[0]), ranks[1]])
        end = min(int(start) + size, int(high))
        return Page(
            ordinals=self._order.ordinals[chosen[start:end]].tolist(),
            has_more=end < high,
            total_count=int(high - low),
        )

    def _by_unit(self, ranks: Ints, split_level: str) -> tuple[UnitCount, ...]:
        if not split_level:
            return ()
        at_level = self._levels == self._tree.levels.index(split_level)
        positions = np.flatnonzero(at_level & self._seen.units if self._seen else at_level)
        # Ranks stand for themselves here: a run over the targets alone.
        run = CountedRun(ranks, self._order.members)
        groups, members = run.within(*self._order.subtrees(positions))
        return tuple(
            UnitCount(self._unit_id(position), group_count, member_count)
            for position, group_count, member_count in zip(
                positions.tolist(), groups, members, strict=True
            )
            if group_count
        )

    def _frame(self, ranks: Ints) -> Frame:
        lows, highs = self._order.subtrees(np.arange(len(self._levels), dtype=np.int64))
        starts, ends = np.searchsorted(ranks, lows), np.searchsorted(ranks, highs)
        has_targets = ends > starts
        kept = np.flatnonzero(has_targets & self._seen.units if self._seen else has_targets)
        # Where each unit stands in the frame; a kept unit's parent is kept too, if it is seen. The
        # spare last place is what a root's -1 points to.
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
