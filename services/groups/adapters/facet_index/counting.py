"""Counts over many subtrees at once: sorted runs of ranks with running sums of members."""

from collections.abc import Sequence

import numpy as np

from services.groups.adapters.facet_index.order import Ints, TreeOrder
from services.groups.domain.answers import FacetCount, FlagCount, GroupCounts
from services.groups.domain.model import GroupFlag, GroupState


class CountedRun:
    """Some groups in order, so that those of a range and their members are differences."""

    def __init__(self, ranks: Ints, members: Ints) -> None:
        self._ranks = ranks
        self._sums = np.concatenate(([0], np.cumsum(members[ranks])))

    def within(self, starts: Ints, ends: Ints) -> tuple[list[int], list[int]]:
        """How many groups, and how many members, each of these ranges of ranks has."""
        first = np.searchsorted(self._ranks, starts)
        last = np.searchsorted(self._ranks, ends)
        groups: list[int] = (last - first).tolist()
        members: list[int] = (self._sums[last] - self._sums[first]).tolist()
        return groups, members


class Counts:
    """Counts of the groups that are not retired: of all, or of some ranks in order."""

    def __init__(self, order: TreeOrder, ranks: Ints | None = None) -> None:
        if ranks is None:
            ranks = np.arange(order.size, dtype=np.int64)
        live = ranks[order.states[ranks] != GroupState.RETIRED]
        register = order.register
        self._all = CountedRun(live, order.members)
        self._kinds = _runs(order.kinds, live, order.members, register.kinds)
        # The first category is the empty key of those that have none.
        self._categories = [
            run
            for run in _runs(order.categories, live, order.members, register.categories)
            if run[0]
        ]
        self._flags = [
            (flag, CountedRun(live[order.flags[live] & (1 << (flag - 1)) != 0], order.members))
            for flag in GroupFlag
        ]

    def within(self, starts: Ints, ends: Ints) -> Sequence[GroupCounts]:
        """The counts of each of these ranges of ranks."""
        groups, members = self._all.within(starts, ends)
        kinds = _facet(self._kinds, starts, ends)
        categories = _facet(self._categories, starts, ends)
        flags = [(flag, run.within(starts, ends)[0]) for flag, run in self._flags]
        return [
            GroupCounts(
                group_count=groups[index],
                member_count=members[index],
                by_kind=kinds[index],
                by_category=categories[index],
                by_flag=tuple(
                    FlagCount(flag, counts[index]) for flag, counts in flags if counts[index]
                ),
            )
            for index in range(len(starts))
        ]


def facet_counts(numbers: Ints, members: Ints, keys: Sequence[str]) -> tuple[FacetCount, ...]:
    """Groups and members by key, from each group's key number; by key, without the empty one."""
    groups = np.bincount(numbers, minlength=len(keys)).tolist()
    # Sums in double precision are exact to 2^53; 4 million groups of 2 million are under 2^43.
    sums = np.bincount(numbers, weights=members, minlength=len(keys)).tolist()
    found = [
        FacetCount(key, groups[number], int(sums[number]))
        for number, key in enumerate(keys)
        if key and groups[number]
    ]
    return tuple(sorted(found, key=lambda count: count.key))


def _runs(
    numbers: Ints, live: Ints, members: Ints, keys: Sequence[str]
) -> list[tuple[str, CountedRun]]:
    """A run for each key that a live group has, by key."""
    chosen = numbers[live]
    order = live[np.argsort(chosen.astype(np.uint16), kind="stable")]
    counts = np.bincount(chosen, minlength=len(keys))
    ends = np.cumsum(counts)
    runs = [
        (keys[number], CountedRun(order[ends[number] - counts[number] : ends[number]], members))
        for number in np.flatnonzero(counts).tolist()
    ]
    return sorted(runs, key=lambda run: run[0])


def _facet(
    runs: Sequence[tuple[str, CountedRun]], starts: Ints, ends: Ints
) -> list[tuple[FacetCount, ...]]:
    counted = [(key, *run.within(starts, ends)) for key, run in runs]
    return [
        tuple(
            FacetCount(key, groups[index], members[index])
            for key, groups, members in counted
            if groups[index]
        )
        for index in range(len(starts))
    ]
