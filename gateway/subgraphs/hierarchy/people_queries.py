"""What the hierarchy adds to Query: persons, vacancies, verification, watches."""

from typing import Annotated

import strawberry
from chaupal.hierarchy.v1 import people_pb2 as pb

from gateway.context import Info
from gateway.graph.fields import list_of, numbers, resolver
from gateway.graph.ids import decode_id, optional_id
from gateway.graph.loader import found_or_none
from gateway.graph.pages import After, First, page_request, read_page
from gateway.graph.scalars import AsOf, optional_moment, optional_stamp
from gateway.subgraphs.hierarchy.arguments import WithinUnitId
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.people import (
    AppointmentConnection,
    Person,
    VerificationState,
    person_of,
)
from gateway.subgraphs.hierarchy.unit_pages import LackingUnitConnection
from gateway.subgraphs.hierarchy.watches import WatchConnection

field, argument, UNSET = strawberry.field, strawberry.argument, strawberry.UNSET
LevelKey = Annotated[str, argument(description="Key of the level.")]
# Of 256 positions each may be in three states; of the most, few are.
_COUNTS = 768


@strawberry.type(description="How many appointments to a position are in one state.")
class AppointmentCount:
    """A position, a state and a count."""

    position: str = field(description="Key of the position.")
    verification: VerificationState = field(description="The state.")
    appointment_count: int = field(description="How many.")


@strawberry.type
class PeopleQueries:
    """Look-ups of people and offices."""

    @resolver("One person; null when there is none of that id.")
    async def person(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="Their id.")],  # noqa: A002
    ) -> Person | None:
        """A person by their global id."""
        return await person_of(info, decode_id(id, "Person", "id"))

    @resolver("The person with a phone number; null when nobody whom the caller sees has it.")
    async def person_by_phone(
        self,
        info: Info,
        phone: Annotated[str, argument(description="E.164, such as +919800000000.")],
    ) -> Person | None:
        """A person by their number."""
        found = await found_or_none(info.context.room(HierarchyRoom).people.person_by_phone(phone))
        return Person.from_proto(found) if found else None

    @resolver("The units of a level in which nobody holds a position, in the tree's order.")
    async def vacancies(
        self,
        info: Info,
        *,
        level: LevelKey,
        position: Annotated[str, argument(description="Key of the position.")],
        within_unit_id: WithinUnitId = UNSET,
        first: First = 100,
        after: After = UNSET,
    ) -> LackingUnitConnection | None:
        """A page of vacancies."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        people = info.context.room(HierarchyRoom).people
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: people.page_of_vacancies(
                pb.ListVacanciesRequest(
                    position=position,
                    level=level,
                    within_unit_id=within,
                    page_size=page.page_size,
                    page_token=page.page_token,
                )
            ),
            lambda reply: reply.unit_ids,
        )
        return LackingUnitConnection.of_vacancies(request, reply)

    @resolver("Appointments in force that nobody has verified, or not lately.")
    async def verification_queue(
        self,
        info: Info,
        *,
        state: Annotated[
            VerificationState | None,
            argument(description="Only UNVERIFIED or only STALE; null for both."),
        ] = UNSET,
        position: Annotated[
            str | None, argument(description="Key of a position; null for all.")
        ] = UNSET,
        within_unit_id: WithinUnitId = UNSET,
        first: First = 100,
        after: After = UNSET,
    ) -> AppointmentConnection | None:
        """A page of appointments to be looked at."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        wanted = numbers([state] if state else None)
        people = info.context.room(HierarchyRoom).people
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: people.page_of_queue(
                pb.ListVerificationQueueRequest(
                    state=wanted[0] if wanted else pb.VERIFICATION_STATE_UNSPECIFIED,
                    within_unit_id=within,
                    position=position or "",
                    page_size=page.page_size,
                    page_token=page.page_token,
                )
            ),
            lambda reply: reply.appointments,
        )
        return AppointmentConnection.from_proto(request, reply)

    @resolver(
        "How many appointments are in force, by position and state: what occurs.",
        directives=list_of(_COUNTS),
    )
    async def appointment_counts(
        self, info: Info, within_unit_id: WithinUnitId = UNSET
    ) -> list[AppointmentCount] | None:
        """The counts."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        request = pb.CountAppointmentsRequest(within_unit_id=within)
        reply = await info.context.room(HierarchyRoom).people.count_appointments(request)
        return [
            AppointmentCount(
                position=each.position,
                verification=VerificationState(each.verification),
                appointment_count=each.appointment_count,
            )
            for each in reply.counts
        ]

    @resolver("What a monitor watches, or every watch that the caller sees.")
    async def watches(
        self,
        info: Info,
        person_id: Annotated[
            strawberry.ID | None, argument(description="The monitor; null for all.")
        ] = UNSET,
        as_of: AsOf = UNSET,
        first: First = 100,
        after: After = UNSET,
    ) -> WatchConnection | None:
        """A page of watches."""
        person = optional_id(person_id, "Person", "personId")
        at = optional_moment(as_of, "asOf")
        people = info.context.room(HierarchyRoom).people
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: people.page_of_watches(
                pb.ListWatchesRequest(
                    person_id=person,
                    as_of=optional_stamp(at),
                    page_size=page.page_size,
                    page_token=page.page_token,
                )
            ),
            lambda reply: reply.watches,
        )
        return WatchConnection.from_proto(request, reply, at)

    @resolver("The units of a level that nobody watches, neither them nor anything above.")
    async def unwatched_units(
        self,
        info: Info,
        level: LevelKey,
        within_unit_id: WithinUnitId = UNSET,
        first: First = 100,
        after: After = UNSET,
    ) -> LackingUnitConnection | None:
        """A page of units without a watch."""
        within = optional_id(within_unit_id, "Unit", "withinUnitId")
        people = info.context.room(HierarchyRoom).people
        request, reply = await read_page(
            page_request(first, after, default=100),
            lambda page: people.page_of_unwatched(
                pb.ListUnwatchedRequest(
                    level=level,
                    within_unit_id=within,
                    page_size=page.page_size,
                    page_token=page.page_token,
                )
            ),
            lambda reply: reply.unit_ids,
        )
        return LackingUnitConnection.of_unwatched(request, reply)
