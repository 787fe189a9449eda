"""Sums up the pages of an import."""

from dataclasses import dataclass, field

from services.hierarchy.domain.model import RowError
from services.hierarchy.domain.row_checks import MAX_REPORTED_ERRORS
from services.hierarchy.domain.transfers.rows import PageReport


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What an import did or would do; see the contract's message of that name."""

    row_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    error_count: int
    errors: tuple[RowError, ...]
    applied_row_count: int
    applied: bool


@dataclass(slots=True)
class ImportTally:
    """What has become of an import so far.

    Once a page was wrong, or when it is a trial, nothing more is applied.
    """

    is_trial: bool
    row_count: int = 0
    error_count: int = 0
    _created: int = 0
    _updated: int = 0
    _unchanged: int = 0
    _applied_rows: int = 0
    _applied: bool = False
    _errors: list[RowError] = field(default_factory=list)

    @property
    def checks_only(self) -> bool:
        """Whether the next page is to change nothing."""
        return self.is_trial or self.error_count > 0

    def add(self, page: PageReport) -> None:
        """Take the report of the next page."""
        if not self.checks_only and not page.error_count:
            self._applied_rows += page.row_count
            self._applied |= page.created_count + page.updated_count > 0
        self.row_count += page.row_count
        self.error_count += page.error_count
        self._created += page.created_count
        self._updated += page.updated_count
        self._unchanged += page.unchanged_count
        self._errors += page.errors[: MAX_REPORTED_ERRORS - len(self._errors)]

    def report(self) -> RowsReport:
        """What has become of all pages."""
        return RowsReport(
            self.row_count,
            self._created,
            self._updated,
            self._unchanged,
            self.error_count,
            tuple(self._errors),
            self._applied_rows,
            self._applied,
        )
