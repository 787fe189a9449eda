"""The register's types: groups, their connections, and what they add to a unit."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from chaupal.groups.v1 import groups_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.graph.ids import decode_id, encode_id
from gateway.graph.node import Node
from gateway.graph.pages import First, Page, PageInfo, PageRequest, cut_page, page_request
from gateway.graph.scalars import instant
from gateway.graph.text import LocalizedText
from gateway.subgraphs.groups.counts import GroupCounts
from gateway.subgraphs.groups.enums import AdminRole, GroupFlag, GroupState, flags
from gateway.subgraphs.groups.loaders import GroupsRoom
from kit.errors import NotFound

field = strawberry.field


@strawberry.type(description="One admin of a group.")
class Admin:
    """A person and what they do in the group."""

    person: str = field(description="The person's reference.")
    role: AdminRole = field(description="What they do.")


@strawberry.federation.type(keys=["id"], description="One messaging group.")
class Group(Node):
    """A group of the register; its home is here."""

    code: str = field(description="Short code, unique within the tenant.")
    name: LocalizedText = field(description="Its name.")
    kind: str = field(description="Key of its kind.")
    category: str | None = field(description="Key of its category, if it has one.")
    unit: "Unit | None" = field(description="The unit it belongs to.")
    language: str = field(description="Main language, as BCP 47 tag.")
    member_count: int = field(description="Members.")
    capacity: int = field(description="Most members it can hold.")
    state: GroupState = field(description="Life cycle.")
    flags: list[GroupFlag] = field(description="Derived states.")
    admins: list[Admin] = field(description="Its admins.", directives=list_of(20))
    registered_at: datetime = field(description="When it was registered.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002
        """The whole group for a stub of another subgraph, by batch."""
        uuid = decode_id(id, "Group", "id")
        try:
            return cls.from_proto(await info.context.room(GroupsRoom).groups.load(uuid))
        except NotFound:
            return None

    @classmethod
    def from_proto(cls, message: pb.Group) -> Self:
        """The group on the wire as the graph shows it."""
        return cls(
            id=encode_id("Group", message.id),
            code=message.code,
            name=LocalizedText(by_language=dict(message.names)),
            kind=message.kind,
            category=message.category or None,
            unit=Unit.of(message.unit_id),
            language=message.language,
            member_count=message.member_count,
            capacity=message.capacity,
            state=GroupState(message.state),
            flags=flags(message.flags),
            admins=[
                Admin(person=each.person, role=AdminRole(each.role)) for each in message.admins
            ],
            registered_at=instant(message.registered_at),
        )


@strawberry.type(description="A group in a connection.")
class GroupEdge:
    """A group and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Group = field(description="The group.")


@strawberry.type(description="A page of groups.")
class GroupConnection:
    """Groups of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Group]]
    total_count: int | None = field(description="How many there are on all pages.")

    @resolver("The groups with their cursors.")
    def edges(self) -> list[GroupEdge]:
        """Each group with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [GroupEdge(cursor=cursor, node=group) for cursor, group in pairs]

    @resolver("The groups.")
    def nodes(self) -> list[Group]:
        """The groups alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.ListGroupsResponse) -> Self:
        """The page on the wire as the graph shows it."""
        groups = [Group.from_proto(each) for each in message.groups]
        page = cut_page(request, groups, message.next_page_token)
        return cls(page=page, total_count=message.total_count)


@strawberry.federation.type(keys=["id"], extend=True)
class Unit:
    """A unit of the tree, and the groups in it. All that is known here is its id."""

    id: strawberry.ID
    uuid: strawberry.Private[str]

    @resolver("The first page of its groups. For more: `groups(filter: {unitId:})`.")
    async def groups(
        self,
        info: Info,
        first: First = 20,
        own_only: Annotated[
            bool | None,
            strawberry.argument(description="Only groups of the unit itself, not of its subtree."),
        ] = True,
    ) -> GroupConnection | None:
        """The unit's groups, by batch."""
        request = page_request(first, None, default=20)
        own = own_only is None or own_only
        loader = info.context.room(GroupsRoom).of_units(request.page_size, own_only=own)
        return GroupConnection.from_proto(request, await loader.load(self.uuid))

    @resolver("How many groups and members its whole subtree has.")
    async def group_counts(self, info: Info) -> GroupCounts | None:
        """The subtree's counts, by batch."""
        counts = await info.context.room(GroupsRoom).counts.load(self.uuid)
        return GroupCounts.from_proto(counts)

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self:  # noqa: A002, ARG003
        """The part of a unit that is known here; costs nothing."""
        return cls(id=id, uuid=decode_id(id, "Unit", "id"))

    @classmethod
    def of(cls, uuid: str) -> Self:
        """The unit of that UUID."""
        return cls(id=encode_id("Unit", uuid), uuid=uuid)
