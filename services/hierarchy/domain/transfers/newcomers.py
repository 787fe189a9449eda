"""Finds the persons whom rows name, and makes those who are not there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kit.errors import InvalidInput
from kit.ids import is_uuid
from services.hierarchy.domain.model import RequestId
from services.hierarchy.domain.operations import Moment, Want
from services.hierarchy.domain.pending import Pending
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.people_errors import PersonErased, PersonNotFound, PhoneInUse
from services.hierarchy.domain.persons import PutPerson, new_person, put_person
from services.hierarchy.domain.records import PERSONS_BY_ID, PERSONS_BY_PHONE
from services.hierarchy.domain.text import Fault, quoted, text_faults
from services.hierarchy.domain.transfers.numbers import Numbers
from services.hierarchy.domain.transfers.rows import PersonRef


def person_faults(person: PersonRef, numbers: Numbers, path: str = "person.") -> Iterator[Fault]:
    """What is wrong with what a row says of a person, by itself."""
    if person.id and not is_uuid(person.id):
        said = f"{quoted(person.id)} is not a UUID in lower case with hyphens"
        yield Fault(f"{path}id", "BAD_ID", said)
    if person.phone and not numbers.is_number(person.phone):
        # Says nothing of what stands there: it may be a number with a slip of the finger.
        yield Fault(f"{path}phone", "BAD_PHONE", "no number in E.164, such as +919800000000")
    for fault in text_faults(person.names) if person.names else ():
        tag = f".{fault.field}" if fault.field else ""
        yield Fault(f"{path}names{tag}", fault.reason, fault.description)


def persons_wanted(persons: Iterable[PersonRef], numbers: Numbers) -> Want:
    """Who decides about these, by id and by number."""
    persons = list(persons)
    hashes = {each for person in persons for each in numbers.hashes(person.phone)}
    ids = {person.id for person in persons if person.id}
    return Want({PERSONS_BY_ID: ids, PERSONS_BY_PHONE: hashes})


def holder_of(phone: str, numbers: Numbers, known: Pending) -> Person | None:
    """Who has the number, as it was typed."""
    holders = (x for each in numbers.hashes(phone) for x in known.all(PERSONS_BY_PHONE, each))
    return next(holders, None)


@dataclass(frozen=True, slots=True)
class Newcomers:
    """The persons of a page; whom it makes is put among what is known.

    `known` has whom `persons_wanted` asked for.
    """

    numbers: Numbers
    known: Pending
    moment: Moment

    def standing(self, ref: PersonRef) -> Person | None:
        """Whom a row names, if they are there.

        Raises:
            PhoneInUse: somebody else has the number of the one with this id.
            PersonErased: their data was.
        """
        holder = holder_of(ref.phone, self.numbers, self.known)
        if ref.id and holder is not None and holder.id != ref.id:
            raise PhoneInUse
        person = self.known.one(PERSONS_BY_ID, ref.id) if ref.id else holder
        if person is not None and person.erased_at is not None:
            raise PersonErased(person.id)
        return person

    def find_or_make(self, ref: PersonRef) -> Person:
        """Whom a row names; one who is not there is made.

        Raises:
            PhoneInUse, PersonErased: see `standing`.
            PersonNotFound: nobody has the id, and there are no names for a new person.
            InvalidInput: MISSING; nobody is named, or nobody has the number and there are no names.
        """
        if not ref.id and not ref.phone:
            said = "the person's id or phone number is needed"
            raise InvalidInput.of("person.phone", "MISSING", said)
        person = self.standing(ref)
        if person is not None:
            return person
        if ref.names is None:
            if ref.id:
                raise PersonNotFound(ref.id)
            said = "nobody has this number, and a new person needs a name"
            raise InvalidInput.of("person.names.en", "MISSING", said)
        return self._make(ref)

    def _make(self, ref: PersonRef) -> Person:
        person_id = PersonId(ref.id or self.moment.new_id())
        nobody = new_person(person_id, self.moment.now)
        sealed = self.numbers.seal(person_id, ref.phone)
        person = put_person(nobody, as_request(ref, self.numbers), sealed, self.known)
        self.known.put(person)
        return person


def as_request(ref: PersonRef, numbers: Numbers, subject: str = "") -> PutPerson:
    """The request that makes or changes such a person; what is empty stays."""
    return PutPerson(
        request_id=RequestId(""),
        id=None,
        names=ref.names,
        phone=numbers.phone(ref.phone),
        clear_phone=False,
        subject=subject or None,
        clear_subject=False,
        etag="",
        validate_only=False,
    )
