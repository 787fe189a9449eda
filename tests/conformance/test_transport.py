"""The contracts of the ports `Transport` and `ReceiptSource`, over every adapter of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from kit.clock import FakeClock
from services.messaging.adapters.simulator import Simulator, World, open_simulator
from services.messaging.domain.deliveries import WITH_REASON, DeliveryState, Evidence
from services.messaging.domain.partitions import Chunk, Partition
from tests.unit.messaging.support import Stores, a_partition, group_ids, open_stores

SIZE = 200
WORLD = World(seed=3, median_delay_seconds=2.0, failure_rate=0.2)
AFTER_ALL = timedelta(days=1)


@dataclass
class Scene:
    """A simulator whose time stands still, and a chunk to send."""

    stores: Stores
    clock: FakeClock
    simulator: Simulator
    partition: Partition

    @property
    def chunk(self) -> Chunk:
        return Chunk(self.partition, "1-0", "one", 1, 0, group_ids(SIZE))

    def sibling(self, world: World = WORLD) -> Simulator:
        """Another process that speaks to the same provider."""
        return open_simulator(self.stores.client, self.clock, world)

    async def posts(self) -> bytes:
        key = f"simulator:{{{self.partition.tenant}:{self.partition.broadcast_id}:0}}:posts"
        found: Any = await self.stores.client.get(key)
        return bytes(found or b"")

    async def receive(self) -> list[Evidence]:
        """Everything that is due, acknowledged."""
        told: list[Evidence] = []
        while (receipts := await self.simulator.due(self.partition)).tokens:
            told += receipts.evidence
            await self.simulator.acknowledge(self.partition, receipts)
        return told


@pytest.fixture(params=["standalone", "cluster"])
async def scene(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[Scene]:
    if request.param == "standalone":
        url = request.getfixturevalue("valkey_url")
    else:
        url = request.getfixturevalue("valkey_cluster").url
    async with open_stores(url, unique) as stores:
        clock = FakeClock()
        simulator = open_simulator(stores.client, clock, WORLD)
        yield Scene(stores, clock, simulator, a_partition(stores.tenant, SIZE))


def by_position(told: Sequence[Evidence]) -> dict[int, list[DeliveryState]]:
    found: dict[int, list[DeliveryState]] = {}
    for evidence in told:
        for at, state in enumerate(evidence.states, evidence.start):
            if state:
                found.setdefault(at, []).append(DeliveryState(state))
    return found


def check_reasons(evidence: Evidence) -> None:
    with_reason = {
        at for at, state in enumerate(evidence.states, evidence.start) if state in WITH_REASON
    }
    assert set(evidence.reasons) == with_reason
    assert all(evidence.reasons.values())


async def test_every_delivery_of_a_chunk_is_accepted_or_refused_with_a_reason(
    scene: Scene,
) -> None:
    answer = await scene.simulator.send(scene.chunk)
    assert (answer.start, len(answer.states)) == (0, SIZE)
    assert set(answer.states) == {DeliveryState.ACCEPTED, DeliveryState.FAILED}
    check_reasons(answer)


async def test_what_was_sent_under_a_key_is_never_posted_again(scene: Scene) -> None:
    first = await scene.simulator.send(scene.chunk)
    posts = await scene.posts()
    assert len(posts) == SIZE
    assert 0 not in posts

    again = await scene.simulator.send(replace(scene.chunk, consumer="two", delivery_count=2))
    elsewhere = await scene.sibling(replace(WORLD, failure_rate=0.9)).send(scene.chunk)

    assert again == first == elsewhere
    assert await scene.posts() == posts


async def test_sends_of_one_key_at_once_post_it_once(scene: Scene) -> None:
    siblings = [scene.sibling() for _ in range(4)]
    answers = await asyncio.gather(*(each.send(scene.chunk) for each in siblings))
    assert all(answer == answers[0] for answer in answers)
    assert set(await scene.posts()) <= {1, 2}


async def test_every_accepted_delivery_is_settled_by_exactly_one_receipt(scene: Scene) -> None:
    answer = await scene.simulator.send(scene.chunk)
    told = []
    for _ in range(100):
        told += await scene.receive()
        scene.clock.advance(0.5)
    scene.clock.advance(AFTER_ALL)
    told += await scene.receive()

    accepted = {at for at, state in enumerate(answer.states) if state == DeliveryState.ACCEPTED}
    found = by_position(told)
    assert set(found) == accepted
    for states in found.values():
        assert states in (
            [DeliveryState.DELIVERED],
            [DeliveryState.FAILED],
            [DeliveryState.DELIVERED, DeliveryState.READ],
            [DeliveryState.READ],  # delivered and read since the last look
        )
    assert {DeliveryState.FAILED, DeliveryState.DELIVERED} <= {s[0] for s in found.values()}
    assert DeliveryState.READ in {states[-1] for states in found.values()}
    for evidence in told:
        check_reasons(evidence)
    assert not await scene.simulator.expected(scene.partition)


async def test_receipts_come_in_time_and_not_before(scene: Scene) -> None:
    await scene.simulator.send(scene.chunk)
    assert await scene.receive() == []
    assert await scene.simulator.expected(scene.partition)
    scene.clock.advance(2.0)
    half = by_position(await scene.receive())
    assert SIZE * 0.3 < len(half) < SIZE * 0.6
    scene.clock.advance(AFTER_ALL)
    rest = by_position(await scene.receive())
    settled = {at for at, states in rest.items() if states != [DeliveryState.READ]}
    assert not settled & set(half)


async def test_receipts_are_told_in_steps_and_not_one_by_one(scene: Scene) -> None:
    """Each telling costs the ledger's store some writes to disk, however few it tells."""
    await scene.simulator.send(scene.chunk)
    tellings = []
    for _ in range(200):
        scene.clock.advance(0.01)
        tellings += await scene.receive()
    assert 10 < len(tellings) <= 2_000 / 100
    assert len(by_position(tellings)) > SIZE * 0.3


async def test_what_is_not_acknowledged_comes_again(scene: Scene) -> None:
    await scene.simulator.send(scene.chunk)
    scene.clock.advance(AFTER_ALL)
    lost = await scene.simulator.due(scene.partition)
    assert lost.tokens
    assert (await scene.simulator.due(scene.partition)).tokens == ()
    assert await scene.simulator.expected(scene.partition)

    scene.clock.advance(10.0)
    again = await scene.simulator.due(scene.partition)

    assert again.evidence == lost.evidence
    for _ in range(2):
        await scene.simulator.acknowledge(scene.partition, again)
    await scene.simulator.acknowledge(scene.partition, lost)
    scene.clock.advance(AFTER_ALL)
    assert await scene.receive() == []
    assert not await scene.simulator.expected(scene.partition)


async def test_receipts_survive_the_process_that_sent(scene: Scene) -> None:
    await scene.simulator.send(scene.chunk)
    scene.clock.advance(AFTER_ALL)
    expected = replace(scene, simulator=scene.sibling())
    # Another world's process: what was posted keeps the fates of its own.
    elsewhere = scene.sibling(World(seed=99, median_delay_seconds=0.0, failure_rate=1.0))
    receipts = await elsewhere.due(scene.partition)
    scene.clock.advance(10.0)
    assert (await expected.simulator.due(scene.partition)).evidence == receipts.evidence


async def test_the_same_seed_gives_the_same_fates(scene: Scene, unique: str) -> None:
    first = await scene.simulator.send(scene.chunk)
    renamed = replace(scene.partition, tenant=type(scene.partition.tenant)(f"{unique}-b"))
    same = await scene.sibling().send(replace(scene.chunk, partition=renamed))
    elsewhere = replace(scene.partition, tenant=type(scene.partition.tenant)(f"{unique}-c"))
    other = await (scene.sibling(replace(WORLD, seed=4))).send(
        replace(scene.chunk, partition=elsewhere)
    )
    assert first == same != other


async def test_a_prompt_world_tells_everything_at_once(scene: Scene) -> None:
    prompt = replace(
        scene,
        simulator=scene.sibling(World(seed=1, median_delay_seconds=0.0, failure_rate=0.0)),
    )
    answer = await prompt.simulator.send(scene.chunk)
    assert set(answer.states) == {DeliveryState.ACCEPTED}
    assert set(by_position(await prompt.receive())) == set(range(SIZE))


async def test_a_world_where_all_fails_expects_nothing(scene: Scene) -> None:
    bleak = scene.sibling(World(seed=1, median_delay_seconds=1.0, failure_rate=2.0))
    answer = await bleak.send(scene.chunk)
    assert set(answer.states) == {DeliveryState.FAILED}
    assert not await bleak.expected(scene.partition)


async def test_nothing_is_due_for_what_was_never_sent(scene: Scene) -> None:
    assert (await scene.simulator.due(scene.partition)).tokens == ()
    assert not await scene.simulator.expected(scene.partition)
