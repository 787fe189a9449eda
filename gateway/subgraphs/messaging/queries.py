"""What messaging adds to Query."""

from typing import Annotated

import strawberry

from gateway.context import Info
from gateway.graph.fields import resolver
from gateway.graph.ids import decode_id
from gateway.graph.loader import found_or_none
from gateway.graph.pages import After, First, page_request, read_page
from gateway.subgraphs.messaging.loaders import MessagingRoom
from gateway.subgraphs.messaging.types import Broadcast, BroadcastConnection

# The contract's own bound.
_MAX_BROADCASTS_OF_PAGE = 200


@strawberry.type
class Query:
    """Look-ups of broadcasts."""

    @resolver("One broadcast; null when there is none of that id.")
    async def broadcast(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],  # noqa: A002
    ) -> Broadcast | None:
        """A broadcast by its global id."""
        uuid = decode_id(id, "Broadcast", "id")
        found = await found_or_none(info.context.room(MessagingRoom).broadcasts.load(uuid))
        return Broadcast.from_proto(found) if found else None

    @resolver("Broadcasts, newest first. `first` is at most 200.")
    async def broadcasts(
        self, info: Info, first: First = 20, after: After = strawberry.UNSET
    ) -> BroadcastConnection:
        """A page of broadcasts."""
        request = page_request(first, after, default=20, maximum=_MAX_BROADCASTS_OF_PAGE)
        client = info.context.room(MessagingRoom).client
        request, reply = await read_page(
            request,
            lambda page: client.page_of_broadcasts(page.page_size, page.page_token),
            lambda reply: reply.broadcasts,
        )
        return BroadcastConnection.from_proto(request, reply)
