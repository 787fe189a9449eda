"""What the organisation knows of the caller: person, appointments, grants."""

from typing import Self

import strawberry
from chaupal.hierarchy.v1 import access_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, resolver
from gateway.subgraphs.hierarchy.links import unit_of
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.people import Appointment, Person
from gateway.subgraphs.hierarchy.units import Unit

field = strawberry.field
# The contract has no bound; hardly anybody holds more than a few.
_APPOINTMENTS = 32
_GRANTS = 128


@strawberry.type(description="What the caller may do, over a subtree or the whole tenant.")
class ViewerGrant:
    """A capability with its scope."""

    unit_uuid: strawberry.Private[str]
    capability: str = field(
        description="One of view, compose, approve, administer, relay, monitor."
    )
    categories: list[str] = field(description="Only for groups of these categories; empty for all.")
    group_kinds: list[str] = field(description="Only for groups of these kinds; empty for all.")
    is_whole_tenant: bool = field(description="Whether it is over the whole tenant.")

    @resolver("Root of the subtree; null for the whole tenant.")
    async def unit(self, info: Info) -> Unit | None:
        """The unit, by batch."""
        return await unit_of(info, self.unit_uuid)

    @classmethod
    def from_proto(cls, message: pb.ScopedGrant) -> Self:
        """The grant on the wire as the graph shows it."""
        return cls(
            unit_uuid=message.unit_id,
            capability=message.grant.capability,
            categories=list(message.grant.categories),
            group_kinds=list(message.grant.group_kinds),
            is_whole_tenant=not message.unit_id,
        )


@strawberry.federation.type(keys=["subject"], extend=True)
class Viewer:
    """The caller; what the token says of them is another subgraph's."""

    subject: str

    @resolver("Who the caller is in the organisation; null for a login without a person.")
    async def person(self, info: Info) -> Person | None:
        """The caller's person."""
        found = await info.context.room(HierarchyRoom).viewer()
        return Person.from_proto(found.person) if found.HasField("person") else None

    @resolver("The caller's appointments in force.", directives=list_of(_APPOINTMENTS))
    async def appointments(self, info: Info) -> list[Appointment] | None:
        """What the caller holds."""
        found = await info.context.room(HierarchyRoom).viewer()
        return [Appointment.from_proto(each) for each in found.appointments]

    @resolver(
        "What the caller may do, and where: by the token and by appointments.",
        directives=list_of(_GRANTS),
    )
    async def grants(self, info: Info) -> list[ViewerGrant] | None:
        """The caller's rights."""
        found = await info.context.room(HierarchyRoom).viewer()
        return [ViewerGrant.from_proto(each) for each in found.grants]

    @classmethod
    def resolve_reference(cls, info: Info, subject: str) -> Self | None:
        """The caller; nothing is told of other subjects."""
        return cls(subject=subject) if subject == info.context.caller.subject else None
