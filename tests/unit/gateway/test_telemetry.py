"""What an operation leaves behind: a span by its type, loaders with their size, calls below."""

from collections.abc import Iterator

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from gateway.config import Settings

from .fakes.servers import Client, client, gateway, token
from .fakes.world import World

TRACE = "0af7651916cd43dd8448eb211c80319c"
QUERY = "query Tree { units { nodes { children { nodes { code parent { code } } } } } }"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """The spans of a test. The process has one provider, so an exporter is added to it."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def spans(exporter: InMemorySpanExporter, kind: SpanKind) -> list[ReadableSpan]:
    return [each for each in exporter.get_finished_spans() if each.kind is kind]


async def test_an_operation_is_one_trace(exporter: InMemorySpanExporter, asking: Client) -> None:
    asking.headers["traceparent"] = f"00-{TRACE}-b7ad6b7169203331-01"
    await asking.data(QUERY)
    (operation,) = [each for each in exporter.get_finished_spans() if each.name == "query"]
    assert operation.kind is SpanKind.SERVER
    assert dict(operation.attributes or {}) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Tree",
        # units, nodes; children, nodes of at most 100; in each their code, parent and its code.
        "graphql.cost.estimated": 1 + 1 + 100 * (1 + 1 + 100 * 3),
    }
    assert operation.parent is not None
    assert trace.format_span_id(operation.parent.span_id) == "b7ad6b7169203331"
    loads = {
        each.name: (each.attributes or {})["chaupal.batch.size"]
        for each in spans(exporter, SpanKind.INTERNAL)
        if each.name.startswith("load ")
    }
    assert loads == {"load children": 1, "load units": 1}
    calls = {each.name for each in spans(exporter, SpanKind.CLIENT)}
    service = "chaupal.hierarchy.v1.HierarchyService"
    assert calls == {
        f"{service}/ListChildren",
        f"{service}/BatchListChildren",
        f"{service}/BatchGetUnits",
    }
    every = exporter.get_finished_spans()
    assert {trace.format_trace_id(each.context.trace_id) for each in every if each.context} == {
        TRACE
    }


async def test_no_argument_and_no_text_is_in_a_span(
    exporter: InMemorySpanExporter, asking: Client
) -> None:
    await asking.ask('query { units(after: "sentinel") { nodes { code } } }')
    attributes = [str(dict(each.attributes or {})) for each in exporter.get_finished_spans()]
    assert not [each for each in attributes if "sentinel" in each]


async def test_errors_name_their_trace(exporter: InMemorySpanExporter, asking: Client) -> None:
    asking.headers["traceparent"] = f"00-{TRACE}-b7ad6b7169203331-01"
    body = await asking.ask('{ unit(id: "x") { id } }')
    assert body["errors"][0]["extensions"]["traceId"] == TRACE


async def test_requests_are_measured_by_route_method_and_status(
    world: World, configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = InMemoryMetricReader()
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", MeterProvider([reader]))
    async with gateway(configured) as app, client(app, world, token()) as asking:
        await asking.data("{ viewer { tenant } }")
        asking.headers.clear()
        await asking.post("{ viewer { tenant } }")
    data = reader.get_metrics_data()
    assert data is not None
    points = [
        dict(point.attributes or {})
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "http.server.request.duration"
        for point in metric.data.data_points
    ]
    common = {"http.request.method": "POST", "http.route": "/graphql", "url.scheme": "http"}
    assert points == [{**common, "http.response.status_code": status} for status in (200, 401)]
