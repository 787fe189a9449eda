"""Who is who, and who holds which office."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Self

import strawberry
from chaupal.hierarchy.v1 import people_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import resolver
from gateway.graph.ids import decode_id, encode_id
from gateway.graph.loader import found_or_none
from gateway.graph.node import Node
from gateway.graph.pages import Page, PageInfo, PageRequest, cut_page
from gateway.graph.scalars import AsOf, instant, optional_instant, optional_moment
from gateway.graph.text import LocalizedText
from gateway.subgraphs.hierarchy.arguments import USUAL_LIST, FirstOfList, WithEnded, first_of
from gateway.subgraphs.hierarchy.links import UnitType, unit_of
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.texts import localized

field, value = strawberry.field, strawberry.enum_value


@strawberry.enum(description="Whether somebody has looked lately if an appointment is true.")
class VerificationState(Enum):
    """The contract's states by their numbers."""

    UNVERIFIED = value(pb.VERIFICATION_STATE_UNVERIFIED, description="Nobody has looked yet.")
    VERIFIED = value(pb.VERIFICATION_STATE_VERIFIED, description="Looked at lately.")
    STALE = value(
        pb.VERIFICATION_STATE_STALE,
        description="Looked at too long ago, by the blueprint's `verificationDays`.",
    )


@strawberry.type(description="A phone number, whole or masked.")
class PhoneNumber:
    """A number as far as the caller sees it."""

    number: str = field(description="E.164; masked, all but its ends are dots or stars.")
    is_masked: bool = field(description="Whether it is masked.")


@strawberry.federation.type(
    keys=["id"], description="Somebody who holds a position, is in a team, or watches units."
)
class Person(Node):
    """A person; their home is here."""

    uuid: strawberry.Private[str]
    shown: strawberry.Private[PhoneNumber | None]
    name: LocalizedText | None = field(description="What they are called; null once erased.")
    subject: str | None = field(
        description="The subject of their tokens; only for those who may see their number."
    )
    is_erased: bool = field(description="Whether their data was erased.")
    etag: str = field(description="Changes whenever the person does; pass it with a change.")

    @resolver("Their phone number; null when unknown, and once erased.")
    async def phone(
        self,
        info: Info,
        unmask: Annotated[
            bool | None,
            strawberry.argument(
                description="Show all of it, where the caller has `administer` over them."
                " Every such look is logged."
            ),
        ] = False,
    ) -> PhoneNumber | None:
        """The number; a whole one by a batch of its own."""
        if not unmask or self.shown is None or not self.shown.is_masked:
            return self.shown
        persons = info.context.room(HierarchyRoom).persons(unmask=True)
        return _phone(await persons.load(self.uuid))

    @resolver("What they hold, as far as the caller sees it.")
    async def appointments(
        self,
        info: Info,
        first: FirstOfList = USUAL_LIST,
        as_of: AsOf = strawberry.UNSET,
        with_ended: WithEnded = False,
    ) -> "AppointmentList | None":
        """Their appointments, by batch."""
        at, most = optional_moment(as_of, "asOf"), first_of(first)
        loader = info.context.room(HierarchyRoom).person_appointments(
            at, with_ended=bool(with_ended)
        )
        return AppointmentList.from_proto(await loader.load(self.uuid), most, at)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Person | None":  # noqa: A002
        """The whole person for their id, by batch."""
        return await person_of(info, decode_id(id, "Person", "id"))

    @classmethod
    def from_proto(cls, message: pb.Person) -> Self:
        """The person on the wire as the graph shows them."""
        return cls(
            id=encode_id("Person", message.id),
            uuid=message.id,
            shown=_phone(message),
            name=localized(message.names) if message.HasField("names") else None,
            subject=message.subject or None,
            is_erased=message.erased,
            etag=message.etag,
        )


@strawberry.type(description="A person holding a position.")
class Appointment:
    """One tenure."""

    unit_uuid: strawberry.Private[str]
    person_uuid: strawberry.Private[str]
    as_of: strawberry.Private[datetime | None]
    id: strawberry.ID = field(description="Opaque and stable.")
    position: str = field(description="Key of the position in the blueprint.")
    valid_from: datetime = field(description="From when.")
    valid_to: datetime | None = field(
        description="Until when, not included; null for one without an end."
    )
    verified_at: datetime | None = field(
        description="When it was last found true; null when never."
    )
    verification: VerificationState = field(description="What that means now.")
    etag: str = field(description="Changes whenever the appointment does.")

    @resolver("Who holds it; null when out of the caller's sight.")
    async def person(self, info: Info) -> Person | None:
        """The person, by batch."""
        return await person_of(info, self.person_uuid)

    @resolver("In which unit; null when it is no more, or out of the caller's sight.")
    async def unit(self, info: Info) -> UnitType | None:
        """The unit as of when the appointment was read, by batch."""
        return await unit_of(info, self.unit_uuid, self.as_of)

    @classmethod
    def from_proto(cls, message: pb.Appointment, as_of: datetime | None = None) -> Self:
        """The appointment on the wire as the graph shows it, as of when it was read."""
        return cls(
            unit_uuid=message.unit_id,
            person_uuid=message.person_id,
            as_of=as_of,
            id=encode_id("Appointment", message.id),
            position=message.position,
            valid_from=instant(message.valid_from),
            valid_to=optional_instant(message.valid_to, given=message.HasField("valid_to")),
            verified_at=optional_instant(
                message.verified_at, given=message.HasField("verified_at")
            ),
            verification=VerificationState(message.verification),
            etag=message.etag,
        )


@strawberry.type(description="The first appointments of a unit or a person.")
class AppointmentList:
    """Appointments, and whether there are more."""

    nodes: list[Appointment] = field(description="The appointments.")
    has_more: bool = field(description="Whether there are more; ask for more with `first`.")

    @classmethod
    def from_proto(cls, message: pb.Appointments, most: int, as_of: datetime | None) -> Self:
        """As many on the wire as are asked for."""
        found = message.appointments
        return cls(
            nodes=[Appointment.from_proto(each, as_of) for each in found[:most]],
            has_more=message.has_more or len(found) > most,
        )


@strawberry.type(description="An appointment in a connection.")
class AppointmentEdge:
    """An appointment and its cursor."""

    cursor: str = field(description="Pass it as `after` to go on from here.")
    node: Appointment = field(description="The appointment.")


@strawberry.type(description="A page of appointments.")
class AppointmentConnection:
    """Appointments of one page, as edges or as plain nodes."""

    page: strawberry.Private[Page[Appointment]]

    @resolver("The appointments with their cursors.")
    def edges(self) -> list[AppointmentEdge]:
        """Each appointment with its cursor."""
        pairs = zip(self.page.cursors, self.page.items, strict=True)
        return [AppointmentEdge(cursor=cursor, node=appointment) for cursor, appointment in pairs]

    @resolver("The appointments.")
    def nodes(self) -> list[Appointment]:
        """The appointments alone."""
        return list(self.page.items)

    @resolver("Where this page lies.")
    def page_info(self) -> PageInfo:
        """What lies around the page."""
        return self.page.info

    @classmethod
    def from_proto(cls, request: PageRequest, message: pb.ListVerificationQueueResponse) -> Self:
        """The page on the wire as the graph shows it."""
        found = [Appointment.from_proto(each) for each in message.appointments]
        return cls(page=cut_page(request, found, message.next_page_token))


async def person_of(info: Info, uuid: str) -> Person | None:
    """The person of an id, by batch; None where the caller sees none."""
    found = await found_or_none(info.context.room(HierarchyRoom).persons().load(uuid))
    return Person.from_proto(found) if found else None


def _phone(message: pb.Person) -> PhoneNumber | None:
    if not message.phone:
        return None
    return PhoneNumber(number=message.phone, is_masked=message.phone_masked)
