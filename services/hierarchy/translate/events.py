"""Events, as peers read them."""

from typing import assert_never

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentChange,
    AppointmentsChanged,
    BlueprintChanged,
    Change,
    Event,
    PersonsErased,
    TenantChanged,
    TreeChanged,
    WatchChange,
    WatchesChanged,
)
from services.hierarchy.translate.values import timestamp


def event_to_proto(event: Event) -> pb.HierarchyEvent:
    """The event; its tenant is the stream's."""
    message = pb.HierarchyEvent(sequence=event.sequence, occurred_at=timestamp(event.occurred_at))
    _tell(message, event.change)
    return message


def event_to_bytes(event: Event) -> bytes:
    """The event as it stands in a stream's entry."""
    return event_to_proto(event).SerializeToString(deterministic=True)


def _tell(message: pb.HierarchyEvent, change: Change) -> None:
    match change:
        case TreeChanged(version):
            message.tree_changed.tree_version = version
        case BlueprintChanged(version):
            message.blueprint_changed.blueprint_version = version
        case AppointmentsChanged(appointments):
            message.appointments_changed.changes.extend(map(_appointment, appointments))
        case WatchesChanged(watches):
            message.watches_changed.changes.extend(map(_watch, watches))
        case PersonsErased(person_ids):
            message.persons_erased.person_ids.extend(person_ids)
        case AccessChanged(version):
            message.access_changed.access_version = version
        case TenantChanged(status):
            message.tenant_changed.status = status.value
        case _:
            assert_never(change)


def _appointment(change: AppointmentChange) -> pb.AppointmentChange:
    return pb.AppointmentChange(
        appointment_id=change.appointment_id,
        person_id=change.person_id,
        unit_id=change.unit_id,
        position=change.position,
        ends_at=timestamp(change.ends_at) if change.ends_at else None,
    )


def _watch(change: WatchChange) -> pb.WatchChange:
    return pb.WatchChange(
        watch_id=change.watch_id,
        person_id=change.person_id,
        unit_id=change.unit_id,
        ends_at=timestamp(change.ends_at) if change.ends_at else None,
    )
