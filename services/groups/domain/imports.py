"""An import of groups: which rows are wrong, and what the right ones change.

Checking needs the organisation alone and planning the register alone, so that a register that
moved on meanwhile costs a new plan and not a new check.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from services.groups.domain.blueprint import Blueprint
from services.groups.domain.checks import (
    NOT_ALLOWED,
    Draft,
    Problem,
    content_of,
    may_be_outdated,
    problems_of,
)
from services.groups.domain.model import GroupContent, UnitId

MAX_ROWS = 200_000
MAX_ERRORS_TOLD = 1_000

FindUnit = Callable[[str, str], UnitId | None]
"""The unit of a level and a code, if there is one."""

MayChange = Callable[[UnitId, str, str], bool]
"""Whether groups of a unit, a kind and a category may be changed."""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group as a file names it: its unit by level and code.

    `row` is the number that the sender knows the row by.
    """

    row: int
    draft: Draft
    unit_level: str
    unit_code: str


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row; `row` is 0 when the file as a whole is meant."""

    row: int
    field: str
    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did or would do: either `errors` is empty, or nothing was applied.

    `errors` are the first 1,000 by row, `error_count` counts all.
    """

    row_count: int
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    error_count: int = 0
    errors: tuple[RowError, ...] = ()
    applied: bool = False


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """What the rows describe, in their order; worth planning only without errors.

    `may_be_outdated` says that something was not there, or not theirs, as far as we know.
    """

    row_count: int
    contents: Sequence[GroupContent]
    error_count: int
    errors: tuple[RowError, ...]
    may_be_outdated: bool

    def refused(self) -> ImportReport:
        """The report of an import that is stopped by these errors."""
        return ImportReport(self.row_count, error_count=self.error_count, errors=self.errors)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import changes: contents to register, and contents by the place of their group."""

    created: Sequence[GroupContent]
    updated: Sequence[tuple[int, GroupContent]]
    unchanged_count: int

    def report(self, *, applied: bool) -> ImportReport:
        """The report of an import without errors."""
        return ImportReport(
            row_count=len(self.created) + len(self.updated) + self.unchanged_count,
            created_count=len(self.created),
            updated_count=len(self.updated),
            unchanged_count=self.unchanged_count,
            applied=applied,
        )


class Known(Protocol):
    """What planning asks of the register as it stands."""

    def ordinals(self, codes: Sequence[str]) -> Sequence[int]:
        """For each code the place of its group, or -1."""
        ...

    def digests(self, ordinals: Sequence[int]) -> Sequence[bytes]:
        """For each place the digest of its group's content."""
        ...


def check_rows(
    rows: Sequence[GroupRow], blueprint: Blueprint, find_unit: FindUnit, may_change: MayChange
) -> CheckedRows:
    """Check every row by itself and against the rows before it."""
    errors = _Errors()
    contents: list[GroupContent] = []
    first_rows: dict[str, int] = {}
    for row in rows:
        unit_id = find_unit(row.unit_level, row.unit_code)
        problems = problems_of(row.draft, blueprint)
        if row.draft.code in first_rows:
            problems.append(_duplicate(first_rows[row.draft.code]))
        elif row.draft.code:
            first_rows[row.draft.code] = row.row
        if unit_id is None:
            problems.append(_no_unit(row))
        elif not may_change(unit_id, row.draft.kind, row.draft.category):
            problems.append(_not_allowed(row))
        elif not problems:
            contents.append(content_of(row.draft, unit_id))
        if problems:
            errors.add(row.row, problems)
    return errors.of(rows, contents)


def check_holders(
    rows: Sequence[GroupRow],
    contents: Sequence[GroupContent],
    known: Known,
    may_change: Callable[[int], bool],
) -> CheckedRows:
    """Check of rows that are right by themselves whether their groups, as they are, may change.

    A row takes a group out of the unit, kind and category that it is in as well as into others.

    Args:
        rows: the rows.
        contents: what each describes.
        known: the register as it stands.
        may_change: whether the group at a place of it may be changed.
    """
    errors = _Errors()
    ordinals = known.ordinals([content.code for content in contents])
    for row, ordinal in zip(rows, ordinals, strict=True):
        if ordinal >= 0 and not may_change(ordinal):
            said = "you may not change the group that has this code"
            errors.add(row.row, [Problem("code", NOT_ALLOWED, said)])
    return errors.of(rows, contents)


def plan_import(contents: Sequence[GroupContent], known: Known) -> Plan:
    """Sort contents into new ones, changed ones and those that already stand so."""
    ordinals = known.ordinals([content.code for content in contents])
    created = [content for content, ordinal in zip(contents, ordinals, strict=True) if ordinal < 0]
    there = [
        (ordinal, content)
        for content, ordinal in zip(contents, ordinals, strict=True)
        if ordinal >= 0
    ]
    digests = known.digests([ordinal for ordinal, _ in there])
    updated = [
        (ordinal, content)
        for (ordinal, content), digest in zip(there, digests, strict=True)
        if content.digest() != digest
    ]
    return Plan(created, updated, len(there) - len(updated))


def _duplicate(first_row: int) -> Problem:
    return Problem("code", "DUPLICATE_CODE", f"row {first_row} has the same code")


def _no_unit(row: GroupRow) -> Problem:
    if not row.unit_level:
        return Problem("unit_level", "MISSING", "say the level of the group's unit")
    if not row.unit_code:
        return Problem("unit_code", "MISSING", "say the code of the group's unit")
    named = f"{row.unit_level[:64]} {row.unit_code[:64]!r}"
    return Problem("unit_code", "UNKNOWN_UNIT", f"the organisation has no {named}")


def _not_allowed(row: GroupRow) -> Problem:
    of = f"{row.unit_level[:64]} {row.unit_code[:64]!r}"
    return Problem("unit_code", NOT_ALLOWED, f"you may not change such groups of {of}")


class _Errors:
    """All errors counted, the first by row kept: 200,000 wrong rows must not fill the memory."""

    def __init__(self) -> None:
        self.count = 0
        self.may_be_outdated = False
        self._kept: list[RowError] = []

    def add(self, row: int, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.count += 1
            self.may_be_outdated |= may_be_outdated(problem)
            self._kept.append(RowError(row, problem.field, problem.reason, problem.description))
        if len(self._kept) > 2 * MAX_ERRORS_TOLD:
            self._kept = list(self.first_by_row())

    def first_by_row(self) -> tuple[RowError, ...]:
        return tuple(sorted(self._kept, key=attrgetter("row"))[:MAX_ERRORS_TOLD])

    def of(self, rows: Sequence[GroupRow], contents: Sequence[GroupContent]) -> CheckedRows:
        """The rows with these errors."""
        return CheckedRows(
            len(rows), contents, self.count, self.first_by_row(), self.may_be_outdated
        )
