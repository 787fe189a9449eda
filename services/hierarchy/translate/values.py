"""Units, and what all messages are made of: texts, places, instants."""

from datetime import UTC, datetime

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import InvalidInput
from services.hierarchy.domain.model import LocalizedText, Place, UnitWithCounts


def names_from_proto(message: pb.LocalizedText) -> LocalizedText:
    """The texts, unchecked."""
    return LocalizedText.of(message.by_language)


def names_to_proto(names: LocalizedText) -> pb.LocalizedText:
    """The texts by language."""
    return pb.LocalizedText(by_language=names.by_language)


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
        since=timestamp(unit.since),
        valid_to=timestamp(counted.until) if counted.until else None,
    )


def timestamp(instant: datetime) -> Timestamp:
    """The instant to the microsecond."""
    message = Timestamp()
    message.FromDatetime(instant)
    return message


def instant(message: Timestamp, path: str) -> datetime:
    """The instant, what is below a microsecond cut off. Raises `InvalidInput` (OUT_OF_RANGE)."""
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        said = "must lie in the years 1 to 9999"
        raise InvalidInput.of(path, "OUT_OF_RANGE", said) from error


def instant_or_none(message: Message, field: str, path: str = "") -> datetime | None:
    """The instant of a field that may be absent. Raises `InvalidInput` (OUT_OF_RANGE)."""
    if not message.HasField(field):
        return None
    return instant(getattr(message, field), path or field)
