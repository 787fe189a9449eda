"""Spans of time that records are valid for, how they end, and what peers are told of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from kit.errors import InvalidInput
from services.hierarchy.domain.events import (
    MAX_EVENT_ITEMS,
    AccessChanged,
    AppointmentChange,
    AppointmentsChanged,
    Change,
    WatchChange,
    WatchesChanged,
)
from services.hierarchy.domain.people import Appointment
from services.hierarchy.domain.teams import Membership, Team, Watch
from services.hierarchy.domain.tenants import TenantHeader

Tenure = Appointment | Team | Membership | Watch
T = TypeVar("T", bound=Tenure)


def in_force(tenure: Tenure, at: datetime) -> bool:
    """Whether it is valid at an instant."""
    return tenure.valid_from <= at and (tenure.valid_to is None or at < tenure.valid_to)


def is_open(tenure: Tenure, at: datetime) -> bool:
    """Whether it is valid at an instant, or will be."""
    return tenure.valid_to is None or (tenure.valid_to > at and tenure.valid_to > tenure.valid_from)


def overlaps(tenure: Tenure, begins: datetime, ends: datetime | None) -> bool:
    """Whether it is valid at some instant of a span that is not empty."""
    if tenure.valid_to is not None and tenure.valid_to <= max(tenure.valid_from, begins):
        return False
    return ends is None or tenure.valid_from < ends


def ended(tenure: T, at: datetime) -> T:
    """The tenure with an end; one that has not begun by then is never valid."""
    return replace(tenure, valid_to=max(at, tenure.valid_from), revision=tenure.revision + 1)


def require_span(begins: datetime, ends: datetime | None) -> None:
    """Raise `InvalidInput` (BAD_INTERVAL) on `valid_to` unless the span ends after it begins."""
    if ends is not None and ends <= begins:
        said = f"must be after the beginning, {begins.isoformat()}"
        raise InvalidInput.of("valid_to", "BAD_INTERVAL", said)


def with_new_access(header: TenantHeader) -> tuple[TenantHeader, AccessChanged]:
    """The header under its next access version, and what peers are told of that."""
    version = header.access_version + 1
    return replace(header, access_version=version), AccessChanged(version)


def appointments_changed(appointments: Sequence[Appointment]) -> list[Change]:
    """What peers are told of appointments as they now stand."""
    items = [
        AppointmentChange(each.id, each.person_id, each.unit_id, each.position, each.valid_to)
        for each in appointments
    ]
    return [AppointmentsChanged(tuple(run)) for run in _runs(items)]


def watches_changed(watches: Sequence[Watch]) -> list[Change]:
    """What peers are told of watches as they now stand."""
    items = [WatchChange(each.id, each.person_id, each.unit_id, each.valid_to) for each in watches]
    return [WatchesChanged(tuple(run)) for run in _runs(items)]


Item = TypeVar("Item")


def _runs(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [
        items[start : start + MAX_EVENT_ITEMS] for start in range(0, len(items), MAX_EVENT_ITEMS)
    ]
