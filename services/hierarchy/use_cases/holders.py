"""Looks up how positions are held, for a blueprint that would change them."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.hierarchy.domain.blueprints import Holders, Holding, Narrowing, narrowings
from services.hierarchy.domain.model import Blueprint, TenantId, UnitId
from services.hierarchy.domain.records import APPOINTMENTS_BY_UNIT, UNITS_BY_ID
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import OrgGraph

# So many units are asked about at a time: with their appointments, some megabytes.
_UNITS_AT_A_TIME = 1_000


async def look_up_holders(
    graph: OrgGraph, tenant: TenantId, draft: Blueprint, at: datetime
) -> Holders:
    """How the positions are held that a draft changes.

    What is read is newer than the settled header: where the access version is still that one's
    when the draft is decided, nothing has come between.
    """
    header = await graph.settled_header(tenant)
    old = header.blueprint
    if old is None or old.positions == draft.positions:
        return Holders(header.access_version, {})
    look = _Look(graph, header, at)
    taken = narrowings(old, draft)
    counts = await look.counts()
    held = {key: await look.holding(key, counts[key], taken.get(key)) for key in counts}
    return Holders(header.access_version, held)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is asked of one tenant's appointments in force at one instant."""

    graph: OrgGraph
    header: TenantHeader
    at: datetime

    async def counts(self) -> Mapping[str, int]:
        """How many appointments there are to each position that is held."""
        tallies = await self.graph.tally(
            self.header.tenant, units=None, at=self.at, verified_since=self.at
        )
        counts: Counter[str] = Counter()
        for tally in tallies:
            counts[tally.position] += tally.count
        return counts

    async def holding(self, position: str, count: int, taken: Narrowing | None) -> Holding:
        """How a position is held, as far as it matters to what is taken from it."""
        lost_levels = taken.lost_levels if taken else ()
        wants_levels = any(level in self.header.used_levels for level in lost_levels)
        wants_most = taken is not None and taken.fewer_seats
        if not wants_levels and not wants_most:
            return Holding(count)
        unit_ids = await self.graph.units_with(self.header.tenant, position, self.at)
        unit_counts = await self._unit_counts(unit_ids) if wants_levels else {}
        # One each, unless there are more of them than units.
        alone = not wants_most or count <= len(unit_ids)
        return Holding(count, unit_counts, 1 if alone else await self._most(position, unit_ids))

    async def _unit_counts(self, unit_ids: Collection[UnitId]) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for some in _runs(unit_ids):
            found = await self.graph.find(self.header.tenant, UNITS_BY_ID, some)
            counts.update(unit.level for units in found.value.values() for unit in units)
        return counts

    async def _most(self, position: str, unit_ids: Collection[UnitId]) -> int:
        most = 0
        for some in _runs(unit_ids):
            found = await self.graph.find(
                self.header.tenant, APPOINTMENTS_BY_UNIT, some, at=self.at
            )
            for appointments in found.value.values():
                most = max(most, sum(each.position == position for each in appointments))
        return most


def _runs(unit_ids: Collection[UnitId]) -> Iterator[Sequence[UnitId]]:
    ordered = sorted(unit_ids)
    for start in range(0, len(ordered), _UNITS_AT_A_TIME):
        yield ordered[start : start + _UNITS_AT_A_TIME]
