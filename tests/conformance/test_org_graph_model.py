"""`OrgGraph` and `Outbox` against plain dictionaries, two tenants at a time."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.hierarchy.domain.errors import RequestIdReused
from services.hierarchy.domain.events import AccessChanged, Change, TreeChanged
from services.hierarchy.domain.model import TenantId, Unit, UnitId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.records import INDEXES, RECORD_TYPES, Record
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import OrgGraph, SiblingKey
from tests.builders_hierarchy import Done, an_operation
from tests.org_graph_model import Model, key_of
from tests.org_graph_records import IDS, INSTANTS, POSITIONS, RECORDS, SOME_INSTANTS, that_may_stand
from tests.org_graphs import World, open_embedded, open_neo4j

T = TypeVar("T")
TENANTS = st.sampled_from((0, 1))
CHANGES = st.lists(
    st.builds(TreeChanged, st.integers(1, 9)) | st.builds(AccessChanged, st.integers(1, 9)),
    max_size=3,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A write that was answered."""

    tenant: int
    operation: Operation[Done]
    answer: Done


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
        self.models = tuple(Model(TenantHeader(tenant)) for tenant in self.tenants)
        self.asked: list[Asked] = []

    def teardown(self) -> None:
        self.run(self.opened.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    def run(self, waiting: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(waiting)

    def graph(self, at: int) -> OrgGraph:
        return (self.world.graph, self.world.twin)[at]

    @rule(
        at=TENANTS,
        wished=st.lists(RECORDS, max_size=8),
        kept=st.integers(0, 40),
        changes=CHANGES,
        is_versioned=st.booleans(),
        validate_only=st.booleans(),
    )
    def write(
        self,
        *,
        at: int,
        wished: list[Record],
        kept: int,
        changes: list[Change],
        is_versioned: bool,
        validate_only: bool,
    ) -> None:
        """Put what is wished, and drop some of what stood in its way or beyond `kept`."""
        model = self.models[at]
        standing = list(model.records.values())
        target = that_may_stand([*wished, *standing[:kept]])
        puts = [each for each in target if model.records.get((type(each), each.id)) != each]
        stay = {(type(each), each.id) for each in target}
        drops = [each for key, each in model.records.items() if key not in stay]
        version = model.header.tree_version + is_versioned
        answer = Done(f"write {len(self.asked)}")
        operation = an_operation(
            puts=puts,
            drops=drops,
            header=(lambda it: replace(it, tree_version=version)) if is_versioned else None,
            changes=changes,
            answer=answer,
            fingerprint=answer.note,
            validate_only=validate_only,
        )
        assert self.run(self.graph(at).write(self.tenants[at], operation)) == answer
        if not validate_only:
            self.asked.append(Asked(at, operation, answer))
            model.records = model.after(puts, drops)
            model.header = replace(model.header, tree_version=version)
            model.events += changes

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        if self.asked:
            asked = data.draw(st.sampled_from(self.asked))
            again = self.graph(asked.tenant).write(self.tenants[asked.tenant], asked.operation)
            assert self.run(again) == asked.answer

    @rule(data=st.data())
    def reuse_a_request_id(self, data: st.DataObject) -> None:
        if self.asked:
            asked = data.draw(st.sampled_from(self.asked))
            other = replace(asked.operation, fingerprint="other")
            with pytest.raises(RequestIdReused):
                self.run(self.graph(asked.tenant).write(self.tenants[asked.tenant], other))

    @rule(at=TENANTS, instant=st.none() | INSTANTS)
    def find(self, at: int, instant: datetime | None) -> None:
        """Everything, by every index."""
        tenant, model = self.tenants[at], self.models[at]
        for index in INDEXES:
            keys = {key_of(record, index) for each in self.models for record in each.all(index.of)}
            wanted = sorted(key for key in keys if key is not None)
            found = self.run(self.world.find(index, *wanted, tenant=tenant, at=instant))
            assert found == model.find(index, wanted, instant)

    @rule(
        at=TENANTS,
        instant=INSTANTS,
        verified_since=INSTANTS,
        units=st.none() | st.lists(st.sampled_from(IDS)),
    )
    def count(
        self, at: int, instant: datetime, verified_since: datetime, units: list[str] | None
    ) -> None:
        graph, tenant, model = self.world.graph, self.tenants[at], self.models[at]
        for position in POSITIONS:
            held = self.run(graph.units_with(tenant, position, instant))
            assert sorted(held) == sorted(model.units_with(position, instant))
        ids = None if units is None else [UnitId(each) for each in units]
        found = self.run(graph.tally(tenant, units=ids, at=instant, verified_since=verified_since))
        counts = {(each.position, each.verification.value): each.count for each in found}
        assert counts == model.tally(units, instant, verified_since)

    @rule(at=TENANTS, since=st.integers(0, 6), limit=st.integers(0, 8))
    def follow_changes(self, at: int, since: int, limit: int) -> None:
        tenant, model = self.tenants[at], self.models[at]
        found = self.run(self.world.graph.unit_changes(tenant, since=since, limit=limit))
        changed, closed = model.changed_since(since)
        if found is None:
            # A store may count each time that a unit was closed, which the domain lets happen once.
            assert len(changed) + model.closings_since(since) > limit
        else:
            assert (set(found.units), set(found.closed)) == (changed, closed)
            assert len(changed) + len(closed) <= limit

    @rule(at=TENANTS, through=st.integers(0, 30))
    def mark_relayed(self, at: int, through: int) -> None:
        model = self.models[at]
        self.run(self.world.outbox.mark_relayed(self.tenants[at], through=through))
        model.relayed = max(model.relayed, min(through, model.last_event))

    @rule(at=TENANTS)
    def forget(self, at: int) -> None:
        """As when a tenant is deleted: after all its events were relayed."""
        model, tenant = self.models[at], self.tenants[at]
        self.run(self.world.outbox.mark_relayed(tenant, through=model.last_event))
        while self.run(self.world.graph.forget_tenant(tenant, limit=3)):
            pass
        model.forget()
        self.asked = [asked for asked in self.asked if asked.tenant != at]

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
        assert dump.header == model.header
        assert dump.records == {of: model.all(of) for of in RECORD_TYPES}
        assert {event.sequence: event.change for event in dump.events} == model.numbered_events()
        backlogs = await self.world.outbox.backlogs(limit=100_000)
        waiting = [each.relayed_through for each in backlogs if each.tenant == tenant]
        assert waiting == ([model.relayed] if model.relayed < model.last_event else [])
        await self.check_trees(tenant, model)
        await self.check_neighbours(tenant, model)

    async def check_trees(self, tenant: TenantId, model: Model) -> None:
        for at in (None, *SOME_INSTANTS):
            tree = await self.world.graph.tree(tenant, at=at)
            assert tree.tree_version == model.header.tree_version
            assert sorted(tree.rows, key=str) == sorted(model.tree(at), key=str)
            for parent in {row.parent_id for row in tree.rows}:
                family = [(row.code, row.level) for row in tree.rows if row.parent_id == parent]
                assert family == sorted(family)

    async def check_neighbours(self, tenant: TenantId, model: Model) -> None:
        graph, units = self.world.graph, model.all(Unit)
        ids = [UnitId(each) for each in IDS]
        ancestors = (await graph.ancestors(tenant, ids)).value
        assert {start: list(above) for start, above in ancestors.items()} == {
            unit.id: model.ancestors(unit) for unit in units
        }
        behind = SiblingKey("A", "district")
        whole = (await graph.children(tenant, [None, *ids], limit=100)).value
        rest = (await graph.children(tenant, [None, *ids], limit=1, after=behind)).value
        assert set(whole) == set(rest) == {None, *(unit.id for unit in units)}
        for parent, page in whole.items():
            expected = model.children(parent)
            assert list(page.units) == expected
            later = [unit for unit in expected if (unit.code, unit.level) > ("A", "district")]
            part = rest[parent]
            assert list(part.units) == later[:1]
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
