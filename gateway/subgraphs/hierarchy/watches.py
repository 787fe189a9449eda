"""Who watches what: watches, and the line from a unit to the centre."""

from datetime import datetime
from typing import Self

import strawberry
from chaupal.hierarchy.v1 import people_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.graph.ids import encode_id
from gateway.graph.pages import Page, PageInfo, PageRequest, cut_page
from gateway.graph.scalars import instant, optional_instant
from gateway.subgraphs.hierarchy.links import UnitType, unit_of
from gateway.subgraphs.hierarchy.people import Appointment, Person, person_of

field = strawberry.field
# A unit's watch and its cover, and the few who hold an office of the line.
_WATCHES = 8
_OFFICES = 16


@strawberry.type(description="A monitor answering for a unit's subtree.")
class Watch:
    """One watch."""

    unit_uuid: strawberry.Private[str]
    person_uuid: strawberry.Private[str]
    as_of: strawberry.Private[datetime | None]
    id: strawberry.ID = field(description="Opaque and stable.")
    covers_watch_id: strawberry.ID | None = field(
        description="The watch that this one covers for, while its monitor is absent."
    )
    valid_from: datetime = field(description="From when.")
    valid_to: datetime | None = field(
        description="Until when, not included; null for one without an end."
    )

    @resolver("The monitor; null when out of the caller's sight.")
    async def person(self, info: Info) -> Person | None:
        """The person, by batch."""
        return await person_of(info, self.person_uuid)

    @resolver("The unit whose subtree is watched; null when it is no more, or out of sight.")
    async def unit(self, info: Info) -> UnitType | None:
        """The unit as of when the watch was read, by batch."""
        return await unit_of(info, self.unit_uuid, self.as_of)

    @classmethod
    def from_proto(cls, message: pb.Watch, as_of: datetime | None = None) -> Self:
        """The watch on the wire as the graph shows it, as of when it was read."""
        covers = message.covers_watch_id
        return cls(
            unit_uuid=message.unit_id,
            person_uuid=message.person_id,
            as_of=as_of,
            id=encode_id("Watch", message.id),
            covers_watch_id=encode_id("Watch", covers) if covers else None,
            valid_from=instant(message.valid_from),
            valid_to=optional_instant(message.valid_to, given=message.HasField("valid_to")),
        )


@strawberry.type(description="Who answers for a unit, from the monitor's desk to the centre.")
class WatchLine:
    """The line above a unit."""

    centre_uuid: strawberry.Private[str]
    as_of: strawberry.Private[datetime | None]
    watches: list[Watch] = field(
        description="Watches of the unit or its nearest watched ancestor, a cover before what it"
        " covers; empty when nobody watches it.",
        directives=list_of(_WATCHES),
    )
    convenors: list[Appointment] = field(
        description="Convenors of the units in which the monitors are appointed.",
        directives=list_of(_OFFICES),
    )
    centre_heads: list[Appointment] = field(
        description="Heads of the centre.", directives=list_of(_OFFICES)
    )

    @resolver("The centre; null without one, and when out of the caller's sight.")
    async def centre(self, info: Info) -> UnitType | None:
        """The unit of the centre, by batch."""
        return await unit_of(info, self.centre_uuid, self.as_of)

    @classmethod
    def from_proto(cls, message: pb.WatchLine, as_of: datetime | None) -> Self:
        """The line on the wire as the graph shows it, as of when it was read."""
        return cls(
            centre_uuid=message.centre_unit_id,
            as_of=as_of,
            watches=[Watch.from_proto(each, as_of) for each in message.watches],
            convenors=[Appointment.from_proto(each, as_of) for each in message.convenors],
            centre_heads=[Appointment.from_proto(each, as_of) for each in message.centre_heads],
        )


@strawberry.type(description="A watch in a connection.")
class WatchEdge:
    """A watch and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Watch = field(description="The watch.")


@strawberry.type(description="A page of watches.")
class WatchConnection:
    """Watches of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Watch]]

    @resolver("The watches with their cursors.")
    def edges(self) -> list[WatchEdge]:
        """Each watch with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [WatchEdge(cursor=cursor, node=watch) for cursor, watch in pairs]

    @resolver("The watches.")
    def nodes(self) -> list[Watch]:
        """The watches alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(
        cls, request: PageRequest, message: pb.ListWatchesResponse, as_of: datetime | None
    ) -> Self:
        """The page on the wire as the graph shows it, as of when it was read."""
        found = [Watch.from_proto(each, as_of) for each in message.watches]
        return cls(page=cut_page(request, found, message.next_page_token))
