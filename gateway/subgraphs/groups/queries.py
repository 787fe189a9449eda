"""What the register adds to Query."""

from typing import Annotated

import strawberry
from chaupal.groups.v1 import groups_pb2 as pb

from gateway.context import Info
from gateway.graph.audience import AudienceInput, audience_to_proto
from gateway.graph.fields import numbers, resolver
from gateway.graph.ids import decode_id, optional_id
from gateway.graph.loader import found_or_none
from gateway.graph.pages import After, First, page_request, read_page
from gateway.subgraphs.groups.enums import GroupFlag, GroupState
from gateway.subgraphs.groups.loaders import GroupsRoom
from gateway.subgraphs.groups.preview import AudiencePreview
from gateway.subgraphs.groups.types import Group, GroupConnection

argument = strawberry.argument
_NARROWS = "Any of these; none does not narrow."


@strawberry.input(description="Narrows a list of groups.")
class GroupFilterInput:
    """What is left out does not narrow."""

    unit_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The unit; its whole subtree unless `ownOnly`."
    )
    own_only: bool | None = strawberry.field(
        default=False, description="Only groups of the unit itself."
    )
    kinds: list[str] | None = strawberry.field(default=strawberry.UNSET, description=_NARROWS)
    categories: list[str] | None = strawberry.field(default=strawberry.UNSET, description=_NARROWS)
    flags: list[GroupFlag] | None = strawberry.field(default=strawberry.UNSET, description=_NARROWS)
    states: list[GroupState] | None = strawberry.field(
        default=strawberry.UNSET, description=_NARROWS
    )

    def to_proto(self) -> pb.GroupFilter:
        """The filter on the wire."""
        return pb.GroupFilter(
            unit_id=optional_id(self.unit_id, "Unit", "filter.unitId"),
            own_only=bool(self.own_only),
            kinds=self.kinds or (),
            categories=self.categories or (),
            flags=numbers(self.flags),
            states=numbers(self.states),
        )


@strawberry.type
class Query:
    """Look-ups in the register."""

    @resolver("Groups in tree order.")
    async def groups(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            GroupFilterInput | None, argument(description="Which groups; all when left out.")
        ] = strawberry.UNSET,
        first: First = 50,
        after: After = strawberry.UNSET,
    ) -> GroupConnection:
        """A page of groups."""
        request = page_request(first, after, default=50)
        wanted = filter.to_proto() if filter else pb.GroupFilter()
        client = info.context.room(GroupsRoom).client
        request, reply = await read_page(
            request,
            lambda page: client.page_of_groups(wanted, page.page_size, page.page_token),
            lambda reply: reply.groups,
        )
        return GroupConnection.from_proto(request, reply)

    @resolver("One group; null when there is none of that id.")
    async def group(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="Its id.")],  # noqa: A002
    ) -> Group | None:
        """A group by its global id."""
        uuid = decode_id(id, "Group", "id")
        found = await found_or_none(info.context.room(GroupsRoom).groups.load(uuid))
        return Group.from_proto(found) if found else None

    @resolver("What an audience means now; changes nothing.")
    async def preview_audience(
        self,
        info: Info,
        audience: Annotated[AudienceInput, argument(description="The rule.")],
        split_level: Annotated[
            str | None, argument(description="Key of the level to split by; none for no split.")
        ] = strawberry.UNSET,
    ) -> AudiencePreview:
        """A preview of an audience."""
        wanted = audience_to_proto(audience, "audience")
        reply = await info.context.room(GroupsRoom).client.preview(wanted, split_level or "")
        return AudiencePreview.from_proto(reply)
