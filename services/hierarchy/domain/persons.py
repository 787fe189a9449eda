"""Decides what becomes of persons: created, changed, erased."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.hierarchy.domain.errors import QuotaExceeded
from services.hierarchy.domain.events import Change, PersonsErased
from services.hierarchy.domain.model import LocalizedText, RequestId
from services.hierarchy.domain.operations import Decision, Found, Moment, Steps, Want
from services.hierarchy.domain.people import Appointment, Person, PersonId, SealedPhone
from services.hierarchy.domain.people_errors import (
    PersonChanged,
    PersonErased,
    PersonNotFound,
    PhoneInUse,
    SecretsChanged,
    SubjectInUse,
)
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.records import (
    APPOINTMENTS_BY_PERSON,
    MEMBERSHIPS_BY_PERSON,
    PERSONS_BY_ID,
    PERSONS_BY_PHONE,
    PERSONS_BY_SUBJECT,
    TEAMS_BY_ID,
    WATCHES_BY_PERSON,
    WATCHES_BY_UNIT,
    Record,
)
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.tenures import (
    appointments_changed,
    ended,
    is_open,
    watches_changed,
    with_new_access,
)
from services.hierarchy.domain.watch_changes import end_with_covers


@dataclass(frozen=True, slots=True)
class PutPerson:
    """A request to create or change a person; None keeps what stands.

    `id` is None for a new one. The phone number is not in the repr: a fingerprint takes its hash.
    """

    request_id: RequestId = field(repr=False)
    id: PersonId | None
    names: LocalizedText | None
    phone: PhoneNumber | None
    clear_phone: bool
    subject: str | None
    clear_subject: bool
    etag: str
    validate_only: bool

    @property
    def changes_subject(self) -> bool:
        """Whether it is about the login."""
        return self.clear_subject or self.subject is not None


@dataclass(frozen=True, slots=True)
class SealedForPut:
    """A number made ready for a write.

    Attributes:
        phone: sealed under the newest secrets.
        hashes: what the number is found by under each pepper, by the pepper's version.
        versions: of the data keys and peppers that there were; others make the seal void.
    """

    phone: SealedPhone
    hashes: Mapping[int, str] = field(repr=False)
    versions: tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True, slots=True)
class PersonPut:
    """What is kept as the answer to a put: not the person, who may be erased meanwhile.

    Attributes:
        person_id: whose.
        preview: the person as they would stand; only where nothing was to be written.
    """

    person_id: PersonId
    preview: Person | None = None


@dataclass(frozen=True, slots=True)
class PersonErasure:
    """The answer to an erasure.

    Attributes:
        person: with nothing left of their data.
        ended_count: appointments, memberships and watches that ended.
    """

    person: Person
    ended_count: int


def decide_put_person(
    request: PutPerson, person_id: PersonId, sealed: SealedForPut | None, moment: Moment
) -> Steps[PersonPut]:
    """Create or change a person.

    Args:
        request: valid by itself.
        person_id: the request's, or the id that a new person is to have.
        sealed: the request's number, if it has one.
        moment: of the write.

    Raises:
        PersonNotFound, PersonErased, PersonChanged: the person is not as the caller thinks.
        PhoneInUse, SubjectInUse: another person has it.
        QuotaExceeded: the tenant has as many persons as it may.
        SecretsChanged: the number was sealed under other secrets than the tenant's.
    """
    if sealed and sealed.versions != secret_versions(moment.header):
        raise SecretsChanged
    found = yield _wanted(request, person_id, sealed)
    before = _standing(found.one(PERSONS_BY_ID, person_id), request) if request.id else None
    after = put_person(before or new_person(person_id, moment.now), request, sealed, found)
    answer = PersonPut(person_id, after if request.validate_only else None)
    if after == before:
        return Decision(answer)
    header, changes = header_with_persons([(before, after)], moment.header)
    return Decision(
        answer,
        puts=[after],
        header=header if header != moment.header else None,
        changes=changes,
    )


def put_person(
    before: Person, request: PutPerson, sealed: SealedForPut | None, found: Found
) -> Person:
    """The person after a put; the same as before where nothing changes.

    Args:
        before: as they stand, or a `new_person`.
        request: valid by itself.
        sealed: the request's number, if it has one.
        found: has whoever has the number or the login.

    Raises:
        PhoneInUse, SubjectInUse: another person has it.
    """
    _require_unused(request, before.id, sealed, found)
    after = _changed(before, request, sealed)
    if after == before and before.revision:
        return before
    return replace(after, revision=after.revision + 1)


def new_person(person_id: PersonId, now: datetime) -> Person:
    """Somebody of whom nothing is known yet; never kept so."""
    return Person(person_id, None, None, None, created_at=now, erased_at=None, revision=0)


def header_with_persons(
    changed: Iterable[tuple[Person | None, Person]], header: TenantHeader
) -> tuple[TenantHeader, list[Change]]:
    """The header once persons changed, from before (None for new ones) to after.

    Raises:
        QuotaExceeded: the tenant would have more persons than it may.
    """
    changed = list(changed)
    more = sum(before is None for before, _ in changed)
    if more:
        count, most = header.counts.persons + more, header.quotas.persons
        if count > most:
            raise QuotaExceeded("persons", most)
        header = replace(header, counts=replace(header.counts, persons=count))
    if all((before.subject if before else None) == after.subject for before, after in changed):
        return header, []
    header, told = with_new_access(header)
    return header, [told]


def decide_erase_person(person_id: PersonId, moment: Moment) -> Steps[PersonErasure]:
    """Forget a person's data and end all that they hold. Erasing twice changes nothing more.

    Raises:
        PersonNotFound: there is none.
    """
    found = yield Want(
        {
            PERSONS_BY_ID: [person_id],
            APPOINTMENTS_BY_PERSON: [person_id],
            MEMBERSHIPS_BY_PERSON: [person_id],
            WATCHES_BY_PERSON: [person_id],
        }
    )
    person = found.one(PERSONS_BY_ID, person_id)
    if person is None:
        raise PersonNotFound(person_id)
    if person.erased_at is not None:
        return Decision(PersonErasure(person, 0))
    now = moment.now
    memberships = [
        ended(each, now)
        for each in found.all(MEMBERSHIPS_BY_PERSON, person_id)
        if is_open(each, now)
    ]
    watches = [each for each in found.all(WATCHES_BY_PERSON, person_id) if is_open(each, now)]
    around = yield Want(
        {
            TEAMS_BY_ID: [each.team_id for each in memberships],
            WATCHES_BY_UNIT: [each.unit_id for each in watches],
        }
    )
    held = _Ended(
        appointments=[
            ended(each, now)
            for each in found.all(APPOINTMENTS_BY_PERSON, person_id)
            if is_open(each, now)
        ],
        memberships=memberships,
        teams=_touched(memberships, around),
        watches=end_with_covers(watches, now, around),
    )
    return _erased(person, held, moment)


def secret_versions(header: TenantHeader) -> tuple[frozenset[int], frozenset[int]]:
    """Which data keys and which peppers a tenant has."""
    secrets = header.secrets
    return (
        frozenset(each.version for each in secrets.data_keys),
        frozenset(each.version for each in secrets.peppers),
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    appointments: Sequence[Appointment]
    memberships: Sequence[Membership]
    teams: Sequence[Team]
    watches: Sequence[Watch]

    @property
    def records(self) -> Iterator[Record]:
        yield from self.appointments
        yield from self.memberships
        yield from self.teams
        yield from self.watches


def _wanted(request: PutPerson, person_id: PersonId, sealed: SealedForPut | None) -> Want:
    return Want(
        {
            PERSONS_BY_ID: [person_id],
            PERSONS_BY_PHONE: list(sealed.hashes.values()) if sealed else [],
            PERSONS_BY_SUBJECT: [request.subject] if request.subject else [],
        }
    )


def _standing(person: Person | None, request: PutPerson) -> Person:
    if person is None:
        raise PersonNotFound(str(request.id))
    if person.erased_at is not None:
        raise PersonErased(person.id)
    if request.etag and request.etag != person_etag(person):
        raise PersonChanged(person.id, current_etag=person_etag(person))
    return person


def person_etag(person: Person) -> str:
    """Changes whenever the person does."""
    return f"{person.revision}"


def _require_unused(
    request: PutPerson, person_id: PersonId, sealed: SealedForPut | None, found: Found
) -> None:
    for hashed in sealed.hashes.values() if sealed else ():
        if any(each.id != person_id for each in found.all(PERSONS_BY_PHONE, hashed)):
            raise PhoneInUse
    if request.subject:
        others = found.all(PERSONS_BY_SUBJECT, request.subject)
        if any(each.id != person_id for each in others):
            raise SubjectInUse


def _changed(before: Person, request: PutPerson, sealed: SealedForPut | None) -> Person:
    phone = None if request.clear_phone else before.phone
    if sealed and (phone is None or phone.hash not in sealed.hashes.values()):
        phone = sealed.phone  # the same number keeps its seal: nothing changed
    return replace(
        before,
        names=request.names or before.names,
        phone=phone,
        subject=None if request.clear_subject else request.subject or before.subject,
    )


def _touched(memberships: Sequence[Membership], found: Found) -> list[Team]:
    """The teams, each once, under new revisions: a team changes when its members do."""
    ids = dict.fromkeys(each.team_id for each in memberships)
    teams = [found.one(TEAMS_BY_ID, each) for each in ids]
    return [replace(each, revision=each.revision + 1) for each in teams if each]


def _erased(person: Person, held: _Ended, moment: Moment) -> Decision[PersonErasure]:
    after = Person(person.id, None, None, None, person.created_at, moment.now, person.revision + 1)
    header = moment.header
    counts = replace(header.counts, persons=header.counts.persons - 1)
    header, told = with_new_access(replace(header, counts=counts))
    own = [each for each in held.watches if each.person_id == person.id]
    count = len(held.appointments) + len(held.memberships) + len(own)
    return Decision(
        PersonErasure(after, count),
        puts=[after, *held.records],
        header=header,
        changes=[
            PersonsErased((person.id,)),
            *appointments_changed(held.appointments),
            *watches_changed(held.watches),
            told,
        ],
    )
