"""Everybody of a demo organisation: what its groups and its files name."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.demo.circles import Circles
from cli.demo.staff import Staff
from cli.records import TeamRecord, WatchRecord


@dataclass(frozen=True, slots=True)
class People:
    """Who there is.

    Attributes:
        staff: Who holds which office.
        circles: Who administers which groups.
        teams: Rows of teams.csv.
        watches: Who answers for which subtrees.
    """

    staff: Staff
    circles: Circles
    teams: Sequence[TeamRecord]
    watches: Sequence[WatchRecord]
