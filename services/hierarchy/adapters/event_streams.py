"""`EventStreams` over Redis Streams: one stream per tenant, ids that are the sequences."""

import logging
from collections.abc import Callable
from typing import Any

from opentelemetry.semconv._incubating.attributes import messaging_attributes as names
from opentelemetry.trace import SpanKind
from redis.exceptions import ResponseError

from kit.redis import RedisClient, check_durability, redis_errors
from kit.telemetry import trace_carrier, tracer
from services.hierarchy.domain.events import Event
from services.hierarchy.domain.model import TenantId
from services.hierarchy.ports import EVENTS_KEPT

_log = logging.getLogger(__name__)
_tracer = tracer(__name__)
_TEMPLATE = "events:hierarchy"
_NOT_GREATER = "equal or smaller"


def stream_key(tenant: TenantId) -> str:
    """The stream of a tenant; the braces keep its keys in one slot of a cluster."""
    return f"{_TEMPLATE}:{{{tenant}}}"


class RedisEventStreams:
    """Entry id `<sequence>-0`, field `event`: a serialised `HierarchyEvent`.

    Redis refuses an id that is not above the stream's last (XADD), which makes a repeat harmless.
    One entry is sent at a time: were a pipeline's first to fail and its second to pass, the
    first could never be added again.
    """

    def __init__(self, client: RedisClient, encode: Callable[[Event], bytes]) -> None:
        self._client = client
        self._encode = encode

    async def append(self, event: Event) -> None:
        with _tracer.start_as_current_span(
            f"send {_TEMPLATE}",
            kind=SpanKind.PRODUCER,
            attributes={
                names.MESSAGING_SYSTEM: "redis",
                names.MESSAGING_OPERATION_NAME: "send",
                names.MESSAGING_OPERATION_TYPE: "send",
                names.MESSAGING_DESTINATION_TEMPLATE: f"{_TEMPLATE}:{{tenant}}",
            },
            record_exception=False,  # its message would bring values into the span
            set_status_on_exception=False,
        ):
            await self._add(event, self._encode(event))

    async def ready(self) -> str | None:
        """Why entries cannot be added, or could be lost again; None when all is well."""
        return "; ".join(await check_durability(self._client)) or None

    async def _add(self, event: Event, payload: bytes) -> None:
        key, entry_id = stream_key(event.tenant), f"{event.sequence}-0"
        fields: dict[Any, Any] = {"event": payload, **trace_carrier()}
        with redis_errors():
            try:
                await self._client.xadd(
                    key, fields, id=entry_id, maxlen=EVENTS_KEPT, approximate=True
                )
            except ResponseError as error:
                if _NOT_GREATER not in str(error):
                    raise
                await self._compare(key, entry_id, payload)

    async def _compare(self, key: str, entry_id: str, payload: bytes) -> None:
        """Say so when the stream holds something else: the graph or the stream was put back."""
        found: Any = await self._client.xrange(key, entry_id, entry_id)
        if any(fields.get(b"event") != payload for _, fields in found):
            _log.error("stream holds another event under this id", extra={"entry_id": entry_id})
