"""No call made as one tenant returns or changes what is another's, on any port of messaging.

Two tenants whose names are alike use the same ids for everything, so that only the tenant can
keep them apart.
"""

import asyncio
import uuid
from array import array
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.clock import FakeClock
from kit.errors import ChaupalError
from kit.redis import StoreFault
from services.messaging.adapters.simulator import Simulator, World, open_simulator
from services.messaging.domain.broadcasts import Plan
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import Partition
from services.messaging.ports import PlanJob, Request
from tests.unit.messaging.support import (
    NO_LEASE,
    NOON,
    Stores,
    a_broadcast,
    a_draft,
    group_ids,
    open_stores,
)

SIZE = 4
REQUESTS = [str(uuid.UUID(int=n + 1)) for n in range(2)]
WORLD = World(seed=1, median_delay_seconds=0.0, failure_rate=0.5)


@dataclass(frozen=True)
class Side:
    """One tenant's view, and the ids that both tenants use."""

    stores: Stores
    simulator: Simulator
    ids: tuple[BroadcastId, ...]

    @property
    def tenant(self) -> TenantId:
        return self.stores.tenant

    def partition(self, which: int) -> Partition:
        return Partition(self.tenant, self.ids[which], 1, 0, 0, SIZE)

    def job(self, which: int) -> PlanJob:
        return PlanJob(self.tenant, self.ids[which], "1-0", "one", 1)

    async def create(self, which: int, request: int) -> None:
        broadcast = replace(a_broadcast(a_draft(self.tenant)), id=self.ids[which])
        asked = Request(REQUESTS[request], f"create-{which}")
        await self.stores.broadcasts.create(self.tenant, broadcast, asked)

    async def start(self, which: int, request: int) -> None:
        asked = Request(REQUESTS[request], f"start-{which}")
        await self.stores.broadcasts.start(self.tenant, self.ids[which], asked, NOON, "")

    async def plan(self, which: int, _: int) -> None:
        job = await self.stores.jobs.take(self.tenant, "one", NO_LEASE)
        if job is None:
            job = self.job(which)
        await self.stores.jobs.hold(job)
        frame = Frame(("state",), group_ids(1), *(array("i", [n]) for n in (-1, 0, 0, SIZE)))
        await self.stores.jobs.finalise(job, Plan(1, SIZE, SIZE), frame)

    async def fail(self, which: int, _: int) -> None:
        await self.stores.jobs.fail(self.job(which), self.tenant.upper(), NOON)

    async def complete(self, which: int, _: int) -> None:
        await self.stores.broadcasts.complete(self.tenant, self.ids[which], NOON)

    async def close(self, which: int, _: int) -> None:
        await self.stores.broadcasts.close(self.tenant, self.ids[which])

    async def write(self, which: int, _: int) -> None:
        seed = sum(self.tenant.encode())
        await self.stores.log.write_partition(
            self.partition(which), group_ids(SIZE, seed=seed), 2, ""
        )

    async def work(self, which: int, _: int) -> None:
        chunk = await self.stores.log.take(self.partition(which), "one", NO_LEASE)
        if chunk is not None:
            await self.stores.log.hold([chunk])
            await self.stores.log.commit(chunk, await self.simulator.send(chunk))

    async def receive(self, which: int, _: int) -> None:
        receipts = await self.simulator.due(self.partition(which))
        await self.stores.log.apply(self.partition(which), receipts.evidence)
        await self.simulator.acknowledge(self.partition(which), receipts)

    async def apply(self, which: int, state: int) -> None:
        told = Evidence(0, bytes([DeliveryState.FAILED]), {0: f"R{state}"})
        await self.stores.log.apply(self.partition(which), [told])

    async def retire(self, which: int, _: int) -> None:
        await self.stores.log.retire(self.partition(which))

    async def drop(self, which: int, _: int) -> None:
        await self.stores.log.drop_generation(self.tenant, self.ids[which], 1)

    async def everything(self) -> list[object]:
        """All that this tenant can read, by whatever call."""
        found = await self.stores.broadcasts.get(self.tenant, self.ids)
        seen: list[object] = [
            found,
            await self.stores.broadcasts.page(self.tenant, "", 10),
            await self.stores.broadcasts.open(self.tenant),
        ]
        for which, broadcast in enumerate(found):
            partition = self.partition(which)
            seen.append(await self.simulator.expected(partition))
            seen.append(await _or_error(partial(self.stores.log.ledger, [partition])))
            if broadcast is not None:
                frame = partial(self.stores.broadcasts.frame, self.tenant, broadcast)
                seen.append(await _or_error(frame))
        for request in REQUESTS:
            for asked in ("create-0", "create-1", "start-0"):
                made = partial(self.stores.broadcasts.made_by, self.tenant, Request(request, asked))
                seen.append(await _or_error(made))
        return seen


async def _or_error(call: Callable[[], Coroutine[Any, Any, object]]) -> object:
    try:
        return await call()
    except ChaupalError as error:
        return error.reason


STEPS = (
    Side.create,
    Side.start,
    Side.plan,
    Side.fail,
    Side.complete,
    Side.close,
    Side.write,
    Side.work,
    Side.receive,
    Side.apply,
    Side.retire,
    Side.drop,
)
steps = st.tuples(
    st.sampled_from(STEPS), st.booleans(), st.integers(0, 1), st.integers(0, len(REQUESTS) - 1)
)


@pytest.mark.parametrize("where", ["standalone", "cluster"])
def test_what_one_tenant_does_leaves_the_other_as_it_was(
    where: str, request: pytest.FixtureRequest
) -> None:
    if where == "standalone":
        url = request.getfixturevalue("valkey_url")
    else:
        url = request.getfixturevalue("valkey_cluster").url

    # The cluster differs in nothing that tells tenants apart; a few examples show that it works.
    examples = settings().max_examples if where == "standalone" else 5

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples)
    @given(st.lists(steps, min_size=8, max_size=24))
    def check(
        plan: list[tuple[Callable[[Side, int, int], Coroutine[Any, Any, None]], bool, int, int]],
    ) -> None:
        asyncio.run(_check(url, plan))

    check()


async def _check(url: str, plan: list[tuple[Any, bool, int, int]]) -> None:
    name = f"t{uuid.uuid4().hex[:12]}"
    async with open_stores(url, name) as one, open_stores(url, f"{name}-1") as two:
        ids = tuple(BroadcastId(str(uuid.uuid4())) for _ in range(2))
        sides = [
            Side(stores, open_simulator(stores.client, FakeClock(), WORLD), ids)
            for stores in (one, two)
        ]
        for step, first, which, number in plan:
            mine, other = sides if first else sides[::-1]
            before = await other.everything()
            # A step out of order is refused, or is a fault of the caller's such as an id taken.
            with suppress(ChaupalError, ValueError, StoreFault):
                await step(mine, which, number)
            assert await other.everything() == before, step.__name__
