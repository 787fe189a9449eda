"""Blueprints, units and events."""

from datetime import datetime

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import raise_violations
from services.hierarchy.domain.blueprints import blueprint_violations
from services.hierarchy.domain.events import BlueprintChanged, Event, TreeChanged
from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    GroupKind,
    Level,
    LocalizedText,
    Place,
    UnitWithCounts,
)


def names_from_proto(message: pb.LocalizedText) -> LocalizedText:
    """The texts, unchecked."""
    return LocalizedText.of(message.by_language)


def names_to_proto(names: LocalizedText) -> pb.LocalizedText:
    """The texts by language."""
    return pb.LocalizedText(by_language=names.by_language)


def draft_from_proto(message: pb.Blueprint, path: str) -> Blueprint:
    """The draft of a blueprint; its version is ignored.

    Args:
        message: what was sent.
        path: the field that held it, for the violations.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    draft = blueprint_from_proto(message, version=0)
    if violations := blueprint_violations(draft, path):
        raise_violations(violations)
    return draft


def blueprint_from_proto(message: pb.Blueprint, version: int) -> Blueprint:
    """The blueprint, unchecked, under that version."""
    return Blueprint(
        version=version,
        style=message.style,
        names=names_from_proto(message.names),
        levels=tuple(Level(each.key, names_from_proto(each.names)) for each in message.levels),
        group_kinds=tuple(
            GroupKind(each.key, names_from_proto(each.names), each.has_category)
            for each in message.group_kinds
        ),
        categories=tuple(
            Category(each.key, names_from_proto(each.names)) for each in message.categories
        ),
    )


def blueprint_to_proto(blueprint: Blueprint) -> pb.Blueprint:
    """The whole blueprint."""
    return pb.Blueprint(
        version=blueprint.version,
        style=blueprint.style,
        names=names_to_proto(blueprint.names),
        levels=[
            pb.Level(key=each.key, names=names_to_proto(each.names)) for each in blueprint.levels
        ],
        group_kinds=[
            pb.GroupKind(
                key=each.key, names=names_to_proto(each.names), has_category=each.has_category
            )
            for each in blueprint.group_kinds
        ],
        categories=[
            pb.Category(key=each.key, names=names_to_proto(each.names))
            for each in blueprint.categories
        ],
    )


def place_from_proto(message: pb.Place) -> Place:
    """The point, unchecked."""
    return Place(message.latitude, message.longitude)


def place_to_proto(place: Place) -> pb.Place:
    """The point."""
    return pb.Place(latitude=place.latitude, longitude=place.longitude)


def unit_to_proto(counted: UnitWithCounts) -> pb.Unit:
    """The unit with its counts."""
    unit = counted.unit
    return pb.Unit(
        id=unit.id,
        level=unit.level,
        code=unit.code,
        names=names_to_proto(unit.names),
        parent_id=unit.parent_id or "",
        place=place_to_proto(unit.place) if unit.place else None,
        valid_from=timestamp(unit.valid_from),
        child_count=counted.child_count,
        subtree_count=counted.subtree_count,
        etag=unit.etag,
    )


def event_to_proto(event: Event) -> pb.HierarchyEvent:
    """The event as peers read it; its tenant is the stream's."""
    message = pb.HierarchyEvent(sequence=event.sequence, occurred_at=timestamp(event.occurred_at))
    match event.change:
        case TreeChanged(version):
            message.tree_changed.tree_version = version
        case BlueprintChanged(version):
            message.blueprint_changed.blueprint_version = version
    return message


def event_to_bytes(event: Event) -> bytes:
    """The event as it stands in a stream's entry."""
    return event_to_proto(event).SerializeToString(deterministic=True)


def timestamp(instant: datetime) -> Timestamp:
    """The instant to the microsecond."""
    message = Timestamp()
    message.FromDatetime(instant)
    return message
