"""Units that a request names: by id, or by level and code."""

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.message import Message

from kit.errors import Violations
from services.hierarchy.domain.model import UnitId, UnitKey
from services.hierarchy.domain.reorganisation import UnitRef
from services.hierarchy.domain.text import is_code, is_key, quoted
from services.hierarchy.translate.people_requests import check_id

# Stands for one that is at fault, in a request that is refused for it.
_NOBODY = UnitId("")


def ref_from_proto(faults: Violations, path: str, message: pb.UnitRef) -> UnitRef:
    """The reference; notes MISSING, BAD_ID, BAD_KEY or BAD_CODE."""
    match message.WhichOneof("by"):
        case "id":
            check_id(faults, f"{path}.id", message.id)
            return UnitId(message.id)
        case "key":
            return _key(faults, f"{path}.key", message.key)
        case None:
            faults.add(path, "MISSING", "a unit is needed: by id, or by level and code")
            return _NOBODY


def ref_in(faults: Violations, path: str, message: Message, field: str) -> UnitRef:
    """The reference that a field holds."""
    return ref_from_proto(faults, f"{path}.{field}", getattr(message, field))


def _key(faults: Violations, path: str, message: pb.UnitKey) -> UnitKey:
    if not message.level:
        faults.add(f"{path}.level", "MISSING", "the level is needed")
    elif not is_key(message.level):
        faults.add(f"{path}.level", "BAD_KEY", f"{quoted(message.level)} is no key of a level")
    if not message.code:
        faults.add(f"{path}.code", "MISSING", "the code is needed")
    elif not is_code(message.code):
        faults.add(f"{path}.code", "BAD_CODE", f"{quoted(message.code)} is no code")
    return UnitKey(message.level, message.code)
