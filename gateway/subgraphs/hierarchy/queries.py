"""What the hierarchy adds to Query."""

from typing import Annotated

import strawberry

from gateway.context import Info
from gateway.graph.fields import resolver
from gateway.graph.ids import decode_id, optional_id
from gateway.graph.loader import found_or_none
from gateway.graph.pages import After, First, page_request, read_page
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.types import Blueprint, Unit, UnitConnection

argument = strawberry.argument


@strawberry.type
class Query:
    """Look-ups in the tree."""

    @resolver("The tenant's blueprint; null before one was put.")
    async def blueprint(self, info: Info) -> Blueprint | None:
        """The blueprint."""
        found = await found_or_none(info.context.room(HierarchyRoom).client.blueprint())
        return Blueprint.from_proto(found) if found else None

    @resolver("One unit; null when there is none of that id.")
    async def unit(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="Its id.")],  # noqa: A002
    ) -> Unit | None:
        """A unit by its global id."""
        uuid = decode_id(id, "Unit", "id")
        found = await found_or_none(info.context.room(HierarchyRoom).units.load(uuid))
        return Unit.from_proto(found) if found else None

    @resolver("One unit by level and code; null when there is none.")
    async def unit_by_code(
        self,
        info: Info,
        level: Annotated[str, argument(description="Key of the level.")],
        code: Annotated[str, argument(description="Code within the level.")],
    ) -> Unit | None:
        """A unit by what files call it."""
        client = info.context.room(HierarchyRoom).client
        found = await found_or_none(client.unit_by_code(level, code))
        return Unit.from_proto(found) if found else None

    @resolver("The children of a unit, or the roots, by code.")
    async def units(
        self,
        info: Info,
        parent_id: Annotated[
            strawberry.ID | None, argument(description="The parent; null for the roots.")
        ] = strawberry.UNSET,
        first: First = 100,
        after: After = strawberry.UNSET,
    ) -> UnitConnection:
        """A page of children."""
        parent = optional_id(parent_id, "Unit", "parentId")
        request = page_request(first, after, default=100)
        client = info.context.room(HierarchyRoom).client
        request, reply = await read_page(
            request,
            lambda page: client.page_of_children(parent, page.page_size, page.page_token),
            lambda reply: reply.units,
        )
        return UnitConnection.from_proto(request, reply)
