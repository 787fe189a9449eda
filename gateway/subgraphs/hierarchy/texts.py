"""Names, places and the keys of things, between the graph and the wire."""

from collections.abc import Sequence

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.graph.text import LocalizedText
from kit.errors import InvalidInput

field = strawberry.field


@strawberry.type(description="A point on the map, in degrees (WGS 84).")
class Place:
    """Where a unit lies."""

    latitude: float = field(description="-90 to 90.")
    longitude: float = field(description="-180 to 180.")


@strawberry.input(description="A name in one language.")
class NameInput:
    """One entry of a name in several languages."""

    language: str = field(description='BCP 47 tag, such as "hi"; "en" is always needed.')
    text: str = field(description="1 to 200 characters.")


@strawberry.input(description="A point on the map, in degrees (WGS 84).")
class PlaceInput:
    """Where a unit lies."""

    latitude: float = field(description="-90 to 90.")
    longitude: float = field(description="-180 to 180.")


def localized(names: pb.LocalizedText) -> LocalizedText:
    """Names on the wire as a localized text."""
    return LocalizedText(by_language=dict(names.by_language))


def place_of(message: pb.Unit) -> Place | None:
    """Where a unit on the wire lies, if that is known."""
    if not message.HasField("place"):
        return None
    return Place(latitude=message.place.latitude, longitude=message.place.longitude)


def names_to_proto(names: Sequence[NameInput], path: str) -> pb.LocalizedText:
    """Names of an input on the wire.

    Raises:
        InvalidInput: DUPLICATE_LANGUAGE on the second of a language.
    """
    by_language: dict[str, str] = {}
    for index, each in enumerate(names):
        if each.language in by_language:
            said = f'"{each.language}" is there already'
            raise InvalidInput.of(f"{path}[{index}].language", "DUPLICATE_LANGUAGE", said)
        by_language[each.language] = each.text
    return pb.LocalizedText(by_language=by_language)


def optional_names(names: Sequence[NameInput] | None, path: str) -> pb.LocalizedText | None:
    """Names of an input on the wire, if any are given. Raises as `names_to_proto`."""
    return names_to_proto(names, path) if names else None


def optional_place(place: PlaceInput | None) -> pb.Place | None:
    """A place of an input on the wire, if one is given."""
    if not place:
        return None
    return pb.Place(latitude=place.latitude, longitude=place.longitude)
