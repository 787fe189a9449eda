"""What is kept of a tenant besides its header, and every way in which it is found.

A record is valid from an instant up to another, the latter not included; `None` means it still is.
Stores know records by these indexes alone: how one is found is decided here, once for all stores.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from services.hierarchy.domain.areas import Area, AreaLink
from services.hierarchy.domain.model import Unit, UnitId
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.teams import Membership, Team, Watch


@dataclass(frozen=True, slots=True)
class PastUnit:
    """A unit as it was from `since` until `until`; found by the unit's own keys.

    Attributes:
        unit: as it was; its revision is that of the change which began this.
        until: when it ceased to be so.
        ended_by: the tree version of the change that ended it.
        closed: whether the unit ended with it; otherwise another slice follows.
        successor_ids: the units that took over when it was merged or split; empty otherwise.
    """

    unit: Unit
    until: datetime
    ended_by: int
    closed: bool
    successor_ids: tuple[UnitId, ...] = ()

    @property
    def id(self) -> str:
        """Its own identity: that of the unit and of the change that began it."""
        return f"{self.unit.id}@{self.unit.revision}"


Record = Unit | PastUnit | Area | AreaLink | Person | Appointment | Team | Membership | Watch
R = TypeVar("R", bound=Record)
RECORD_TYPES: tuple[type[Record], ...] = (
    Unit,
    PastUnit,
    Area,
    AreaLink,
    Person,
    Appointment,
    Team,
    Membership,
    Watch,
)


@dataclass(frozen=True, slots=True)
class Index(Generic[R]):
    """A way to find records of one type: by a key that is one text.

    Attributes:
        of: the type of the records.
        by: the name of the key: "id", or the field that holds another record's id or a value.
        unique: whether a key has at most one record that still stands.
    """

    of: type[R]
    by: str
    unique: bool = False


def joined_key(*parts: str) -> str:
    """A key of several parts, such as a level and a code; neither can hold the separator."""
    return "/".join(parts)


UNITS_BY_ID = Index(Unit, "id", unique=True)
UNITS_BY_KEY = Index(Unit, "key", unique=True)  # joined_key(level, code)
UNITS_BY_PARENT = Index(Unit, "parent_id")
PAST_UNITS_BY_ID = Index(PastUnit, "unit_id")
PAST_UNITS_BY_KEY = Index(PastUnit, "key")
PAST_UNITS_BY_PARENT = Index(PastUnit, "parent_id")

AREAS_BY_ID = Index(Area, "id", unique=True)
AREAS_BY_KEY = Index(Area, "key", unique=True)  # joined_key(kind, code)
AREA_LINKS_BY_UNIT = Index(AreaLink, "unit_id")
AREA_LINKS_BY_AREA = Index(AreaLink, "area_id")

PERSONS_BY_ID = Index(Person, "id", unique=True)
PERSONS_BY_PHONE = Index(Person, "phone_hash", unique=True)
PERSONS_BY_SUBJECT = Index(Person, "subject", unique=True)

APPOINTMENTS_BY_ID = Index(Appointment, "id", unique=True)
APPOINTMENTS_BY_UNIT = Index(Appointment, "unit_id")
APPOINTMENTS_BY_PERSON = Index(Appointment, "person_id")

TEAMS_BY_ID = Index(Team, "id", unique=True)
TEAMS_BY_UNIT = Index(Team, "unit_id")
MEMBERSHIPS_BY_TEAM = Index(Membership, "team_id")
MEMBERSHIPS_BY_PERSON = Index(Membership, "person_id")

WATCHES_BY_ID = Index(Watch, "id", unique=True)
WATCHES_BY_UNIT = Index(Watch, "unit_id")
WATCHES_BY_PERSON = Index(Watch, "person_id")

INDEXES: tuple[Index[Any], ...] = (
    UNITS_BY_ID,
    UNITS_BY_KEY,
    UNITS_BY_PARENT,
    PAST_UNITS_BY_ID,
    PAST_UNITS_BY_KEY,
    PAST_UNITS_BY_PARENT,
    AREAS_BY_ID,
    AREAS_BY_KEY,
    AREA_LINKS_BY_UNIT,
    AREA_LINKS_BY_AREA,
    PERSONS_BY_ID,
    PERSONS_BY_PHONE,
    PERSONS_BY_SUBJECT,
    APPOINTMENTS_BY_ID,
    APPOINTMENTS_BY_UNIT,
    APPOINTMENTS_BY_PERSON,
    TEAMS_BY_ID,
    TEAMS_BY_UNIT,
    MEMBERSHIPS_BY_TEAM,
    MEMBERSHIPS_BY_PERSON,
    WATCHES_BY_ID,
    WATCHES_BY_UNIT,
    WATCHES_BY_PERSON,
)
