"""What is asked for of what units were, and of all that lie below one."""

from dataclasses import dataclass
from datetime import datetime

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import InvalidInput
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from services.hierarchy.domain.model import UnitId
from services.hierarchy.translate.requests import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    unit_id_from_text,
)
from services.hierarchy.translate.values import instant_or_none
from services.hierarchy.use_cases.history import HistoryPage

MAX_LEVELS = 16


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which run of what a unit was; `before` is the revision that it begins behind."""

    unit_id: UnitId
    limit: int
    before: int | None


def history_page_from_proto(message: pb.ListUnitHistoryRequest, tenant: str) -> HistoryQuery:
    """Which page. Raises `InvalidInput` on `unit_id`, `page_size` or `page_token`."""
    unit_id = unit_id_from_text(message.unit_id, "unit_id")
    limit = clamp_page_size(message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    state = decode_page_token(message.page_token, _query(tenant, unit_id))
    before = state["before"] if state and "before" in state else None
    if state is not None and not isinstance(before, int):
        raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", "not a page token of this query")
    return HistoryQuery(unit_id, limit, before if isinstance(before, int) else None)


def history_page_token(tenant: str, unit_id: UnitId, page: HistoryPage) -> str:
    """The token of the page behind this one; empty on the last."""
    if not page.has_more:
        return ""
    last = page.versions[-1].unit.revision
    return encode_page_token({"before": last}, _query(tenant, unit_id))


def root_from_text(text: str) -> UnitId | None:
    """The root of a subtree, None for all that the caller sees. Raises `InvalidInput`."""
    return unit_id_from_text(text, "unit_id") if text else None


def descendants_from_proto(
    message: pb.ListDescendantsRequest,
) -> tuple[UnitId | None, tuple[str, ...], datetime | None]:
    """Below which unit, of which levels, when. Raises `InvalidInput`."""
    if len(message.levels) > MAX_LEVELS:
        said = f"has {len(message.levels)} levels, at most {MAX_LEVELS}"
        raise InvalidInput.of("levels", "TOO_MANY", said)
    at = instant_or_none(message, "as_of")
    return root_from_text(message.unit_id), tuple(message.levels), at


def _query(tenant: str, unit_id: UnitId) -> str:
    return fingerprint("history", tenant, unit_id)
