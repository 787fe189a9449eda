"""Spans and metrics of the worker, after the messaging conventions of OpenTelemetry.

One of each a chunk, never a delivery; linked to the request that started the broadcast, not
children of it, because a chunk may be processed long after.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.semconv._incubating.attributes import messaging_attributes as names
from opentelemetry.semconv._incubating.metrics import messaging_metrics

from kit import telemetry
from services.messaging.domain.partitions import Chunk
from services.messaging.ports import PlanJob

_ATTRIBUTES = {
    names.MESSAGING_SYSTEM: "redis",
    names.MESSAGING_OPERATION_TYPE: "process",
    names.MESSAGING_OPERATION_NAME: "process",
}
_JOBS = {
    **_ATTRIBUTES,
    names.MESSAGING_DESTINATION_TEMPLATE: "messaging:jobs",
    names.MESSAGING_CONSUMER_GROUP_NAME: "planners",
}
_CHUNKS = {
    **_ATTRIBUTES,
    names.MESSAGING_DESTINATION_TEMPLATE: "messaging:chunks",
    names.MESSAGING_CONSUMER_GROUP_NAME: "workers",
}


class Signals:
    """What a worker tells about itself."""

    def __init__(self) -> None:
        self._tracer = telemetry.tracer(__name__)
        meter = telemetry.meter(__name__)
        self._duration = telemetry.duration_histogram(
            meter, messaging_metrics.MESSAGING_PROCESS_DURATION, "Duration of processing a chunk."
        )
        self._consumed = meter.create_counter(
            messaging_metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES,
            "{message}",
            "Deliveries that were dispatched.",
        )

    @contextmanager
    def plan(self, job: PlanJob) -> Iterator[None]:
        """Around the planning of a broadcast."""
        with self._tracer.start_as_current_span(
            "process messaging:jobs",
            kind=trace.SpanKind.CONSUMER,
            links=telemetry.link_from({"traceparent": job.traceparent}),
            attributes=_JOBS,
            record_exception=False,  # its message could bring values into the span
        ):
            yield

    @contextmanager
    def process(self, chunk: Chunk) -> Iterator[None]:
        """Around the dispatch of a chunk."""
        started = time.perf_counter()
        attributes: dict[str, str | int] = dict(_CHUNKS)
        with self._tracer.start_as_current_span(
            "process messaging:chunks",
            kind=trace.SpanKind.CONSUMER,
            links=telemetry.link_from({"traceparent": chunk.traceparent}),
            attributes=attributes | {names.MESSAGING_BATCH_MESSAGE_COUNT: chunk.size},
            record_exception=False,  # its message could bring values into the span
        ):
            try:
                yield
            except Exception as error:
                attributes[telemetry.ERROR_TYPE] = type(error).__name__
                raise
            else:
                self._consumed.add(chunk.size, attributes)
            finally:
                self._duration.record(time.perf_counter() - started, attributes)
