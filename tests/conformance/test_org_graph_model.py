"""`OrgGraph` and `Outbox` against plain dictionaries, two tenants at a time."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.hierarchy.domain.errors import BlueprintInUse, BlueprintNotFound, RequestIdReused
from services.hierarchy.domain.model import (
    ImportReport,
    TenantId,
    UnitId,
    UnitImport,
    UnitKey,
    UnitRow,
)
from services.hierarchy.ports import SiblingKey
from tests.builders_hierarchy import LEVELS, a_blueprint, a_request_id, numbered, text
from tests.org_graph_model import Key, Model, ModelUnit
from tests.org_graphs import World, open_embedded, open_neo4j

T = TypeVar("T")
TENANTS = st.sampled_from((0, 1))
WIDER = ("country", *LEVELS)
KEYS = st.tuples(st.sampled_from(LEVELS), st.sampled_from(("A", "B", "C")))
PARENTS = st.just(("", "")) | KEYS | st.just(("street", "A"))


def a_model_row(key: Key, parent: Key, name: str) -> UnitRow:
    return UnitRow(0, UnitKey(*key), text(name), UnitKey(*parent), None)


def a_row_that_fits(depth: int, code: str, above: str, name: str) -> UnitRow:
    parent = (LEVELS[depth - 1], above) if depth else ("", "")
    return a_model_row((LEVELS[depth], code), parent, name)


NAMES = st.sampled_from(("one", "two"))
ROWS = st.lists(
    st.builds(
        a_model_row, KEYS | st.just(("street", "A")) | st.just(("booth", "")), PARENTS, NAMES
    ),
    min_size=1,
    max_size=6,
).map(numbered)
# Mostly right: each parent is one level above, so that the tree grows.
GROWTH = st.lists(
    st.builds(
        a_row_that_fits,
        st.integers(0, len(LEVELS) - 1),
        st.sampled_from("AB"),
        st.sampled_from("AB"),
        NAMES,
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row.key,
).map(numbered)


class OrgGraphMachine(RuleBasedStateMachine):
    """Does the same to the store and to the model, and compares everything that can be read."""

    def open(self, folder: Path) -> AbstractAsyncContextManager[World]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.opened = self.open(Path(self.folder.name))
        self.world = self.run(self.opened.__aenter__())
        self.tenants = (self.world.tenant, self.world.other)
        self.models = (Model(), Model())
        self.asked: list[tuple[int, UnitImport, ImportReport]] = []

    def teardown(self) -> None:
        self.run(self.opened.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    def run(self, waiting: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(waiting)

    def graph(self, at: int) -> Any:
        return (self.world.graph, self.world.twin)[at]

    @initialize()
    def both_have_blueprints(self) -> None:
        for at in (0, 1):
            self.put_blueprint(at, LEVELS, "Neem", validate_only=False)

    @rule(
        at=TENANTS,
        levels=st.permutations(LEVELS) | st.sampled_from((LEVELS, LEVELS[:3], LEVELS[1:], WIDER)),
        name=st.sampled_from(("Neem", "Peepal")),
        validate_only=st.booleans(),
    )
    def put_blueprint(self, at: int, levels: Sequence[str], name: str, validate_only: bool) -> None:
        model, draft = self.models[at], a_blueprint(levels, name=name)
        put = self.graph(at).put_blueprint(self.tenants[at], draft, validate_only=validate_only)
        if model.blueprint == draft:
            assert self.run(put) == replace(draft, version=model.blueprint_version)
        elif not model.may_put(draft):
            with pytest.raises(BlueprintInUse):
                self.run(put)
        else:
            assert self.run(put) == replace(draft, version=model.blueprint_version + 1)
            if not validate_only:
                model.put(draft)

    @rule(at=TENANTS, rows=ROWS | GROWTH, validate_only=st.booleans())
    def import_rows(self, at: int, rows: list[UnitRow], validate_only: bool) -> None:
        model, request = self.models[at], UnitImport(a_request_id(), rows, validate_only)
        waiting = self.graph(at).apply_import(self.tenants[at], request)
        if model.blueprint is None:
            with pytest.raises(BlueprintNotFound):
                self.run(waiting)
            return
        report = self.run(waiting)
        self.check_report(model, rows, report, validate_only)
        if not validate_only:
            self.asked.append((at, request, report))

    def check_report(
        self, model: Model, rows: list[UnitRow], report: ImportReport, validate_only: bool
    ) -> None:
        assert report.row_count == len(rows)
        wrong = model.wrong_rows(rows)
        if wrong:
            assert wrong <= {error.row for error in report.errors}
            assert not report.applied
            assert report.tree_version == model.tree_version
            return
        assert report.errors == ()
        target = replace(model, units=dict(model.units), events=[]) if validate_only else model
        created, updated, unchanged = target.take(rows)
        counts = (report.created_count, report.updated_count, report.unchanged_count)
        assert counts == (created, updated, unchanged)
        assert report.applied == (created + updated > 0 and not validate_only)
        assert report.tree_version == model.tree_version

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        if self.asked:
            at, request, report = data.draw(st.sampled_from(self.asked))
            again = self.graph(at).apply_import(self.tenants[at], request)
            assert self.run(again) == report

    @rule(data=st.data(), rows=GROWTH)
    def reuse_a_request_id(self, data: st.DataObject, rows: list[UnitRow]) -> None:
        if self.asked:
            at, request, _ = data.draw(st.sampled_from(self.asked))
            if rows != request.rows:
                other = replace(request, rows=rows)
                with pytest.raises(RequestIdReused):
                    self.run(self.graph(at).apply_import(self.tenants[at], other))

    @rule(at=TENANTS, through=st.integers(0, 30))
    def mark_relayed(self, at: int, through: int) -> None:
        model = self.models[at]
        self.run(self.world.outbox.mark_relayed(self.tenants[at], through=through))
        model.relayed = max(model.relayed, min(through, len(model.events)))

    @rule(seconds=st.integers(1, 1000))
    def time_passes(self, seconds: int) -> None:
        # Fewer than seven days in all: the answers stay.
        self.world.clock.advance(seconds)

    @invariant()
    def everything_is_as_in_the_model(self) -> None:
        for tenant, model in zip(self.tenants, self.models, strict=True):
            self.run(self.check(tenant, model))

    async def check(self, tenant: TenantId, model: Model) -> None:
        dump = await self.world.dump(tenant)
        by_id = {unit.id: unit for unit in dump.units.values()}
        assert dump.tree.tree_version == model.tree_version
        assert dump.tree.level_keys == tuple(model.levels)
        assert {
            unit.key: ModelUnit(
                unit.names,
                by_id[unit.parent_id].key if unit.parent_id else None,
                unit.place,
                unit.revision,
            )
            for unit in dump.units.values()
        } == model.units
        assert [event.sequence for event in dump.events] == list(range(1, len(model.events) + 1))
        assert [event.change for event in dump.events] == model.events
        backlogs = await self.world.outbox.backlogs(limit=100_000)
        waiting = [each.relayed_through for each in backlogs if each.tenant == tenant]
        assert waiting == ([model.relayed] if model.relayed < len(model.events) else [])
        await self.check_neighbours(tenant, model)

    async def check_neighbours(self, tenant: TenantId, model: Model) -> None:
        graph = self.world.graph
        ids: dict[UnitId, Key] = {}
        for key in model.units:
            read = await graph.unit_by_key(tenant, UnitKey(*key))
            assert read.value is not None
            ids[read.value.id] = key
        ancestors = (await graph.ancestors(tenant, list(ids))).value
        assert {ids[start]: [each.key for each in up] for start, up in ancestors.items()} == {
            key: model.ancestors(key) for key in model.units
        }
        whole = (await graph.children(tenant, [None, *ids], limit=100)).value
        rest = await graph.children(tenant, [None, *ids], limit=1, after=SiblingKey("A", "mandal"))
        for parent, page in whole.items():
            expected = model.children(ids[parent] if parent else None)
            assert [unit.key for unit in page.units] == expected
            later = [key for key in expected if (key[1], key[0]) > ("A", "mandal")]
            part = rest.value[parent]
            assert [unit.key for unit in part.units] == later[:1]
            assert (part.total_count, part.has_more) == (len(expected), len(later) > 1)


class EmbeddedMachine(OrgGraphMachine):
    def open(self, folder: Path) -> AbstractAsyncContextManager[World]:
        return open_embedded(folder / "hierarchy.sqlite3", f"t{uuid.uuid4().hex[:8]}")


def at_most(examples: int, steps: int) -> settings:
    """The profile's settings within what this machine is worth: each step reads everything."""
    profile = settings.default
    assert profile is not None
    return settings(
        max_examples=min(profile.max_examples, examples),
        stateful_step_count=min(profile.stateful_step_count, steps),
    )


@pytest.mark.timeout(900)
def test_the_embedded_store_does_as_the_model_does() -> None:
    run_state_machine_as_test(EmbeddedMachine, settings=at_most(200, 50))


@pytest.mark.timeout(900)
def test_neo4j_does_as_the_model_does(neo4j_uri: str, neo4j_auth: tuple[str, str] | None) -> None:
    class Neo4jMachine(OrgGraphMachine):
        def open(self, _folder: Path) -> AbstractAsyncContextManager[World]:
            return open_neo4j(neo4j_uri, neo4j_auth, f"t{uuid.uuid4().hex[:16]}")

    thorough = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
    run_state_machine_as_test(Neo4jMachine, settings=at_most(*((50, 30) if thorough else (3, 12))))
