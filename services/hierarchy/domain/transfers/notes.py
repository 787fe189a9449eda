"""What is noted of the rows of a page, one after the other."""

from collections.abc import Iterable

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.model import RowError
from services.hierarchy.domain.people_errors import (
    AlreadyAppointed,
    PersonErased,
    PersonNotFound,
    PhoneInUse,
    SeatsTaken,
    SubjectInUse,
)
from services.hierarchy.domain.row_checks import MAX_REPORTED_ERRORS
from services.hierarchy.domain.text import Fault
from services.hierarchy.domain.transfers.rows import PageReport, Row

# Which field an error is about that names none.
_FIELDS: dict[type[ChaupalError], str] = {
    AlreadyAppointed: "person",
    SeatsTaken: "position",
    SubjectInUse: "subject",
}
# The same of what is wrong with a person, below where the row names them.
_PERSON_FIELDS: dict[type[ChaupalError], str] = {
    PersonErased: "id",
    PersonNotFound: "id",
    PhoneInUse: "phone",
}

# What a rule of a single call names otherwise than a row does.
_ROW_FIELDS = {"team.kind": "kind", "team.members": "person"}


class RowNotes:
    """Counts what rows come to, and keeps what is wrong with them.

    Args:
        person_path: what stands before a person's fields in the path of a row's.
    """

    def __init__(self, person_path: str = "person.") -> None:
        self._person_path = person_path
        self._created = self._updated = self._unchanged = 0
        self._errors: list[RowError] = []

    @property
    def any_wrong(self) -> bool:
        """Whether anything is wrong, so that nothing is to be written."""
        return bool(self._errors)

    def wrong(self, row: Row, faults: Iterable[Fault]) -> bool:
        """Note faults of a row, and say whether there were any."""
        found = [RowError(row.row, *fault) for fault in faults]
        self._errors += found
        return bool(found)

    def refused(self, row: Row, error: ChaupalError) -> None:
        """Note why a row cannot be."""
        if isinstance(error, InvalidInput) and error.violations:
            faults = [
                Fault(_ROW_FIELDS.get(each.field, each.field), each.reason, each.description)
                for each in error.violations
            ]
        else:
            faults = [Fault(self._field(error), error.reason, error.message)]
        self.wrong(row, faults)

    def _field(self, error: ChaupalError) -> str:
        if field := _PERSON_FIELDS.get(type(error)):
            return f"{self._person_path}{field}"
        return _FIELDS.get(type(error), "")

    def created(self) -> None:
        """Note that a row makes something new."""
        self._created += 1

    def updated(self) -> None:
        """Note that a row changes something."""
        self._updated += 1

    def unchanged(self) -> None:
        """Note that all is as the row says."""
        self._unchanged += 1

    def report(self, row_count: int) -> PageReport:
        """What the page comes to."""
        if not self._errors:
            return PageReport(row_count, self._created, self._updated, self._unchanged)
        first = sorted(self._errors, key=lambda each: each.row)[:MAX_REPORTED_ERRORS]
        return PageReport(row_count, error_count=len(self._errors), errors=tuple(first))
