"""Looks up how positions are held, for a blueprint that would change them."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.hierarchy.domain.blueprints import Holders, Holding, Narrowing, narrowings
from services.hierarchy.domain.model import Blueprint, TenantId, UnitId
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_PERSON,
    APPOINTMENTS_BY_UNIT,
    UNITS_BY_ID,
)
from services.hierarchy.domain.teams import Watch
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tenures import is_open
from services.hierarchy.domain.watch_changes import desks, is_monitor
from services.hierarchy.ports import OrgGraph

# So many units are asked about at a time: with their appointments, some megabytes.
_UNITS_AT_A_TIME = 1_000
# A tenant has some dozens, and some thousands that ended.
_WATCHES_AT_A_TIME = 1_000


async def look_up_holders(
    graph: OrgGraph, tenant: TenantId, draft: Blueprint, at: datetime
) -> Holders:
    """How the positions are held that a draft changes.

    What is read is newer than the settled header: where its versions and counts still stand when
    the draft is decided, nothing has come between.
    """
    header = await graph.settled_header(tenant)
    old = header.blueprint
    if old is None or old.positions == draft.positions:
        return Holders(header.access_version, {}, header.counts.watches)
    look = _Look(graph, header, at)
    taken = narrowings(old, draft)
    counts = await look.counts()
    held = {key: await look.holding(key, counts[key], taken.get(key)) for key in counts}
    if any(each.no_monitor for each in taken.values()):
        for key, count in (await look.watch_counts(old, draft)).items():
            held[key] = replace(held.get(key, Holding()), watch_count=count)
    return Holders(header.access_version, held, header.counts.watches)


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

    async def watch_counts(self, old: Blueprint, draft: Blueprint) -> Mapping[str, int]:
        """How many watches each position holds up: their monitors would be none without it."""
        counts: Counter[str] = Counter()
        async for run in self._open_watches():
            persons = {each.person_id for each in run}
            found = await self.graph.find(self.header.tenant, APPOINTMENTS_BY_PERSON, persons)
            for watch in run:
                held, begins = found.value.get(watch.person_id, ()), max(self.at, watch.valid_from)
                if not is_monitor(draft, held, begins):
                    counts.update(desks(old, held, begins))
        return counts

    async def _open_watches(self) -> AsyncIterator[Sequence[Watch]]:
        after = ""
        while run := await self.graph.page(
            self.header.tenant, Watch, after=after, limit=_WATCHES_AT_A_TIME
        ):
            yield [each for each in run if is_open(each, self.at)]
            after = run[-1].id

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
