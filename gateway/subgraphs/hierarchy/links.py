"""The way back to units from what units are made of: people, teams, watches, pages, history."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Info
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from kit.errors import NotFound

if TYPE_CHECKING:
    from gateway.subgraphs.hierarchy.units import Unit

UnitType = Annotated["Unit", strawberry.lazy("gateway.subgraphs.hierarchy.units")]
"""A unit, as the type of a field of something that units are made of."""


async def unit_of(info: Info, uuid: str, as_of: datetime | None = None) -> "Unit | None":
    """The unit of an id as it stood, by batch; None where the caller sees none."""
    if not uuid:
        return None
    try:
        found = await info.context.room(HierarchyRoom).units(as_of).load(uuid)
    except NotFound:
        return None
    return unit_from_proto(found, as_of)


def unit_from_proto(message: pb.Unit, as_of: datetime | None = None) -> "Unit":
    """The unit on the wire as the graph shows it, as of when it was read."""
    return _unit_type().from_proto(message, as_of)


@cache
def _unit_type() -> "type[Unit]":
    # Not above: that module is made of those which link back to it.
    from gateway.subgraphs.hierarchy.units import Unit  # noqa: PLC0415

    return Unit
