"""What stands around every command of these adapters: its span, and its errors as kinds."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.semconv.attributes import db_attributes
from opentelemetry.trace import SpanKind

from kit.redis import redis_errors
from kit.telemetry import tracer

_tracer = tracer(__name__)


@contextmanager
def store_step(summary: str) -> Iterator[None]:
    """A step of the store in the trace of a request or a chunk.

    Args:
        summary: For traces: which command on what, without values.
    """
    with (
        _tracer.start_as_current_span(
            summary,
            kind=SpanKind.CLIENT,
            attributes={
                db_attributes.DB_SYSTEM_NAME: "redis",
                db_attributes.DB_QUERY_SUMMARY: summary,
            },
            record_exception=False,  # its message could bring values into the span
            set_status_on_exception=False,
        ),
        redis_errors(),
    ):
        yield
