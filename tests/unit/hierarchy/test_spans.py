"""The spans of a call's way through hierarchy: their names, and that no value is in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kit.clock import FakeClock
from kit.ids import SeededIds
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.domain.errors import BlueprintInUse
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.records import UNITS_BY_KEY, joined_key
from tests.builders_hierarchy import a_blueprint, a_small_tree, an_import
from tests.hierarchy_operations import importing, putting

NEEM = TenantId("neem")


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
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SeededIds(1))
        await graph.write(NEEM, putting(a_blueprint()))
        await graph.write(NEEM, importing(an_import(*a_small_tree())))
        exported.clear()
        await graph.find(NEEM, UNITS_BY_KEY, [joined_key("state", "RJ")])
        with pytest.raises(BlueprintInUse):
            await graph.write(NEEM, putting(a_blueprint(("state",))))

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
