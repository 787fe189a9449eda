"""What the reading requests ask for."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaupal.groups.v1 import groups_pb2 as pb

from kit.errors import InvalidInput
from kit.ids import is_uuid
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from services.groups.domain.answers import GroupFilter, Place
from services.groups.domain.model import UnitId
from services.groups.translate.values import flags_from_proto, states_from_proto

MAX_BATCH_IDS = 1_000
MAX_BATCH_LISTS = 500
MAX_BATCH_GROUPS = 50_000
MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 100
# Those of an audience; a filter has no longer lists.
MAX_KINDS = 64
MAX_CATEGORIES = 256
MAX_FLAGS = MAX_STATES = 16


@dataclass(frozen=True, slots=True)
class Query:
    """Which groups of which unit; None for the whole register."""

    narrow: GroupFilter
    unit_id: UnitId | None

    def fingerprint(self, tenant: str) -> str:
        """What a page token of this query fits, and no other's."""
        narrow = self.narrow
        return fingerprint(
            *("groups", tenant, self.unit_id or "", narrow.own_only),
            *(sorted(narrow.kinds), sorted(narrow.categories)),
            *(sorted(narrow.flags), sorted(narrow.states)),
        )


def id_from_text(text: str, path: str) -> str:
    """The id. Raises `InvalidInput` (MISSING, BAD_ID) on `path`."""
    if not text:
        raise InvalidInput.of(path, "MISSING", "an id is needed")
    if not is_uuid(text):
        raise InvalidInput.of(path, "BAD_ID", "must be a UUID in lower case with hyphens")
    return text


def batch_ids(texts: Sequence[str], field: str, maximum: int) -> list[str | InvalidInput]:
    """One id, or the error that is its answer, for each text.

    Raises:
        InvalidInput: MISSING or TOO_MANY on `field`, for the batch as a whole.
    """
    if not texts:
        raise InvalidInput.of(field, "MISSING", "at least one id is needed")
    if len(texts) > maximum:
        raise InvalidInput.of(field, "TOO_MANY", f"has {len(texts)} ids, at most {maximum:,}")
    return [_id_or_fault(text, f"{field}[{index}]") for index, text in enumerate(texts)]


def query_from_proto(message: pb.GroupFilter) -> Query:
    """The query. Raises `InvalidInput` (BAD_ID, TOO_MANY, BAD_FLAG, BAD_STATE)."""
    unit_id = UnitId(id_from_text(message.unit_id, "filter.unit_id")) if message.unit_id else None
    return Query(filter_from_proto(message), unit_id)


def filter_from_proto(message: pb.GroupFilter) -> GroupFilter:
    """What narrows beside the unit. Raises `InvalidInput` (TOO_MANY, BAD_FLAG, BAD_STATE)."""
    for field, count, most in (
        ("kinds", len(message.kinds), MAX_KINDS),
        ("categories", len(message.categories), MAX_CATEGORIES),
        ("flags", len(message.flags), MAX_FLAGS),
        ("states", len(message.states), MAX_STATES),
    ):
        if count > most:
            raise InvalidInput.of(f"filter.{field}", "TOO_MANY", f"at most {most}")
    return GroupFilter(
        own_only=message.own_only,
        kinds=tuple(message.kinds),
        categories=tuple(message.categories),
        flags=flags_from_proto(message.flags, "filter.flags"),
        states=states_from_proto(message.states, "filter.states"),
    )


def page_size(size: int) -> int:
    """How many groups a page has at most. Raises `InvalidInput` (PAGE_SIZE_INVALID)."""
    return clamp_page_size(size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def batch_page_size(message: pb.BatchListGroupsRequest) -> int:
    """Groups for each unit. Raises `InvalidInput` (PAGE_SIZE_INVALID, TOO_MANY)."""
    size = page_size(message.page_size)
    asked = size * len(message.unit_ids)
    if asked > MAX_BATCH_GROUPS:
        said = f"units x page_size is {asked:,}, at most {MAX_BATCH_GROUPS:,}"
        raise InvalidInput.of("page_size", "TOO_MANY", said)
    return size


def place_from_token(token: str, query: Query, tenant: str) -> Place | None:
    """After which place to go on; None for the beginning.

    Raises:
        InvalidInput: PAGE_TOKEN_INVALID when it is damaged or of another query.
    """
    match decode_page_token(token, query.fingerprint(tenant)):
        case None | {"unit": None}:
            return None
        case {"unit": str(unit_id), "code": str(code)}:
            return Place(UnitId(unit_id), code)
        case _:
            raise InvalidInput.of(
                "page_token", "PAGE_TOKEN_INVALID", "not a page token of this query"
            )


def token_of_place(place: Place | None, query: Query, tenant: str) -> str:
    """The token of what comes after a place; None stands for the beginning."""
    state = {"unit": None} if place is None else {"unit": place.unit_id, "code": place.code}
    return encode_page_token(state, query.fingerprint(tenant))


def _id_or_fault(text: str, path: str) -> str | InvalidInput:
    try:
        return id_from_text(text, path)
    except InvalidInput as error:
        return error
