"""Spans and durations of both ends of a call, by the conventions' names; and the exporters."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kit import channel, errors, telemetry
from tests.servers.ports import free_ports
from tests.timing import wait_until
from tests.unit.kit.things import SERVICE, Gate, a_token, echo, running, use


@dataclass
class Seen:
    """What was exported."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self, kind: trace.SpanKind) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.kind is kind]

    def durations(self, name: str) -> list[dict[str, Any]]:
        data = self.reader.get_metrics_data()
        return [
            dict(point.attributes or {})
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name and isinstance(metric.data, Histogram)
            for point in metric.data.data_points
            if point.explicit_bounds == telemetry.DURATION_BUCKETS
        ]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Providers of this test alone: the API allows only one set_..._provider for a process."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracers)
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", meters)
    channel._duration.cache_clear()
    yield Seen(exporter, reader)
    channel._duration.cache_clear()
    tracers.shutdown()
    meters.shutdown()


CALLED = {"rpc.system.name": "grpc", "rpc.method": f"{SERVICE}/Ask"}


async def test_one_call_is_two_joined_spans_and_two_durations(seen: Seen) -> None:
    async with running(echo) as on:
        await use(on, "Ask")
    (client,) = seen.spans(trace.SpanKind.CLIENT)
    (server,) = seen.spans(trace.SpanKind.SERVER)
    assert client.name == server.name == f"{SERVICE}/Ask"
    assert client.context is not None
    assert server.parent is not None
    assert server.parent.span_id == client.context.span_id
    assert server.parent.trace_id == client.context.trace_id
    ok = CALLED | {"rpc.response.status_code": "OK"}
    assert dict(client.attributes or {}) == dict(server.attributes or {}) == ok
    assert seen.durations("rpc.client.call.duration") == [ok]
    assert seen.durations("rpc.server.call.duration") == [ok]


async def fail(error: Exception) -> str:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "fault"),
    [
        (errors.InvalidInput.of("phone", "X", "9876543210"), "INVALID_ARGUMENT", False),
        (errors.Unavailable(), "UNAVAILABLE", True),
        (ValueError("9876543210"), "INTERNAL", True),
    ],
)
async def test_a_failed_call_tells_its_status_and_whose_fault_it_is(
    seen: Seen, error: Exception, code: str, fault: bool
) -> None:
    async with running(lambda _: fail(error)) as on:
        with pytest.raises(errors.ChaupalError):
            await use(on, "Ask")
    told = CALLED | {"rpc.response.status_code": code}
    (client,) = seen.spans(trace.SpanKind.CLIENT)
    (server,) = seen.spans(trace.SpanKind.SERVER)
    # For the caller every error is one; for the server only its own faults are.
    assert dict(client.attributes or {}) == told | {"error.type": code}
    assert client.status.status_code is trace.StatusCode.ERROR
    assert dict(server.attributes or {}) == told | ({"error.type": code} if fault else {})
    assert (server.status.status_code is trace.StatusCode.ERROR) is fault
    assert "9876543210" not in f"{client.to_json()}{server.to_json()}"


async def test_a_refused_caller_is_counted_too(seen: Seen) -> None:
    async with running(echo) as on:
        with pytest.raises(errors.Unauthenticated):
            await use(on, "Tell", token="x")
    (told,) = seen.durations("rpc.server.call.duration")
    assert told["rpc.response.status_code"] == "UNAUTHENTICATED"


async def test_a_cancelled_call_is_cancelled_on_both_ends(seen: Seen) -> None:
    gate = Gate()
    async with running(gate) as on:
        asking = asyncio.create_task(use(on, "Ask"))
        await gate.entered.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await wait_until(lambda: seen.spans(trace.SpanKind.SERVER), 10)
    for kind in (trace.SpanKind.CLIENT, trace.SpanKind.SERVER):
        (span,) = seen.spans(kind)
        assert (span.attributes or {})["rpc.response.status_code"] == "CANCELLED"


async def test_a_span_lasts_as_long_as_its_stream(seen: Seen) -> None:
    gate = Gate()
    async with running(gate) as on:
        telling = asyncio.create_task(use(on, "Tell"))
        await gate.entered.wait()
        assert seen.exporter.get_finished_spans() == ()
        gate.opened.set()
        assert await telling == ["one", "two", "hello"]
    assert len(seen.exporter.get_finished_spans()) == 2


async def test_nothing_of_the_caller_is_in_a_span_or_a_metric(seen: Seen) -> None:
    token = a_token(subject="asha-9876543210")
    async with running(echo) as on:
        await use(on, "Ask", token=token, request_id="req-secret")
    told = "".join(span.to_json() for span in seen.exporter.get_finished_spans())
    told += str(seen.durations("rpc.server.call.duration"))
    for secret in (token, "asha", "neem", "req-secret"):
        assert secret not in told


async def test_health_checks_make_no_spans(seen: Seen) -> None:
    from tests.unit.kit.test_lifecycle import SERVING, check

    async with running(echo) as on:
        assert await check(on.target, SERVICE) == SERVING
    assert seen.exporter.get_finished_spans() == ()


def test_a_consumer_links_to_its_producer(seen: Seen) -> None:
    tracer = telemetry.tracer("test")
    with tracer.start_as_current_span("send") as producer:
        carrier = telemetry.trace_carrier()
    assert list(carrier) == ["traceparent"]
    with tracer.start_as_current_span("process", links=telemetry.link_from(carrier)):
        pass
    sent, processed = seen.exporter.get_finished_spans()
    assert processed.parent is None
    assert [link.context.span_id for link in processed.links] == [
        producer.get_span_context().span_id
    ]
    assert sent.name == "send"


@pytest.mark.parametrize("carrier", [{}, {"traceparent": "nonsense"}])
def test_a_carrier_without_a_trace_links_to_nothing(carrier: dict[str, str]) -> None:
    assert list(telemetry.link_from(carrier)) == []


def run(environ: dict[str, str], code: str) -> Any:
    """What `code` prints, as JSON, in a process of its own: providers are set once a process."""
    script = f"import json, os, urllib.request\nfrom kit import telemetry\n{code}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SPAN = """
with telemetry.tracer("x").start_as_current_span("work") as span:
    telemetry.duration_histogram(telemetry.meter("x"), "work.duration", "Work.").record(0.2)
"""


class TestSetUp:
    def test_prometheus_shows_the_histogram_with_its_buckets(self) -> None:
        (port,) = free_ports(1)
        text = run(
            {},
            f"handle = telemetry.set_up('things', environ=os.environ, metrics_port={port})\n{SPAN}"
            f"text = urllib.request.urlopen('http://127.0.0.1:{port}/metrics').read().decode()\n"
            "handle.shutdown()\n"
            "print(json.dumps(text))",
        )
        assert 'service_name="things"' in text
        buckets = [each for each in text.splitlines() if each.startswith("work_duration_seconds_b")]
        assert len(buckets) == len(telemetry.DURATION_BUCKETS) + 1
        assert sum(each.endswith(" 0.0") for each in buckets) == 6

    def test_the_metrics_port_is_free_again_after_shutdown(self) -> None:
        (port,) = free_ports(1)
        assert run(
            {},
            "from prometheus_client import start_http_server\n"
            f"telemetry.set_up('things', environ={{}}, metrics_port={port}).shutdown()\n"
            f"server, _ = start_http_server({port}, '127.0.0.1')\n"
            "print(json.dumps(True))",
        )

    def test_a_metrics_port_in_use_is_an_os_error(self) -> None:
        code = (
            "import socket\n"
            "taken = socket.socket(); taken.bind(('127.0.0.1', 0)); taken.listen()\n"
            "try:\n"
            "    telemetry.set_up('x', environ={}, metrics_port=taken.getsockname()[1])\n"
            "except OSError as error:\n"
            "    print(json.dumps(type(error).__name__))\n"
            "taken.close()\n"
        )
        assert run({}, code) == "OSError"

    def test_without_exporters_there_are_trace_ids_and_no_recording(self) -> None:
        code = (
            f"telemetry.set_up('things', environ=os.environ)\n{SPAN}"
            "print(json.dumps([span.get_span_context().is_valid, span.is_recording()]))"
        )
        assert run({}, code) == [True, False]

    def test_it_can_be_turned_off(self) -> None:
        code = (
            f"telemetry.set_up('things', environ=os.environ, metrics_port=1)\n{SPAN}"
            "print(json.dumps(span.get_span_context().is_valid))"
        )
        assert run({"OTEL_SDK_DISABLED": "true"}, code) is False

    def test_spans_and_metrics_leave_by_otlp_before_the_end(self) -> None:
        received: dict[str, bytes] = {}

        class Collector(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received[self.path] = received.get(self.path, b"") + body
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Collector) as collector:
            thread = threading.Thread(target=collector.serve_forever, args=(0.01,))
            thread.start()
            try:
                run(
                    {
                        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
                        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
                    },
                    f"handle = telemetry.set_up('things', environ=os.environ)\n{SPAN}"
                    "handle.shutdown()\nprint(json.dumps(None))",
                )
            finally:
                collector.shutdown()
                thread.join()
        assert b"work" in received["/v1/traces"]
        assert b"things" in received["/v1/traces"]
        assert b"work.duration" in received["/v1/metrics"]
