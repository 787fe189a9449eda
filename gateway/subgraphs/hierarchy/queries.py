"""What the hierarchy adds to Query: the blueprint, units and areas."""

from typing import Annotated

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.graph.ids import decode_id, optional_id
from gateway.graph.loader import found_or_none
from gateway.graph.pages import After, First, page_request, read_page
from gateway.graph.scalars import AsOf, optional_moment, optional_stamp
from gateway.subgraphs.hierarchy.areas import AreaConnection
from gateway.subgraphs.hierarchy.arguments import WithinUnitId
from gateway.subgraphs.hierarchy.blueprint import Blueprint
from gateway.subgraphs.hierarchy.history import UnitHistoryConnection, page_of_history
from gateway.subgraphs.hierarchy.links import unit_of
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.people_queries import PeopleQueries
from gateway.subgraphs.hierarchy.unit_pages import UnitConnection, UnitMatchConnection
from gateway.subgraphs.hierarchy.units import Unit

field, argument = strawberry.field, strawberry.argument
# The contract's own bounds.
_MAX_FOUND = 100
_MAX_LEVELS = 16


@strawberry.type(description="How many units a level has.")
class LevelCount:
    """A level and its units."""

    level: str = field(description="Key of the level.")
    unit_count: int = field(description="How many.")


@strawberry.type
class Query(PeopleQueries):
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
        as_of: AsOf = strawberry.UNSET,
    ) -> Unit | None:
        """A unit by its global id."""
        uuid, at = decode_id(id, "Unit", "id"), optional_moment(as_of, "asOf")
        return await unit_of(info, uuid, at)

    @resolver("One unit by level and code; null when there is none.")
    async def unit_by_code(
        self,
        info: Info,
        level: Annotated[str, argument(description="Key of the level.")],
        code: Annotated[str, argument(description="Code within the level.")],
        as_of: AsOf = strawberry.UNSET,
    ) -> Unit | None:
        """A unit by what files call it."""
        at = optional_moment(as_of, "asOf")
        client = info.context.room(HierarchyRoom).client
        found = await found_or_none(client.unit_by_code(level, code, at))
        return Unit.from_proto(found, at) if found else None

    @resolver("The children of a unit, or the roots, by code.")
    async def units(
        self,
        info: Info,
        parent_id: Annotated[
            strawberry.ID | None,
            argument(description="The parent; null for the highest units that the caller sees."),
        ] = strawberry.UNSET,
        first: First = 100,
        after: After = strawberry.UNSET,
        as_of: AsOf = strawberry.UNSET,
    ) -> UnitConnection:
        """A page of children."""
        parent = optional_id(parent_id, "Unit", "parentId")
        at = optional_moment(as_of, "asOf")
        client = info.context.room(HierarchyRoom).client
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: client.page_of_children(
                pb.ListChildrenRequest(
                    parent_id=parent,
                    page_size=page.page_size,
                    page_token=page.page_token,
                    as_of=optional_stamp(at),
                )
            ),
            lambda reply: reply.units,
        )
        return UnitConnection.from_proto(request, reply, at)

    @resolver(
        "Units by name in either script, or by code: whole names, words, beginnings, and the same"
        " name spelt in the other script. `first` is at most 100."
    )
    async def search_units(
        self,
        info: Info,
        *,
        query: Annotated[str, argument(description="What somebody typed: 1 to 100 characters.")],
        levels: Annotated[
            list[str] | None, argument(description="Keys of levels; none for all.")
        ] = strawberry.UNSET,
        within_unit_id: WithinUnitId = strawberry.UNSET,
        first: First = 20,
        after: After = strawberry.UNSET,
    ) -> UnitMatchConnection | None:
        """A page of matches."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        client = info.context.room(HierarchyRoom).client
        request, reply = await read_page(
            page_request(first, after, default=20, maximum=_MAX_FOUND),
            lambda page: client.search_units(
                pb.SearchUnitsRequest(
                    query=query,
                    levels=levels or (),
                    within_unit_id=within,
                    page_size=page.page_size,
                    page_token=page.page_token,
                )
            ),
            lambda reply: reply.matches,
        )
        return UnitMatchConnection.from_proto(request, reply)

    @resolver("How many units each level has, from the top down.", directives=list_of(_MAX_LEVELS))
    async def unit_counts(
        self,
        info: Info,
        within_unit_id: WithinUnitId = strawberry.UNSET,
        as_of: AsOf = strawberry.UNSET,
    ) -> list[LevelCount] | None:
        """The counts."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        at = optional_stamp(optional_moment(as_of, "asOf"))
        request = pb.CountUnitsRequest(unit_id=within, as_of=at)
        reply = await info.context.room(HierarchyRoom).client.count_units(request)
        return [LevelCount(level=each.level, unit_count=each.unit_count) for each in reply.counts]

    @resolver("What a unit was, newest first, also one that was closed. Of one in an operation.")
    async def unit_history(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="The unit's id.")],  # noqa: A002
        first: First = 100,
        after: After = strawberry.UNSET,
    ) -> UnitHistoryConnection | None:
        """A page of a unit's past; null when there was never such a unit."""
        uuid = decode_id(id, "Unit", "id")
        return await found_or_none(page_of_history(info, uuid, first, after))

    @resolver("The areas of the tenant, by kind and code.")
    async def areas(
        self,
        info: Info,
        kind: Annotated[
            str | None, argument(description="Of this kind; none for all.")
        ] = strawberry.UNSET,
        first: First = 100,
        after: After = strawberry.UNSET,
    ) -> AreaConnection | None:
        """A page of areas."""
        client = info.context.room(HierarchyRoom).client
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: client.page_of_areas(
                pb.ListAreasRequest(
                    kind=kind or "", page_size=page.page_size, page_token=page.page_token
                )
            ),
            lambda reply: reply.areas,
        )
        return AreaConnection.from_proto(request, reply)
