"""What a page of persons creates and changes."""

from collections.abc import Iterator, Sequence

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.pending import Pending
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.persons import header_with_persons, new_person, put_person
from services.hierarchy.domain.records import PERSONS_BY_SUBJECT
from services.hierarchy.domain.text import Fault, subject_fault
from services.hierarchy.domain.transfers.newcomers import (
    Newcomers,
    as_request,
    person_faults,
    persons_wanted,
)
from services.hierarchy.domain.transfers.notes import RowNotes
from services.hierarchy.domain.transfers.numbers import Numbers
from services.hierarchy.domain.transfers.rows import PageReport, PersonRow


def decide_person_rows(
    rows: Sequence[PersonRow], numbers: Numbers, moment: Moment
) -> Steps[PageReport]:
    """Create and change persons as the rows say, or answer with all that is wrong with them.

    Raises:
        QuotaExceeded: there would be more persons than the tenant may have.
        SecretsChanged: the numbers are hashed under other secrets than the tenant's.
    """
    numbers.require_current(moment.header)
    notes = RowNotes(person_path="")
    sound = [row for row in rows if not notes.wrong(row, _faults(row, numbers))]
    known = Pending()
    wanted = persons_wanted((row.person for row in sound), numbers)
    subjects = {row.subject for row in sound if row.subject}
    known.learn((yield Want({**wanted.keys, PERSONS_BY_SUBJECT: subjects})))
    newcomers = Newcomers(numbers, known, moment)
    first: dict[PersonId, Person | None] = {}
    for row in sound:
        try:
            before, after = _put(row, newcomers)
        except ChaupalError as error:
            notes.refused(row, error)
            continue
        first.setdefault(after.id, before)
        _note(notes, before, after)
    report = notes.report(len(rows))
    persons = known.puts(Person)
    if notes.any_wrong or not persons:
        return Decision(report)
    changed = [(first[each.id], each) for each in persons]
    header, changes = header_with_persons(changed, moment.header)
    new_header = header if header != moment.header else None
    return Decision(report, puts=persons, header=new_header, changes=changes)


def _faults(row: PersonRow, numbers: Numbers) -> Iterator[Fault]:
    yield from person_faults(row.person, numbers, "")
    if fault := subject_fault(row.subject):
        yield fault
    if not (row.person.is_given or row.subject):
        yield Fault("", "MISSING", "the row says nothing of a person")


def _put(row: PersonRow, newcomers: Newcomers) -> tuple[Person | None, Person]:
    known, numbers = newcomers.known, newcomers.numbers
    standing = newcomers.standing(row.person)
    if standing is None and not row.person.id and row.subject:
        standing = known.one(PERSONS_BY_SUBJECT, row.subject)
    if standing is None and row.person.names is None:
        raise InvalidInput.of("names.en", "MISSING", "a new person needs a name")
    moment = newcomers.moment
    before = standing or new_person(PersonId(row.person.id or moment.new_id()), moment.now)
    sealed = numbers.seal(before.id, row.person.phone)
    after = put_person(before, as_request(row.person, numbers, row.subject), sealed, known)
    if after != before:
        known.put(after)
    return standing, after


def _note(notes: RowNotes, before: Person | None, after: Person) -> None:
    if before is None:
        notes.created()
    elif before == after:
        notes.unchanged()
    else:
        notes.updated()
