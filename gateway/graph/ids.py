"""Global ids: base64url of `Type:uuid`, so that any object can be fetched again by its id alone.

After the Global Object Identification of https://relay.dev/graphql/objectidentification.htm.
"""

import base64
import binascii
from dataclasses import dataclass

import strawberry

from kit.errors import InvalidInput
from kit.ids import is_uuid

# Type name, colon and UUID in base64; anything longer is not looked at.
MAX_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class GlobalId:
    """What a global id says: the name of a type and the UUID of one of its objects."""

    type_name: str
    uuid: str


def encode_id(type_name: str, uuid: str) -> strawberry.ID:
    """The global id of an object."""
    return strawberry.ID(base64.urlsafe_b64encode(f"{type_name}:{uuid}".encode()).decode())


def decode_id(global_id: str, type_name: str, argument: str) -> str:
    """The UUID in a global id of this type.

    Args:
        global_id: as a client sent it.
        type_name: what it must be an id of.
        argument: path of the argument, to be named when it is none.

    Raises:
        InvalidInput: BAD_ID on `argument`.
    """
    parsed = parse_id(global_id)
    if parsed is None or parsed.type_name != type_name:
        raise bad_id(argument, type_name)
    return parsed.uuid


def optional_id(global_id: str | None, type_name: str, argument: str) -> str:
    """The UUID in a global id, or the empty text, as the contracts have it, when none is given."""
    if global_id is None or global_id is strawberry.UNSET:
        return ""
    return decode_id(global_id, type_name, argument)


def parse_id(global_id: str) -> GlobalId | None:
    """The parts of a global id, or None when it is not well formed."""
    if len(global_id) > MAX_ID_CHARS:
        return None
    text = global_id.rstrip("=")
    try:
        # The alphabet of RFC 4648 section 5; padding may be left out.
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        type_name, _, uuid = raw.decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    return GlobalId(type_name, uuid) if is_uuid(uuid) else None


def bad_id(argument: str, type_name: str) -> InvalidInput:
    """The refusal of something that is no id of that type."""
    return InvalidInput.of(argument, "BAD_ID", f"must be the id of a {type_name}")
