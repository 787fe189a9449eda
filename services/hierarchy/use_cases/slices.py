"""Units as they stand, or as they stood at some time."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from services.hierarchy.domain.model import TenantId, Unit, UnitId, UnitKey
from services.hierarchy.domain.records import (
    PAST_UNITS_BY_ID,
    PAST_UNITS_BY_KEY,
    UNITS_BY_ID,
    UNITS_BY_KEY,
    Index,
    PastUnit,
    joined_key,
)
from services.hierarchy.ports import OrgGraph, Read


class Slice(NamedTuple):
    """A unit, and when it ceased to be so; None while it still is."""

    unit: Unit
    until: datetime | None = None


async def slices_by_id(
    graph: OrgGraph, tenant: TenantId, ids: Collection[UnitId], at: datetime | None
) -> Read[Mapping[UnitId, Slice]]:
    """What each of these units is, or was at an instant; those that are not there left out."""
    read = await _slices(graph, tenant, (UNITS_BY_ID, PAST_UNITS_BY_ID), ids, at)
    return Read(read.tree_version, {UnitId(key): each for key, each in read.value.items()})


async def slice_by_key(
    graph: OrgGraph, tenant: TenantId, key: UnitKey, at: datetime | None
) -> Read[Slice | None]:
    """The unit that has a level and code, or had them at an instant."""
    text = joined_key(*key)
    read = await _slices(graph, tenant, (UNITS_BY_KEY, PAST_UNITS_BY_KEY), [text], at)
    return Read(read.tree_version, read.value.get(text))


async def _slices(
    graph: OrgGraph,
    tenant: TenantId,
    indexes: tuple[Index[Unit], Index[PastUnit]],
    keys: Collection[str],
    at: datetime | None,
) -> Read[Mapping[str, Slice]]:
    standing, past = indexes
    read = await graph.find(tenant, standing, keys, at=at)
    found = {key: Slice(units[0]) for key, units in read.value.items()}
    if at is None or found.keys() >= set(keys):
        return Read(read.tree_version, found)
    # In this order: what ends between the two reads is found by one of them.
    ended = await graph.find(tenant, past, set(keys) - found.keys(), at=at)
    found |= {key: Slice(each[0].unit, each[0].until) for key, each in ended.value.items()}
    return Read(read.tree_version, found)
