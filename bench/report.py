"""One figure, and the table that is printed."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured.

    Attributes:
        name: What.
        value: How much.
        unit: Of what.
        note: Spread or aim.
    """

    name: str
    value: float
    unit: str
    note: str = ""

    @classmethod
    def of_many(cls, name: str, values: Sequence[float], unit: str) -> "Figure":
        """The median of several rounds, with the least and the most."""
        spread = f"{_short(min(values))} to {_short(max(values))} in {len(values)} rounds"
        return cls(name, statistics.median(values), unit, spread)

    def row(self) -> str:
        """One row of a Markdown table."""
        return f"| {self.name} | {_short(self.value)} {self.unit} | {self.note} |"


def table(figures: Iterable[Figure]) -> Iterable[str]:
    """A Markdown table, a row at a time, as the figures come."""
    yield "| what | measured | note |"
    yield "| --- | --- | --- |"
    for figure in figures:
        yield figure.row()


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
