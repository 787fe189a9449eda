"""What the hierarchy adds to Mutation: persons, appointments, teams and watches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry
from chaupal.hierarchy.v1 import people_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.context import Info
from gateway.graph.fields import mutation
from gateway.graph.ids import decode_id, optional_id
from gateway.graph.scalars import optional_moment, optional_stamp
from gateway.subgraphs.hierarchy import people_inputs as inputs
from gateway.subgraphs.hierarchy import people_results as results
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.people import Appointment, Person
from gateway.subgraphs.hierarchy.people_client import PeopleChanges
from gateway.subgraphs.hierarchy.refusals import unless_refused
from gateway.subgraphs.hierarchy.requests import request_id
from gateway.subgraphs.hierarchy.teams import Team
from gateway.subgraphs.hierarchy.texts import optional_names
from gateway.subgraphs.hierarchy.watches import Watch

argument = strawberry.argument


@strawberry.type
class PeopleMutations:
    """Changing who is who, and who does what."""

    @mutation("Create a person, or change one.")
    async def put_person(
        self,
        info: Info,
        input: Annotated[inputs.PutPersonInput, argument(description="The person.")],  # noqa: A002
    ) -> results.PutPersonResult:
        """The person, or why they were not put."""
        return await unless_refused(_put_person(_changes(info), input), results.PERSON_REFUSALS)

    @mutation("Forget a person's data for ever. Needs `administer` over the whole tenant.")
    async def erase_person(
        self,
        info: Info,
        input: Annotated[inputs.ErasePersonInput, argument(description="Who.")],  # noqa: A002
    ) -> results.ErasePersonResult:
        """What is left of the person, or why nothing was erased."""
        return await unless_refused(_erase_person(_changes(info), input), results.PERSON_REFUSALS)

    @mutation("Give a person an office. Needs `administer` over the unit.")
    async def appoint(
        self,
        info: Info,
        input: Annotated[inputs.AppointInput, argument(description="The tenure.")],  # noqa: A002
    ) -> results.AppointResult:
        """The appointment, or why there is none."""
        return await unless_refused(_appoint(_changes(info), input), results.APPOINT_REFUSALS)

    @mutation("End appointments, all or none. Needs `administer` over their units.")
    async def end_appointments(
        self,
        info: Info,
        input: Annotated[inputs.EndAppointmentsInput, argument(description="Which ones.")],  # noqa: A002
    ) -> results.EndAppointmentsResult:
        """The appointments with their end, or why none was ended."""
        return await unless_refused(_end(_changes(info), input), results.APPOINTMENTS_REFUSALS)

    @mutation("Note that appointments were found true. Needs `administer` or `monitor` there.")
    async def verify_appointments(
        self,
        info: Info,
        input: Annotated[inputs.VerifyAppointmentsInput, argument(description="Which ones.")],  # noqa: A002
    ) -> results.VerifyAppointmentsResult:
        """The appointments as verified, or why none was."""
        return await unless_refused(_verify(_changes(info), input), results.APPOINTMENTS_REFUSALS)

    @mutation("Create a team with its members, change or close one. Needs `administer` there.")
    async def put_team(
        self,
        info: Info,
        input: Annotated[inputs.PutTeamInput, argument(description="The team.")],  # noqa: A002
    ) -> results.PutTeamResult:
        """The team, or why it was not put."""
        return await unless_refused(_put_team(_changes(info), input), results.TEAM_REFUSALS)

    @mutation("Make a monitor answer for a unit's subtree. Needs `administer` over the unit.")
    async def assign_watch(
        self,
        info: Info,
        input: Annotated[inputs.AssignWatchInput, argument(description="The watch.")],  # noqa: A002
    ) -> results.AssignWatchResult:
        """The watch, or why there is none."""
        return await unless_refused(_assign_watch(_changes(info), input), results.WATCH_REFUSALS)

    @mutation("End a watch. Needs `administer` over its unit.")
    async def end_watch(
        self,
        info: Info,
        input: Annotated[inputs.EndWatchInput, argument(description="Which one.")],  # noqa: A002
    ) -> results.EndWatchResult:
        """The watch with its end, or why it was not ended."""
        return await unless_refused(_end_watch(_changes(info), input), results.WATCH_REFUSALS)


def _changes(info: Info) -> PeopleChanges:
    return info.context.room(HierarchyRoom).people_changes()


async def _put_person(
    changes: PeopleChanges, given: inputs.PutPersonInput
) -> results.PutPersonSuccess:
    reply = await changes.put_person(
        pb.PutPersonRequest(
            id=optional_id(given.person_id, "Person", "personId"),
            names=optional_names(given.names, "names"),
            phone=given.phone or "",
            clear_phone=given.clear_phone,
            subject=given.subject or "",
            clear_subject=given.clear_subject,
            etag=given.etag or "",
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
        )
    )
    person = None if given.validate_only else Person.from_proto(reply.person)
    return results.PutPersonSuccess(person=person)


async def _erase_person(
    changes: PeopleChanges, given: inputs.ErasePersonInput
) -> results.ErasePersonSuccess:
    reply = await changes.erase_person(
        pb.ErasePersonRequest(
            id=decode_id(given.person_id, "Person", "personId"),
            request_id=request_id(given.request_id),
        )
    )
    person = Person.from_proto(reply.person)
    return results.ErasePersonSuccess(person=person, ended_count=reply.ended_count)


async def _appoint(changes: PeopleChanges, given: inputs.AppointInput) -> results.AppointSuccess:
    reply = await changes.appoint(
        pb.AppointRequest(
            unit_id=decode_id(given.unit_id, "Unit", "unitId"),
            position=given.position,
            person_id=decode_id(given.person_id, "Person", "personId"),
            valid_from=_stamp(given.valid_from, "validFrom"),
            valid_to=_stamp(given.valid_to, "validTo"),
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
        )
    )
    appointment = None if given.validate_only else Appointment.from_proto(reply.appointment)
    return results.AppointSuccess(appointment=appointment)


async def _end(
    changes: PeopleChanges, given: inputs.EndAppointmentsInput
) -> results.EndAppointmentsSuccess:
    reply = await changes.end_appointments(
        pb.EndAppointmentsRequest(
            ids=_appointment_ids(given.appointment_ids),
            valid_to=_stamp(given.valid_to, "validTo"),
            request_id=request_id(given.request_id),
        )
    )
    ended = [Appointment.from_proto(each) for each in reply.appointments]
    return results.EndAppointmentsSuccess(appointments=ended)


async def _verify(
    changes: PeopleChanges, given: inputs.VerifyAppointmentsInput
) -> results.VerifyAppointmentsSuccess:
    reply = await changes.verify_appointments(
        pb.VerifyAppointmentsRequest(
            ids=_appointment_ids(given.appointment_ids),
            request_id=request_id(given.request_id),
        )
    )
    verified = [Appointment.from_proto(each) for each in reply.appointments]
    return results.VerifyAppointmentsSuccess(appointments=verified)


async def _put_team(changes: PeopleChanges, given: inputs.PutTeamInput) -> results.PutTeamSuccess:
    team = given.team
    members = [
        pb.TeamMember(
            person_id=decode_id(each.person_id, "Person", f"team.members[{at}].personId"),
            role=each.role,
        )
        for at, each in enumerate(team.members)
    ]
    reply = await changes.put_team(
        pb.PutTeamRequest(
            team=pb.Team(
                id=optional_id(team.id, "Team", "team.id"),
                unit_id=optional_id(team.unit_id, "Unit", "team.unitId"),
                kind=team.kind or "",
                names=optional_names(team.names, "team.names"),
                members=members,
            ),
            closed=given.closed,
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
        )
    )
    put = None if given.validate_only else Team.from_proto(reply.team)
    return results.PutTeamSuccess(team=put)


async def _assign_watch(
    changes: PeopleChanges, given: inputs.AssignWatchInput
) -> results.AssignWatchSuccess:
    reply = await changes.assign_watch(
        pb.AssignWatchRequest(
            unit_id=decode_id(given.unit_id, "Unit", "unitId"),
            person_id=decode_id(given.person_id, "Person", "personId"),
            covers_watch_id=optional_id(given.covers_watch_id, "Watch", "coversWatchId"),
            valid_from=_stamp(given.valid_from, "validFrom"),
            valid_to=_stamp(given.valid_to, "validTo"),
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
        )
    )
    return results.AssignWatchSuccess(
        watch=None if given.validate_only else Watch.from_proto(reply.watch),
        ended=[Watch.from_proto(each) for each in reply.ended],
    )


async def _end_watch(
    changes: PeopleChanges, given: inputs.EndWatchInput
) -> results.EndWatchSuccess:
    reply = await changes.end_watch(
        pb.EndWatchRequest(
            id=decode_id(given.watch_id, "Watch", "watchId"),
            valid_to=_stamp(given.valid_to, "validTo"),
            request_id=request_id(given.request_id),
        )
    )
    return results.EndWatchSuccess(watch=Watch.from_proto(reply.watch))


def _appointment_ids(ids: Sequence[str]) -> list[str]:
    return [decode_id(each, "Appointment", f"appointmentIds[{at}]") for at, each in enumerate(ids)]


def _stamp(value: datetime | None, path: str) -> Timestamp | None:
    return optional_stamp(optional_moment(value, path))
