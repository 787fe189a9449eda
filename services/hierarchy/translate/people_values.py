"""Persons, appointments, teams and watches as messages."""

from chaupal.hierarchy.v1 import people_pb2 as pb

from services.hierarchy.domain.people import Verification
from services.hierarchy.domain.persons import person_etag
from services.hierarchy.domain.team_changes import TeamWithMembers
from services.hierarchy.domain.teams import Membership, Watch
from services.hierarchy.ports import Tally
from services.hierarchy.translate.values import names_to_proto, timestamp
from services.hierarchy.use_cases.appointments import ShownAppointment
from services.hierarchy.use_cases.people import ShownPerson
from services.hierarchy.use_cases.watch_lines import WatchLine

_STATES = {
    Verification.UNVERIFIED: pb.VERIFICATION_STATE_UNVERIFIED,
    Verification.VERIFIED: pb.VERIFICATION_STATE_VERIFIED,
    Verification.STALE: pb.VERIFICATION_STATE_STALE,
}


def person_to_proto(shown: ShownPerson) -> pb.Person:
    """The person, with as much as is shown."""
    person = shown.person
    masked = person.phone.masked if person.phone else ""
    return pb.Person(
        id=person.id,
        names=names_to_proto(person.names) if person.names else None,
        phone=shown.phone.e164 if shown.phone else masked,
        phone_masked=person.phone is not None and shown.phone is None,
        subject=person.subject or "" if shown.may_see_whole else "",
        erased=person.erased_at is not None,
        etag=person_etag(person),
    )


def appointment_to_proto(shown: ShownAppointment) -> pb.Appointment:
    """The appointment, with its state of verification."""
    appointment = shown.appointment
    return pb.Appointment(
        id=appointment.id,
        unit_id=appointment.unit_id,
        position=appointment.position,
        person_id=appointment.person_id,
        valid_from=timestamp(appointment.valid_from),
        valid_to=timestamp(appointment.valid_to) if appointment.valid_to else None,
        verified_at=timestamp(appointment.verified_at) if appointment.verified_at else None,
        verification=_STATES[shown.verification],
        etag=f"{appointment.revision}",
    )


def team_to_proto(team: TeamWithMembers) -> pb.Team:
    """The team with its members."""
    return pb.Team(
        id=team.team.id,
        unit_id=team.team.unit_id,
        kind=team.team.kind,
        names=names_to_proto(team.team.names),
        members=map(_member, team.members),
        valid_from=timestamp(team.team.valid_from),
        etag=f"{team.team.revision}",
    )


def watch_to_proto(watch: Watch) -> pb.Watch:
    """The watch."""
    return pb.Watch(
        id=watch.id,
        unit_id=watch.unit_id,
        person_id=watch.person_id,
        covers_watch_id=watch.covers or "",
        valid_from=timestamp(watch.valid_from),
        valid_to=timestamp(watch.valid_to) if watch.valid_to else None,
    )


def line_to_proto(line: WatchLine) -> pb.WatchLine:
    """The line."""
    return pb.WatchLine(
        watches=map(watch_to_proto, line.watches),
        convenors=map(appointment_to_proto, line.convenors),
        centre_unit_id=line.centre or "",
        centre_heads=map(appointment_to_proto, line.heads),
    )


def count_to_proto(tally: Tally) -> pb.AppointmentCount:
    """The count."""
    return pb.AppointmentCount(
        position=tally.position,
        verification=_STATES[tally.verification],
        appointment_count=tally.count,
    )


def _member(membership: Membership) -> pb.TeamMember:
    return pb.TeamMember(
        person_id=membership.person_id,
        role=membership.role,
        valid_from=timestamp(membership.valid_from),
    )
