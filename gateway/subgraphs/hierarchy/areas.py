"""Administrative territories, such as constituencies."""

from typing import Self

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.graph.fields import resolver
from gateway.graph.ids import encode_id
from gateway.graph.pages import Page, PageInfo, PageRequest, cut_page
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.texts import localized

field = strawberry.field


@strawberry.type(description="An administrative territory; units lie in it, wholly or partly.")
class Area:
    """An area as the tenant names it."""

    id: strawberry.ID = field(description="Opaque and stable.")
    kind: str = field(description='What sort of territory, such as "assembly_constituency".')
    code: str = field(description="Short code, unique within the tenant and kind.")
    name: LocalizedText = field(description="Its name.")

    @classmethod
    def from_proto(cls, message: pb.Area) -> Self:
        """The area on the wire as the graph shows it."""
        return cls(
            id=encode_id("Area", message.id),
            kind=message.kind,
            code=message.code,
            name=localized(message.names),
        )


@strawberry.type(description="An area in a connection.")
class AreaEdge:
    """An area and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Area = field(description="The area.")


@strawberry.type(description="A page of areas.")
class AreaConnection:
    """Areas of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Area]]

    @resolver("The areas with their cursors.")
    def edges(self) -> list[AreaEdge]:
        """Each area with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [AreaEdge(cursor=cursor, node=area) for cursor, area in pairs]

    @resolver("The areas.")
    def nodes(self) -> list[Area]:
        """The areas alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.ListAreasResponse) -> Self:
        """The page on the wire as the graph shows it."""
        areas = [Area.from_proto(each) for each in message.areas]
        return cls(page=cut_page(request, areas, message.next_page_token))
