"""The contract of the port `DeliveryLog`, over every adapter of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kit.redis import StoreFault
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.errors import LeaseLost, LedgerMissing
from services.messaging.domain.partitions import Chunk, Partition
from services.messaging.domain.progress import Ledger
from tests.unit.messaging.support import (
    LONG_LEASE,
    NO_LEASE,
    Stores,
    a_partition,
    group_ids,
    new_broadcast_id,
    open_stores,
)

ACCEPTED = bytes([DeliveryState.ACCEPTED])
DELIVERED = bytes([DeliveryState.DELIVERED])
FAILED = bytes([DeliveryState.FAILED])
PLANNED = bytes([DeliveryState.PLANNED])
READ = bytes([DeliveryState.READ])


@pytest.fixture(params=["standalone", "cluster"])
async def stores(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[Stores]:
    if request.param == "standalone":
        url = request.getfixturevalue("valkey_url")
    else:
        url = request.getfixturevalue("valkey_cluster").url
    async with open_stores(url, unique) as opened:
        yield opened


@pytest.fixture
async def partition(stores: Stores) -> Partition:
    """Ten deliveries in chunks of four: 4, 4 and 2."""
    made = a_partition(stores.tenant, 10)
    await stores.log.write_partition(made, group_ids(10), 4, "00-trace")
    return made


async def states(stores: Stores, partition: Partition) -> bytes:
    return (await stores.log.ledger([partition])).states


async def version(stores: Stores, partition: Partition) -> tuple[int, ...]:
    return (await stores.log.ledger([partition])).version


async def take(stores: Stores, partition: Partition, consumer: str = "a") -> Chunk:
    chunk = await stores.log.take(partition, consumer, LONG_LEASE)
    assert chunk is not None
    return chunk


async def take_over(stores: Stores, partition: Partition, consumer: str) -> Chunk:
    chunk = await stores.log.take(partition, consumer, NO_LEASE)
    assert chunk is not None
    return chunk


def all_of(chunk: Chunk, state: bytes) -> Evidence:
    return Evidence(chunk.start, state * chunk.size)


class TestPlan:
    async def test_a_written_partition_is_all_planned(
        self, stores: Stores, partition: Partition
    ) -> None:
        assert await stores.log.ledger([partition]) == Ledger((0,), PLANNED * 10)

    async def test_writing_it_again_changes_nothing(
        self, stores: Stores, partition: Partition
    ) -> None:
        chunk = await take(stores, partition)
        await stores.log.commit(chunk, all_of(chunk, ACCEPTED))

        await stores.log.write_partition(partition, group_ids(10), 4, "00-trace")

        assert await states(stores, partition) == ACCEPTED * 4 + PLANNED * 6
        assert (await take(stores, partition)).start == 4

    async def test_it_is_never_written_with_other_groups(
        self, stores: Stores, partition: Partition
    ) -> None:
        with pytest.raises(ValueError, match="other groups"):
            await stores.log.write_partition(partition, group_ids(10, seed=9), 4, "")

        [first] = await stores.log.deliveries([partition], [0])
        assert first.group_id == "00000000-0000-0000-0000-000000000001"

    async def test_a_generation_is_dropped_and_the_others_stay(self, stores: Stores) -> None:
        broadcast_id = new_broadcast_id()
        old, new = (
            [
                a_partition(stores.tenant, 3, broadcast_id=broadcast_id, generation=g, number=n)
                for n in range(3)
            ]
            for g in (1, 2)
        )
        for each in (*old, *new):
            await stores.log.write_partition(each, group_ids(3), 2, "")

        await stores.log.drop_generation(stores.tenant, broadcast_id, 1)

        for each in old:
            with pytest.raises(LedgerMissing):
                await stores.log.ledger([each])
            assert await stores.log.take(each, "a", NO_LEASE) is None
        assert (await stores.log.ledger(new)).states == PLANNED * 9


class TestTake:
    async def test_chunks_come_in_order_with_their_groups(
        self, stores: Stores, partition: Partition
    ) -> None:
        taken = [await take(stores, partition) for _ in range(3)]

        ids = group_ids(10)
        assert [(c.start, c.size, c.attempt, c.delivery_count) for c in taken] == [
            (0, 4, 1, 1),
            (4, 4, 1, 1),
            (8, 2, 1, 1),
        ]
        assert b"".join(c.group_ids for c in taken) == ids
        assert {c.traceparent for c in taken} == {"00-trace"}

    async def test_a_held_chunk_is_given_to_nobody_else(
        self, stores: Stores, partition: Partition
    ) -> None:
        for _ in range(3):
            await take(stores, partition, "a")

        assert await stores.log.take(partition, "b", LONG_LEASE) is None

    async def test_a_chunk_whose_lease_ran_out_is_taken_over_first(
        self, stores: Stores, partition: Partition
    ) -> None:
        first = await take(stores, partition, "a")

        second = await take_over(stores, partition, "b")

        assert second == replace(first, consumer="b", delivery_count=2)

    async def test_an_unknown_partition_has_no_chunk(self, stores: Stores) -> None:
        assert await stores.log.take(a_partition(stores.tenant, 5), "a", NO_LEASE) is None

    async def test_two_consumers_at_once_get_different_chunks(
        self, stores: Stores, partition: Partition
    ) -> None:
        taken = await asyncio.gather(
            *(stores.log.take(partition, f"c{n}", LONG_LEASE) for n in range(5))
        )
        assert sorted(c.start for c in taken if c is not None) == [0, 4, 8]


class TestHold:
    async def test_a_held_chunk_stays_its_holders(
        self, stores: Stores, partition: Partition
    ) -> None:
        chunk = await take(stores, partition, "a")

        assert await stores.log.hold([chunk]) == [chunk]
        await stores.log.commit(chunk, all_of(chunk, ACCEPTED))

        assert await states(stores, partition) == ACCEPTED * 4 + PLANNED * 6

    async def test_a_lost_chunk_is_not_stolen_back(
        self, stores: Stores, partition: Partition
    ) -> None:
        lost = await take(stores, partition, "a")
        kept = await take(stores, partition, "a")
        mine = await take_over(stores, partition, "b")

        assert await stores.log.hold([lost, kept, mine]) == [kept, mine]
        await stores.log.commit(mine, all_of(mine, ACCEPTED))

    async def test_holding_does_not_change_the_fence(
        self, stores: Stores, partition: Partition
    ) -> None:
        chunk = await take(stores, partition)
        for _ in range(3):
            await stores.log.hold([chunk])
        assert (await take_over(stores, partition, "b")).delivery_count == 2

    async def test_a_committed_chunk_is_held_by_nobody(
        self, stores: Stores, partition: Partition
    ) -> None:
        chunk = await take(stores, partition)
        await stores.log.commit(chunk, all_of(chunk, ACCEPTED))
        assert await stores.log.hold([chunk]) == []


class TestCommit:
    async def test_states_and_reasons_are_written_and_the_chunk_is_done(
        self, stores: Stores, partition: Partition
    ) -> None:
        await take(stores, partition)
        chunk = await take(stores, partition)
        evidence = Evidence(4, ACCEPTED + FAILED + ACCEPTED + FAILED, {5: "FULL", 7: "GONE"})

        await stores.log.commit(chunk, evidence)

        found = await stores.log.deliveries([partition], [4, 5, 6, 7])
        assert [(d.state, d.reason, d.attempt_count) for d in found] == [
            (DeliveryState.ACCEPTED, "", 1),
            (DeliveryState.FAILED, "FULL", 1),
            (DeliveryState.ACCEPTED, "", 1),
            (DeliveryState.FAILED, "GONE", 1),
        ]
        assert await version(stores, partition) == (1,)
        with pytest.raises(LeaseLost):
            await stores.log.commit(chunk, evidence)

    async def test_a_zombies_commit_after_a_takeover_is_refused(
        self, stores: Stores, partition: Partition
    ) -> None:
        zombie = await take(stores, partition, "a")
        heir = await take_over(stores, partition, "b")

        with pytest.raises(LeaseLost):
            await stores.log.commit(zombie, all_of(zombie, FAILED))
        assert await stores.log.ledger([partition]) == Ledger((0,), PLANNED * 10)

        await stores.log.commit(heir, all_of(heir, ACCEPTED))
        with pytest.raises(LeaseLost):
            await stores.log.commit(zombie, all_of(zombie, FAILED))
        assert await stores.log.ledger([partition]) == Ledger((1,), ACCEPTED * 4 + PLANNED * 6)

    async def test_the_fence_knows_an_earlier_self(
        self, stores: Stores, partition: Partition
    ) -> None:
        """The same consumer took its own chunk again: only the later holding counts."""
        earlier = await take(stores, partition, "a")
        later = await take_over(stores, partition, "a")

        with pytest.raises(LeaseLost):
            await stores.log.commit(earlier, all_of(earlier, ACCEPTED))
        assert await states(stores, partition) == PLANNED * 10
        await stores.log.commit(later, all_of(later, ACCEPTED))

    async def test_a_zombie_that_took_the_chunk_back_commits_only_under_the_new_count(
        self, stores: Stores, partition: Partition
    ) -> None:
        first = await take(stores, partition, "a")
        await take_over(stores, partition, "b")
        third = await take_over(stores, partition, "a")

        assert third.delivery_count == 3
        with pytest.raises(LeaseLost):
            await stores.log.commit(first, all_of(first, ACCEPTED))
        await stores.log.commit(third, all_of(third, ACCEPTED))

    async def test_a_late_acceptance_does_not_undo_an_early_receipt(
        self, stores: Stores, partition: Partition
    ) -> None:
        chunk = await take(stores, partition)
        await stores.log.apply(partition, [Evidence(1, DELIVERED + FAILED, {2: "LEFT"})])

        await stores.log.commit(chunk, all_of(chunk, ACCEPTED))

        assert await states(stores, partition) == (
            ACCEPTED + DELIVERED + FAILED + ACCEPTED + PLANNED * 6
        )

    @pytest.mark.parametrize(
        "evidence",
        [
            Evidence(0, ACCEPTED * 3 + b"\x08"),
            Evidence(0, ACCEPTED * 3),
            Evidence(4, ACCEPTED * 4),
            Evidence(8, ACCEPTED * 4),
            Evidence(0, ACCEPTED * 4, {-1: "FULL"}),
        ],
        ids=["no state", "too few", "another chunk", "outside", "no position"],
    )
    async def test_an_outcome_that_does_not_fit_writes_nothing(
        self, stores: Stores, partition: Partition, evidence: Evidence
    ) -> None:
        chunk = await take(stores, partition)

        with pytest.raises(StoreFault):
            await stores.log.commit(chunk, evidence)

        assert await stores.log.ledger([partition]) == Ledger((0,), PLANNED * 10)
        assert await stores.log.hold([chunk]) == [chunk]


class TestApply:
    async def test_only_what_is_news_changes_the_version(
        self, stores: Stores, partition: Partition
    ) -> None:
        news = [Evidence(2, DELIVERED + PLANNED + READ)]

        assert await stores.log.apply(partition, news)
        assert not await stores.log.apply(partition, news)
        assert not await stores.log.apply(partition, [Evidence(2, ACCEPTED * 3)][:0])

        assert await stores.log.ledger([partition]) == Ledger(
            (1,), PLANNED * 2 + DELIVERED + PLANNED + READ + PLANNED * 5
        )

    async def test_late_and_repeated_receipts_never_move_a_delivery_backwards(
        self, stores: Stores, partition: Partition
    ) -> None:
        await stores.log.apply(partition, [Evidence(0, READ)])
        for late in (DELIVERED, ACCEPTED, FAILED, READ):
            assert not await stores.log.apply(partition, [Evidence(0, late)])
        assert await states(stores, partition) == READ + PLANNED * 9
        assert await version(stores, partition) == (1,)

    async def test_a_refusal_that_proof_overrules_loses_its_reason(
        self, stores: Stores, partition: Partition
    ) -> None:
        await stores.log.apply(partition, [Evidence(3, FAILED, {3: "EXPIRED"})])
        await stores.log.apply(partition, [Evidence(3, DELIVERED)])

        [delivery] = await stores.log.deliveries([partition], [3])
        assert (delivery.state, delivery.reason) == (DeliveryState.DELIVERED, "")

    async def test_of_two_reasons_the_lesser_stays_whichever_came_first(
        self, stores: Stores, partition: Partition
    ) -> None:
        for reasons in ("BB", "AA", "CC"):
            await stores.log.apply(partition, [Evidence(0, FAILED, {0: reasons})])
        for reasons in ("CC", "AA", "BB"):
            await stores.log.apply(partition, [Evidence(1, FAILED, {1: reasons})])
        found = await stores.log.deliveries([partition], [0, 1])
        assert [d.reason for d in found] == ["AA", "AA"]

    async def test_runs_of_one_call_may_overlap(self, stores: Stores, partition: Partition) -> None:
        await stores.log.apply(
            partition, [Evidence(0, DELIVERED * 3), Evidence(1, READ), Evidence(0, ACCEPTED * 5)]
        )
        assert await states(stores, partition) == (
            DELIVERED + READ + DELIVERED + ACCEPTED * 2 + PLANNED * 5
        )

    async def test_each_run_of_a_call_has_its_own_reasons(
        self, stores: Stores, partition: Partition
    ) -> None:
        skipped = bytes([DeliveryState.SKIPPED])
        await stores.log.apply(
            partition,
            [
                Evidence(0, FAILED * 2, {0: "GONE", 1: "GONE"}),
                Evidence(0, FAILED, {0: "FULL"}),
                Evidence(1, skipped, {1: "ASLEEP"}),
            ],
        )
        found = await stores.log.deliveries([partition], [0, 1])
        assert [(d.state, d.reason) for d in found] == [
            (DeliveryState.FAILED, "FULL"),
            (DeliveryState.FAILED, "GONE"),
        ]

    @pytest.mark.parametrize(
        "wrong", [Evidence(8, DELIVERED * 3), Evidence(0, b"\x09"), Evidence(10, DELIVERED)]
    )
    async def test_one_wrong_run_keeps_all_from_being_written(
        self, stores: Stores, partition: Partition, wrong: Evidence
    ) -> None:
        with pytest.raises(StoreFault):
            await stores.log.apply(partition, [Evidence(0, DELIVERED), wrong])
        assert await stores.log.ledger([partition]) == Ledger((0,), PLANNED * 10)

    async def test_evidence_about_nothing_changes_nothing(self, stores: Stores) -> None:
        nowhere = a_partition(stores.tenant, 5)
        assert not await stores.log.apply(nowhere, [Evidence(0, DELIVERED)])
        with pytest.raises(LedgerMissing):
            await stores.log.ledger([nowhere])


class TestReading:
    async def test_partitions_are_read_in_order_and_only_what_changed(self, stores: Stores) -> None:
        broadcast_id = new_broadcast_id()
        first, second, third = (
            a_partition(stores.tenant, 2, broadcast_id=broadcast_id, number=n, start=n * 2)
            for n in range(3)
        )
        parts = [first, second, third]
        for each in parts:
            await stores.log.write_partition(each, group_ids(2, seed=each.number), 2, "")
        before = await stores.log.ledger(parts)
        await stores.log.apply(second, [Evidence(1, DELIVERED)])

        after = await stores.log.ledger(parts, before)

        assert before == Ledger((0, 0, 0), PLANNED * 6)
        assert after == Ledger((0, 1, 0), PLANNED * 3 + DELIVERED + PLANNED * 2)
        assert await stores.log.ledger(parts, after) is after
        assert await stores.log.ledger(parts) == after

    async def test_deliveries_of_several_partitions_come_in_order(self, stores: Stores) -> None:
        broadcast_id = new_broadcast_id()
        parts = [
            a_partition(stores.tenant, 2, broadcast_id=broadcast_id, number=n, start=n * 2)
            for n in range(2)
        ]
        for each in parts:
            await stores.log.write_partition(each, group_ids(2, seed=each.number), 2, "")

        found = await stores.log.deliveries(parts, [0, 2, 3])

        assert [d.group_id for d in found] == [
            "00000000-0000-0000-0000-000000000001",
            "00000000-0000-0001-0000-000000000001",
            "00000000-0000-0001-0000-000000000002",
        ]
        assert await stores.log.deliveries(parts, []) == []


class TestRetire:
    async def test_only_when_all_chunks_are_committed(
        self, stores: Stores, partition: Partition
    ) -> None:
        assert not await stores.log.retire(partition)
        for _ in range(3):
            chunk = await take(stores, partition)
            assert not await stores.log.retire(partition)
            await stores.log.commit(chunk, all_of(chunk, ACCEPTED))

        assert await stores.log.retire(partition)

        assert await stores.log.retire(partition)
        assert await stores.log.take(partition, "a", NO_LEASE) is None
        assert await stores.log.apply(partition, [Evidence(0, DELIVERED)])
        assert await states(stores, partition) == DELIVERED + ACCEPTED * 9
