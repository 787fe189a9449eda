"""Messaging's types: broadcasts and their deliveries."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from chaupal.messaging.v1 import messaging_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import MENTION, list_of, numbers, resolver
from gateway.graph.ids import decode_id, encode_id, optional_id
from gateway.graph.node import Node
from gateway.graph.pages import (
    After,
    First,
    Page,
    PageInfo,
    PageRequest,
    cut_page,
    page_request,
    read_page,
)
from gateway.graph.scalars import instant, optional_instant
from gateway.graph.text import Translation, translations
from gateway.subgraphs.messaging.enums import BroadcastState, DeliveryState
from gateway.subgraphs.messaging.loaders import MessagingRoom
from gateway.subgraphs.messaging.progress import BroadcastProgress
from kit.errors import NotFound

field, argument = strawberry.field, strawberry.argument
SplitLevel = Annotated[
    str | None, argument(description="Key of the level to split by; none for no split.")
]
WithinUnitId = Annotated[
    strawberry.ID | None, argument(description="Only units under this one; none for all.")
]


@strawberry.federation.type(keys=[MENTION], extend=True)
class Group:
    """A group of the register; here only its id is known."""

    id: strawberry.ID


@strawberry.type(description="One broadcast to one group.")
class Delivery:
    """What became of the message in one group."""

    group: Group | None = field(description="The group.")
    state: DeliveryState = field(description="Where it stands.")
    attempt_count: int = field(description="How often it was handed to the transport.")
    reason: str | None = field(description="Why it was skipped or failed.")

    @classmethod
    def from_proto(cls, message: pb.Delivery) -> Self:
        """The delivery on the wire as the graph shows it."""
        return cls(
            group=Group(id=encode_id("Group", message.group_id)),
            state=DeliveryState(message.state),
            attempt_count=message.attempt_count,
            reason=message.reason or None,
        )


@strawberry.type(description="A delivery in a connection.")
class DeliveryEdge:
    """A delivery and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Delivery = field(description="The delivery.")


@strawberry.type(description="A page of deliveries.")
class DeliveryConnection:
    """Deliveries of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Delivery]]

    @resolver("The deliveries with their cursors.")
    def edges(self) -> list[DeliveryEdge]:
        """Each delivery with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [DeliveryEdge(cursor=cursor, node=delivery) for cursor, delivery in pairs]

    @resolver("The deliveries.")
    def nodes(self) -> list[Delivery]:
        """The deliveries alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info


@strawberry.federation.type(keys=["id"], description="One message to one audience.")
class Broadcast(Node):
    """A broadcast; its home is here."""

    uuid: strawberry.Private[str]
    title: str = field(description="What the sender calls it.")
    texts: list[Translation] = field(description="The text, by language.", directives=list_of(32))
    transport: str = field(description="How it travels.")
    state: BroadcastState = field(description="Where it stands.")
    delivery_count: int = field(description="Groups it goes to; 0 before it is planned.")
    failure_reason: str | None = field(description="Why it could not be planned.")
    author: str = field(description="Who made it: the subject of the credential.")
    created_at: datetime = field(description="When it was made.")
    started_at: datetime | None = field(description="When it was started.")
    completed_at: datetime | None = field(description="When it was over.")

    @resolver("What became of it so far.")
    async def progress(
        self,
        info: Info,
        split_level: SplitLevel = strawberry.UNSET,
        within_unit_id: WithinUnitId = strawberry.UNSET,
    ) -> BroadcastProgress:
        """The progress, by batch."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        loader = info.context.room(MessagingRoom).progress(split_level or "", within)
        return BroadcastProgress.from_proto(await loader.load(self.uuid))

    @resolver("Its deliveries, in tree order. Of one broadcast in one operation.")
    async def deliveries(
        self,
        info: Info,
        first: First = 100,
        after: After = strawberry.UNSET,
        states: Annotated[
            list[DeliveryState] | None, argument(description="Any of these; none for all.")
        ] = strawberry.UNSET,
        unit_id: Annotated[
            strawberry.ID | None, argument(description="Only under this unit; none for all.")
        ] = strawberry.UNSET,
    ) -> DeliveryConnection:
        """A page of its deliveries."""
        room = info.context.room(MessagingRoom)
        within, wanted = optional_id(unit_id, "Unit", "unitId"), numbers(states)
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: room.deliveries(
                pb.ListDeliveriesRequest(
                    broadcast_id=self.uuid,
                    unit_id=within,
                    states=wanted,
                    page_size=page.page_size,
                    page_token=page.page_token,
                )
            ),
            lambda reply: reply.deliveries,
        )
        deliveries = [Delivery.from_proto(each) for each in reply.deliveries]
        return DeliveryConnection(page=cut_page(request, deliveries, reply.next_page_token))

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002
        """The whole broadcast for its id, by batch."""
        uuid = decode_id(id, "Broadcast", "id")
        try:
            return cls.from_proto(await info.context.room(MessagingRoom).broadcasts.load(uuid))
        except NotFound:
            return None

    @classmethod
    def from_proto(cls, message: pb.Broadcast) -> Self:
        """The broadcast on the wire as the graph shows it."""
        return cls(
            id=encode_id("Broadcast", message.id),
            uuid=message.id,
            title=message.title,
            texts=translations(message.texts),
            transport=message.transport,
            state=BroadcastState(message.state),
            delivery_count=message.delivery_count,
            failure_reason=message.failure_reason or None,
            author=message.author,
            created_at=instant(message.created_at),
            started_at=optional_instant(message.started_at, given=message.HasField("started_at")),
            completed_at=optional_instant(
                message.completed_at, given=message.HasField("completed_at")
            ),
        )


@strawberry.type(description="A broadcast in a connection.")
class BroadcastEdge:
    """A broadcast and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Broadcast = field(description="The broadcast.")


@strawberry.type(description="A page of broadcasts.")
class BroadcastConnection:
    """Broadcasts of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Broadcast]]

    @resolver("The broadcasts with their cursors.")
    def edges(self) -> list[BroadcastEdge]:
        """Each broadcast with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [BroadcastEdge(cursor=cursor, node=broadcast) for cursor, broadcast in pairs]

    @resolver("The broadcasts.")
    def nodes(self) -> list[Broadcast]:
        """The broadcasts alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.ListBroadcastsResponse) -> Self:
        """The page on the wire as the graph shows it."""
        broadcasts = [Broadcast.from_proto(each) for each in message.broadcasts]
        return cls(page=cut_page(request, broadcasts, message.next_page_token))
