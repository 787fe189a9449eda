"""The spans of a broadcast's way: one a chunk and a step, linked to its start, without values."""

from collections.abc import Iterator
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from tests.unit.messaging.platform import Platform


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Spans of everything that asks for a tracer from now on."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer: Any = provider.get_tracer("test")
    monkeypatch.setattr("services.messaging.adapters.redis.steps._tracer", tracer)
    monkeypatch.setattr("kit.telemetry.tracer", lambda _name: tracer)
    yield exporter
    provider.shutdown()


@pytest.fixture
async def traced(exported: InMemorySpanExporter, platform: Platform) -> Platform:
    """The platform, built after the tracer was exchanged."""
    assert exported is not None
    return platform


async def test_a_broadcasts_spans(exported: InMemorySpanExporter, traced: Platform) -> None:
    client = traced.composer
    draft = await client.create(traced.register)
    async with traced.worker():
        await client.start(draft)
        request = pb.WatchProgressRequest(broadcast_id=draft.id)
        assert [progress async for progress in client.watch(request)]

    spans = exported.get_finished_spans()
    [starting] = _named(spans, "chaupal.messaging.v1.MessagingService/StartBroadcast")
    [planning] = _named(spans, "process messaging:jobs")
    [chunk] = _named(spans, "process messaging:chunks")
    for consumer in (planning, chunk):
        assert consumer.kind is SpanKind.CONSUMER
        assert consumer.parent is None
        assert [link.context.trace_id for link in consumer.links] == [_trace(starting)]
    assert dict(chunk.attributes or {}) == {
        "messaging.system": "redis",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.template": "messaging:chunks",
        "messaging.consumer.group.name": "workers",
        "messaging.batch.message_count": 24,
    }
    [commit] = _named(spans, "FCALL commit_chunk")
    assert dict(commit.attributes or {}) == {
        "db.system.name": "redis",
        "db.query.summary": "FCALL commit_chunk",
    }
    assert commit.parent is not None
    assert commit.parent.span_id == chunk.context.span_id
    [resolving] = _named(spans, "chaupal.groups.v1.GroupsService/ResolveAudience", SpanKind.CLIENT)
    assert resolving.parent is not None
    assert resolving.parent.span_id == planning.context.span_id


async def test_no_span_tells_what_was_written(
    exported: InMemorySpanExporter, traced: Platform
) -> None:
    client = traced.composer
    draft = await client.create(traced.register, title="A secret title")
    async with traced.worker():
        await client.start(draft)
        request = pb.WatchProgressRequest(broadcast_id=draft.id)
        assert [progress async for progress in client.watch(request)]
    told = " ".join(span.to_json() for span in exported.get_finished_spans())
    groups = [group for unit in traced.register.groups for group in unit]
    for secret in ("A secret title", "Come at ten.", draft.id, traced.register.state, groups[0]):
        assert secret not in told


def _named(
    spans: tuple[ReadableSpan, ...], name: str, kind: SpanKind | None = None
) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name and kind in {None, span.kind}]


def _trace(span: ReadableSpan) -> int:
    return int(span.context.trace_id)
