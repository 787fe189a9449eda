"""Teams: named sets of persons in a unit."""

from datetime import datetime
from typing import Self

import strawberry
from chaupal.hierarchy.v1 import people_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import resolver
from gateway.graph.ids import encode_id
from gateway.graph.scalars import instant
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.arguments import USUAL_LIST, FirstOfList, first_of
from gateway.subgraphs.hierarchy.links import UnitType, unit_of
from gateway.subgraphs.hierarchy.people import Person, person_of
from gateway.subgraphs.hierarchy.texts import localized

field = strawberry.field


@strawberry.type(description="A person in a team.")
class TeamMember:
    """Who, and what they do there."""

    person_uuid: strawberry.Private[str]
    role: str = field(description='What they do there, such as "lead".')
    valid_from: datetime = field(description="Since when.")

    @resolver("Who; null when out of the caller's sight.")
    async def person(self, info: Info) -> Person | None:
        """The person, by batch."""
        return await person_of(info, self.person_uuid)


@strawberry.type(description="The first members of a team.")
class TeamMemberList:
    """Members, and how many there are."""

    nodes: list[TeamMember] = field(description="The members.")
    total_count: int = field(description="How many there are.")


@strawberry.type(description="A named set of persons in a unit with a task.")
class Team:
    """A team with its members."""

    wire: strawberry.Private[pb.Team]
    as_of: strawberry.Private[datetime | None]
    id: strawberry.ID = field(description="Opaque and stable.")
    kind: str = field(description="Key of its kind in the blueprint.")
    name: LocalizedText = field(description="Its name.")
    valid_from: datetime = field(description="From when.")
    etag: str = field(description="Changes whenever the team or its members do.")

    @resolver("In which unit; null when it is no more, or out of the caller's sight.")
    async def unit(self, info: Info) -> UnitType | None:
        """The unit as of when the team was read, by batch."""
        return await unit_of(info, self.wire.unit_id, self.as_of)

    @resolver("Who is in it.")
    def members(self, first: FirstOfList = USUAL_LIST) -> TeamMemberList:
        """The members, which came with the team."""
        members = self.wire.members
        return TeamMemberList(
            nodes=[
                TeamMember(
                    person_uuid=each.person_id,
                    role=each.role,
                    valid_from=instant(each.valid_from),
                )
                for each in members[: first_of(first)]
            ],
            total_count=len(members),
        )

    @classmethod
    def from_proto(cls, message: pb.Team, as_of: datetime | None = None) -> Self:
        """The team on the wire as the graph shows it, as of when it was read."""
        return cls(
            wire=message,
            as_of=as_of,
            id=encode_id("Team", message.id),
            kind=message.kind,
            name=localized(message.names),
            valid_from=instant(message.valid_from),
            etag=message.etag,
        )
