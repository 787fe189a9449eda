"""Units as they stand, kept in memory from one request to the next."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.records import UNITS_BY_ID
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import OrgGraph, Read

# A kilobyte each, names in two scripts included.
MAX_UNITS_KEPT = 200_000
# With more changes at once, what is asked for is better read again.
MAX_CHANGES = 5_000


@dataclass(slots=True)
class _Shelf:
    """What is kept of one tenant: units as they stood at a version, or later."""

    tree_version: int
    units: dict[UnitId, Unit] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def change(self, tree_version: int, units: Collection[Unit], gone: Collection[UnitId]) -> None:
        """Bring what is kept to a later version."""
        for unit_id in gone:
            self.units.pop(unit_id, None)
        for unit in units:
            kept = self.units.get(unit.id)
            # One that was read after the changes were may be newer than they are.
            if kept is not None and kept.revision < unit.revision:
                self.units[unit.id] = unit
        self.tree_version = max(self.tree_version, tree_version)


class StandingUnits:
    """Reads each unit once for each of its changes, however often it is asked for.

    What is kept is never older than the version of the tree that a request has read: then the
    changes since are asked of the graph, in one moment, so any number of processes agree at once.
    The tenants that were asked longest ago are forgotten when more than `max_units` are kept.
    """

    def __init__(self, graph: OrgGraph, max_units: int = MAX_UNITS_KEPT) -> None:
        self._graph = graph
        self._max_units = max_units
        self._shelves: OrderedDict[TenantId, _Shelf] = OrderedDict()

    async def get(
        self, header: TenantHeader, ids: Collection[UnitId]
    ) -> Read[Mapping[UnitId, Unit]]:
        """Those of these units that exist, at the header's version of the tree or a newer one."""
        shelf = await self._shelf(header)
        found = {each: shelf.units[each] for each in ids if each in shelf.units}
        version = shelf.tree_version
        missing = [each for each in ids if each not in found]
        if not missing:
            return Read(version, found)
        read = await self._graph.find(header.tenant, UNITS_BY_ID, missing)
        added = {UnitId(key): units[0] for key, units in read.value.items()}
        # Meanwhile the shelf may have come to a version that this read is older than.
        if read.tree_version >= shelf.tree_version:
            shelf.units |= added
            self._make_room()
        return Read(min(version, read.tree_version), found | added)

    async def _shelf(self, header: TenantHeader) -> _Shelf:
        tenant, version = header.tenant, header.tree_version
        shelf = self._shelves.setdefault(tenant, _Shelf(version))
        self._shelves.move_to_end(tenant)
        if shelf.tree_version < version:
            async with shelf.turn:
                if shelf.tree_version < version:
                    await self._renew(tenant, shelf, version)
        return shelf

    async def _renew(self, tenant: TenantId, shelf: _Shelf, version: int) -> None:
        since = shelf.tree_version
        changes = await self._graph.unit_changes(tenant, since=since, limit=MAX_CHANGES)
        if changes is None:
            shelf.units.clear()
            shelf.tree_version = version
        else:
            shelf.change(changes.tree_version, changes.units, changes.closed)

    def _make_room(self) -> None:
        held = sum(len(shelf.units) for shelf in self._shelves.values())
        while held > self._max_units:
            # In the end also the one that is in use, which its user goes on with.
            _, forgotten = self._shelves.popitem(last=False)
            held -= len(forgotten.units)
