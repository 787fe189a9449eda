"""Who may do what with which groups: grants over subtrees, and what they come to on one tree.

Kept pure, so that it can be compared with a model of a few lines on random trees.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from services.groups.domain.model import UnitId


@dataclass(frozen=True, slots=True)
class ScopedGrant:
    """A capability over a unit's subtree, or over the whole tenant (`unit_id` None).

    It is about groups of any of the kinds and any of the categories; an empty tuple does not
    narrow. A group without a category is in none.
    """

    capability: str
    unit_id: UnitId | None
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Granted:
    """What somebody's appointments give them, at one version of the tenant's access rights."""

    access_version: int
    grants: tuple[ScopedGrant, ...]


class Positions(Protocol):
    """What a scope asks of a tree: where its units stand in pre-order."""

    @property
    def unit_count(self) -> int:
        """How many units there are: positions are 0 … unit_count-1."""
        ...

    def subtree(self, unit_id: UnitId) -> tuple[int, int] | None:
        """From a unit's position up to, but not with, its subtree's end; None for no such unit."""
        ...


class Part(NamedTuple):
    """Groups of units at positions from `start` up to but not with `end`, of these facets.

    Groups whose unit the tree does not have stand one past its last position.
    """

    start: int
    end: int
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def holds(self, kind: str, category: str) -> bool:
        """Whether a group of that kind and category is meant, wherever it is."""
        in_kinds = not self.kinds or kind in self.kinds
        return in_kinds and (not self.categories or category in self.categories)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where on one tree somebody has a capability, and over which groups there.

    Whoever has it over some groups of a unit sees the unit.

    Attributes:
        parts: what is in it, in order; a group is in it when any part holds it.
        runs: the positions of its units, in order and apart.
    """

    parts: tuple[Part, ...]
    runs: tuple[tuple[int, int], ...]

    @classmethod
    def of(
        cls, grants: Iterable[ScopedGrant], capabilities: Collection[str], tree: Positions
    ) -> Self:
        """Where these grants give any of the capabilities; empty for nowhere on the tree."""
        given = (each for each in grants if each.capability in capabilities)
        parts = sorted({*_parts(given, tree)})
        return cls(tuple(parts), tuple(_merged(parts)))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def has_unit(self, position: int) -> bool:
        """Whether the unit at this position is seen."""
        before = bisect_right(self.runs, position, key=_start) - 1
        return before >= 0 and position < self.runs[before][1]

    def has_group(self, position: int, kind: str, category: str) -> bool:
        """Whether a group of that kind and category, in the unit at this position, is in it."""
        return any(
            part.start <= position < part.end and part.holds(kind, category) for part in self.parts
        )


def _parts(grants: Iterable[ScopedGrant], tree: Positions) -> Iterator[Part]:
    for each in grants:
        if each.unit_id is None:
            bounds: tuple[int, int] | None = (0, tree.unit_count + 1)
        else:
            bounds = tree.subtree(each.unit_id)
        if bounds is not None:
            yield Part(*bounds, tuple(sorted(each.kinds)), tuple(sorted(each.categories)))


def _merged(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """The runs of positions, those inside others left out: subtrees are nested or apart."""
    last_end = 0
    for start, end in sorted({part[:2] for part in parts}, key=lambda run: (run[0], -run[1])):
        if start >= last_end:
            yield start, end
            last_end = end


def _start(run: tuple[int, int]) -> int:
    return run[0]
