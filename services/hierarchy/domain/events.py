"""What peers are told: numbered per tenant, written in the transaction of the change itself."""

from dataclasses import dataclass
from datetime import datetime

from services.hierarchy.domain.model import TenantId, UnitId
from services.hierarchy.domain.people import AppointmentId, PersonId
from services.hierarchy.domain.teams import WatchId
from services.hierarchy.domain.tenants import TenantStatus

# An event stays a small message; a write that changes more tells of it in several.
MAX_EVENT_ITEMS = 500


@dataclass(frozen=True, slots=True)
class TreeChanged:
    """Units were created, changed, moved or closed, or the levels they stand on were."""

    tree_version: int


@dataclass(frozen=True, slots=True)
class BlueprintChanged:
    """The blueprint was replaced."""

    blueprint_version: int


@dataclass(frozen=True, slots=True)
class AppointmentChange:
    """One appointment as it now stands; `ends_at` is None for one without an end."""

    appointment_id: AppointmentId
    person_id: PersonId
    unit_id: UnitId
    position: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppointmentsChanged:
    """Appointments began, ended or were verified; at most `MAX_EVENT_ITEMS` of them."""

    changes: tuple[AppointmentChange, ...]


@dataclass(frozen=True, slots=True)
class WatchChange:
    """One watch as it now stands."""

    watch_id: WatchId
    person_id: PersonId
    unit_id: UnitId
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class WatchesChanged:
    """Watches began or ended; at most `MAX_EVENT_ITEMS` of them."""

    changes: tuple[WatchChange, ...]


@dataclass(frozen=True, slots=True)
class PersonsErased:
    """Whoever keeps something of these persons forgets it; at most `MAX_EVENT_ITEMS` of them."""

    person_ids: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """Who may do what may have changed: an answer of an older access version is to be dropped."""

    access_version: int


@dataclass(frozen=True, slots=True)
class TenantChanged:
    """The tenant was created, suspended, resumed, or is being deleted."""

    status: TenantStatus


Change = (
    TreeChanged
    | BlueprintChanged
    | AppointmentsChanged
    | WatchesChanged
    | PersonsErased
    | AccessChanged
    | TenantChanged
)


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one tenant; `sequence` counts from 1 without gaps."""

    tenant: TenantId
    sequence: int
    occurred_at: datetime
    change: Change
