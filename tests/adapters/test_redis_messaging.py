"""What only the Redis adapters of messaging can show: durability, restarts, half-way failures."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.errors import Unavailable
from kit.redis import RedisClient, StoreFault, check_durability, open_redis
from services.messaging.adapters.redis import Libraries, RedisDeliveryLog, RedisPlanJobs
from services.messaging.adapters.redis import libraries as library_files
from services.messaging.domain.broadcasts import Broadcast, BroadcastState, Plan
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.errors import LedgerMissing
from services.messaging.domain.frame import Frame
from services.messaging.domain.partitions import CHUNK_SIZE, PARTITION_SIZE, Partition
from services.messaging.domain.progress import Ledger
from services.messaging.ports import PlanJob
from tests.servers.folders import own_folder
from tests.servers.valkey.server import ValkeyServer
from tests.unit.messaging.platform import open_platform
from tests.unit.messaging.support import (
    LONG_LEASE,
    NO_LEASE,
    NOON,
    Stores,
    a_broadcast,
    a_partition,
    a_request,
    group_ids,
    open_stores,
)

SIZE = 10
ACCEPTED = bytes([DeliveryState.ACCEPTED])
FAILED = bytes([DeliveryState.FAILED])


@pytest.fixture
async def stores(valkey_url: str, unique: str) -> AsyncIterator[Stores]:
    async with open_stores(valkey_url, unique) as opened:
        yield opened


@pytest.fixture
async def partition(stores: Stores) -> Partition:
    made = a_partition(stores.tenant, SIZE)
    await stores.log.write_partition(made, group_ids(SIZE), SIZE, "")
    return made


def key(partition: Partition, name: str) -> str:
    tag = f"{{{partition.tenant}:{partition.broadcast_id}:{partition.number}}}"
    return f"messaging:{tag}:{partition.generation}:{name}"


async def planning(stores: Stores) -> tuple[Broadcast, PlanJob]:
    draft = await stores.broadcasts.create(stores.tenant, a_broadcast(), a_request())
    await stores.broadcasts.start(stores.tenant, draft.id, a_request("start"), NOON, "")
    job = await stores.jobs.take(stores.tenant, "one", LONG_LEASE)
    assert job is not None
    return draft, job


async def the_only(stores: Stores, broadcast: Broadcast) -> Broadcast:
    [found] = await stores.broadcasts.get(stores.tenant, [broadcast.id])
    assert found is not None
    return found


class TestWhatFailsHalfWay:
    """A Function that fails keeps its writes: each must fail before its first."""

    @pytest.mark.parametrize(("name", "value"), [("reasons", "a string"), ("version", "no number")])
    async def test_a_commit(
        self, stores: Stores, partition: Partition, name: str, value: str
    ) -> None:
        chunk = await stores.log.take(partition, "one", LONG_LEASE)
        assert chunk is not None
        await stores.client.set(key(partition, name), value)

        with pytest.raises(StoreFault):
            await stores.log.commit(chunk, Evidence(0, FAILED * SIZE, {0: "FULL"}))

        assert await stores.client.get(key(partition, "ledger")) == b"\0" * SIZE
        assert await stores.log.hold([chunk]) == [chunk]

    @pytest.mark.parametrize(("name", "value"), [("reasons", "a string"), ("version", "no number")])
    async def test_receipts(
        self, stores: Stores, partition: Partition, name: str, value: str
    ) -> None:
        await stores.client.set(key(partition, name), value)
        with pytest.raises(StoreFault):
            await stores.log.apply(partition, [Evidence(0, FAILED, {0: "FULL"})])
        assert await stores.client.get(key(partition, "ledger")) == b"\0" * SIZE

    async def test_a_draft(self, stores: Stores) -> None:
        await stores.client.set(f"messaging:{{{stores.tenant}}}:broadcasts", "a string")
        broadcast, request = a_broadcast(), a_request()
        with pytest.raises(StoreFault):
            await stores.broadcasts.create(stores.tenant, broadcast, request)
        assert await stores.broadcasts.get(stores.tenant, [broadcast.id]) == [None]
        assert await stores.broadcasts.made_by(stores.tenant, request) is None

    async def test_a_start(self, stores: Stores) -> None:
        draft = await stores.broadcasts.create(stores.tenant, a_broadcast(), a_request())
        await stores.client.set(f"messaging:{{{stores.tenant}}}:jobs", "a string")
        with pytest.raises(StoreFault):
            await stores.broadcasts.start(stores.tenant, draft.id, a_request("s"), NOON, "")
        assert await the_only(stores, draft) == draft

    @pytest.mark.parametrize("name", ["open", "revision"])
    async def test_a_plan(self, stores: Stores, name: str) -> None:
        draft, job = await planning(stores)
        if name == "open":
            await stores.client.set(f"messaging:{{{stores.tenant}}}:open", "a string")
        else:
            record: Any = f"messaging:{{{stores.tenant}}}:broadcast:{draft.id}"
            await stores.client.hset(record, "revision", "no number")
        with pytest.raises(StoreFault):
            await stores.jobs.finalise(job, Plan(1, SIZE, SIZE), Frame.empty())
        await stores.jobs.hold(job)
        assert not await stores.client.exists(f"messaging:{{{stores.tenant}}}:frame:{draft.id}")


class DropsOne:
    """A store's client that breaks off after the first partition was dropped."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._unlinked = False

    async def exists(self, *keys: str) -> Any:
        return await self._client.exists(*keys)

    async def unlink(self, *keys: str) -> None:
        if self._unlinked:
            raise asyncio.CancelledError
        self._unlinked = True
        await self._client.unlink(*keys)


async def test_a_drop_that_breaks_off_is_completed_by_the_next(stores: Stores) -> None:
    first = a_partition(stores.tenant, SIZE)
    for number in range(4):
        await stores.log.write_partition(replace(first, number=number), group_ids(SIZE), SIZE, "")
    dying = RedisDeliveryLog(DropsOne(stores.client), stores.libraries)  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        await dying.drop_generation(stores.tenant, first.broadcast_id, 1)

    await stores.log.drop_generation(stores.tenant, first.broadcast_id, 1)

    pattern = f"messaging:{{{stores.tenant}:{first.broadcast_id}:*"
    assert [found async for found in stores.client.scan_iter(match=pattern)] == []


class TestRestart:
    async def test_what_was_answered_is_there_after_the_store_was_killed(
        self, own_valkey: ValkeyServer
    ) -> None:
        """What a power cut leaves rests on the store's own sync before each answer, which no
        kill can show; that it is asked for is what workers check.
        """
        async with open_stores(own_valkey.url, "t1") as stores:
            assert await check_durability(stores.client) == []
            draft, job = await planning(stores)
            partition = Partition(stores.tenant, draft.id, 1, 0, 0, SIZE)
            await stores.log.write_partition(partition, group_ids(SIZE), 5, "")
            await stores.jobs.finalise(job, Plan(1, SIZE, SIZE), Frame.empty())
            done = await stores.log.take(partition, "one", LONG_LEASE)
            held = await stores.log.take(partition, "one", LONG_LEASE)
            assert done is not None
            assert held is not None
            await stores.log.commit(done, Evidence(0, ACCEPTED * 5))
            before = await the_only(stores, draft)

        own_valkey.kill()
        own_valkey.restart()

        async with open_stores(own_valkey.url, "t1") as stores:
            assert await the_only(stores, draft) == before
            assert await stores.log.ledger([partition]) == Ledger((1,), ACCEPTED * 5 + b"\0" * 5)
            # The lease survives too: its holder, if it lives, goes on; nobody else need wait more.
            assert await stores.log.take(partition, "two", LONG_LEASE) is None
            assert await stores.log.hold([held]) == [held]
            taken = await stores.log.take(partition, "two", NO_LEASE)
            assert taken is not None
            assert (taken.entry_id, taken.delivery_count) == (held.entry_id, 2)

    async def test_a_store_that_is_down_is_unavailable(self, own_valkey: ValkeyServer) -> None:
        async with open_stores(own_valkey.url, "t1") as stores:
            partition = a_partition(stores.tenant, SIZE)
            own_valkey.kill()
            broadcast = a_broadcast()
            for call in (
                stores.broadcasts.create(stores.tenant, broadcast, a_request()),
                stores.broadcasts.get(stores.tenant, [broadcast.id]),
                stores.broadcasts.page(stores.tenant, "", 5),
                stores.broadcasts.tenants(),
                stores.broadcasts.open(stores.tenant),
                stores.broadcasts.made_by(stores.tenant, a_request()),
                stores.jobs.take(stores.tenant, "one", LONG_LEASE),
                stores.log.take(partition, "one", LONG_LEASE),
                stores.log.apply(partition, [Evidence(0, ACCEPTED)]),
                stores.log.ledger([partition]),
                stores.log.retire(partition),
            ):
                with pytest.raises(Unavailable) as refused:
                    await call
                assert refused.value.reason == "STORE_UNAVAILABLE"

    async def test_functions_that_were_flushed_come_back(self, own_valkey: ValkeyServer) -> None:
        async with open_stores(own_valkey.url, "t1") as stores:
            partition = a_partition(stores.tenant, SIZE)
            await stores.log.write_partition(partition, group_ids(SIZE), SIZE, "")
            await stores.client.function_flush()
            assert (await stores.log.ledger([partition])).states == b"\0" * SIZE

    async def test_what_the_store_lost_is_said_and_not_taken_for_nothing(
        self, stores: Stores, partition: Partition
    ) -> None:
        await stores.client.unlink(key(partition, "ledger"), key(partition, "version"))
        with pytest.raises(LedgerMissing):
            await stores.log.ledger([partition])
        draft, job = await planning(stores)
        await stores.jobs.finalise(job, Plan(1, SIZE, SIZE), Frame.empty())
        await stores.client.unlink(f"messaging:{{{stores.tenant}}}:frame:{draft.id}")
        with pytest.raises(LedgerMissing):
            await stores.broadcasts.frame(stores.tenant, await the_only(stores, draft))


class TestReadiness:
    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"appendfsync": "everysec"}, "appendfsync is everysec, must be always"),
            ({"appendonly": "no"}, "appendonly is no, must be yes"),
            (
                {"maxmemory-policy": "allkeys-lru"},
                "maxmemory-policy is allkeys-lru, must be noeviction",
            ),
        ],
    )
    async def test_a_store_that_could_lose_what_it_answered_is_not_ready(
        self, tmp_path: Path, options: dict[str, str], reason: str
    ) -> None:
        with own_folder("valkey") as folder, ValkeyServer(folder, options=options) as server:
            async with open_platform(server.url, "t1", tmp_path) as platform:
                assert await platform.server.check_ready() == reason

    async def test_a_durable_store_is(self, own_valkey: ValkeyServer, tmp_path: Path) -> None:
        async with open_platform(own_valkey.url, "t1", tmp_path) as platform:
            assert await platform.server.check_ready() is None

    async def test_one_that_is_gone_is_not(self, own_valkey: ValkeyServer, tmp_path: Path) -> None:
        async with open_platform(own_valkey.url, "t1", tmp_path) as platform:
            own_valkey.kill()
            assert "StoreUnavailable" in (await platform.server.check_ready() or "")


async def test_two_versions_of_the_libraries_work_side_by_side(
    own_valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_redis(own_valkey.url)
    old = Libraries.over(client)
    await old.load()
    present = library_files._source
    monkeypatch.setattr(library_files, "_source", lambda name: present(name) + "-- the next")
    new = Libraries.over(client)
    await new.load()
    loaded: Any = await client.function_list("messaging_*")
    assert len(loaded) == 4
    for number, libraries in enumerate((old, new)):
        async with open_stores(own_valkey.url, "t1") as stores:
            log = type(stores.log)(client, libraries)
            partition = a_partition(stores.tenant, SIZE, number=number)
            await log.write_partition(partition, group_ids(SIZE), SIZE, "")
            assert (await log.ledger([partition])).states == b"\0" * SIZE
    await client.aclose()


async def test_a_finished_partition_is_small(stores: Stores) -> None:
    """Beside the groups' ids, which are 16 bytes each: about a byte a delivery."""
    partition = a_partition(stores.tenant, PARTITION_SIZE)
    await stores.log.write_partition(partition, group_ids(PARTITION_SIZE), CHUNK_SIZE, "")
    while (chunk := await stores.log.take(partition, "one", LONG_LEASE)) is not None:
        await stores.log.commit(chunk, Evidence(chunk.start, ACCEPTED * chunk.size))
    assert await stores.log.retire(partition)

    sizes: dict[str, int] = {}
    async for found in stores.client.scan_iter(match=key(partition, "*"), count=1_000):
        name = found.decode().rsplit(":", 1)[1]
        sizes[name] = await stores.client.memory_usage(found, samples=0) or 0
    assert set(sizes) == {"targets", "ledger", "version"}
    assert sizes["targets"] < 16 * PARTITION_SIZE * 1.1
    assert sizes["ledger"] + sizes["version"] < 1.3 * PARTITION_SIZE


async def test_planners_that_went_are_forgotten(stores: Stores) -> None:
    """Every process has a name of its own, and asks every tenant."""
    for number in range(3):
        assert await stores.jobs.take(stores.tenant, f"early-{number}", LONG_LEASE) is None
    _, job = await planning(stores)
    for number in range(3):
        assert await stores.jobs.take(stores.tenant, f"idle-{number}", LONG_LEASE) is None
    assert await consumers(stores) == ["one"]

    await stores.jobs.fail(job, "NO_LUCK", NOON)
    assert await consumers(stores) == ["one"]
    heirs = RedisPlanJobs(stores.libraries, keep_consumers=NO_LEASE)
    await planning(stores)  # by "one", who holds it
    draft = await stores.broadcasts.create(stores.tenant, a_broadcast(), a_request())
    await stores.broadcasts.start(stores.tenant, draft.id, a_request("start"), NOON, "")
    idle = await heirs.take(stores.tenant, "two", LONG_LEASE)
    assert idle is not None
    await heirs.fail(idle, "NO_LUCK", NOON)
    assert await consumers(stores) == ["one"], "who holds a job stays known"


async def consumers(stores: Stores) -> list[str]:
    found = await stores.client.xinfo_consumers(f"messaging:{{{stores.tenant}}}:jobs", "planners")
    return sorted(each["name"].decode() for each in found)


async def test_the_lag_of_a_stream_stays_known(stores: Stores) -> None:
    """The autoscaler reads it; it counts the chunks that nobody took yet."""
    partition = a_partition(stores.tenant, SIZE)
    await stores.log.write_partition(partition, group_ids(SIZE), 2, "")
    lags = []
    for _ in range(6):
        [group] = await stores.client.xinfo_groups(key(partition, "stream"))
        lags.append((group["lag"], group["pending"]))
        chunk = await stores.log.take(partition, "one", LONG_LEASE)
        if chunk is not None and chunk.start < 4:
            await stores.log.commit(chunk, Evidence(chunk.start, ACCEPTED * chunk.size))
    assert lags == [(5, 0), (4, 0), (3, 0), (2, 1), (1, 2), (0, 3)]


def test_states_are_kept_by_their_names() -> None:
    """What is stored must not change with the code."""
    assert [state.value for state in BroadcastState] == [
        "draft",
        "planning",
        "running",
        "completed",
        "failed",
    ]
    assert [(state.name, state.value) for state in DeliveryState] == [
        ("PLANNED", 0),
        ("HELD", 1),
        ("DISPATCHED", 2),
        ("ACCEPTED", 3),
        ("DELIVERED", 4),
        ("READ", 5),
        ("SKIPPED", 6),
        ("FAILED", 7),
    ]
