"""What requests about persons, appointments, teams and watches ask for."""

from collections.abc import Sequence

from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import InvalidInput, Violations
from kit.ids import is_uuid
from services.hierarchy.domain.appointing import Appoint, EndAppointments, VerifyAppointments
from services.hierarchy.domain.model import LocalizedText, RequestId, UnitId
from services.hierarchy.domain.people import AppointmentId, PersonId
from services.hierarchy.domain.persons import PutPerson
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.team_changes import PutTeam, TeamMember
from services.hierarchy.domain.teams import TeamId, WatchId
from services.hierarchy.domain.text import is_key, quoted, subject_fault, text_faults
from services.hierarchy.domain.watch_changes import AssignWatch, EndWatch
from services.hierarchy.translate.values import instant_or_none, names_from_proto

MAX_IDS = 1_000
# As many as the largest team may have.
MAX_MEMBERS = 10_000


def put_person_from_proto(message: pb.PutPersonRequest) -> PutPerson:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    faults = Violations()
    check_id(faults, "id", message.id, needed=False)
    check_id(faults, "request_id", message.request_id)
    names = _names(faults, "names", message, needed=not message.id)
    phone = PhoneNumber.read(message.phone)
    if message.phone and phone is None:
        # Says nothing of what was sent: it may be a number with a slip of the finger.
        faults.add("phone", "BAD_PHONE", "no number in E.164, such as +919800000000")
    _check_either(faults, "clear_phone", clear=message.clear_phone, given=bool(message.phone))
    _check_subject(faults, message.subject)
    _check_either(faults, "clear_subject", clear=message.clear_subject, given=bool(message.subject))
    if message.etag and not message.id:
        # Of somebody who is to be changed; without their id there would be two of them.
        faults.add("etag", "CONTRADICTION", "a new person has none: say whose it is")
    faults.raise_if_any()
    return PutPerson(
        request_id=RequestId(message.request_id),
        id=PersonId(message.id) if message.id else None,
        names=names,
        phone=phone,
        clear_phone=message.clear_phone,
        subject=message.subject or None,
        clear_subject=message.clear_subject,
        etag=message.etag,
        validate_only=message.validate_only,
    )


def phone_from_text(text: str) -> PhoneNumber:
    """The number. Raises `InvalidInput` (MISSING, BAD_PHONE) on `phone`."""
    if not text:
        raise InvalidInput.of("phone", "MISSING", "a number is needed")
    phone = PhoneNumber.read(text)
    if phone is None:
        raise InvalidInput.of("phone", "BAD_PHONE", "no number in E.164, such as +919800000000")
    return phone


def erase_person_from_proto(message: pb.ErasePersonRequest) -> tuple[PersonId, RequestId]:
    """Whom, and under which request id. Raises `InvalidInput`."""
    faults = Violations()
    check_id(faults, "id", message.id)
    check_id(faults, "request_id", message.request_id)
    faults.raise_if_any()
    return PersonId(message.id), RequestId(message.request_id)


def appoint_from_proto(message: pb.AppointRequest) -> Appoint:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    faults = Violations()
    check_id(faults, "unit_id", message.unit_id)
    check_key(faults, "position", message.position)
    check_id(faults, "person_id", message.person_id)
    check_id(faults, "request_id", message.request_id)
    faults.raise_if_any()
    return Appoint(
        request_id=RequestId(message.request_id),
        unit_id=UnitId(message.unit_id),
        position=message.position,
        person_id=PersonId(message.person_id),
        valid_from=instant_or_none(message, "valid_from"),
        valid_to=instant_or_none(message, "valid_to"),
        validate_only=message.validate_only,
    )


def end_appointments_from_proto(message: pb.EndAppointmentsRequest) -> EndAppointments:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    return EndAppointments(
        ids=_appointment_ids(message.ids, message.request_id),
        request_id=RequestId(message.request_id),
        valid_to=instant_or_none(message, "valid_to"),
    )


def verify_appointments_from_proto(message: pb.VerifyAppointmentsRequest) -> VerifyAppointments:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    return VerifyAppointments(
        ids=_appointment_ids(message.ids, message.request_id),
        request_id=RequestId(message.request_id),
    )


def put_team_from_proto(message: pb.PutTeamRequest) -> PutTeam:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    team, is_new = message.team, not message.team.id
    faults = Violations()
    check_id(faults, "request_id", message.request_id)
    check_id(faults, "team.id", team.id, needed=message.closed)
    check_id(faults, "team.unit_id", team.unit_id, needed=is_new)
    if team.kind or is_new:
        check_key(faults, "team.kind", team.kind)
    names = _names(faults, "team.names", team, needed=is_new)
    members = () if message.closed else _members(faults, team.members)
    faults.raise_if_any()
    return PutTeam(
        request_id=RequestId(message.request_id),
        id=TeamId(team.id) if team.id else None,
        unit_id=UnitId(team.unit_id) if team.unit_id else None,
        kind=team.kind or None,
        names=names,
        members=members,
        closed=message.closed,
        validate_only=message.validate_only,
    )


def assign_watch_from_proto(message: pb.AssignWatchRequest) -> AssignWatch:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    faults = Violations()
    check_id(faults, "unit_id", message.unit_id)
    check_id(faults, "person_id", message.person_id)
    check_id(faults, "covers_watch_id", message.covers_watch_id, needed=False)
    if message.covers_watch_id and not message.HasField("valid_to"):
        faults.add("valid_to", "MISSING", "a cover needs an end")
    check_id(faults, "request_id", message.request_id)
    faults.raise_if_any()
    return AssignWatch(
        request_id=RequestId(message.request_id),
        unit_id=UnitId(message.unit_id),
        person_id=PersonId(message.person_id),
        covers=WatchId(message.covers_watch_id) if message.covers_watch_id else None,
        valid_from=instant_or_none(message, "valid_from"),
        valid_to=instant_or_none(message, "valid_to"),
        validate_only=message.validate_only,
    )


def end_watch_from_proto(message: pb.EndWatchRequest) -> EndWatch:
    """The request. Raises `InvalidInput` with everything that is wrong."""
    faults = Violations()
    check_id(faults, "id", message.id)
    check_id(faults, "request_id", message.request_id)
    faults.raise_if_any()
    return EndWatch(
        request_id=RequestId(message.request_id),
        id=WatchId(message.id),
        valid_to=instant_or_none(message, "valid_to"),
    )


def check_id(faults: Violations, path: str, text: str, *, needed: bool = True) -> None:
    """Note what is wrong with an id (MISSING, BAD_ID)."""
    if not text:
        if needed:
            faults.add(path, "MISSING", "an id is needed")
    elif not is_uuid(text):
        faults.add(path, "BAD_ID", f"{quoted(text)} is not a UUID in lower case with hyphens")


def check_key(faults: Violations, path: str, text: str, *, needed: bool = True) -> None:
    """Note what is wrong with a key of the blueprint (MISSING, BAD_KEY)."""
    if not text:
        if needed:
            faults.add(path, "MISSING", "a key is needed")
    elif not is_key(text):
        faults.add(path, "BAD_KEY", f"{quoted(text)} is no key")


def _names(
    faults: Violations, path: str, message: pb.PutPersonRequest | pb.Team, *, needed: bool
) -> LocalizedText | None:
    if not message.HasField("names"):
        if needed:
            faults.add(path, "MISSING", "names are needed")
        return None
    names = names_from_proto(message.names)
    for fault in text_faults(names):
        where = f"{path}.by_language" + (f".{fault.field}" if fault.field else "")
        faults.add(where, fault.reason, fault.description)
    return names


def _check_either(faults: Violations, path: str, *, clear: bool, given: bool) -> None:
    if clear and given:
        faults.add(path, "CONTRADICTION", "cannot be given and taken away at once")


def _check_subject(faults: Violations, subject: str) -> None:
    if fault := subject_fault(subject):
        faults.add(*fault)


def _appointment_ids(texts: Sequence[str], request_id: str) -> tuple[AppointmentId, ...]:
    faults = Violations()
    if not texts:
        faults.add("ids", "MISSING", "at least one id is needed")
    if len(texts) > MAX_IDS:
        faults.add("ids", "TOO_MANY", f"has {len(texts)} ids, at most {MAX_IDS}")
        faults.raise_if_any()
    for index, text in enumerate(texts):
        check_id(faults, f"ids[{index}]", text)
    check_id(faults, "request_id", request_id)
    faults.raise_if_any()
    return tuple(map(AppointmentId, texts))


def _members(faults: Violations, members: Sequence[pb.TeamMember]) -> tuple[TeamMember, ...]:
    path = "team.members"
    if len(members) > MAX_MEMBERS:
        faults.add(path, "TOO_MANY", f"has {len(members)}, at most {MAX_MEMBERS}")
        return ()
    first_at: dict[str, int] = {}
    for index, each in enumerate(members):
        check_id(faults, f"{path}[{index}].person_id", each.person_id)
        check_key(faults, f"{path}[{index}].role", each.role)
        if each.person_id in first_at:
            said = f"is already at index {first_at[each.person_id]}"
            faults.add(f"{path}[{index}].person_id", "DUPLICATE_MEMBER", said)
        first_at.setdefault(each.person_id, index)
    return tuple(TeamMember(PersonId(each.person_id), each.role) for each in members)
