"""Reading over the wire: one, many, pages, splits, and what lies outside the tenant."""

from collections import Counter
from typing import Any

import pytest
from chaupal.messaging.v1 import messaging_pb2 as pb

from kit.errors import InvalidInput, NotFound
from kit.status import status_to_error
from services.messaging.domain.deliveries import DeliveryState, Evidence
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import partitions_of
from services.messaging.domain.progress import MAX_ROWS
from tests.timing import wait_until
from tests.unit.messaging.platform import Platform, new_id, raised
from tests.unit.messaging.register import a_register

SETTLED = (
    pb.DELIVERY_STATE_DELIVERED,
    pb.DELIVERY_STATE_READ,
    pb.DELIVERY_STATE_SKIPPED,
    pb.DELIVERY_STATE_FAILED,
)


async def completed(platform: Platform, *unit_ids: str) -> pb.Broadcast:
    """A broadcast that a worker has seen through."""
    client = platform.composer
    broadcast = await client.start(await client.create(platform.register, *unit_ids))

    async def done() -> pb.Broadcast | None:
        found = await client.get(broadcast.id)
        # Closed: also the receipts that come after completion are joined.
        open_broadcasts = await platform.adapters.broadcasts.open(TenantId(platform.tenant))
        closed = broadcast.id not in {each.id for each in open_broadcasts}
        return found if found.state == pb.BROADCAST_STATE_COMPLETED and closed else None

    async with platform.worker():
        found = await wait_until(done, 20, "completed")
    assert found is not None
    return found


async def progress_of(platform: Platform, *ids: str, **split: str) -> Any:
    request = pb.BatchGetProgressRequest(broadcast_ids=ids, split=pb.ProgressSplit(**split))
    return (await platform.composer.call("BatchGetProgress", request)).results


class TestBroadcasts:
    async def test_one_answer_for_each_id_in_their_order(self, platform: Platform) -> None:
        client = platform.composer
        one, two = [await client.create(platform.register) for _ in range(2)]
        missing = new_id()
        ids = [two.id, "seven", missing, one.id]

        answer = await client.call("BatchGetBroadcasts", pb.BatchGetBroadcastsRequest(ids=ids))

        kinds = [each.WhichOneof("result") for each in answer.results]
        assert kinds == ["broadcast", "status", "status", "broadcast"]
        assert [answer.results[0].broadcast, answer.results[3].broadcast] == [two, one]
        wrong, absent = (status_to_error(answer.results[at].status) for at in (1, 2))
        assert isinstance(wrong, InvalidInput)
        assert wrong.violations[0].field == "ids[1]"
        assert isinstance(absent, NotFound)
        assert absent.fields() == {"broadcast_id": missing}

    @pytest.mark.parametrize(("count", "reason"), [(0, "MISSING"), (501, "TOO_MANY")])
    async def test_batches_are_bounded(self, platform: Platform, count: int, reason: str) -> None:
        request = pb.BatchGetBroadcastsRequest(ids=[new_id()] * count)
        with raised(InvalidInput, reason):
            await platform.composer.call("BatchGetBroadcasts", request)

    async def test_pages_are_newest_first(self, platform: Platform) -> None:
        client = platform.composer
        made = [await client.create(platform.register, title=f"No. {n}") for n in range(5)]
        seen: list[pb.Broadcast] = []
        request = pb.ListBroadcastsRequest(page_size=2)
        while True:
            answer = await client.call("ListBroadcasts", request)
            seen += answer.broadcasts
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
        assert seen == made[::-1]

    async def test_a_page_of_long_broadcasts_is_cut_to_a_message(self, platform: Platform) -> None:
        client = platform.composer
        for n in range(12):
            request = pb.CreateBroadcastRequest(request_id=new_id())
            request.broadcast.title = f"No. {n}"
            for language in range(32):
                request.broadcast.texts[f"hi-x{language}"] = "\N{DEVANAGARI LETTER A}" * 4_096
            for _ in range(5):
                unit_ids = [platform.register.state] * 1_000
                request.broadcast.audience.include.add(unit_ids=unit_ids)
            await client.call("CreateBroadcast", request)

        titles: list[str] = []
        sizes: list[int] = []
        page = pb.ListBroadcastsRequest()
        while True:
            answer = await client.call("ListBroadcasts", page)
            titles += [each.title for each in answer.broadcasts]
            sizes.append(len(answer.broadcasts))
            if not answer.next_page_token:
                break
            page.page_token = answer.next_page_token

        assert titles == [f"No. {n}" for n in range(11, -1, -1)]
        assert len(sizes) > 1
        assert min(sizes[:-1]) >= 4
        all_ids = [each.id for each in (await client.call("ListBroadcasts", page)).broadcasts]
        with raised(InvalidInput, "ANSWER_TOO_LARGE"):
            batch = pb.BatchGetBroadcastsRequest(ids=all_ids * 20)
            await client.call("BatchGetBroadcasts", batch)

    async def test_page_tokens_fit_their_query_only(self, platform: Platform) -> None:
        client = platform.composer
        for _ in range(3):
            await client.create(platform.register)
        page = await client.call("ListBroadcasts", pb.ListBroadcastsRequest(page_size=1))
        request = pb.ListBroadcastsRequest(page_token=page.next_page_token)
        with raised(InvalidInput, "PAGE_TOKEN_INVALID"):
            await platform.client("view", tenant="other").call("ListBroadcasts", request)
        with raised(InvalidInput, "PAGE_TOKEN_INVALID"):
            await client.call("ListBroadcasts", pb.ListBroadcastsRequest(page_token="x"))
        with raised(InvalidInput, "PAGE_SIZE_INVALID"):
            await client.call("ListBroadcasts", pb.ListBroadcastsRequest(page_size=-1))


class TestProgress:
    async def test_a_draft_has_no_deliveries(self, platform: Platform) -> None:
        draft = await platform.composer.create(platform.register)
        [result] = await progress_of(platform, draft.id, level="district")
        assert result.progress.counts == pb.DeliveryCounts()
        assert result.progress.state == pb.BROADCAST_STATE_DRAFT
        assert not result.progress.by_unit

    async def test_it_adds_up_at_every_level(self, platform: Platform) -> None:
        broadcast = await completed(platform)
        sums = []
        for level, units in (("state", 1), ("district", 3), ("booth", 12)):
            [result] = await progress_of(platform, broadcast.id, level=level)
            assert len(result.progress.by_unit) == units
            assert {unit.level for unit in result.progress.by_unit} == {level}
            sums.append(_added(result.progress.by_unit))
            assert sums[-1] == _numbers(result.progress.counts)
        assert sums[0]["total"] == 24

    async def test_a_split_within_a_unit_tells_its_subtree(self, platform: Platform) -> None:
        broadcast = await completed(platform)
        district = platform.register.districts[1]

        [whole] = await progress_of(platform, broadcast.id, level="district")
        [within] = await progress_of(platform, broadcast.id, level="booth", within_unit_id=district)

        booths = [unit.unit_id for unit in within.progress.by_unit]
        at = [unit.id for unit in platform.register.units].index(district)
        assert booths == [unit.id for unit in platform.register.units[at + 1 : at + 5]]
        assert _added(within.progress.by_unit) == _numbers(whole.progress.by_unit[1].counts)
        assert within.progress.counts == whole.progress.counts

    async def test_only_units_with_deliveries_are_told(self, platform: Platform) -> None:
        district = platform.register.districts[2]
        broadcast = await completed(platform, district)
        [result] = await progress_of(platform, broadcast.id, level="district")
        assert [unit.unit_id for unit in result.progress.by_unit] == [district]
        assert result.progress.counts.total == 8
        [elsewhere] = await progress_of(
            platform, broadcast.id, level="booth", within_unit_id=platform.register.districts[0]
        )
        assert not elsewhere.progress.by_unit

    async def test_a_level_that_is_not_there_is_named(self, platform: Platform) -> None:
        draft = await platform.composer.create(platform.register)
        broadcast = await completed(platform)

        unknown, unplanned = await progress_of(platform, broadcast.id, draft.id, level="galaxy")

        refused = status_to_error(unknown.status)
        assert isinstance(refused, InvalidInput)
        [violation] = refused.violations
        assert (violation.field, violation.reason) == ("split.level", "UNKNOWN_LEVEL")
        assert unplanned.progress.state == pb.BROADCAST_STATE_DRAFT
        watch = platform.composer.watch(
            pb.WatchProgressRequest(
                broadcast_id=broadcast.id, split=pb.ProgressSplit(level="galaxy")
            )
        )
        with raised(InvalidInput, "UNKNOWN_LEVEL"):
            await anext(watch)

    async def test_a_lost_ledger_fails_its_own_item_only(self, platform: Platform) -> None:
        healthy, broken = await completed(platform), await completed(platform)
        pattern = f"messaging:{{{platform.tenant}:{broken.id}:*"
        async for key in platform.adapters.client.scan_iter(match=pattern):
            await platform.adapters.client.unlink(key)

        answers = await progress_of(platform, broken.id, healthy.id)

        assert [each.WhichOneof("result") for each in answers] == ["status", "progress"]
        assert status_to_error(answers[0].status).reason == "LEDGER_MISSING"
        assert answers[1].progress.counts.total == 24

    async def test_splits_have_so_many_rows_together(self, platform: Platform) -> None:
        """Also of one broadcast that is named again and again; and without making them all."""
        booths = 150
        wide = a_register(districts=1, booths=booths, groups=1)
        platform.register = platform.groups.registers[platform.tenant] = wide
        broadcast = await completed(platform)

        fits = MAX_ROWS // booths
        answers = await progress_of(platform, *[broadcast.id] * fits, level="booth")
        assert {len(each.progress.by_unit) for each in answers} == {booths}
        with raised(InvalidInput, "ANSWER_TOO_LARGE"):
            await progress_of(platform, *[broadcast.id] * (fits + 1), level="booth")

    async def test_the_version_changes_with_the_counts_and_only_then(
        self, platform: Platform
    ) -> None:
        tenant = TenantId(platform.tenant)
        broadcast = await completed(platform)
        store = platform.adapters
        [found] = await store.broadcasts.get(tenant, [BroadcastId(broadcast.id)])
        assert found is not None
        [partition] = partitions_of(tenant, found)
        [first] = await progress_of(platform, broadcast.id)
        [again] = await progress_of(platform, broadcast.id)
        assert first.progress.version == again.progress.version
        assert first.progress.counts == again.progress.counts

        every = Evidence(0, bytes([DeliveryState.READ]) * 24)
        assert await store.log.apply(partition, [every])

        [after] = await progress_of(platform, broadcast.id)
        assert after.progress.version != first.progress.version
        assert after.progress.counts == pb.DeliveryCounts(total=24, read=24)

    async def test_one_answer_for_each_id_in_their_order(self, platform: Platform) -> None:
        draft = await platform.composer.create(platform.register)
        answers = await progress_of(platform, new_id(), draft.id, "seven")
        assert [each.WhichOneof("result") for each in answers] == ["status", "progress", "status"]

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"broadcast_ids": []}, "MISSING"),
            ({"broadcast_ids": [new_id()] * 101}, "TOO_MANY"),
            ({"split": pb.ProgressSplit(within_unit_id="seven")}, "BAD_ID"),
            ({"split": pb.ProgressSplit(level="x" * 65)}, "BAD_KEY"),
        ],
    )
    async def test_what_is_asked_is_bounded(
        self, platform: Platform, fields: dict[str, Any], reason: str
    ) -> None:
        request = pb.BatchGetProgressRequest(**{"broadcast_ids": [new_id()], **fields})
        with raised(InvalidInput, reason):
            await platform.composer.call("BatchGetProgress", request)


class TestDeliveries:
    async def test_pages_come_in_tree_order_and_whole(self, platform: Platform) -> None:
        broadcast = await completed(platform)
        groups = [group for unit in platform.register.groups for group in unit]
        for page_size in (1, 7, 24, 0):
            found = await platform.composer.deliveries(broadcast.id, page_size=page_size)
            assert [each.group_id for each in found] == groups
        assert {each.attempt_count for each in found} == {1}
        assert {each.state for each in found} <= set(SETTLED)
        assert all(bool(each.reason) == (each.state == pb.DELIVERY_STATE_FAILED) for each in found)

    async def test_a_unit_and_states_narrow_them(self, platform: Platform) -> None:
        broadcast = await completed(platform)
        district = platform.register.districts[1]
        everything = await platform.composer.deliveries(broadcast.id)
        counts = Counter(each.state for each in everything)

        of_district = await platform.composer.deliveries(
            broadcast.id, unit_id=district, page_size=3
        )
        failed = await platform.composer.deliveries(
            broadcast.id, states=[pb.DELIVERY_STATE_FAILED], page_size=1
        )

        assert [each.group_id for each in of_district] == [
            each.group_id for each in everything[8:16]
        ]
        assert len(failed) == counts[pb.DELIVERY_STATE_FAILED] > 0
        assert await platform.composer.deliveries(broadcast.id, unit_id=new_id()) == []

    async def test_a_draft_has_none(self, platform: Platform) -> None:
        draft = await platform.composer.create(platform.register)
        assert await platform.composer.deliveries(draft.id) == []

    async def test_before_the_worker_comes_all_are_planned(self, platform: Platform) -> None:
        client = platform.composer
        broadcast = await client.start(await client.create(platform.register))
        assert await client.deliveries(broadcast.id) == []

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"broadcast_id": "seven"}, "BAD_ID"),
            ({"broadcast_id": ""}, "MISSING"),
            ({"unit_id": "seven"}, "BAD_ID"),
            ({"states": [pb.DELIVERY_STATE_UNSPECIFIED]}, "BAD_STATE"),
            ({"states": [99]}, "BAD_STATE"),
            ({"page_size": -1}, "PAGE_SIZE_INVALID"),
            ({"page_token": "x"}, "PAGE_TOKEN_INVALID"),
        ],
    )
    async def test_wrong_questions_are_refused(
        self, platform: Platform, fields: dict[str, Any], reason: str
    ) -> None:
        request = pb.ListDeliveriesRequest(**{"broadcast_id": new_id(), **fields})
        with raised(InvalidInput, reason):
            await platform.composer.call("ListDeliveries", request)

    async def test_a_token_fits_its_filter_only(self, platform: Platform) -> None:
        broadcast = await completed(platform)
        request = pb.ListDeliveriesRequest(broadcast_id=broadcast.id, page_size=2)
        page = await platform.composer.call("ListDeliveries", request)
        request.page_token = page.next_page_token
        request.states.append(pb.DELIVERY_STATE_FAILED)
        with raised(InvalidInput, "PAGE_TOKEN_INVALID"):
            await platform.composer.call("ListDeliveries", request)

    async def test_only_what_is_there(self, platform: Platform) -> None:
        request = pb.ListDeliveriesRequest(broadcast_id=new_id())
        with raised(NotFound, "BROADCAST_NOT_FOUND"):
            await platform.composer.call("ListDeliveries", request)


async def test_no_tenant_sees_or_starts_anothers(platform: Platform) -> None:
    broadcast = await completed(platform)
    draft = await platform.composer.create(platform.register)
    platform.groups.registers["other"] = a_register()
    stranger = platform.client("view", "compose", tenant="other")

    with raised(NotFound, "BROADCAST_NOT_FOUND"):
        await stranger.get(broadcast.id)
    with raised(NotFound, "BROADCAST_NOT_FOUND"):
        await stranger.start(draft)
    with raised(NotFound, "BROADCAST_NOT_FOUND"):
        await stranger.deliveries(broadcast.id)
    with raised(NotFound, "BROADCAST_NOT_FOUND"):
        await anext(stranger.watch(pb.WatchProgressRequest(broadcast_id=broadcast.id)))
    request = pb.BatchGetProgressRequest(broadcast_ids=[broadcast.id])
    [result] = (await stranger.call("BatchGetProgress", request)).results
    assert isinstance(status_to_error(result.status), NotFound)
    batch = pb.BatchGetBroadcastsRequest(ids=[broadcast.id])
    [result] = (await stranger.call("BatchGetBroadcasts", batch)).results
    assert isinstance(status_to_error(result.status), NotFound)
    listed = await stranger.call("ListBroadcasts", pb.ListBroadcastsRequest())
    assert not listed.broadcasts

    assert await platform.composer.get(draft.id) == draft


def _numbers(counts: pb.DeliveryCounts) -> dict[str, int]:
    return {field.name: getattr(counts, field.name) for field in counts.DESCRIPTOR.fields}


def _added(units: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for unit in units:
        total.update(_numbers(unit.counts))
    return {name: total[name] for name in _numbers(pb.DeliveryCounts())}
