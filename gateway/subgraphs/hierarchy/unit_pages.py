"""Connections of units: children, units found by name, units that lack something."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2

from gateway.context import Info
from gateway.graph.fields import resolver
from gateway.graph.pages import Page, PageInfo, PageRequest, cut_page
from gateway.subgraphs.hierarchy.links import UnitType, unit_from_proto, unit_of

if TYPE_CHECKING:
    from gateway.subgraphs.hierarchy.units import Unit

field = strawberry.field


@strawberry.type(description="A unit in a connection.")
class UnitEdge:
    """A unit and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: UnitType = field(description="The unit.")


@strawberry.type(description="A page of units.")
class UnitConnection:
    """Units of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page["Unit"]]
    total_count: int | None = field(description="How many there are on all pages.")

    @resolver("The units with their cursors.")
    def edges(self) -> list[UnitEdge]:
        """Each unit with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [UnitEdge(cursor=cursor, node=unit) for cursor, unit in pairs]

    @resolver("The units.")
    def nodes(self) -> list[UnitType]:
        """The units alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(
        cls, request: PageRequest, message: pb.ListChildrenResponse, as_of: datetime | None = None
    ) -> Self:
        """The page on the wire as the graph shows it, as of when it was read."""
        found = [unit_from_proto(each, as_of) for each in message.units]
        page = cut_page(request, found, message.next_page_token)
        return cls(page=page, total_count=message.total_count)


@strawberry.type(description="A unit that was found by its name or code.")
class UnitMatchEdge:
    """A unit, its cursor, and how it was found."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: UnitType = field(description="The unit.")
    score: float = field(description="How well it fits, 0 to 1: 1 is the whole name as typed.")
    language: str | None = field(
        description="The language of the name that matched; null where the code did."
    )


@strawberry.type(description="A page of units that were found, best matches first.")
class UnitMatchConnection:
    """Matches of one page, as edges or as plain units."""

    page: strawberry.Private[Page[pb.UnitMatch]]

    @resolver("The units with how they were found.")
    def edges(self) -> list[UnitMatchEdge]:
        """Each match with its cursor."""
        return [
            UnitMatchEdge(
                cursor=cursor,
                node=unit_from_proto(match.unit),
                score=match.score,
                language=match.language or None,
            )
            for cursor, match in zip(self.page.cursors, self.page.items, strict=True)
        ]

    @resolver("The units.")
    def nodes(self) -> list[UnitType]:
        """The units alone."""
        return [unit_from_proto(match.unit) for match in self.page.items]

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.SearchUnitsResponse) -> Self:
        """The page on the wire as the graph shows it."""
        return cls(page=cut_page(request, list(message.matches), message.next_page_token))


@strawberry.type(description="A page of units that lack something, in the tree's order.")
class LackingUnitConnection:
    """Units that are known by their ids, and read when something of them is asked for."""

    page: strawberry.Private[Page[str]]
    total_count: int = field(description="How many there are on all pages.")
    unit_count: int | None = field(
        description="Of how many units in all; null where that is not counted."
    )

    @resolver("The units with their cursors; one that was closed meanwhile is left out.")
    async def edges(self, info: Info) -> list[UnitEdge]:
        """Each unit with its cursor, by batch."""
        pairs = zip(self.page.cursors, await self._units(info), strict=True)
        return [UnitEdge(cursor=cursor, node=unit) for cursor, unit in pairs if unit]

    @resolver("The units; one that was closed meanwhile is left out.")
    async def nodes(self, info: Info) -> list[UnitType]:
        """The units alone, by batch."""
        return [each for each in await self._units(info) if each]

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    async def _units(self, info: Info) -> Sequence["Unit | None"]:
        return await asyncio.gather(*(unit_of(info, each) for each in self.page.items))

    @classmethod
    def of_vacancies(cls, request: PageRequest, message: people_pb2.ListVacanciesResponse) -> Self:
        """Units in which nobody holds a position."""
        page = cut_page(request, list(message.unit_ids), message.next_page_token)
        return cls(page=page, total_count=message.total_count, unit_count=message.unit_count)

    @classmethod
    def of_unwatched(cls, request: PageRequest, message: people_pb2.ListUnwatchedResponse) -> Self:
        """Units that nobody watches."""
        page = cut_page(request, list(message.unit_ids), message.next_page_token)
        return cls(page=page, total_count=message.total_count, unit_count=None)
