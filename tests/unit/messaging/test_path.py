"""The path of a broadcast through server and worker: draft, plan, dispatch, receipts, done."""

from collections import Counter

from chaupal.messaging.v1 import messaging_pb2 as pb

from tests.timing import wait_until
from tests.unit.messaging.platform import Platform


async def test_a_broadcast_runs_from_draft_to_completed(platform: Platform) -> None:
    client = platform.composer
    draft = await client.create(platform.register)
    assert draft.state == pb.BROADCAST_STATE_DRAFT

    async with platform.worker():
        started = await client.start(draft)
        request = pb.WatchProgressRequest(broadcast_id=draft.id)
        request.split.level = "district"
        seen = [progress async for progress in client.watch(request)]

    assert started.state == pb.BROADCAST_STATE_PLANNING
    last = seen[-1]
    assert last.state == pb.BROADCAST_STATE_COMPLETED
    assert last.counts.total == 24
    settled = last.counts.delivered + last.counts.read + last.counts.failed
    assert settled == 24
    assert last.counts.failed > 0
    assert [unit.unit_id for unit in last.by_unit] == platform.register.districts
    assert [unit.counts.total for unit in last.by_unit] == [8, 8, 8]
    done = await client.get(draft.id)
    assert (done.state, done.delivery_count) == (pb.BROADCAST_STATE_COMPLETED, 24)
    deliveries = await client.deliveries(draft.id)
    groups = [group for unit in platform.register.groups for group in unit]
    assert [each.group_id for each in deliveries] == groups
    assert Counter(bool(each.reason) for each in deliveries)[True] == last.counts.failed


async def test_it_is_closed_when_nothing_more_is_expected(platform: Platform) -> None:
    client = platform.composer
    broadcasts = platform.adapters.broadcasts
    async with platform.worker():
        broadcast = await client.start(await client.create(platform.register))
        await wait_until(lambda: _is_closed(platform, broadcast.id), 20)

    done = await client.get(broadcast.id)
    assert done.state == pb.BROADCAST_STATE_COMPLETED
    assert await broadcasts.open(platform.tenant) == []  # type: ignore[arg-type]


async def _is_closed(platform: Platform, broadcast_id: str) -> bool:
    client = platform.adapters.client
    done = (await platform.composer.get(broadcast_id)).state == pb.BROADCAST_STATE_COMPLETED
    return done and not await client.exists(f"messaging:{{{platform.tenant}}}:open")
