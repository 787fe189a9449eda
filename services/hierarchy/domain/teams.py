"""Teams of a unit, and the watches of monitors over subtrees."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from services.hierarchy.domain.model import LocalizedText, UnitId
from services.hierarchy.domain.people import PersonId

TeamId = NewType("TeamId", str)
MembershipId = NewType("MembershipId", str)
WatchId = NewType("WatchId", str)


@dataclass(frozen=True, slots=True)
class Team:
    """A named set of persons in a unit with a task; `kind` is a key of the blueprint."""

    id: TeamId
    unit_id: UnitId
    kind: str
    names: LocalizedText
    valid_from: datetime
    valid_to: datetime | None
    revision: int


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a team, with the role they have there (a key, such as "lead")."""

    id: MembershipId
    team_id: TeamId
    person_id: PersonId
    role: str
    valid_from: datetime
    valid_to: datetime | None
    revision: int


@dataclass(frozen=True, slots=True)
class Watch:
    """A monitor answering for a unit's subtree.

    `covers` names the watch whose monitor is absent, where this one stands in for it; a cover has
    an end.
    """

    id: WatchId
    unit_id: UnitId
    person_id: PersonId
    covers: WatchId | None
    valid_from: datetime
    valid_to: datetime | None
    revision: int
