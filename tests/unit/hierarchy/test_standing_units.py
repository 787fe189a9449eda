"""Units in memory: read once, and never older than what the request has seen."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kit.errors import InvalidInput
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.model import TenantId, Unit, UnitId, UnitWithCounts
from services.hierarchy.servicers.unit_messages import UnitMessages
from services.hierarchy.translate.values import unit_to_proto
from services.hierarchy.use_cases import standing_units
from services.hierarchy.use_cases.standing_units import StandingUnits
from tests.builders_hierarchy import a_row, a_small_tree, a_unit
from tests.hierarchy_operations import closing
from tests.org_graphs import World, open_embedded


@pytest.fixture
async def world(tmp_path: Path, unique: str) -> AsyncIterator[World]:
    async with open_embedded(tmp_path / "hierarchy.sqlite3", unique) as world:
        await world.start(*a_small_tree())
        yield world


@dataclass
class Watched:
    """The graph, the reads of which are counted, and something that happens after the next one."""

    graph: Any
    calls: Counter[str] = field(default_factory=Counter)
    keys: int = 0
    after: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.graph, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            if name == "find":
                self.keys += len(arguments[2])
            answer = await method(*arguments, **named)
            if name in self.after:
                await self.after.pop(name)()
            return answer

        return call


@pytest.fixture
def graph(world: World) -> Watched:
    return Watched(world.graph)


def units_of(graph: Watched, **bounds: int) -> StandingUnits:
    whole: Any = graph
    return StandingUnits(whole, **bounds)


async def get(
    world: World, units: StandingUnits, *ids: UnitId, tenant: TenantId | None = None
) -> dict[UnitId, Unit]:
    read = await units.get(await world.graph.header(tenant or world.tenant), ids)
    return dict(read.value)


async def rename(world: World, unit: Unit) -> Unit:
    """The unit under another code, as another process would write it."""
    header = await world.graph.header(world.tenant)
    version = header.tree_version + 1
    changed = replace(unit, code=f"{unit.code}x", revision=version)
    await world.write(changed, header=lambda before: replace(before, tree_version=version))
    return changed


async def test_a_unit_is_read_once(world: World, graph: Watched) -> None:
    units, booth = units_of(graph), await world.unit("booth", "B1")

    for _ in range(3):
        assert await get(world, units, booth.id) == {booth.id: booth}

    assert graph.calls == {"find": 1}


async def test_only_what_is_not_kept_is_read(world: World, graph: Watched) -> None:
    units = units_of(graph)
    first, second = await world.unit("booth", "B1"), await world.unit("booth", "B2")
    await get(world, units, first.id)

    assert await get(world, units, first.id, second.id) == {first.id: first, second.id: second}
    assert graph.keys == 2


async def test_what_does_not_exist_is_absent_and_asked_again(world: World, graph: Watched) -> None:
    units = units_of(graph)
    stranger = a_unit("booth", "B9")
    assert await get(world, units, stranger.id) == {}

    version = (await world.graph.header(world.tenant)).tree_version
    await world.write(replace(stranger, revision=version))

    assert list(await get(world, units, stranger.id)) == [stranger.id]


async def test_a_change_by_anybody_is_seen_by_the_next_request(
    world: World, graph: Watched
) -> None:
    units, booth = units_of(graph), await world.unit("booth", "B1")
    other = await world.unit("booth", "B2")
    await get(world, units, booth.id, other.id)

    changed = await rename(world, booth)

    assert await get(world, units, booth.id, other.id) == {booth.id: changed, other.id: other}
    assert graph.calls == {"find": 1, "unit_changes": 1}


async def test_a_unit_that_was_closed_is_gone(world: World, graph: Watched) -> None:
    units, booth = units_of(graph), await world.unit("booth", "B1")
    await get(world, units, booth.id)

    await world.graph.write(world.tenant, closing(booth.id))

    assert await get(world, units, booth.id) == {}


async def test_many_changes_are_as_good_as_none_kept(
    world: World, graph: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing_units, "MAX_CHANGES", 1)
    units = units_of(graph)
    booths = [await world.unit("booth", code) for code in ("B1", "B2")]
    await get(world, units, *(each.id for each in booths))

    changed = [await rename(world, each) for each in booths]

    assert await get(world, units, *(each.id for each in booths)) == {
        each.id: each for each in changed
    }
    assert graph.keys == 4


async def test_a_read_that_a_change_overtook_is_not_kept(world: World, graph: Watched) -> None:
    """Another request has seen the change while this one read."""
    units = units_of(graph)
    booth, other = await world.unit("booth", "B1"), await world.unit("booth", "B2")
    await get(world, units, other.id)

    async def change_and_see() -> None:
        await rename(world, booth)
        await get(world, units, other.id)

    graph.after["find"] = change_and_see
    read = await units.get(await world.graph.header(world.tenant), [booth.id])
    assert read.value == {booth.id: booth}
    # As old as it says, so that the tree beside it is no older than the unit.
    assert read.tree_version == booth.revision

    assert (await get(world, units, booth.id))[booth.id].code == "B1x"


async def test_a_change_during_a_renewal_is_seen_by_the_next_request(
    world: World, graph: Watched
) -> None:
    """The changes that were read do not tell of it yet."""
    units, booth = units_of(graph), await world.unit("booth", "B1")
    await get(world, units, booth.id)
    first = await rename(world, booth)
    latest: list[Unit] = []

    async def change_again() -> None:
        latest.append(await rename(world, first))

    graph.after["unit_changes"] = change_again
    assert await get(world, units, booth.id) == {booth.id: first}
    assert await get(world, units, booth.id) == {booth.id: latest[0]}


async def test_tenants_share_nothing(world: World, graph: Watched) -> None:
    await world.start(*a_small_tree(), tenant=world.other)
    units = units_of(graph)
    ours, theirs = (
        await world.unit("booth", "B1"),
        await world.unit("booth", "B1", tenant=world.other),
    )
    assert ours.id == theirs.id  # the builder's ids are made of codes
    await rename(world, ours)

    assert (await get(world, units, ours.id))[ours.id].code == "B1x"
    assert (await get(world, units, ours.id, tenant=world.other))[ours.id].code == "B1"


async def test_whoever_was_asked_longest_ago_is_forgotten(world: World, graph: Watched) -> None:
    await world.start(*a_small_tree(), tenant=world.other)
    units, booth = units_of(graph, max_units=1), await world.unit("booth", "B1")

    for tenant in (world.tenant, world.other, world.tenant):
        await get(world, units, booth.id, tenant=tenant)
    assert graph.calls["find"] == 3
    await get(world, units, booth.id)
    assert graph.calls["find"] == 3


async def test_kept_units_are_those_that_stand_whatever_is_written(
    world: World, graph: Watched
) -> None:
    """Random writes and requests, against reads of the graph itself."""
    chance = random.Random(5)
    units = units_of(graph)
    await world.load(*(a_row("booth", f"C{each}", under=("mandal", "M2")) for each in range(12)))
    ids = [UnitId(row.id) for row in (await world.graph.tree(world.tenant)).rows]
    booths = [row.id for row in (await world.graph.tree(world.tenant)).rows if row.level == "booth"]
    for _ in range(120):
        standing: dict[UnitId, Unit] = {unit.id: unit for unit in await world.all(Unit)}
        match chance.randrange(4):
            case 0 if standing.keys() & set(booths):
                await rename(world, standing[chance.choice(sorted(standing.keys() & set(booths)))])
            case 1 if len(standing) > 12 and chance.random() < 0.2:
                booth = chance.choice(sorted(standing.keys() & set(booths)))
                await world.graph.write(world.tenant, closing(booth))
            case _:
                asked = chance.sample(ids, 5)
                expected = {each: standing[each] for each in asked if each in standing}
                assert await get(world, units, *asked) == expected


class TestMessages:
    BOOTH = UnitWithCounts(a_unit("booth", "B1"), 0, 1)
    STATE = UnitWithCounts(a_unit("state", "RJ"), 2, 7)

    def test_they_are_what_building_them_anew_gives(self) -> None:
        messages, missing = UnitMessages(), UnitNotFound(UnitId("x"))
        fault = InvalidInput.of("ids[3]", "BAD_UUID", "is no id")

        for _ in range(2):
            batch = messages.batch([self.BOOTH, missing, self.STATE, fault, self.BOOTH])
            assert [each.WhichOneof("result") for each in batch.results] == [
                "unit", "status", "unit", "status", "unit",
            ]  # fmt: skip
            booth, state = unit_to_proto(self.BOOTH), unit_to_proto(self.STATE)
            assert [each.unit for each in batch.results][::2] == [booth, state, booth]
            assert "x" in batch.results[1].status.message

    @pytest.mark.parametrize(
        "changed",
        [
            BOOTH._replace(child_count=1),
            BOOTH._replace(subtree_count=2),
            BOOTH._replace(until=BOOTH.unit.since),
            BOOTH._replace(unit=replace(BOOTH.unit, code="B2")),
        ],
    )
    def test_whatever_changes_of_a_unit_is_told(self, changed: UnitWithCounts) -> None:
        messages = UnitMessages()
        messages.batch([self.BOOTH])

        [result] = messages.batch([changed]).results

        assert result.unit == unit_to_proto(changed)

    def test_they_are_bounded(self) -> None:
        messages = UnitMessages(max_units=1)

        for _ in range(2):
            [booth, state] = messages.batch([self.BOOTH, self.STATE]).results
            assert (booth.unit.code, state.unit.code) == ("B1", "RJ")
        assert len(messages._kept) == 1
