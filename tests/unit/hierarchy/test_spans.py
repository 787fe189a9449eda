"""The spans of a call's way through hierarchy: their names, and that no value is in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.hierarchy.domain.errors import BlueprintInUse
from tests.builders_hierarchy import a_blueprint, a_small_tree
from tests.org_graphs import open_embedded


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer: Any = provider.get_tracer("test")
    monkeypatch.setattr("services.hierarchy.adapters.spans._tracer", tracer)
    yield exporter
    provider.shutdown()


async def test_each_transaction_of_the_embedded_store_is_a_span_without_values(
    exported: InMemorySpanExporter, tmp_path: Path
) -> None:
    async with open_embedded(tmp_path / "hierarchy.sqlite3", "neem") as world:
        await world.start(*a_small_tree())
        exported.clear()
        await world.unit("state", "RJ")
        with pytest.raises(BlueprintInUse):
            await world.graph.put_blueprint(world.tenant, a_blueprint(("state",)))

    spans = exported.get_finished_spans()
    assert [(span.name, dict(span.attributes or {}), span.kind) for span in spans] == [
        (
            name,
            {"db.system.name": "sqlite", "db.query.summary": name},
            trace.SpanKind.CLIENT,
        )
        for name in ("read transaction", "write transaction")
    ]
    assert all(span.events == () for span in spans)
