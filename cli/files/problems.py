"""What is wrong with a file, in the shape in which the services report it too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADER = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        row: As a spreadsheet counts, the header being row 1, or the line of a blueprint; 0 when the
            whole file is meant.
        field: Which column or entry; empty when the whole row is meant.
        reason: Stable, UPPER_SNAKE.
        description: What is wrong and what to do, for people.
    """

    row: int
    field: str
    reason: str
    description: str


class Problems:
    """Collects what is wrong: counts everything, and keeps so much of it as is told.

    Args:
        most: How many to keep; None for all.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self.count = 0
        self.told: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Take one more."""
        self.count += 1
        if self._most is None or len(self.told) < self._most:
            self.told.append(problem)


@dataclass(frozen=True, slots=True)
class RowProblems:
    """Notes what is wrong with one row."""

    row: int
    problems: Problems

    def wrong(self, field: str, reason: str, description: str) -> None:
        """Note one thing."""
        self.problems.add(Problem(self.row, field, reason, description))


def in_order(problems: Iterable[Problem], columns: Sequence[str] = ()) -> list[Problem]:
    """Return problems by row, and within a row by column: the whole row's first."""
    places = {column: place for place, column in enumerate(columns, start=1)}

    def place(problem: Problem) -> tuple[int, int]:
        if problem.row <= _HEADER or not problem.field:
            return problem.row, 0
        # A service says "admins[2]" where the file has one column.
        return problem.row, places.get(problem.field.partition("[")[0], len(places) + 1)

    return sorted(problems, key=place)


def joined(
    ours: Iterable[Problem], theirs: Iterable[Problem], columns: Sequence[str] = ()
) -> list[Problem]:
    """Put our findings and a service's into one list, in order.

    A cell that we could not read was sent empty: what the service says of it is left out.
    """
    found = list(ours)
    cells = {(problem.row, problem.field) for problem in found}
    whole_rows = {problem.row for problem in found if not problem.field}
    found += [
        problem
        for problem in theirs
        if (problem.row, problem.field) not in cells and problem.row not in whole_rows
    ]
    return in_order(found, columns)
