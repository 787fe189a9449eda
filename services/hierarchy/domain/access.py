"""Who may do what where: grants over subtrees, and what they come to on a tree.

Kept pure, so that it can be compared with a model of a few lines on random trees.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.hierarchy.domain.errors import NotAllowed, UnitNotFound
from services.hierarchy.domain.model import Blueprint, Grant, TenantId, UnitId
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tree import Tree


@dataclass(frozen=True, slots=True)
class ScopedGrant:
    """A grant over a unit's subtree, or over the whole tenant (`unit_id` None)."""

    grant: Grant
    unit_id: UnitId | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, at one version of the tenant's header.

    Attributes:
        header: the tenant's, at least as new as the request.
        person: the person whose subject it is, if any.
        appointments: theirs, in force.
        grants: what they may do.
        valid_until: when an appointment begins or ends next, and the grants may change by
            themselves; None for never.
    """

    header: TenantHeader
    subject: str
    person: Person | None
    appointments: Sequence[Appointment]
    grants: Sequence[ScopedGrant]
    valid_until: datetime | None

    @classmethod
    def holding(
        cls,
        header: TenantHeader,
        subject: str,
        person: Person | None,
        appointments: Iterable[Appointment],
        now: datetime,
    ) -> Self:
        """Who somebody is by their appointments, of which some have ended or not begun."""
        known = sorted(appointments, key=lambda each: each.id)
        current = tuple(each for each in known if each.holds(now))
        edges = [edge for each in known for edge in (each.valid_from, each.valid_to) if edge]
        return cls(
            header,
            subject,
            person,
            current,
            grants_of(header.blueprint, current),
            min((edge for edge in edges if edge > now), default=None),
        )

    @property
    def tenant(self) -> TenantId:
        """Whose data they ask for."""
        return self.header.tenant

    def roots(self, capability: str) -> frozenset[UnitId] | None:
        """The units over whose subtrees they have a capability; None for the whole tenant.

        For anything but `view` only grants that are not narrowed count: what is narrowed to groups
        of some kind is no right over units, but such groups can be seen only where units can.
        """
        roots: set[UnitId] = set()
        for each in self.grants:
            narrowed = each.grant.categories or each.grant.group_kinds
            if each.grant.capability != capability or (narrowed and capability != "view"):
                continue
            if each.unit_id is None:
                return None
            roots.add(each.unit_id)
        return frozenset(roots)

    def require_somewhere(self, capability: str) -> None:
        """Raise `NotAllowed` unless they have the capability over anything at all."""
        if self.roots(capability) == frozenset():
            raise NotAllowed(capability)

    def require_everywhere(self, capability: str) -> None:
        """Raise `NotAllowed` unless they have the capability over the whole tenant."""
        if self.roots(capability) is not None:
            raise NotAllowed(capability)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a viewer has a capability on one tree: runs of positions, in order, apart.

    Laid over the tree of a past moment it says what was below their units then.
    """

    capability: str
    tree: Tree
    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, viewer: Viewer, capability: str, tree: Tree) -> Self:
        """The viewer's scope on a tree; empty when they have the capability nowhere on it."""
        roots = viewer.roots(capability)
        if roots is None:
            return cls(capability, tree, ((0, tree.unit_count),) if tree.unit_count else ())
        return cls(capability, tree, tuple(_merged(_subtrees(roots, tree))))

    @property
    def is_all(self) -> bool:
        """Whether it is the whole tree."""
        return self.unit_count == self.tree.unit_count

    @property
    def unit_count(self) -> int:
        """How many units it holds."""
        return sum(end - start for start, end in self.ranges)

    def __contains__(self, unit_id: object) -> bool:
        place = self.tree.forest.find(unit_id) if isinstance(unit_id, str) else None
        if place is None:
            return False
        # Whoever holds an office in each of a thousand units is asked about thousands.
        behind = bisect_right(self.ranges, place, key=_start)
        return behind > 0 and place < self.ranges[behind - 1][1]

    def rank(self, place: int) -> int:
        """How many of its units stand before a place: what lies outside is not counted."""
        return sum(min(place, end) - start for start, end in self.ranges if start < place)

    def place(self, rank: int) -> int:
        """The place of the unit that has so many before it; behind all when there are no more."""
        for start, end in self.ranges:
            if rank < end - start:
                return start + rank
            rank -= end - start
        return self.tree.unit_count

    def within(self, root: UnitId | None) -> Sequence[tuple[int, int]]:
        """The part of it in a unit's subtree, as runs of positions; all of it for None.

        Raises:
            UnitNotFound: the unit is not in the scope.
        """
        if root is None:
            return self.ranges
        self.require_seen(root)
        return (self.tree.forest.subtree(root),)

    def require_seen(self, unit_id: UnitId) -> None:
        """Raise `UnitNotFound` for what is not in the scope, whether it exists or not."""
        if unit_id not in self:
            raise UnitNotFound(unit_id)


def require_both(view: Scope, needed: Scope, unit_ids: Iterable[UnitId]) -> None:
    """What a write needs: the units are seen, and the capability is held over each.

    Raises:
        UnitNotFound: a unit is not seen.
        NotAllowed: it is seen, but the capability is not held there.
    """
    for unit_id in unit_ids:
        if unit_id not in needed:
            view.require_seen(unit_id)
            raise NotAllowed(needed.capability, unit_id)


def grants_of(
    blueprint: Blueprint | None, appointments: Iterable[Appointment]
) -> tuple[ScopedGrant, ...]:
    """What appointments in force give, each grant once, in their order.

    A position that the blueprint has no more gives nothing.
    """
    positions = {each.key: each for each in blueprint.positions} if blueprint else {}
    given = (
        ScopedGrant(grant, appointment.unit_id)
        for appointment in appointments
        if appointment.position in positions
        for grant in positions[appointment.position].grants
    )
    return tuple(dict.fromkeys(given))


def _subtrees(roots: Iterable[UnitId], tree: Tree) -> Iterator[tuple[int, int]]:
    for root in roots:
        if root in tree.forest:
            yield tree.forest.subtree(root)


def _start(run: tuple[int, int]) -> int:
    return run[0]


def _merged(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ranges in order, those inside others left out: subtrees are nested or apart."""
    last_end = 0
    for start, end in sorted(ranges, key=lambda each: (each[0], -each[1])):
        if start >= last_end:
            yield start, end
            last_end = end
