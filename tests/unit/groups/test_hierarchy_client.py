"""How groups learns what the organisation is: over the peer's wire, and when the peer is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.channel import open_channel
from kit.clock import FakeClock
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, Unavailable
from kit.redis import open_redis
from kit.tokens import StaticTokenSource
from services.groups.adapters import hierarchy_client
from services.groups.adapters.hierarchy_client import HierarchyClient
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import TenantId
from services.groups.ports import Organisation
from tests.unit.groups.builders import BLUEPRINT, a_state, unit_id
from tests.unit.groups.platform import Peer, a_peer, a_token

OLDEST = timedelta(seconds=5)


@dataclass
class World:
    client: HierarchyClient
    peer: Peer
    clock: FakeClock
    store: Any
    tenant: TenantId

    async def organisation(
        self, known: Organisation | None = None, *, ask: bool = False
    ) -> Organisation:
        return await self.client.organisation(
            self.tenant, known, deadline=Deadline.after(10), ask=ask
        )

    async def announce(self) -> None:
        await self.store.xadd(f"events:hierarchy:{{{self.tenant}}}", {"event": b""})


@pytest.fixture
async def world(tmp_path: Path, valkey_url: str, unique: str) -> AsyncIterator[World]:
    async with a_world(tmp_path, valkey_url, unique) as one:
        yield one


@asynccontextmanager
async def a_world(folder: Path, redis_url: str, tenant: str) -> AsyncIterator[World]:
    async with a_peer(folder, redis_url, tenant) as (peer, target):
        channel = open_channel(target, service=hierarchy_client.SERVICE)
        store, clock = open_redis(redis_url), FakeClock()
        tokens = StaticTokenSource(a_token("service:groups"))
        client = HierarchyClient(channel, tokens, store, clock, OLDEST)
        try:
            yield World(client, peer, clock, store, TenantId(tenant))
        finally:
            await channel.close()
            await store.aclose()


class TestWhatIsSaid:
    async def test_the_tree_arrives_in_preorder(self, world: World) -> None:
        tree = (await world.organisation()).tree

        plain = a_state()
        order = [unit.name for unit in plain.in_preorder()]
        assert tree.version == 1
        assert tree.levels == ("state", "division", "district", "booth")
        assert [tree.find(unit_id(name)) for name in order] == list(range(len(order)))
        assert tree.unit_ids == b"".join(
            bytes.fromhex(unit_id(name).replace("-", "")) for name in order
        )
        assert tree.parents.tolist() == plain.parents()
        assert tree.ends.tolist() == [
            index + len(plain.subtree(name)) for index, name in enumerate(order)
        ]
        assert tree.level_numbers.tolist() == [
            plain.levels.index(unit.level) for unit in plain.in_preorder()
        ]

    async def test_units_are_found_by_level_and_code(self, world: World) -> None:
        tree = (await world.organisation()).tree
        assert tree.unit_at("district", "alwar") == unit_id("alwar")
        assert tree.unit_at("division", "alwar") is None
        assert tree.unit_at("parish", "alwar") is None
        assert tree.unit_at("district", "") is None

    async def test_the_blueprint_arrives_with_kinds_and_categories(self, world: World) -> None:
        assert (await world.organisation()).blueprint == BLUEPRINT

    async def test_a_tenant_that_has_nothing_yet(self, world: World) -> None:
        world.peer.trees.clear()
        world.peer.blueprints.clear()
        organisation = await world.organisation()
        assert organisation.tree.version == 0
        assert organisation.tree.find(unit_id("raj")) is None
        assert len(organisation.tree.parents) == 0
        assert organisation.blueprint == Blueprint()


class TestWhatIsAsked:
    async def test_while_nothing_happens_the_peer_is_left_alone(self, world: World) -> None:
        known = await world.organisation()
        world.peer.calls.clear()
        for _ in range(5):
            assert await world.organisation(known) is known
        assert world.peer.calls == {}

    async def test_an_announced_change_is_seen_at_once(self, world: World) -> None:
        known = await world.organisation()
        world.peer.trees[world.tenant].add("b-9", "booth", "dausa").version = 2
        await world.announce()
        fresh = await world.organisation(known)
        assert fresh.tree.version == 2
        assert fresh.tree.find(unit_id("b-9")) is not None
        assert known.tree.find(unit_id("b-9")) is None

    async def test_what_did_not_change_is_the_same_object(self, world: World) -> None:
        known = await world.organisation()
        world.peer.blueprints[world.tenant] = Blueprint(2, {"internal": False})
        await world.announce()
        fresh = await world.organisation(known)
        assert fresh.tree is known.tree
        assert fresh.blueprint == Blueprint(2, {"internal": False})

        world.peer.trees[world.tenant].version = 2
        await world.announce()
        again = await world.organisation(fresh)
        assert again.tree is not fresh.tree
        assert again.blueprint is fresh.blueprint

    async def test_an_unannounced_change_is_seen_by_who_asks(self, world: World) -> None:
        known = await world.organisation()
        world.peer.trees[world.tenant].add("b-9", "booth", "dausa").version = 2
        assert (await world.organisation(known)).tree.version == 1
        assert (await world.organisation(known, ask=True)).tree.version == 2

    async def test_after_a_while_the_peer_is_asked_although_it_is_silent(
        self, world: World
    ) -> None:
        known = await world.organisation()
        world.peer.trees[world.tenant].version = 2
        world.clock.advance(OLDEST - timedelta(milliseconds=1))
        assert (await world.organisation(known)).tree.version == 1
        world.clock.advance(timedelta(milliseconds=1))
        assert (await world.organisation(known)).tree.version == 2

    async def test_a_restored_peer_whose_version_went_back_is_believed(self, world: World) -> None:
        world.peer.trees[world.tenant].version = 9
        known = await world.organisation()
        world.peer.trees[world.tenant].version = 4
        assert (await world.organisation(known, ask=True)).tree.version == 4


class TestWhenThePeerIsAway:
    async def test_what_is_not_known_to_be_outdated_serves_on(self, world: World) -> None:
        known = await world.organisation()
        world.peer.away = True
        world.peer.calls.clear()
        world.clock.advance(OLDEST)

        served = [known]
        for _ in range(3):
            served.append(await world.organisation(served[-1]))

        assert all(each.tree is known.tree for each in served)
        # And it is not asked again by everybody.
        assert world.peer.calls == {"StreamTree": 1}

    async def test_what_is_known_to_be_outdated_does_not(self, world: World) -> None:
        known = await world.organisation()
        world.peer.away = True
        await world.announce()
        with pytest.raises(Unavailable) as away:
            await world.organisation(known)
        assert away.value.reason == "PEER_AWAY"

    async def test_somebody_who_asks_is_told(self, world: World) -> None:
        known = await world.organisation()
        world.peer.away = True
        with pytest.raises(Unavailable):
            await world.organisation(known, ask=True)

    async def test_nothing_known_is_nothing_served(self, world: World) -> None:
        world.peer.away = True
        with pytest.raises(Unavailable):
            await world.organisation()

    async def test_the_deadline_of_the_request_bounds_the_call(self, world: World) -> None:
        with pytest.raises(DeadlineExceeded):
            await world.client.organisation(world.tenant, None, deadline=Deadline.after(0))
        assert world.peer.calls == {}
