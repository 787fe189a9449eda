"""Facets as bitmaps of ranks, and the algebra of audiences over them."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from pyroaring import BitMap

from services.groups.adapters.facet_index.order import Ints, TreeOrder
from services.groups.domain.answers import GroupFilter
from services.groups.domain.audience import Audience, AudienceTerm, Exclusion, ExclusionReason
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import GroupFlag, GroupState

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Selected:
    """The ranks that get a message, and how many are left out for which reason."""

    ranks: Ints
    exclusions: tuple[Exclusion, ...]


class Facets:
    """Which ranks have which kind, category, state and flag.

    Attributes:
        kinds: ranks by kind.
        categories: ranks by category; the empty key for those without.
        states: ranks by state.
        flags: ranks by flag.
    """

    def __init__(self, order: TreeOrder) -> None:
        self._order = order
        self.kinds = _by_key(order.kinds, order.register.kinds)
        self.categories = _by_key(order.categories, order.register.categories)
        self.states = {state: _where(order.states == state) for state in GroupState}
        self.flags = {flag: _where(order.flags & (1 << (flag - 1)) != 0) for flag in GroupFlag}

    def select(self, audience: Audience, blueprint: Blueprint, seen: BitMap | None) -> Selected:
        """The ranks that a valid audience means, as if there were only those that are seen."""
        left = _union(map(self._matched, audience.include))
        left -= _union(map(self._matched, audience.exclude))
        if seen is not None:
            left &= seen
        exclusions: list[Exclusion] = []
        for reason, out in (
            (ExclusionReason.RETIRED, self.states[GroupState.RETIRED]),
            (ExclusionReason.PLANNED, self.states[GroupState.PLANNED]),
            (ExclusionReason.ORPHANED, self.flags[GroupFlag.ORPHANED]),
            (ExclusionReason.INCOMPLETE, self._incomplete(audience, blueprint)),
        ):
            left_out = left & out
            if left_out:
                exclusions.append(Exclusion(reason, len(left_out)))
                left -= left_out
        return Selected(ranks_of(left), tuple(exclusions))

    def narrowed(self, narrow: GroupFilter, seen: BitMap | None) -> Ints | None:
        """The ranks that are seen and the filter's facets select; None when nothing narrows."""
        wanted = [
            *([] if seen is None else [seen]),
            *([_any(narrow.kinds, self.kinds)] if narrow.kinds else ()),
            *([_any(narrow.categories, self.categories)] if narrow.categories else ()),
            *([_any(narrow.states, self.states)] if narrow.states else ()),
            *([_any(narrow.flags, self.flags)] if narrow.flags else ()),
        ]
        if not wanted:
            return None
        return ranks_of(BitMap.intersection(*wanted))

    def matched(self, ranks: BitMap, kinds: Sequence[str], categories: Sequence[str]) -> BitMap:
        """The ranks, a bitmap of the caller's own, without those of other kinds or categories."""
        if kinds:
            ranks &= _any(kinds, self.kinds)
        if categories:
            ranks &= _any(categories, self.categories)
        return ranks

    def _matched(self, term: AudienceTerm) -> BitMap:
        """The ranks that a term's facets match."""
        if term.unit_ids:
            matched = BitMap()
            for unit_id in term.unit_ids:
                ranks = self._order.subtree(unit_id)
                if ranks is not None:
                    matched.add_range(*ranks)
        else:
            matched = BitMap(range(self._order.size))
        return self.matched(matched, term.kinds, term.categories)

    def _incomplete(self, audience: Audience, blueprint: Blueprint) -> BitMap:
        """The incomplete groups that get nothing by this rule: see `ExclusionReason`."""
        plain = _union(self._matched(term) for term in audience.include if not term.categories)
        plain &= _union(
            ranks for kind, ranks in self.kinds.items() if blueprint.kinds.get(kind) is False
        )
        return self.flags[GroupFlag.INCOMPLETE] - plain


def _by_key(numbers: Ints, keys: Sequence[str]) -> dict[str, BitMap]:
    """Ranks by key, from the key's number at each rank; only keys that occur."""
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    counts = np.bincount(numbers, minlength=len(keys))
    ends = np.cumsum(counts)
    return {
        keys[number]: _bitmap(order[ends[number] - counts[number] : ends[number]])
        for number in np.flatnonzero(counts).tolist()
    }


def _where(mask: np.ndarray) -> BitMap:
    return _bitmap(np.flatnonzero(mask))


def _bitmap(ranks: Ints) -> BitMap:
    # From array: 85 us for 17,000 ranks, where a numpy array takes 670.
    return BitMap(array("I", ranks.astype(np.uint32).tobytes()))


def _any(keys: Iterable[K], facet: Mapping[K, BitMap]) -> BitMap:
    """The ranks that have any of the keys; a key that nobody has adds none."""
    return _union(facet[key] for key in keys if key in facet)


def _union(bitmaps: Iterable[BitMap]) -> BitMap:
    united = BitMap()
    for each in bitmaps:
        united |= each
    return united


def ranks_of(bitmap: BitMap) -> Ints:
    """The ranks of a bitmap, in order."""
    return np.frombuffer(bitmap.to_array(), dtype=np.uint32).astype(np.int64)
