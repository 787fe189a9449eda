"""The span around a call to a store, by OpenTelemetry's conventions for databases."""

from contextlib import AbstractContextManager

from opentelemetry.semconv.attributes import db_attributes
from opentelemetry.trace import Span, SpanKind

from kit.telemetry import tracer

_tracer = tracer(__name__)


def db_span(system: str, summary: str) -> AbstractContextManager[Span]:
    """A span for one statement or transaction; `summary` says what it does, without values."""
    return _tracer.start_as_current_span(
        summary,
        kind=SpanKind.CLIENT,
        attributes={
            db_attributes.DB_SYSTEM_NAME: system,
            db_attributes.DB_QUERY_SUMMARY: summary,
        },
        # Neither, as they would put the error's message, with its values, into the span.
        record_exception=False,
        set_status_on_exception=False,
    )
