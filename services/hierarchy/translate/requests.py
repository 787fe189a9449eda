"""What the reading requests ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import InvalidInput, Violations
from kit.ids import are_uuids, is_uuid
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from services.hierarchy.domain.model import UnitId, UnitKey
from services.hierarchy.domain.text import is_code, is_key, quoted
from services.hierarchy.ports import SiblingKey
from services.hierarchy.translate.values import instant_or_none

MAX_BATCH_IDS = 1_000
MAX_BATCH_PARENTS = 500
MAX_BATCH_CHILDREN = 50_000
MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class ChildrenPage:
    """Which run of whose children."""

    parent: UnitId | None
    limit: int
    after: SiblingKey | None
    at: datetime | None


def unit_id_from_text(text: str, path: str) -> UnitId:
    """The id. Raises `InvalidInput` (MISSING, BAD_ID) on `path`."""
    if not text:
        raise InvalidInput.of(path, "MISSING", "an id is needed")
    if not is_uuid(text):
        said = f"{quoted(text)} is not a UUID in lower case with hyphens"
        raise InvalidInput.of(path, "BAD_ID", said)
    return UnitId(text)


def unit_id_or_fault(text: str, path: str) -> UnitId | InvalidInput:
    """The id, or the error that is this item's answer in a batch."""
    try:
        return unit_id_from_text(text, path)
    except InvalidInput as error:
        return error


def batch_ids(texts: Sequence[str], field: str, maximum: int) -> list[UnitId | InvalidInput]:
    """One id or fault for each text.

    Raises:
        InvalidInput: MISSING or TOO_MANY on `field`, for the batch as a whole.
    """
    if not texts:
        raise InvalidInput.of(field, "MISSING", "at least one id is needed")
    if len(texts) > maximum:
        raise InvalidInput.of(field, "TOO_MANY", f"has {len(texts)} ids, at most {maximum}")
    if are_uuids(texts):
        return [UnitId(text) for text in texts]
    return [unit_id_or_fault(text, f"{field}[{index}]") for index, text in enumerate(texts)]


def unit_key_from_proto(message: pb.UnitKey) -> UnitKey:
    """The level and code. Raises `InvalidInput` (MISSING, BAD_KEY, BAD_CODE)."""
    faults = Violations()
    if not message.level:
        faults.add("key.level", "MISSING", "the level is needed")
    elif not is_key(message.level):
        faults.add("key.level", "BAD_KEY", f"{quoted(message.level)} is no key of a level")
    if not message.code:
        faults.add("key.code", "MISSING", "the code is needed")
    elif not is_code(message.code):
        faults.add("key.code", "BAD_CODE", f"{quoted(message.code)} is no code")
    faults.raise_if_any()
    return UnitKey(message.level, message.code)


def children_page_from_proto(message: pb.ListChildrenRequest, tenant: str) -> ChildrenPage:
    """Which page. Raises `InvalidInput` on `parent_id`, `page_size`, `page_token` or `as_of`."""
    parent = unit_id_from_text(message.parent_id, "parent_id") if message.parent_id else None
    limit = clamp_page_size(message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    at = instant_or_none(message, "as_of")
    state = decode_page_token(message.page_token, _query(tenant, parent, at))
    if state is None:
        return ChildrenPage(parent, limit, None, at)
    code, level = state.get("code"), state.get("level")
    if not isinstance(code, str) or not isinstance(level, str):
        raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", "not a page token of this query")
    return ChildrenPage(parent, limit, SiblingKey(code, level), at)


def children_page_token(
    tenant: str, at: datetime | None, parent: UnitId | None, last: UnitKey
) -> str:
    """The token of the page behind that sibling."""
    state = {"code": last.code, "level": last.level}
    return encode_page_token(state, _query(tenant, parent, at))


def batch_page_size(message: pb.BatchListChildrenRequest) -> int:
    """Children for each parent. Raises `InvalidInput` (PAGE_SIZE_INVALID, TOO_MANY)."""
    limit = clamp_page_size(message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    asked = limit * len(message.parent_ids)
    if asked > MAX_BATCH_CHILDREN:
        said = f"parents x page_size is {asked}, at most {MAX_BATCH_CHILDREN}"
        raise InvalidInput.of("page_size", "TOO_MANY", said)
    return limit


def known_version(message: pb.StreamTreeRequest) -> int:
    """The version that the caller holds. Raises `InvalidInput` (OUT_OF_RANGE)."""
    if message.known_version < 0:
        raise InvalidInput.of("known_version", "OUT_OF_RANGE", "must not be negative")
    return message.known_version


def _query(tenant: str, parent: UnitId | None, at: datetime | None) -> str:
    return fingerprint("children", tenant, parent or "", at.isoformat() if at else "")
