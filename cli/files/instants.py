"""Dates and instants in cells: ISO 8601, as people and spreadsheets write them."""

import re
from datetime import UTC, datetime

from cli.files.problems import RowProblems

# Not all of what `fromisoformat` takes: a week or a date without hyphens is a slip of the finger.
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)


def instant(cell: str, column: str, notes: RowProblems) -> datetime | None:
    """Return the instant of a cell; a date is its first one, and what names no zone is UTC."""
    if not cell:
        return None
    try:
        if _INSTANT.fullmatch(cell):
            found = datetime.fromisoformat(cell)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    said = "is no date such as 2026-01-31, and no instant such as 2026-01-31T18:30:00+05:30"
    notes.wrong(column, "BAD_DATE", said)
    return None


def instant_cell(at: datetime) -> str:
    """Return the instant as a cell: a date when it is the first of one."""
    if not (at.hour or at.minute or at.second or at.microsecond):
        return at.date().isoformat()
    return f"{at.replace(tzinfo=None).isoformat()}Z"
