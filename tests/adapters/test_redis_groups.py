"""What only the register in Redis can show: its keys, its rubbish, its crashes."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from kit.clock import FakeClock
from kit.errors import Unavailable
from kit.ids import SeededIds
from kit.redis import StoreFault, open_redis
from services.groups.adapters.redis import RedisGroupRegistry
from services.groups.adapters.redis.keys import Keys
from services.groups.adapters.redis.records import encode_group
from services.groups.adapters.redis.rows import RedisRegister, id_bytes
from services.groups.domain.errors import RegisterMoved, RegisterUnreadable
from services.groups.domain.model import Group, TenantId
from services.groups.ports import Change, RequestKey
from tests.servers.valkey.server import ValkeyServer
from tests.unit.groups.builders import content, group

WEEK = timedelta(days=7)
_ids = SeededIds(2)


class World:
    """A registry, the same store by hand, and a tenant."""

    def __init__(self, url: str, tenant: str) -> None:
        self.clock = FakeClock()
        self.store: Any = open_redis(url)
        self.registry = RedisGroupRegistry(self.store, self.clock)
        self.tenant = TenantId(tenant)
        self.keys = Keys(self.tenant)

    async def snapshot(self, known: RedisRegister | None = None) -> RedisRegister:
        return await self.registry.snapshot(self.tenant, known)

    async def commit(
        self,
        created: Sequence[Group] = (),
        updated: Sequence[tuple[int, Group]] = (),
        base: RedisRegister | None = None,
    ) -> RedisRegister:
        base = base or await self.snapshot()
        request = RequestKey(_ids.new(), "hash")
        assert await self.registry.commit(Change(base, created, updated, 1, request, "")) is None
        return await self.snapshot(base)

    async def records(self) -> int:
        count: int = await self.store.hlen(self.keys.record)
        return count

    async def everything(self) -> list[Group]:
        register = await self.snapshot()
        return list(await self.registry.groups(register, range(register.count)))


@pytest.fixture
async def world(valkey_url: str, unique: str) -> AsyncIterator[World]:
    one = World(valkey_url, unique)
    yield one
    await one.store.aclose()


@pytest.fixture
async def own(own_valkey: ValkeyServer, unique: str) -> AsyncIterator[World]:
    """A world on a store of its own, to kill and to flush."""
    one = World(own_valkey.url, unique)
    yield one
    await one.store.aclose()


def many(number: int, prefix: str = "g") -> list[Group]:
    return [group(f"{prefix}-{index:05}") for index in range(number)]


def retold(groups: Sequence[Group], language: str = "en") -> list[tuple[int, Group]]:
    return [
        (ordinal, Group(each.identity, content(each.content.code, language=language)))
        for ordinal, each in enumerate(groups)
    ]


class TestKeys:
    async def test_all_of_a_tenant_lies_in_one_slot(self, own: World) -> None:
        groups = many(3)
        await own.commit(groups)
        await own.commit(updated=retold(groups))
        keys = {key.decode() async for key in own.store.scan_iter(match="*")}
        assert all(key.startswith(f"groups:{{{own.tenant}}}:") for key in keys)

    async def test_an_answer_is_kept_for_seven_days(self, world: World) -> None:
        request = RequestKey(_ids.new(), "hash")
        change = Change(await world.snapshot(), [group()], [], 1, request, "done")
        await world.registry.commit(change)
        left = timedelta(
            milliseconds=await world.store.pttl(world.keys.request(request.request_id))
        )
        assert WEEK - timedelta(minutes=5) < left <= WEEK


class TestRecords:
    @pytest.mark.parametrize("size", [3, 700])
    async def test_those_that_were_replaced_are_dropped(self, world: World, size: int) -> None:
        groups = many(size)
        await world.commit(groups)
        await world.commit(updated=retold(groups))
        assert await world.records() == size
        assert [each.content.language for each in await world.everything()] == ["en"] * size

    async def test_those_that_were_laid_down_in_vain_are_dropped(self, world: World) -> None:
        old = await world.snapshot()
        groups = many(700)
        await world.commit(groups, base=old)
        with pytest.raises(RegisterMoved):
            await world.commit(many(800, "late"), base=old)
        assert await world.records() == 700
        assert await world.everything() == groups

    async def test_those_of_a_writer_that_died_are_swept_after_an_hour(self, world: World) -> None:
        groups = many(600)
        await world.commit(groups)
        await self._lay_down(world, many(1_500, "lost"))
        world.clock.advance(timedelta(minutes=61))
        await self._lay_down(world, many(1_500, "under-way"))

        more = many(600, "more")
        await world.commit(more)

        assert await world.records() == 1_200 + 1_500
        assert await world.everything() == groups + more

    async def test_a_little_rubbish_is_left_until_it_is_more(self, world: World) -> None:
        await self._lay_down(world, many(900, "lost"))
        world.clock.advance(timedelta(minutes=61))
        await world.commit(many(600))
        assert await world.records() == 1_500

    async def _lay_down(self, world: World, groups: Sequence[Group]) -> None:
        """What a writer leaves that dies before its commit."""
        revision = world.registry._new_revision()
        records = [(id_bytes(each.id) + revision, encode_group(each)) for each in groups]
        await world.registry._lay_down(world.keys.record, records)


class TestFollowing:
    async def test_a_reader_whose_versions_were_trimmed_takes_the_whole(self, world: World) -> None:
        groups = many(4)
        held = await world.commit(groups)
        for language in ("en", "mr", "gu"):
            await world.commit(updated=retold(groups[:1], language))
        await world.store.xtrim(world.keys.changes, maxlen=1, approximate=False)
        register = await world.snapshot(held)
        assert (register.version, register.count) == (4, 4)
        assert register.digests([0]) == [content(groups[0].content.code, language="gu").digest()]

    async def test_a_reader_far_behind_takes_the_whole(self, world: World) -> None:
        """Rather than the same rows once for every version."""
        groups = many(40)
        held = await world.commit(groups)
        for language in ("en", "mr", "gu"):
            await world.commit(updated=retold(groups, language))
        register = await world.snapshot(held)
        assert bytes(register.rows.tobytes()) == bytes((await world.snapshot()).rows.tobytes())

    async def test_another_history_with_the_same_version_is_noticed(self, own: World) -> None:
        """As after a failover that lost what it had answered."""
        held = await own.commit(many(2))
        await own.store.flushall()
        assert (await own.snapshot(held)).count == 0
        await own.commit([group("other")])

        register = await own.snapshot(held)

        assert (register.version, held.version) == (1, 1)
        assert [each.content.code for each in await own.everything()] == ["other"]
        assert register.ordinals(["other", "g-00000"]) == [0, -1]
        with pytest.raises(RegisterMoved):
            await own.commit([group("late")], base=held)
        # Nor are later versions of the other history taken for those that follow this one's.
        await own.commit([group("later")])
        assert (await own.snapshot(held)).ordinals(["other", "later"]) == [0, 1]

    async def test_functions_that_were_lost_are_loaded_again(self, own: World) -> None:
        await own.commit(many(1))
        await own.store.function_flush()
        await own.commit([group("next")])
        assert len(await own.everything()) == 2


class TestFaults:
    async def test_what_was_answered_survives_a_kill(
        self, own_valkey: ValkeyServer, own: World
    ) -> None:
        groups = many(1_200)
        await own.commit(groups)
        await own.commit(updated=retold(groups[:700]))
        own_valkey.kill()
        own_valkey.restart()

        other = World(own_valkey.url, own.tenant)
        register = await other.snapshot()
        assert (register.version, register.count) == (2, 1_200)
        assert await other.records() == 1_200
        languages = [each.content.language for each in await other.everything()]
        assert languages == ["en"] * 700 + ["hi"] * 500
        await other.store.aclose()

    async def test_a_store_that_is_away_is_unavailable(
        self, own_valkey: ValkeyServer, own: World
    ) -> None:
        base = await own.commit(many(1))
        own_valkey.stop()
        change = Change(base, [group("b")], [], 1, RequestKey(_ids.new(), "hash"), "")
        for work in (
            own.snapshot(base),
            own.registry.groups(base, [0]),
            own.registry.commit(change),
            own.registry.answer(own.tenant, "x"),
            own.registry.durability_problems(),
        ):
            with pytest.raises(Unavailable) as away:
                await work
            assert away.value.reason == "STORE_UNAVAILABLE"

    async def test_a_layout_of_a_later_version_is_not_read(self, world: World) -> None:
        held = await world.commit(many(1))
        await world.store.hset(world.keys.meta, mapping={"layout": "2", "version": "9"})
        with pytest.raises(RegisterUnreadable) as refused:
            await world.snapshot(held)
        assert refused.value.fields() == {"layout": "2"}

    async def test_a_change_that_does_not_fit_what_is_stored_changes_nothing(
        self, world: World
    ) -> None:
        base = await world.commit(many(2))
        await world.store.setrange(world.keys.rows, 256, b"x" * 128)
        before = await world.store.get(world.keys.rows)
        with pytest.raises(StoreFault):
            await world.commit([group("b")], base=base)
        assert await world.store.get(world.keys.rows) == before
        assert await world.records() == 2

    @pytest.mark.parametrize(
        ("setting", "value"), [("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
    )
    async def test_a_store_that_may_forget_is_named(
        self, own: World, setting: str, value: str
    ) -> None:
        await own.store.config_set(setting, value)
        [problem] = await own.registry.durability_problems()
        assert problem.startswith(f"{setting} is {value}")
