"""Which pages of lists in the order of the tree are asked for, and the tokens of those after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from chaupal.hierarchy.v1 import people_pb2 as pb

from kit.errors import InvalidInput, Violations
from kit.ids import is_uuid
from kit.pages import Scalar, clamp_page_size, decode_page_token, encode_page_token, fingerprint
from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.people import PersonId, Verification
from services.hierarchy.domain.text import quoted
from services.hierarchy.translate.people_requests import check_id, check_key
from services.hierarchy.translate.requests import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from services.hierarchy.translate.values import instant_or_none
from services.hierarchy.use_cases.appointments import Period
from services.hierarchy.use_cases.pages import Cursor
from services.hierarchy.use_cases.staffing import QueueQuery

# More units than any tree has that fits the protocol's 32 bits.
_MAX_RANK = 2**31
MAX_POSITIONS = 256
Id = TypeVar("Id", bound=str)

_STATES = {
    pb.VERIFICATION_STATE_UNSPECIFIED: (Verification.UNVERIFIED, Verification.STALE),
    pb.VERIFICATION_STATE_UNVERIFIED: (Verification.UNVERIFIED,),
    pb.VERIFICATION_STATE_STALE: (Verification.STALE,),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Which run of a list.

    Attributes:
        limit: how many at most.
        after: where it begins; None at the list's beginning.
        query: tells the list from all others, so that a token fits only its own.
    """

    limit: int
    after: Cursor | None
    query: str

    def token(self, following: Cursor | None) -> str:
        """The token of the page that begins there; empty when there is none."""
        if following is None:
            return ""
        state: dict[str, Scalar] = {
            "u": following.unit_id,
            "p": following.rank,
            "i": following.item,
        }
        return encode_page_token(state, self.query)


def vacancies_from_proto(
    message: pb.ListVacanciesRequest, tenant: str
) -> tuple[UnitId | None, Page]:
    """Within what, and which page. Raises `InvalidInput`."""
    faults = Violations()
    check_key(faults, "position", message.position)
    check_key(faults, "level", message.level)
    within = _within(faults, message.within_unit_id)
    query = fingerprint("vacancies", tenant, message.position, message.level, within or "")
    return within, _page(message.page_size, message.page_token, query)


def queue_from_proto(
    message: pb.ListVerificationQueueRequest, tenant: str
) -> tuple[QueueQuery, Page]:
    """Which appointments, and which page. Raises `InvalidInput`."""
    faults = Violations()
    states = _STATES.get(message.state)
    if states is None:
        faults.add("state", "BAD_STATE", "unverified, stale, or both")
    check_key(faults, "position", message.position, needed=False)
    within = _within(faults, message.within_unit_id)
    query = fingerprint("queue", tenant, message.state, message.position, within or "")
    page = _page(message.page_size, message.page_token, query)
    return QueueQuery(states or (), within, message.position), page


def unwatched_from_proto(
    message: pb.ListUnwatchedRequest, tenant: str
) -> tuple[UnitId | None, Page]:
    """Within what, and which page. Raises `InvalidInput`."""
    faults = Violations()
    check_key(faults, "level", message.level)
    within = _within(faults, message.within_unit_id)
    query = fingerprint("unwatched", tenant, message.level, within or "")
    return within, _page(message.page_size, message.page_token, query)


def watches_from_proto(
    message: pb.ListWatchesRequest, tenant: str
) -> tuple[PersonId | None, datetime | None, Page]:
    """Whose, as of when, and which page. Raises `InvalidInput`."""
    faults = Violations()
    check_id(faults, "person_id", message.person_id, needed=False)
    faults.raise_if_any()
    at = instant_or_none(message, "as_of")
    query = fingerprint("watches", tenant, message.person_id, at.isoformat() if at else "")
    page = _page(message.page_size, message.page_token, query)
    return PersonId(message.person_id) if message.person_id else None, at, page


def within_from_text(text: str) -> UnitId | None:
    """In which unit's subtree; None for everywhere. Raises `InvalidInput` (BAD_ID)."""
    return _within(Violations(), text)


def period_from_proto(
    message: pb.BatchListUnitAppointmentsRequest | pb.BatchListPersonAppointmentsRequest,
) -> Period:
    """Which appointments. Raises `InvalidInput` (OUT_OF_RANGE) on `as_of`."""
    return Period(instant_or_none(message, "as_of"), message.with_ended)


def positions_from_proto(message: pb.BatchListUnitAppointmentsRequest) -> frozenset[str]:
    """To which positions. Raises `InvalidInput` (TOO_MANY, BAD_KEY)."""
    faults = Violations()
    if len(message.positions) > MAX_POSITIONS:
        said = f"has {len(message.positions)}, at most {MAX_POSITIONS}"
        raise InvalidInput.of("positions", "TOO_MANY", said)
    for index, each in enumerate(message.positions):
        check_key(faults, f"positions[{index}]", each)
    faults.raise_if_any()
    return frozenset(message.positions)


def batch_of(
    texts: Sequence[str], field: str, of: Callable[[str], Id], maximum: int = 1_000
) -> list[Id | InvalidInput]:
    """One id or fault for each text. Raises `InvalidInput` (MISSING, TOO_MANY) for the batch."""
    if not texts:
        raise InvalidInput.of(field, "MISSING", "at least one id is needed")
    if len(texts) > maximum:
        raise InvalidInput.of(field, "TOO_MANY", f"has {len(texts)} ids, at most {maximum}")
    return [_id_or_fault(text, f"{field}[{index}]", of) for index, text in enumerate(texts)]


def _id_or_fault(text: str, path: str, of: Callable[[str], Id]) -> Id | InvalidInput:
    if is_uuid(text):
        return of(text)
    if not text:
        return InvalidInput.of(path, "MISSING", "an id is needed")
    return InvalidInput.of(
        path, "BAD_ID", f"{quoted(text)} is not a UUID in lower case with hyphens"
    )


def _within(faults: Violations, text: str) -> UnitId | None:
    check_id(faults, "within_unit_id", text, needed=False)
    faults.raise_if_any()
    return UnitId(text) if text else None


def _page(size: int, token: str, query: str) -> Page:
    limit = clamp_page_size(size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    state = decode_page_token(token, query)
    if state is None:
        return Page(limit, None, query)
    match state:
        case {"u": str(unit), "p": int(rank), "i": str(item)} if 0 <= rank < _MAX_RANK:
            return Page(limit, Cursor(UnitId(unit), rank, item), query)
        case _:
            said = "not a page token of this query; start again"
            raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", said)
