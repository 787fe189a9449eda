"""What the requests ask for, checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaupal.messaging.v1 import messaging_pb2 as pb

from kit.errors import InvalidInput, Violations
from kit.ids import is_uuid
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from services.messaging.domain.deliveries import DeliveryState
from services.messaging.domain.ids import BroadcastId, TenantId, UnitId
from services.messaging.domain.progress import Split
from services.messaging.translate.values import DELIVERY_STATES, split_from_proto
from services.messaging.use_cases.reading import DeliveriesQuery

MAX_BROADCASTS = 500
MAX_PROGRESS = 100
MAX_KEY_CHARACTERS = 64
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class BroadcastsRequest:
    """Which page of broadcasts."""

    cursor: str
    size: int


@dataclass(frozen=True, slots=True)
class DeliveriesRequest:
    """Which page of which deliveries."""

    query: DeliveriesQuery
    size: int


def broadcast_id_from(text: str, path: str) -> BroadcastId:
    """The id. Raises `InvalidInput` (MISSING, BAD_ID) on `path`."""
    return BroadcastId(_uuid(text, path))


def broadcast_ids_from(
    texts: Sequence[str], path: str, maximum: int
) -> list[BroadcastId | InvalidInput]:
    """One id or fault for each text of a batch.

    Raises:
        InvalidInput: MISSING or TOO_MANY on `path`, for the batch as a whole.
    """
    if not texts:
        raise InvalidInput.of(path, "MISSING", "at least one id is needed")
    if len(texts) > maximum:
        raise InvalidInput.of(path, "TOO_MANY", f"has {len(texts)} ids, at most {maximum}")
    return [_id_or_fault(text, f"{path}[{at}]") for at, text in enumerate(texts)]


def split_from(message: pb.ProgressSplit) -> Split:
    """How to split. Raises `InvalidInput` on `split.level` or `split.within_unit_id`."""
    faults = Violations()
    if len(message.level) > MAX_KEY_CHARACTERS:
        faults.add("split.level", "BAD_KEY", "is no key of a level")
    if message.within_unit_id and not is_uuid(message.within_unit_id):
        faults.add("split.within_unit_id", "BAD_ID", _not_a_uuid(message.within_unit_id))
    faults.raise_if_any()
    return split_from_proto(message)


def broadcasts_request_from(
    message: pb.ListBroadcastsRequest, tenant: TenantId
) -> BroadcastsRequest:
    """Which page. Raises `InvalidInput` on `page_size` or `page_token`."""
    size = clamp_page_size(message.page_size, 50, 200)
    state = decode_page_token(message.page_token, _broadcasts_query(tenant))
    return BroadcastsRequest(_text(state and state.get("after")), size)


def broadcasts_token(cursor: str, tenant: TenantId) -> str:
    """The token of the page after `cursor`."""
    return encode_page_token({"after": cursor}, _broadcasts_query(tenant))


def deliveries_request_from(
    message: pb.ListDeliveriesRequest, tenant: TenantId
) -> DeliveriesRequest:
    """Which page. Raises `InvalidInput` on the field at fault."""
    broadcast_id = broadcast_id_from(message.broadcast_id, "broadcast_id")
    unit_id = UnitId(_uuid(message.unit_id, "unit_id")) if message.unit_id else None
    states = frozenset(_states_from(message))
    size = clamp_page_size(message.page_size, 500, 5_000)
    state = decode_page_token(message.page_token, _deliveries_query(message, tenant))
    position = state["at"] if state else 0
    if not isinstance(position, int) or position < 0:
        raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", "start again")
    return DeliveriesRequest(DeliveriesQuery(broadcast_id, unit_id, states, position), size)


def deliveries_token(
    position: int | None, message: pb.ListDeliveriesRequest, tenant: TenantId
) -> str:
    """The token of the page from `position` on; empty when there is none."""
    if position is None:
        return ""
    return encode_page_token({"at": position}, _deliveries_query(message, tenant))


def _states_from(message: pb.ListDeliveriesRequest) -> Iterator[DeliveryState]:
    for at, number in enumerate(message.states):
        found = [state for state, wire in DELIVERY_STATES.items() if wire == number]
        if not found:
            raise InvalidInput.of(f"states[{at}]", "BAD_STATE", "is no state of a delivery")
        yield from found


def _broadcasts_query(tenant: TenantId) -> str:
    return fingerprint("broadcasts", tenant)


def _deliveries_query(message: pb.ListDeliveriesRequest, tenant: TenantId) -> str:
    states = sorted(set(message.states))
    return fingerprint("deliveries", tenant, message.broadcast_id, message.unit_id, states)


def _id_or_fault(text: str, path: str) -> BroadcastId | InvalidInput:
    try:
        return broadcast_id_from(text, path)
    except InvalidInput as error:
        return error


def _uuid(text: str, path: str) -> str:
    if not text:
        raise InvalidInput.of(path, "MISSING", "an id is needed")
    if not is_uuid(text):
        raise InvalidInput.of(path, "BAD_ID", _not_a_uuid(text))
    return text


def _not_a_uuid(text: str) -> str:
    return f"{text[:_SHOWN_CHARACTERS]!r} is not a UUID in lower case with hyphens"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
