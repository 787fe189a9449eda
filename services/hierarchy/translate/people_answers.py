"""Batches of persons, appointments, teams and lines: one answer for each id, within a message."""

from collections.abc import Iterable, Sequence

from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import ChaupalError
from kit.status import error_to_status
from services.hierarchy.domain.team_changes import TeamWithMembers
from services.hierarchy.translate.answers import DOMAIN, checked
from services.hierarchy.translate.people_values import (
    appointment_to_proto,
    line_to_proto,
    person_to_proto,
    team_to_proto,
)
from services.hierarchy.use_cases.appointments import AppointmentList
from services.hierarchy.use_cases.people import ShownPerson
from services.hierarchy.use_cases.watch_lines import WatchLine


def persons_to_proto(found: Iterable[ShownPerson | ChaupalError]) -> pb.BatchGetPersonsResponse:
    """One for each. Raises `InvalidInput` (ANSWER_TOO_LARGE), as do all of these."""
    return checked(pb.BatchGetPersonsResponse(results=map(_person, found)), "ids")


def unit_appointments_to_proto(
    found: Iterable[AppointmentList | ChaupalError],
) -> pb.BatchListUnitAppointmentsResponse:
    """Those of each unit."""
    answer = pb.BatchListUnitAppointmentsResponse(results=map(_appointments, found))
    return checked(answer, "unit_ids")


def person_appointments_to_proto(
    found: Iterable[AppointmentList | ChaupalError],
) -> pb.BatchListPersonAppointmentsResponse:
    """Those of each person."""
    answer = pb.BatchListPersonAppointmentsResponse(results=map(_appointments, found))
    return checked(answer, "person_ids")


def teams_to_proto(
    found: Iterable[Sequence[TeamWithMembers] | ChaupalError],
) -> pb.BatchListTeamsResponse:
    """Those of each unit."""
    return checked(pb.BatchListTeamsResponse(results=map(_teams, found)), "unit_ids")


def lines_to_proto(
    found: Iterable[WatchLine | ChaupalError],
) -> pb.BatchGetWatchLinesResponse:
    """That of each unit."""
    return checked(pb.BatchGetWatchLinesResponse(results=map(_line, found)), "unit_ids")


def _person(answer: ShownPerson | ChaupalError) -> pb.PersonResult:
    if isinstance(answer, ChaupalError):
        return pb.PersonResult(status=error_to_status(answer, DOMAIN))
    return pb.PersonResult(person=person_to_proto(answer))


def _appointments(answer: AppointmentList | ChaupalError) -> pb.AppointmentsResult:
    if isinstance(answer, ChaupalError):
        return pb.AppointmentsResult(status=error_to_status(answer, DOMAIN))
    listed = pb.Appointments(
        appointments=map(appointment_to_proto, answer.appointments), has_more=answer.has_more
    )
    return pb.AppointmentsResult(appointments=listed)


def _teams(answer: Sequence[TeamWithMembers] | ChaupalError) -> pb.TeamsResult:
    if isinstance(answer, ChaupalError):
        return pb.TeamsResult(status=error_to_status(answer, DOMAIN))
    return pb.TeamsResult(teams=pb.Teams(teams=map(team_to_proto, answer)))


def _line(answer: WatchLine | ChaupalError) -> pb.WatchLineResult:
    if isinstance(answer, ChaupalError):
        return pb.WatchLineResult(status=error_to_status(answer, DOMAIN))
    return pb.WatchLineResult(line=line_to_proto(answer))
