"""What a unit was, from when to when."""

import asyncio
from datetime import datetime
from typing import Self

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.graph.ids import encode_id
from gateway.graph.pages import Page, PageInfo, PageRequest, cut_page, page_request, read_page
from gateway.graph.scalars import instant, optional_instant
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.links import UnitType, unit_of
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.texts import Place, localized, place_of

field = strawberry.field
# As many as one split makes.
_SUCCESSORS = 1_000


@strawberry.type(description="A unit as it was, or would be, for some time.")
class UnitVersion:
    """One slice of a unit's life."""

    parent_uuid: strawberry.Private[str]
    unit_id: strawberry.ID | None = field(
        description="The unit's id; null for one that would only be created."
    )
    level: str = field(description="Key of its level.")
    code: str = field(description="Its code.")
    name: LocalizedText = field(description="Its name.")
    place: Place | None = field(description="Where it lay, if that is known.")
    parent_id: strawberry.ID | None = field(description="The unit above; null at a root.")
    since: datetime = field(description="When it became so.")
    valid_to: datetime | None = field(
        description="When it ceased to be so; null while it still is."
    )

    @resolver("The unit above as it is now; null at a root, and when that one is no more.")
    async def parent(self, info: Info) -> UnitType | None:
        """The parent, by batch."""
        return await unit_of(info, self.parent_uuid)

    @classmethod
    def from_proto(cls, message: pb.Unit) -> Self:
        """The unit on the wire as the graph shows its past."""
        return cls(
            parent_uuid=message.parent_id,
            unit_id=encode_id("Unit", message.id) if message.id else None,
            level=message.level,
            code=message.code,
            name=localized(message.names),
            place=place_of(message),
            parent_id=encode_id("Unit", message.parent_id) if message.parent_id else None,
            since=instant(message.since),
            valid_to=optional_instant(message.valid_to, given=message.HasField("valid_to")),
        )


@strawberry.type(description="A slice of a unit's life in a connection.")
class UnitVersionEdge:
    """A slice and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: UnitVersion = field(description="The slice.")


@strawberry.type(description="A page of what a unit was, newest first.")
class UnitHistoryConnection:
    """Slices of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[UnitVersion]]
    successor_uuids: strawberry.Private[tuple[str, ...]]

    @resolver("The slices with their cursors.")
    def edges(self) -> list[UnitVersionEdge]:
        """Each slice with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [UnitVersionEdge(cursor=cursor, node=version) for cursor, version in pairs]

    @resolver("The slices.")
    def nodes(self) -> list[UnitVersion]:
        """The slices alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @resolver(
        "The units that took over when it was merged or split, as far as they still are.",
        directives=list_of(_SUCCESSORS),
    )
    async def successors(self, info: Info) -> list[UnitType]:
        """The units that took over, by batch."""
        found = await asyncio.gather(*(unit_of(info, each) for each in self.successor_uuids))
        return [each for each in found if each]

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.ListUnitHistoryResponse) -> Self:
        """The page on the wire as the graph shows it."""
        versions = [UnitVersion.from_proto(each) for each in message.versions]
        return cls(
            page=cut_page(request, versions, message.next_page_token),
            successor_uuids=tuple(message.successor_ids),
        )


async def page_of_history(
    info: Info, uuid: str, first: int | None, after: str | None
) -> UnitHistoryConnection:
    """A page of a unit's history. Raises as the room's `history`."""
    room = info.context.room(HierarchyRoom)
    request, reply = await read_page(
        page_request(first, after, default=100),
        lambda page: room.history(
            pb.ListUnitHistoryRequest(
                unit_id=uuid, page_size=page.page_size, page_token=page.page_token
            )
        ),
        lambda reply: reply.versions,
    )
    return UnitHistoryConnection.from_proto(request, reply)
