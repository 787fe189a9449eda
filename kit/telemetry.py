"""Traces and metrics: OpenTelemetry providers, and the names that we emit.

Everything but `set_up` uses the API only, which does nothing until a provider is set.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import Histogram, Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import rpc_attributes
from opentelemetry.semconv.attributes import error_attributes, service_attributes
from opentelemetry.trace import Link, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

# Advised for durations in seconds by the semantic conventions (HTTP and RPC metrics).
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

RPC_SYSTEM_NAME = rpc_attributes.RPC_SYSTEM_NAME
RPC_METHOD = rpc_attributes.RPC_METHOD
RPC_RESPONSE_STATUS_CODE = rpc_attributes.RPC_RESPONSE_STATUS_CODE
ERROR_TYPE = error_attributes.ERROR_TYPE

_PROPAGATOR = TraceContextTextMapPropagator()
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")


@dataclass(slots=True)
class Telemetry:
    """What `set_up` started; shut it down last, so that the last spans leave too."""

    _closers: list[Callable[[], object]] = field(default_factory=list)

    def shutdown(self) -> None:
        """Send what is buffered and stop. May block for some seconds; call it after serving."""
        while self._closers:
            self._closers.pop()()


def set_up(
    service_name: str,
    *,
    environ: Mapping[str, str],
    metrics_port: int = 0,
    metrics_host: str = "127.0.0.1",
) -> Telemetry:
    """Install the process's providers; once, at start.

    OTLP over HTTP goes where the standard `OTEL_EXPORTER_OTLP_*` variables say and nowhere when
    none is set; Prometheus listens on `metrics_port` unless that is 0. `OTEL_SDK_DISABLED=true`
    turns everything off. Without an exporter spans are not recorded, but trace ids still exist,
    so that the log lines of one request can be found.

    Raises:
        OSError: when the metrics port cannot be listened on.
    """
    telemetry = Telemetry()
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return telemetry
    resource = Resource.create({service_attributes.SERVICE_NAME: service_name})
    _set_up_metrics(telemetry, resource, environ, metrics_port, metrics_host)
    _set_up_traces(telemetry, resource, environ)
    return telemetry


def _set_up_traces(telemetry: Telemetry, resource: Resource, environ: Mapping[str, str]) -> None:
    exporting = _has_endpoint(environ, "TRACES")
    provider = TracerProvider(
        sampler=None if exporting else ALWAYS_OFF, resource=resource, shutdown_on_exit=False
    )
    if exporting:
        # Imported here: the exporter brings requests, 0.3 s that a process without one need not pay
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    telemetry._closers.append(provider.shutdown)  # noqa: SLF001  # one module


def _set_up_metrics(
    telemetry: Telemetry, resource: Resource, environ: Mapping[str, str], port: int, host: str
) -> None:
    readers: list[MetricReader] = []
    if port:
        readers.append(_prometheus(telemetry, port, host))
    if _has_endpoint(environ, "METRICS"):
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.metric_exporter")
        export = importlib.import_module("opentelemetry.sdk.metrics.export")
        readers.append(export.PeriodicExportingMetricReader(otlp.OTLPMetricExporter()))
    if not readers:
        return
    provider = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    telemetry._closers.append(provider.shutdown)  # noqa: SLF001  # one module


def _prometheus(telemetry: Telemetry, port: int, host: str) -> MetricReader:
    """A reader behind an HTTP endpoint of its own registry."""
    # Imported here: 0.15 s that a process without a metrics port need not pay.
    client = importlib.import_module("prometheus_client")
    exporter = importlib.import_module("opentelemetry.exporter.prometheus")
    registry = client.CollectorRegistry()
    server, thread = client.start_http_server(port, host, registry)
    reader: MetricReader = exporter.PrometheusMetricReader(registry=registry)

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    telemetry._closers.append(close)  # noqa: SLF001  # one module
    return reader


def _has_endpoint(environ: Mapping[str, str], signal: str) -> bool:
    return any(environ.get(name.format(signal=signal)) for name in _ENDPOINTS)


def tracer(name: str) -> Tracer:
    """The tracer of a module: `tracer(__name__)`."""
    return trace.get_tracer(name)


def meter(name: str) -> Meter:
    """The meter of a module: `meter(__name__)`."""
    return metrics.get_meter(name)


def duration_histogram(of: Meter, name: str, description: str) -> Histogram:
    """A histogram of durations in seconds with the buckets of the conventions."""
    return of.create_histogram(
        name, "s", description, explicit_bucket_boundaries_advisory=DURATION_BUCKETS
    )


def trace_carrier() -> dict[str, str]:
    """The current span as `traceparent`, to travel in metadata or in a stream entry."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier


def remote_context(carrier: Mapping[str, str]) -> Context:
    """The context in which a span continues the trace that the carrier names, if it names one."""
    return _PROPAGATOR.extract(dict(carrier), Context())


def link_from(carrier: Mapping[str, str]) -> Sequence[Link]:
    """Links to the span that the carrier names; a consumer links to its producer."""
    span = trace.get_current_span(remote_context(carrier)).get_span_context()
    return [Link(span)] if span.is_valid else []
