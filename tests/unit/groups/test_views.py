"""Who shares a reading with whom, and what happens when it fails."""

# ruff: noqa: ARG002  # the signatures are the ports'

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from kit.clock import FakeClock
from kit.deadline import Deadline
from kit.errors import Unavailable
from services.groups.adapters.facet_index import FacetIndex
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import TenantId
from services.groups.ports import GroupRegistry, Organisation, Register
from services.groups.use_cases.views import View, Views
from tests.timing import wait_until
from tests.unit.groups.builders import TENANT, a_state, group, register_of

SOON = Deadline.after(60)


class Store:
    """Registers that a test hands out one by one: a reading waits until it is let through."""

    def __init__(self) -> None:
        self.version = 0
        self.readings = 0
        self.gate = asyncio.Event()
        self.failures: list[Exception] = []

    async def snapshot(self, tenant: TenantId, known: Register | None) -> Register:
        self.readings += 1
        version = self.version
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop()
        if known is not None and known.version == version:
            return known
        return register_of([group(f"g-{number}") for number in range(version)], version, tenant)


class Peer:
    """An organisation that never changes by itself; counts who asked."""

    def __init__(self) -> None:
        self.tree = a_state().snapshot()
        self.newer = a_state().snapshot()
        self.newer.version = 2
        self.asks = 0

    async def organisation(
        self,
        tenant: TenantId,
        known: Organisation | None,
        *,
        deadline: Deadline,
        ask: bool = False,
        at_least: int = 0,
    ) -> Organisation:
        self.asks += ask
        return Organisation(self.newer if self.asks else self.tree, Blueprint(), "", 0.0)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def peer() -> Peer:
    return Peer()


def views_of(store: Store, peer: Peer, most_tenants: int = 8, clock: Any = None) -> Views:
    registry = cast(GroupRegistry, store)
    return Views(registry, peer, FacetIndex, clock or FakeClock(), most_tenants)


async def begun(store: Store, readings: int) -> None:
    await wait_until(lambda: store.readings == readings, 10)


async def test_callers_that_wait_share_the_next_reading(store: Store, peer: Peer) -> None:
    views = views_of(store, peer)
    first = asyncio.create_task(views.current(TENANT, SOON))
    await begun(store, 1)
    later = [asyncio.create_task(views.current(TENANT, SOON)) for _ in range(20)]
    await asyncio.sleep(0)
    store.version = 7  # a write that was answered after the first reading began
    store.gate.set()

    assert (await first).register.version == 0
    assert {(await each).register.version for each in later} == {7}
    assert store.readings == 2


async def test_a_caller_that_comes_later_reads_anew(store: Store, peer: Peer) -> None:
    views = views_of(store, peer)
    store.gate.set()
    for version in (1, 2, 3):
        store.version = version
        assert (await views.current(TENANT, SOON)).register.version == version
    assert store.readings == 3


async def test_what_did_not_change_keeps_its_index(store: Store, peer: Peer) -> None:
    views = views_of(store, peer)
    store.gate.set()
    one, same = await views.current(TENANT, SOON), await views.current(TENANT, SOON)
    store.version = 1
    other = await views.current(TENANT, SOON)
    assert one.index is same.index
    assert other.index is not one.index


async def test_a_cancelled_reader_leaves_the_reading_to_the_next(store: Store, peer: Peer) -> None:
    views = views_of(store, peer)
    first = asyncio.create_task(views.current(TENANT, SOON))
    await begun(store, 1)
    second = asyncio.create_task(views.current(TENANT, SOON))
    await asyncio.sleep(0)
    first.cancel()
    await begun(store, 2)
    store.gate.set()
    assert (await second).register.version == 0


async def test_a_failed_reading_is_its_own_readers_alone(store: Store, peer: Peer) -> None:
    views = views_of(store, peer)
    store.failures.append(Unavailable())
    tasks = [asyncio.create_task(views.current(TENANT, SOON)) for _ in range(3)]
    await begun(store, 1)
    store.gate.set()
    told: Sequence[View | BaseException] = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, Unavailable) for each in told] == [True, False, False]


async def test_who_asks_together_asks_once(store: Store, peer: Peer) -> None:
    """The first asks by itself; all that came meanwhile share one more."""
    clock = FakeClock()
    views = views_of(store, peer, clock=clock)
    first = asyncio.create_task(views.asked(TENANT, SOON))
    await begun(store, 1)
    later = [asyncio.create_task(views.asked(TENANT, SOON)) for _ in range(20)]
    await asyncio.sleep(0)
    store.gate.set()
    assert (await first).organisation.tree.version == 2
    assert peer.asks == 1
    await wait_until(lambda: clock.sleeping == 1, 10)
    clock.advance(0.1)
    await asyncio.gather(*later)
    assert peer.asks == 2


async def test_while_one_waits_to_ask_others_read(store: Store, peer: Peer) -> None:
    clock = FakeClock()
    views = views_of(store, peer, clock=clock)
    store.gate.set()
    await views.asked(TENANT, SOON)
    waiting = asyncio.create_task(views.asked(TENANT, SOON))
    await wait_until(lambda: clock.sleeping == 1, 10)
    await views.current(TENANT, SOON)
    assert not waiting.done()
    clock.advance(0.1)
    await waiting


async def test_a_tree_that_only_a_sibling_has_seen_is_asked_for(store: Store, peer: Peer) -> None:
    """A register says by its tree version which tree has all of its units."""
    peer.tree.version = 0
    store.version = 1
    store.gate.set()
    view = await views_of(store, peer).current(TENANT, SOON)
    assert (view.register.tree_version, view.organisation.tree.version) == (1, 2)
    assert peer.asks == 1


async def test_only_so_many_tenants_are_kept(store: Store, peer: Peer) -> None:
    views = views_of(store, peer, most_tenants=2)
    store.gate.set()
    kept = {name: await views.current(TenantId(name), SOON) for name in ("a", "b")}
    await views.current(TenantId("a"), SOON)
    await views.current(TenantId("c"), SOON)
    assert (await views.current(TenantId("a"), SOON)).index is kept["a"].index
    assert (await views.current(TenantId("b"), SOON)).index is not kept["b"].index
    assert len(views._turns) == 2


async def test_tenants_do_not_wait_for_each_other(store: Store, peer: Peer) -> None:
    views = views_of(store, peer)
    one = asyncio.create_task(views.current(TenantId("a"), SOON))
    other = asyncio.create_task(views.current(TenantId("b"), SOON))
    await begun(store, 2)
    store.gate.set()
    assert (await one).register.tenant == "a"
    assert (await other).register.tenant == "b"
