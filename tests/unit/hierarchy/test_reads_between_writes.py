"""Reads that a write overtakes: what was read and the tree beside it are of two moments."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.ids import SeededIds
from kit.tokens import Caller
from services.hierarchy.adapters.embedded import EmbeddedOrgGraph, EmbeddedStore
from services.hierarchy.domain.model import TenantId, UnitId, UnitKey
from services.hierarchy.domain.records import UNITS_BY_KEY, joined_key
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import OrgGraph, Read
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.holders import look_up_holders
from services.hierarchy.use_cases.search import NameIndexes
from services.hierarchy.use_cases.trees import Trees
from services.hierarchy.use_cases.units import UnitReader
from tests.builders_hierarchy import (
    a_blueprint,
    a_person,
    a_row,
    a_small_tree,
    an_appointment,
    an_import,
)
from tests.builders_people import a_staffed_blueprint
from tests.hierarchy_operations import closing, importing, keeping, putting

NEEM = TenantId("neem")
M1 = ("mandal", "M1")
CALLER = Caller("user", NEEM, "user", frozenset({"view"}), datetime(2100, 1, 1, tzinfo=UTC), "")


@dataclass
class Overtaken:
    """The graph itself, with something that happens just after its next read of a kind."""

    graph: OrgGraph
    after: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.graph, name)
        if name not in self.after:
            return method

        async def call(*arguments: Any, **named: Any) -> Any:
            answer = await method(*arguments, **named)
            await self.after.pop(name)()
            return answer

        return call

    async def unit_id(self, level: str, code: str) -> UnitId:
        key = joined_key(level, code)
        return (await self.graph.find(NEEM, UNITS_BY_KEY, [key])).value[key][0].id


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[Overtaken]:
    async with EmbeddedStore(tmp_path / "hierarchy.sqlite3") as store:
        graph = EmbeddedOrgGraph(store, FakeClock(), SeededIds(1))
        await graph.write(NEEM, putting(a_blueprint()))
        await graph.write(NEEM, importing(an_import(*a_small_tree())))
        yield Overtaken(graph)


def reader(graph: Overtaken) -> UnitReader:
    whole: Any = graph
    trees = Trees(whole)
    return UnitReader(whole, trees, Access(whole, trees, FakeClock()))


async def test_a_unit_that_is_closed_meanwhile_is_as_if_it_was_closed_before(
    graph: Overtaken,
) -> None:
    booth, state = await graph.unit_id("booth", "B1"), await graph.unit_id("state", "RJ")
    graph.after["find"] = lambda: graph.graph.write(NEEM, closing(booth))

    found = await reader(graph).get_units(CALLER, [booth, state])

    assert [each.unit.id for each in found.values()] == [state]
    assert found[state].subtree_count == 6


async def test_children_that_are_closed_meanwhile_are_left_out(graph: Overtaken) -> None:
    mandal = await graph.unit_id(*M1)
    booths = [await graph.unit_id("booth", code) for code in ("B1", "B2")]

    async def close_both() -> None:
        for booth in booths:
            await graph.graph.write(NEEM, closing(booth))

    graph.after["children"] = close_both
    found = await reader(graph).list_children(CALLER, [mandal], limit=1)
    family = found[mandal]

    assert (list(family.units), family.has_more) == ([], True)
    assert family.end == UnitKey("booth", "B1")  # from where the next page goes on


async def test_ancestors_of_what_is_closed_meanwhile_are_not_told(graph: Overtaken) -> None:
    booth, mandal = await graph.unit_id("booth", "B1"), await graph.unit_id(*M1)
    graph.after["ancestors"] = lambda: graph.graph.write(NEEM, closing(booth))

    found = await reader(graph).list_ancestors(CALLER, [booth, mandal])

    assert found.keys() == {mandal}
    assert [each.unit.code for each in found[mandal]] == ["JPR", "RJ"]


async def test_a_unit_that_is_newer_than_the_version_beside_it_is_counted_in_a_newer_tree(
    graph: Overtaken,
) -> None:
    reads = reader(graph)
    await reads.get_units(CALLER, [await graph.unit_id(*M1)])  # the old tree is in memory
    await graph.graph.write(NEEM, importing(an_import(a_row("booth", "B3", under=M1))))
    booth = await graph.unit_id("booth", "B3")

    class Behind(Overtaken):
        async def find(self, *arguments: Any, **named: Any) -> Any:
            read: Read[Any] = await self.graph.find(*arguments, **named)
            return replace(read, tree_version=read.tree_version - 1)

    found = await reader(Behind(graph.graph)).get_units(CALLER, [booth])

    assert (found[booth].child_count, found[booth].subtree_count) == (0, 1)


async def test_no_units_need_no_tree(graph: Overtaken) -> None:
    reads = reader(graph)

    async def fail() -> None:
        pytest.fail("the tree is read")

    graph.after["tree"] = fail
    assert await reads.get_units(CALLER, [UnitId("nobody")]) == {}


async def test_a_login_that_passes_on_meanwhile_takes_no_office_along(graph: Overtaken) -> None:
    """The person was read before and the offices after it: of no moment at all together."""
    state = await graph.unit_id("state", "RJ")
    asha, ravi = a_person(1, subject="user"), a_person(2, subject=None)
    office = an_appointment(unit_id=state, person_id=asha.id, position="state_convenor")
    await graph.graph.write(NEEM, putting(a_staffed_blueprint()))
    await graph.graph.write(NEEM, keeping(asha, ravi))
    passes_on = keeping(replace(asha, subject=None), replace(ravi, subject="user"), office)
    graph.after["find"] = lambda: graph.graph.write(NEEM, passes_on)

    whole: Any = graph
    access = Access(whole, Trees(whole), FakeClock())
    viewer = await access.enter(replace(CALLER, capabilities=frozenset()))

    assert viewer.person is not None
    assert (viewer.person.id, viewer.grants) == (ravi.id, ())


@dataclass
class HalfApplied(Overtaken):
    """The graph while a write is being applied: its header can be read, and none of its records."""

    write: Callable[[], Awaitable[object]] | None = None
    ahead: TenantHeader | None = None

    async def apply(self, change: Callable[[TenantHeader], TenantHeader]) -> None:
        """Show the header that the write will make."""
        self.ahead = change(await self.graph.header(NEEM))

    async def finish(self) -> None:
        """Let the write be there as a whole."""
        self.ahead, write, self.write = None, self.write, None
        if write:
            await write()

    async def header(self, tenant: TenantId) -> TenantHeader:
        return self.ahead or await self.graph.header(tenant)

    async def settled_header(self, tenant: TenantId) -> TenantHeader:
        await self.finish()
        return await self.graph.settled_header(tenant)


def next_access(header: TenantHeader) -> TenantHeader:
    return replace(header, access_version=header.access_version + 1)


def next_tree(header: TenantHeader) -> TenantHeader:
    return replace(next_access(header), tree_version=header.tree_version + 1)


async def test_what_is_read_of_a_write_that_is_half_applied_is_not_kept(graph: Overtaken) -> None:
    """Its version is there and the office is not: for as long as it stood it would be refused."""
    state, asha = await graph.unit_id("state", "RJ"), a_person(1, subject="user")
    office = an_appointment(unit_id=state, person_id=asha.id, position="state_convenor")
    await graph.graph.write(NEEM, putting(a_staffed_blueprint()))
    await graph.graph.write(NEEM, keeping(asha))
    half: Any = HalfApplied(graph.graph, write=lambda: graph.graph.write(NEEM, keeping(office)))
    access = Access(half, Trees(half), FakeClock())
    nobody = replace(CALLER, capabilities=frozenset())

    await half.apply(next_access)
    await access.enter(nobody)
    await half.finish()

    granted = {each.grant.capability for each in (await access.enter(nobody)).grants}
    assert granted == {"view", "administer"}


async def test_names_of_a_write_that_is_half_applied_are_found_afterwards(
    graph: Overtaken,
) -> None:
    row = a_row("booth", "B3", under=M1, name="Banyan Tree School")
    more = importing(an_import(row))
    half: Any = HalfApplied(graph.graph, write=lambda: graph.graph.write(NEEM, more))
    names = NameIndexes(half)
    version = (await graph.graph.header(NEEM)).tree_version + 1

    await half.apply(next_tree)
    await names.at_least(NEEM, version)
    await half.finish()

    booth = await graph.unit_id("booth", "B3")
    assert booth in (await names.at_least(NEEM, version)).search("banyan")


async def test_a_blueprint_takes_no_office_that_is_given_by_a_write_half_applied(
    graph: Overtaken,
) -> None:
    state, asha = await graph.unit_id("state", "RJ"), a_person(1, subject=None)
    office = an_appointment(unit_id=state, person_id=asha.id, position="state_convenor")
    staffed = a_staffed_blueprint()
    await graph.graph.write(NEEM, putting(staffed))
    half: Any = HalfApplied(
        graph.graph, write=lambda: graph.graph.write(NEEM, keeping(asha, office))
    )
    draft = replace(staffed, positions=staffed.positions[1:])

    await half.apply(next_access)
    holders = await look_up_holders(half, NEEM, draft, FakeClock().now())
    await half.finish()

    assert holders.access_version == (await graph.graph.header(NEEM)).access_version
    assert holders.by_position["state_convenor"].appointment_count == 1
