"""The tree of units: each with its relatives, its people and its past."""

from datetime import datetime
from typing import Annotated

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.graph.ids import decode_id, encode_id
from gateway.graph.node import Node
from gateway.graph.pages import After, First, page_request
from gateway.graph.scalars import instant, optional_instant, optional_moment
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.areas import Area
from gateway.subgraphs.hierarchy.arguments import USUAL_LIST, FirstOfList, WithEnded, first_of
from gateway.subgraphs.hierarchy.history import UnitHistoryConnection, page_of_history
from gateway.subgraphs.hierarchy.links import unit_of
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.people import AppointmentList
from gateway.subgraphs.hierarchy.teams import Team
from gateway.subgraphs.hierarchy.texts import Place, localized, place_of
from gateway.subgraphs.hierarchy.unit_pages import UnitConnection
from gateway.subgraphs.hierarchy.watches import WatchLine

field, argument = strawberry.field, strawberry.argument
# Counted so many: a unit lies in a handful of areas, those of its ancestors included, and has a
# handful of teams, though it may have a hundred.
_AREAS = 16
_TEAMS = 10


@strawberry.federation.type(
    keys=["id"],
    description="A node of the tree. One that was read as of an instant gives everything of the"
    " tree and its people as of that instant.",
)
class Unit(Node):
    """A unit; its home is here, and other subgraphs add fields to it."""

    uuid: strawberry.Private[str]
    parent_uuid: strawberry.Private[str]
    as_of: strawberry.Private[datetime | None]
    level: str = field(description="Key of its level.")
    code: str = field(description="Short code, unique within the tenant and level.")
    name: LocalizedText = field(description="Its name.")
    place: Place | None = field(description="Where it lies, if that is known.")
    child_count: int = field(description="How many children it has.")
    subtree_count: int = field(description="How many units its subtree has, itself included.")
    valid_from: datetime = field(description="When it came into being.")
    since: datetime = field(description="When it became what it is here.")
    valid_to: datetime | None = field(
        description="When it ceased to be so; null while it still is."
    )
    etag: str = field(description="Changes whenever the unit does; pass it with a change of it.")

    @resolver("The unit above; null at a root, and at the highest that the caller sees.")
    async def parent(self, info: Info) -> "Unit | None":
        """The parent, by batch."""
        return await unit_of(info, self.parent_uuid, self.as_of)

    @resolver("The units above, nearest first; empty at a root.", directives=list_of(15))
    async def ancestors(self, info: Info) -> list["Unit"]:
        """The ancestors, by batch."""
        found = await info.context.room(HierarchyRoom).ancestors(self.as_of).load(self.uuid)
        return [Unit.from_proto(each, self.as_of) for each in found.units]

    @resolver("The first page of its children, by code. For more: `units(parentId:)`.")
    async def children(self, info: Info, first: First = 100) -> UnitConnection:
        """The children, by batch."""
        request = page_request(first, None, default=100)
        children = info.context.room(HierarchyRoom).children(request.page_size, self.as_of)
        reply = await children.load(self.uuid)
        return UnitConnection.from_proto(request, reply, self.as_of)

    @resolver(
        "The areas in which it or a unit above it lies, by kind and code.",
        directives=list_of(_AREAS),
    )
    async def areas(self, info: Info) -> list[Area]:
        """Its areas, by batch."""
        found = await info.context.room(HierarchyRoom).areas(self.as_of).load(self.uuid)
        return [Area.from_proto(each) for each in found.areas]

    @resolver("Who holds which position in it, by position as in the blueprint.")
    async def appointments(
        self,
        info: Info,
        first: FirstOfList = USUAL_LIST,
        positions: Annotated[
            list[str] | None, argument(description="To these positions; none for all.")
        ] = strawberry.UNSET,
        as_of: Annotated[
            datetime | None,
            argument(description="In force at this instant; null for the unit's own moment."),
        ] = strawberry.UNSET,
        with_ended: WithEnded = False,
    ) -> AppointmentList | None:
        """Its appointments, by batch."""
        at = optional_moment(as_of, "asOf") or self.as_of
        loader = info.context.room(HierarchyRoom).unit_appointments(
            positions or (), at, with_ended=bool(with_ended)
        )
        most = first_of(first)
        return AppointmentList.from_proto(await loader.load(self.uuid), most, at)

    @resolver("Its teams, by kind as in the blueprint.", directives=list_of(_TEAMS))
    async def teams(self, info: Info) -> list[Team] | None:
        """Its teams, by batch."""
        found = await info.context.room(HierarchyRoom).teams(self.as_of).load(self.uuid)
        return [Team.from_proto(each, self.as_of) for each in found.teams]

    @resolver("Who watches it, and the line above them up to the centre.")
    async def watch_line(self, info: Info) -> WatchLine | None:
        """Its line of watch, by batch."""
        found = await info.context.room(HierarchyRoom).watch_lines(self.as_of).load(self.uuid)
        return WatchLine.from_proto(found, self.as_of)

    @resolver("What it was, newest first. Of one unit in one operation.")
    async def history(
        self, info: Info, first: First = 100, after: After = strawberry.UNSET
    ) -> UnitHistoryConnection | None:
        """A page of its past."""
        return await page_of_history(info, self.uuid, first, after)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Unit | None":  # noqa: A002
        """The whole unit for a stub of another subgraph, by batch."""
        return await unit_of(info, decode_id(id, "Unit", "id"))

    @classmethod
    def from_proto(cls, message: pb.Unit, as_of: datetime | None = None) -> "Unit":
        """The unit on the wire as the graph shows it, as of when it was read."""
        return cls(
            id=encode_id("Unit", message.id),
            uuid=message.id,
            parent_uuid=message.parent_id,
            as_of=as_of,
            level=message.level,
            code=message.code,
            name=localized(message.names),
            place=place_of(message),
            child_count=message.child_count,
            subtree_count=message.subtree_count,
            valid_from=instant(message.valid_from),
            since=instant(message.since),
            valid_to=optional_instant(message.valid_to, given=message.HasField("valid_to")),
            etag=message.etag,
        )
