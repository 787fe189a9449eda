"""The hierarchy's types: the blueprint and the tree of units."""

from typing import Self

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.graph.ids import decode_id, encode_id
from gateway.graph.node import Node
from gateway.graph.pages import First, Page, PageInfo, PageRequest, cut_page, page_request
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from kit.errors import NotFound

field = strawberry.field


def localized(names: pb.LocalizedText) -> LocalizedText:
    """Names on the wire as a localized text."""
    return LocalizedText(by_language=dict(names.by_language))


@strawberry.type(description="One level of the tree.")
class Level:
    """A level as the tenant defines it."""

    key: str = field(description='Stable key, such as "shakti_kendra".')
    name: LocalizedText = field(description="What people call it.")


@strawberry.type(description="A kind of group.")
class GroupKind:
    """A kind as the tenant defines it."""

    key: str = field(description='Stable key, such as "booth_voters".')
    name: LocalizedText = field(description="What people call it.")
    has_category: bool = field(description="Whether groups of this kind carry a category.")


@strawberry.type(description="A category of groups, across the tree.")
class Category:
    """A category as the tenant defines it."""

    key: str = field(description='Stable key, such as "farmers".')
    name: LocalizedText = field(description="What people call it.")


@strawberry.type(description="The tenant's own definition of its levels, kinds and categories.")
class Blueprint:
    """The blueprint as last put."""

    version: int = field(description="Counts its changes, from 1.")
    style: str = field(description='The lens that suits: "party" (a tree) or "category".')
    name: LocalizedText = field(description="The organisation's own name.")
    levels: list[Level] = field(description="From the top down.", directives=list_of(16))
    group_kinds: list[GroupKind] = field(
        description="Kinds of group, in the tenant's order.", directives=list_of(64)
    )
    categories: list[Category] = field(
        description="Categories, in the tenant's order.", directives=list_of(256)
    )

    @classmethod
    def from_proto(cls, message: pb.Blueprint) -> Self:
        """The blueprint on the wire as the graph shows it."""
        return cls(
            version=message.version,
            style=message.style,
            name=localized(message.names),
            levels=[Level(key=each.key, name=localized(each.names)) for each in message.levels],
            group_kinds=[
                GroupKind(key=each.key, name=localized(each.names), has_category=each.has_category)
                for each in message.group_kinds
            ],
            categories=[
                Category(key=each.key, name=localized(each.names)) for each in message.categories
            ],
        )


@strawberry.type(description="A point on the map, in degrees (WGS 84).")
class Place:
    """Where a unit lies."""

    latitude: float = field(description="-90 to 90.")
    longitude: float = field(description="-180 to 180.")


@strawberry.federation.type(keys=["id"], description="A node of the tree.")
class Unit(Node):
    """A unit; its home is here, and other subgraphs add fields to it."""

    uuid: strawberry.Private[str]
    parent_uuid: strawberry.Private[str]
    level: str = field(description="Key of its level.")
    code: str = field(description="Short code, unique within the tenant and level.")
    name: LocalizedText = field(description="Its name.")
    place: Place | None = field(description="Where it lies, if that is known.")
    child_count: int = field(description="How many children it has.")
    subtree_count: int = field(description="How many units its subtree has, itself included.")

    @resolver("The unit above; null at a root.")
    async def parent(self, info: Info) -> "Unit | None":
        """The parent, by batch."""
        if not self.parent_uuid:
            return None
        return Unit.from_proto(await info.context.room(HierarchyRoom).units.load(self.parent_uuid))

    @resolver("The units above, nearest first; empty at a root.", directives=list_of(15))
    async def ancestors(self, info: Info) -> list["Unit"]:
        """The ancestors, by batch."""
        found = await info.context.room(HierarchyRoom).ancestors.load(self.uuid)
        return [Unit.from_proto(each) for each in found]

    @resolver("The first page of its children, by code. For more: `units(parentId:)`.")
    async def children(self, info: Info, first: First = 100) -> "UnitConnection":
        """The children, by batch."""
        request = page_request(first, None, default=100)
        children = info.context.room(HierarchyRoom).children(request.page_size)
        reply = await children.load(self.uuid)
        return UnitConnection.from_proto(request, reply)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Unit | None":  # noqa: A002
        """The whole unit for a stub of another subgraph, by batch."""
        uuid = decode_id(id, "Unit", "id")
        try:
            return cls.from_proto(await info.context.room(HierarchyRoom).units.load(uuid))
        except NotFound:
            return None

    @classmethod
    def from_proto(cls, message: pb.Unit) -> "Unit":
        """The unit on the wire as the graph shows it."""
        place = message.place
        return cls(
            id=encode_id("Unit", message.id),
            uuid=message.id,
            parent_uuid=message.parent_id,
            level=message.level,
            code=message.code,
            name=localized(message.names),
            place=(
                Place(latitude=place.latitude, longitude=place.longitude)
                if message.HasField("place")
                else None
            ),
            child_count=message.child_count,
            subtree_count=message.subtree_count,
        )


@strawberry.type(description="A unit in a connection.")
class UnitEdge:
    """A unit and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Unit = field(description="The unit.")


@strawberry.type(description="A page of units.")
class UnitConnection:
    """Units of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Unit]]
    total_count: int | None = field(description="How many there are on all pages.")

    @resolver("The units with their cursors.")
    def edges(self) -> list[UnitEdge]:
        """Each unit with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [UnitEdge(cursor=cursor, node=unit) for cursor, unit in pairs]

    @resolver("The units.")
    def nodes(self) -> list[Unit]:
        """The units alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.ListChildrenResponse) -> Self:
        """The page on the wire as the graph shows it."""
        units = [Unit.from_proto(each) for each in message.units]
        page = cut_page(request, units, message.next_page_token)
        return cls(page=page, total_count=message.total_count)
