"""Redis clients, errors, Functions and durability, against the real store."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from redis import exceptions
from redis.asyncio import Redis

from kit.errors import ChaupalError, Unavailable
from kit.redis import (
    MAX_CONNECTIONS,
    RedisClient,
    StoreFault,
    StoreFull,
    StoreUnavailable,
    check_durability,
    function_library,
    open_redis,
    redis_errors,
)
from tests.servers.ports import free_ports
from tests.servers.valkey.cluster import ValkeyCluster
from tests.servers.valkey.server import ValkeyServer

SOURCE = """
register('put', function(keys, args)
  redis.call('SET', keys[1], args[1])
  return redis.call('GET', keys[1])
end)
register_read('get', function(keys, args)
  return redis.call('GET', keys[1])
end)
register('refuse', function(keys, args)
  return redis.error_reply('FENCED by another owner')
end)
register_read('sneak', function(keys, args)
  return redis.call('SET', keys[1], 'x')
end)
"""


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[RedisClient]:
    client = open_redis(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
async def own_store(own_valkey: ValkeyServer) -> AsyncIterator[RedisClient]:
    client = open_redis(own_valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
async def cluster(valkey_cluster: ValkeyCluster) -> AsyncIterator[RedisClient]:
    client = open_redis(valkey_cluster.url)
    yield client
    await client.aclose()


class TestOpening:
    async def test_replies_are_bytes_in_resp3(self, store: RedisClient, unique: str) -> None:
        await store.hset(unique, mapping={"a": "1"})
        assert await store.hgetall(unique) == {b"a": b"1"}

    async def test_the_first_commands_to_a_cluster_may_come_at_once(
        self, cluster: RedisClient, unique: str
    ) -> None:
        names = [f"{unique}{number}" for number in range(20)]
        assert await asyncio.gather(*map(cluster.get, names)) == [None] * 20

    @pytest.mark.parametrize("url", ["http://x", "localhost:6379", "", "file:///etc/passwd"])
    def test_another_address_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="not a Redis address"):
            open_redis(url)


class TestErrors:
    async def test_nobody_there_is_unavailable(self) -> None:
        client = open_redis("unix:///nowhere/at/all.sock")
        with pytest.raises(StoreUnavailable) as refused, redis_errors():
            await client.ping()
        assert isinstance(refused.value, Unavailable)
        assert refused.value.reason == "STORE_UNAVAILABLE"
        assert isinstance(refused.value.__cause__, exceptions.ConnectionError)
        await client.aclose()

    async def test_a_killed_store_is_unavailable_and_back_after_its_start(
        self, own_store: RedisClient, own_valkey: ValkeyServer
    ) -> None:
        await own_store.set("k", "v")
        own_valkey.kill()
        with pytest.raises(StoreUnavailable), redis_errors():
            await own_store.get("k")
        own_valkey.restart()
        with redis_errors():
            assert await own_store.get("k") == b"v"

    async def test_our_own_fault_is_no_kind_and_gets_masked(
        self, store: RedisClient, unique: str
    ) -> None:
        await store.set(unique, "text")
        with pytest.raises(StoreFault, match="WRONGTYPE") as refused, redis_errors():
            await store.lpush(unique, "x")
        assert not isinstance(refused.value, ChaupalError)

    async def test_a_full_store_says_so(self, own_store: RedisClient) -> None:
        library = await function_library(own_store, "things", SOURCE)
        await own_store.config_set("maxmemory", "1")
        with pytest.raises(StoreFull), redis_errors():
            await own_store.set("k", "v")
        with pytest.raises(StoreFull):
            await library.call("put", keys=["k"], args=["v"])

    async def test_a_store_that_waits_for_replicas_is_unavailable(
        self, own_store: RedisClient
    ) -> None:
        library = await function_library(own_store, "things", SOURCE)
        await own_store.config_set("min-replicas-to-write", "1")
        with pytest.raises(StoreUnavailable), redis_errors():
            await own_store.set("k", "v")
        with pytest.raises(StoreUnavailable):
            await library.call("put", keys=["k"], args=["v"])

    async def test_other_errors_pass(self) -> None:
        with pytest.raises(KeyError), redis_errors():
            raise KeyError


class TestConnections:
    async def test_who_finds_all_connections_busy_waits(
        self, store: RedisClient, unique: str
    ) -> None:
        await store.set(unique, "v")
        many = 5 * MAX_CONNECTIONS
        assert await asyncio.gather(*(store.get(unique) for _ in range(many))) == [b"v"] * many

    async def test_many_calls_of_a_cluster_at_once_are_answered(
        self, cluster: RedisClient, unique: str
    ) -> None:
        await cluster.set(unique, "v")
        assert await asyncio.gather(*(cluster.get(unique) for _ in range(320))) == [b"v"] * 320


class TestFunctions:
    async def test_a_library_is_called_by_its_own_names(
        self, store: RedisClient, unique: str
    ) -> None:
        library = await function_library(store, unique, SOURCE)
        assert re.fullmatch(f"{unique}_[0-9a-f]{{12}}", library.name)
        assert library.function("put") == f"{library.name}_put"
        assert await library.call("put", keys=[unique], args=["v"]) == b"v"
        assert await library.call("get", keys=[unique], read_only=True) == b"v"

    async def test_a_function_that_said_it_only_reads_cannot_write(
        self, store: RedisClient, unique: str
    ) -> None:
        library = await function_library(store, unique, SOURCE)
        with pytest.raises(exceptions.ResponseError):
            await library.call("sneak", keys=[unique], read_only=True)
        assert await store.get(unique) is None

    async def test_a_function_s_own_refusal_reaches_the_adapter(
        self, store: RedisClient, unique: str
    ) -> None:
        library = await function_library(store, unique, SOURCE)
        with pytest.raises(exceptions.ResponseError, match="FENCED by another owner"):
            await library.call("refuse", keys=[unique])

    async def test_many_may_load_it_at_once(self, valkey_url: str, unique: str) -> None:
        clients = [open_redis(valkey_url) for _ in range(8)]
        try:
            libraries = await asyncio.gather(
                *(function_library(client, unique, SOURCE) for client in clients)
            )
            for library in libraries:
                assert await library.call("put", keys=[unique], args=["v"]) == b"v"
        finally:
            for client in clients:
                await client.aclose()

    async def test_two_versions_stand_side_by_side(self, store: RedisClient, unique: str) -> None:
        old = await function_library(store, unique, SOURCE)
        new = await function_library(
            store, unique, "register('put', function(keys, args) return 'new' end)"
        )
        assert await old.call("put", keys=[unique], args=["v"]) == b"v"
        assert await new.call("put", keys=[unique], args=["v"]) == b"new"

    async def test_a_library_that_does_not_compile_is_our_fault(
        self, store: RedisClient, unique: str
    ) -> None:
        with pytest.raises(StoreFault):
            await function_library(store, unique, "this is not Lua")

    async def test_a_lost_library_is_loaded_again(
        self, own_store: RedisClient, unique: str
    ) -> None:
        library = await function_library(own_store, unique, SOURCE)
        await own_store.function_flush()
        answers = await asyncio.gather(
            *(library.call("put", keys=[f"k{n}"], args=["v"]) for n in range(8))
        )
        assert answers == [b"v"] * 8

    async def test_a_library_survives_a_restart(
        self, own_store: RedisClient, own_valkey: ValkeyServer
    ) -> None:
        library = await function_library(own_store, "things", SOURCE)
        own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await library.call("put", keys=["k"], args=["v"])
        own_valkey.restart()
        assert await library.call("put", keys=["k"], args=["v"]) == b"v"


class TestDurability:
    async def test_the_run_s_own_store_is_durable(self, own_store: RedisClient) -> None:
        assert await check_durability(own_store) == []

    async def test_every_problem_is_named(self, own_store: RedisClient) -> None:
        await own_store.config_set("appendfsync", "everysec")
        await own_store.config_set("maxmemory-policy", "allkeys-lru")
        await own_store.config_set("appendonly", "no")
        await own_store.config_set("no-appendfsync-on-rewrite", "yes")
        assert sorted(await check_durability(own_store)) == [
            "appendfsync is everysec, must be always",
            "appendonly is no, must be yes",
            "maxmemory-policy is allkeys-lru, must be noeviction",
            "no-appendfsync-on-rewrite is yes, must be no",
        ]

    async def test_a_store_that_hides_its_configuration_is_named(
        self, own_store: RedisClient, own_valkey: ValkeyServer
    ) -> None:
        assert isinstance(own_store, Redis)
        await own_store.acl_setuser(
            "plain", enabled=True, passwords=["+p"], commands=["+@all", "-config"], keys=["*"]
        )
        plain = open_redis(own_valkey.url.replace("unix://", "unix://plain@") + "?password=p")
        try:
            (told,) = await check_durability(plain)
        finally:
            await plain.aclose()
        assert told.startswith("the store does not show its configuration: ")

    async def test_a_store_that_is_away_is_unavailable(self) -> None:
        client = open_redis("unix:///nowhere/at/all.sock")
        with pytest.raises(StoreUnavailable):
            await check_durability(client)
        await client.aclose()


class TestCluster:
    async def test_functions_run_on_every_primary(self, cluster: RedisClient, unique: str) -> None:
        library = await function_library(cluster, unique, SOURCE)
        for n in range(30):  # 30 tags are on all three primaries
            key = f"{unique}:{{{n}}}"
            assert await library.call("put", keys=[key], args=["v"]) == b"v"
        again = await function_library(cluster, unique, SOURCE)
        assert await again.call("get", keys=[f"{unique}:{{1}}"], read_only=True) == b"v"
        assert again.name == library.name

    async def test_durability_is_that_of_every_primary(self, cluster: RedisClient) -> None:
        assert await check_durability(cluster) == []

    async def test_keys_of_two_slots_are_our_fault(self, cluster: RedisClient) -> None:
        with pytest.raises(StoreFault, match="slot"), redis_errors():
            await cluster.mset({"{a}x": "1", "{b}x": "2"})

    async def test_a_cluster_that_is_not_there_is_unavailable(self) -> None:
        (port,) = free_ports(1)
        client = open_redis(f"redis+cluster://127.0.0.1:{port}")
        with pytest.raises(StoreUnavailable), redis_errors():
            await client.get("k")
        with pytest.raises(StoreUnavailable):
            await function_library(client, "things", SOURCE)
        await client.aclose()
