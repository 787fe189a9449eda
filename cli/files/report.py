"""The one report of an import: what was found, what was done."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.files.escaping import to_csv_cell
from cli.files.problems import Problem
from cli.output import counted
from cli.records import Difference

# What people see of a long list; programs get all that were told.
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What an import did or would do.

    Attributes:
        row_count: Rows read from the file.
        created_count: New things.
        updated_count: Changed things.
        unchanged_count: Things that already stood so.
        error_count: How many problems there are; a service tells the first 1,000 only.
        problems: Those that were told, by row.
        applied: Whether anything was written.
        note: What could not be found out, and why; empty when all was.
        counts: What `row` of a problem counts: rows of a table, lines of a text.
        differences: In what a blueprint differs from the one before.
    """

    row_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    error_count: int
    problems: Sequence[Problem]
    applied: bool
    note: str = ""
    counts: str = "row"
    differences: Sequence[Difference] = ()

    def as_json(self) -> dict[str, object]:
        """Return what `-o json` says."""
        return {
            "applied": self.applied,
            "rowCount": self.row_count,
            "createdCount": self.created_count,
            "updatedCount": self.updated_count,
            "unchangedCount": self.unchanged_count,
            "errorCount": self.error_count,
            "errors": [
                {
                    "row": problem.row,
                    "field": problem.field,
                    "reason": problem.reason,
                    "description": problem.description,
                }
                for problem in self.problems
            ],
            "note": self.note,
        } | (
            {"differences": [_told(each) for each in self.differences]} if self.differences else {}
        )

    def lines(self) -> list[str]:
        """Return what people read."""
        if not self.error_count:
            return [self._done()]
        shown = [self._line(problem) for problem in self.problems[:_SHOWN]]
        hidden = self.error_count - len(shown)
        more = [f"and {hidden} more; -o json tells up to 1,000"] if hidden else []
        note = [self.note] if self.note else []
        problems = counted(self.error_count, "problem")
        if self.applied:
            return [*shown, *more, f"stopped: {problems}", *note]
        return [*shown, *more, *note, f"refused: {problems}; nothing was changed"]

    def _done(self) -> str:
        rows = counted(self.row_count, "row")
        if not (self.created_count or self.updated_count):
            return f"{rows} read, all as they were: nothing had to change"
        verb = "imported" if self.applied else "can be imported"
        counts = (
            f"{self.created_count} new, {self.updated_count} changed,"
            f" {self.unchanged_count} as they were"
        )
        return f"{rows} {verb}: {counts}"

    def _line(self, problem: Problem) -> str:
        place = f"{self.counts} {problem.row}" if problem.row else "file"
        field = f", {problem.field}" if problem.field else ""
        return f"{place}{field}: {problem.description} ({problem.reason})"


def write_report(file: Path, outcome: ImportOutcome) -> None:
    """Write the problems as a table: row, field, reason, description.

    Raises:
        OSError: The file cannot be written.
    """
    with file.open("w", encoding="utf-8", newline="") as to:
        writer = csv.writer(to, lineterminator="\n")
        writer.writerow(("row", "field", "reason", "description"))
        for each in outcome.problems:
            # A description may quote what a spreadsheet would take for a formula.
            texts = map(to_csv_cell, (each.field, each.reason, each.description))
            writer.writerow((each.row, *texts))


def difference_line(difference: Difference) -> str:
    """Return what people read of one difference."""
    standing = f" ({difference.affected_count:,} affected)" if difference.affected_count else ""
    before, after = (text or "none" for text in (difference.before, difference.after))
    return f"{difference.path}: {before} -> {after}{standing}"


def _told(difference: Difference) -> dict[str, object]:
    return {
        "path": difference.path,
        "before": difference.before,
        "after": difference.after,
        "affectedCount": difference.affected_count,
    }
