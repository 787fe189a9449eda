"""The contracts of the ports `Broadcasts` and `PlanJobs`, over every adapter of them."""

import asyncio
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.errors import RequestIdReused
from services.messaging.domain.broadcasts import (
    NEXT,
    Broadcast,
    BroadcastState,
    Plan,
    is_over,
    origin,
)
from services.messaging.domain.errors import (
    BroadcastAlreadyStarted,
    BroadcastNotFound,
    LeaseLost,
)
from services.messaging.domain.frame import Frame
from services.messaging.ports import PlanJob, Request
from tests.unit.messaging.support import (
    LONG_LEASE,
    NO_LEASE,
    NOON,
    Stores,
    a_broadcast,
    a_draft,
    a_request,
    new_broadcast_id,
    open_stores,
    same_request,
)

LATER = NOON + timedelta(minutes=1)
FRAME = Frame(
    ("state", "district"),
    bytes(range(48)),
    array("i", [-1, 0, 0]),
    array("i", [0, 1, 1]),
    array("i", [0, 1, 3]),
    array("i", [7, 3, 7]),
)


@pytest.fixture(params=["standalone", "cluster"])
async def stores(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[Stores]:
    if request.param == "standalone":
        url = request.getfixturevalue("valkey_url")
    else:
        url = request.getfixturevalue("valkey_cluster").url
    async with open_stores(url, unique) as opened:
        yield opened


async def made(stores: Stores, broadcast: Broadcast | None = None) -> Broadcast:
    return await stores.broadcasts.create(stores.tenant, broadcast or a_broadcast(), a_request())


async def started(
    stores: Stores, broadcast: Broadcast, request: Request | None = None
) -> Broadcast:
    return await stores.broadcasts.start(
        stores.tenant, broadcast.id, request or a_request("start"), LATER, "00-trace"
    )


async def found(stores: Stores, broadcast: Broadcast) -> Broadcast | None:
    [found] = await stores.broadcasts.get(stores.tenant, [broadcast.id])
    return found


async def take(stores: Stores, consumer: str = "a", lease: timedelta = LONG_LEASE) -> PlanJob:
    job = await stores.jobs.take(stores.tenant, consumer, lease)
    assert job is not None
    return job


def a_plan(job: PlanJob) -> Plan:
    return Plan(job.generation, 7, 5)


class TestCreate:
    async def test_a_draft_is_kept_as_it_was_made(self, stores: Stores) -> None:
        broadcast = a_broadcast()
        assert await made(stores, broadcast) == broadcast
        assert await found(stores, broadcast) == broadcast
        assert stores.tenant in await stores.broadcasts.tenants()
        assert await stores.broadcasts.open(stores.tenant) == []

    async def test_a_repeated_request_is_answered_with_the_first_draft(
        self, stores: Stores
    ) -> None:
        request = a_request()
        first = await stores.broadcasts.create(stores.tenant, a_broadcast(), request)
        await started(stores, first)

        again = await stores.broadcasts.create(stores.tenant, a_broadcast(), request)

        assert again == first
        assert await stores.broadcasts.made_by(stores.tenant, request) == first
        page = await stores.broadcasts.page(stores.tenant, "", 10)
        assert [each.id for each in page.broadcasts] == [first.id]

    async def test_a_request_id_used_for_something_else_is_refused(self, stores: Stores) -> None:
        request = a_request("one")
        await stores.broadcasts.create(stores.tenant, a_broadcast(), request)
        other = same_request(request, "other")
        second = a_broadcast()

        with pytest.raises(RequestIdReused) as refused:
            await stores.broadcasts.create(stores.tenant, second, other)
        with pytest.raises(RequestIdReused):
            await stores.broadcasts.made_by(stores.tenant, other)

        assert refused.value.request_id == request.id
        assert await found(stores, second) is None

    async def test_a_new_request_made_nothing(self, stores: Stores) -> None:
        assert await stores.broadcasts.made_by(stores.tenant, a_request()) is None

    async def test_equal_requests_at_once_make_one_draft(self, stores: Stores) -> None:
        request = a_request()
        answers = await asyncio.gather(
            *(stores.broadcasts.create(stores.tenant, a_broadcast(), request) for _ in range(5))
        )
        assert len({each.id for each in answers}) == 1

    async def test_requests_are_remembered_for_seven_days(self, stores: Stores) -> None:
        request = a_request()
        await stores.broadcasts.create(stores.tenant, a_broadcast(), request)
        key = f"messaging:{{{stores.tenant}}}:request:{request.id}"
        assert 604_790 <= await stores.client.ttl(key) <= 604_800


class TestRead:
    async def test_one_answer_for_each_id_in_their_order(self, stores: Stores) -> None:
        one, two = await made(stores), await made(stores)
        missing = new_broadcast_id()
        answers = await stores.broadcasts.get(stores.tenant, [two.id, missing, one.id, two.id])
        assert answers == [two, None, one, two]
        assert await stores.broadcasts.get(stores.tenant, []) == []

    async def test_pages_are_newest_first_and_whole(self, stores: Stores) -> None:
        moments = [NOON + timedelta(microseconds=n) for n in (5, 1, 4, 1, 3)]
        broadcasts = [await made(stores, a_broadcast(created_at=each)) for each in moments]
        expected = sorted(broadcasts, key=lambda each: (each.created_at, each.id), reverse=True)

        seen: list[Broadcast] = []
        sizes = []
        cursor, has_more = "", True
        while has_more:
            page = await stores.broadcasts.page(stores.tenant, cursor, 2)
            seen += page.broadcasts
            sizes.append(len(page.broadcasts))
            cursor, has_more = page.cursors[-1], page.has_more
            # One that is made meanwhile shifts nothing.
            await made(stores, a_broadcast(created_at=NOON + timedelta(hours=len(sizes))))

        assert seen == expected
        assert sizes == [2, 2, 1]

    async def test_a_page_goes_on_after_any_of_its_broadcasts(self, stores: Stores) -> None:
        for _ in range(4):
            await made(stores)
        whole = await stores.broadcasts.page(stores.tenant, "", 4)
        rest = await stores.broadcasts.page(stores.tenant, whole.cursors[1], 4)
        assert rest.broadcasts == whole.broadcasts[2:]
        assert not whole.has_more

    async def test_no_answer_holds_more_drafts_than_are_read_at_once(self, stores: Stores) -> None:
        text = "\N{DEVANAGARI LETTER A}" * 4_096
        long = replace(a_draft(), texts={f"x-{n}": text for n in range(40)})
        size = len(text.encode()) * 40
        broadcasts = [
            await made(stores, a_broadcast(long, NOON + timedelta(microseconds=n)))
            for n in range(12)
        ][::-1]
        ids = [each.id for each in broadcasts]

        first = await stores.broadcasts.first_of(stores.tenant, ids)
        page = await stores.broadcasts.page(stores.tenant, "", 12)
        rest = await stores.broadcasts.page(stores.tenant, page.cursors[-1], 12)

        assert 1 < len(first) <= 4 * 1024 * 1024 // size
        assert first == broadcasts[: len(first)] == list(page.broadcasts)
        assert page.has_more
        assert rest.broadcasts[0] == broadcasts[len(first)]
        assert await stores.broadcasts.get(stores.tenant, ids) == broadcasts

    async def test_no_tenant_sees_anothers(self, stores: Stores, unique: str) -> None:
        broadcast = await made(stores)
        other = replace(stores, tenant=type(stores.tenant)(f"{unique}-other"))

        assert await found(other, broadcast) is None
        assert (await other.broadcasts.page(other.tenant, "", 10)).broadcasts == ()
        with pytest.raises(BroadcastNotFound):
            await started(other, broadcast)
        assert await found(stores, broadcast) == broadcast


class TestStart:
    async def test_a_draft_moves_to_planning_and_a_job_is_there(self, stores: Stores) -> None:
        broadcast = await made(stores)

        answer = await started(stores, broadcast)

        expected = replace(broadcast, state=BroadcastState.PLANNING, started_at=LATER, revision=2)
        assert answer == expected == await found(stores, broadcast)
        job = await take(stores)
        assert job == PlanJob(stores.tenant, broadcast.id, job.entry_id, "a", 1, "00-trace")
        assert await stores.jobs.take(stores.tenant, "b", LONG_LEASE) is None

    async def test_a_second_start_is_refused_and_changes_nothing(self, stores: Stores) -> None:
        broadcast = await started(stores, await made(stores))

        with pytest.raises(BroadcastAlreadyStarted) as refused:
            await started(stores, broadcast)

        assert refused.value.fields() == {"broadcast_id": broadcast.id, "state": "PLANNING"}
        assert await found(stores, broadcast) == broadcast
        await take(stores)
        assert await stores.jobs.take(stores.tenant, "a", LONG_LEASE) is None

    async def test_the_same_request_is_answered_again(self, stores: Stores) -> None:
        request = a_request("start")
        first = await started(stores, await made(stores), request)
        assert await started(stores, first, request) == first

        job = await take(stores)
        await stores.jobs.finalise(job, a_plan(job), FRAME)

        assert await started(stores, first, request) == first
        await stores.broadcasts.complete(stores.tenant, first.id, LATER)
        assert await started(stores, first, request) == first

    async def test_starts_at_once_under_several_requests_start_it_once(
        self, stores: Stores
    ) -> None:
        broadcast = await made(stores)
        answers = await asyncio.gather(
            *(started(stores, broadcast) for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(each, Broadcast) for each in answers) == 1
        assert sum(isinstance(each, BroadcastAlreadyStarted) for each in answers) == 4

    async def test_the_request_that_made_it_cannot_start_it(self, stores: Stores) -> None:
        request = a_request("create")
        broadcast = await stores.broadcasts.create(stores.tenant, a_broadcast(), request)
        with pytest.raises(RequestIdReused):
            await started(stores, broadcast, same_request(request, "start"))
        assert await found(stores, broadcast) == broadcast

    async def test_nothing_starts_what_is_not_there(self, stores: Stores) -> None:
        with pytest.raises(BroadcastNotFound):
            await started(stores, a_broadcast())
        assert await stores.jobs.take(stores.tenant, "a", NO_LEASE) is None


class TestPlanJobs:
    async def test_finalise_makes_it_run_under_the_holders_plan(self, stores: Stores) -> None:
        broadcast = await started(stores, await made(stores))
        job = await take(stores)

        await stores.jobs.finalise(job, a_plan(job), FRAME)

        now = await found(stores, broadcast)
        assert now is not None
        assert (now.state, now.plan, now.delivery_count) == (
            BroadcastState.RUNNING,
            Plan(1, 7, 5),
            7,
        )
        assert now.revision == broadcast.revision + 1
        assert await stores.broadcasts.frame(stores.tenant, now) == FRAME
        assert await stores.broadcasts.open(stores.tenant) == [now]
        assert await stores.jobs.take(stores.tenant, "b", NO_LEASE) is None

    async def test_repeating_it_changes_nothing(self, stores: Stores) -> None:
        broadcast = await started(stores, await made(stores))
        job = await take(stores)
        await stores.jobs.finalise(job, a_plan(job), FRAME)
        before = await found(stores, broadcast)

        await stores.jobs.finalise(job, a_plan(job), FRAME)

        assert await found(stores, broadcast) == before

    async def test_a_planner_that_was_overtaken_is_refused(self, stores: Stores) -> None:
        broadcast = await started(stores, await made(stores))
        zombie = await take(stores, "a")
        heir = await take(stores, "b", NO_LEASE)
        assert (zombie.generation, heir.generation) == (1, 2)

        with pytest.raises(LeaseLost):
            await stores.jobs.finalise(zombie, a_plan(zombie), FRAME)
        with pytest.raises(LeaseLost):
            await stores.jobs.fail(zombie, "NO_LUCK", LATER)
        with pytest.raises(LeaseLost):
            await stores.jobs.hold(zombie)
        assert await found(stores, broadcast) == broadcast

        await stores.jobs.finalise(heir, a_plan(heir), FRAME)
        with pytest.raises(LeaseLost):
            await stores.jobs.finalise(zombie, a_plan(zombie), FRAME)
        now = await found(stores, broadcast)
        assert now is not None
        assert now.plan == Plan(2, 7, 5)

    async def test_a_job_kept_alive_keeps_its_generation(self, stores: Stores) -> None:
        await started(stores, await made(stores))
        job = await take(stores)
        await stores.jobs.hold(job)
        await stores.jobs.hold(job)
        assert (await take(stores, "b", NO_LEASE)).generation == 2

    async def test_fail_says_why_and_ends_it(self, stores: Stores) -> None:
        broadcast = await started(stores, await made(stores))
        job = await take(stores)

        await stores.jobs.fail(job, "AUDIENCE_SELECTS_NOTHING", LATER)

        now = await found(stores, broadcast)
        assert now == replace(
            broadcast,
            state=BroadcastState.FAILED,
            failure_reason="AUDIENCE_SELECTS_NOTHING",
            completed_at=LATER,
            revision=3,
        )
        assert await stores.broadcasts.open(stores.tenant) == []
        assert await stores.jobs.take(stores.tenant, "b", NO_LEASE) is None
        with pytest.raises(LeaseLost):
            await stores.jobs.finalise(job, a_plan(job), FRAME)

    async def test_jobs_are_taken_oldest_first_and_finished_ones_are_trimmed(
        self, stores: Stores
    ) -> None:
        broadcasts = [await started(stores, await made(stores)) for _ in range(4)]
        jobs = [await take(stores) for _ in range(4)]
        assert [job.broadcast_id for job in jobs] == [each.id for each in broadcasts]
        stream = f"messaging:{{{stores.tenant}}}:jobs"

        for done, left in ((jobs[1], 4), (jobs[0], 2), (jobs[3], 2), (jobs[2], 1)):
            await stores.jobs.fail(done, "NO_LUCK", LATER)
            assert await stores.client.xlen(stream) == left

        # The lag that an autoscaler reads stays known.
        [group] = await stores.client.xinfo_groups(stream)
        assert (group["pending"], group["lag"]) == (0, 0)
        late = await started(stores, await made(stores))
        assert (await take(stores)).broadcast_id == late.id


class TestStates:
    async def test_every_move_but_the_arrows_is_refused(self, stores: Stores) -> None:
        """Drives a broadcast into each state and tries every move from there."""
        allowed = {(a, b) for a, after in NEXT.items() for b in after}
        for state in BroadcastState:
            broadcast = await _driven_to(stores, state)
            assert not {b for b in BroadcastState if await _moved(stores, broadcast, b)} - {
                b for a, b in allowed if a is state
            }

    async def test_complete_is_idempotent_and_only_for_what_runs(self, stores: Stores) -> None:
        running = await _driven_to(stores, BroadcastState.RUNNING)

        done = await stores.broadcasts.complete(stores.tenant, running.id, LATER)
        again = await stores.broadcasts.complete(
            stores.tenant, running.id, LATER + timedelta(hours=1)
        )

        assert done == replace(
            running,
            state=BroadcastState.COMPLETED,
            completed_at=LATER,
            revision=running.revision + 1,
        )
        assert again == done
        draft = await made(stores)
        assert await stores.broadcasts.complete(stores.tenant, draft.id, LATER) == draft
        with pytest.raises(BroadcastNotFound):
            await stores.broadcasts.complete(stores.tenant, new_broadcast_id(), LATER)

    async def test_close_takes_it_from_the_open_ones(self, stores: Stores) -> None:
        one = await _driven_to(stores, BroadcastState.RUNNING)
        two = await _driven_to(stores, BroadcastState.RUNNING)

        for _ in range(2):
            await stores.broadcasts.close(stores.tenant, one.id)

        assert await stores.broadcasts.open(stores.tenant) == [two]

    async def test_the_open_ones_are_told_as_they_stand(self, stores: Stores) -> None:
        one = await _driven_to(stores, BroadcastState.RUNNING)
        two = await _driven_to(stores, BroadcastState.RUNNING)
        assert await stores.broadcasts.open(stores.tenant) == _by_age(one, two)

        done = await stores.broadcasts.complete(stores.tenant, two.id, LATER)
        three = await _driven_to(stores, BroadcastState.RUNNING)

        assert await stores.broadcasts.open(stores.tenant) == _by_age(one, done, three)

    def test_the_table_names_every_state_and_ends(self) -> None:
        assert set(NEXT) == set(BroadcastState)
        assert {state for state in BroadcastState if is_over(state)} == {
            BroadcastState.COMPLETED,
            BroadcastState.FAILED,
        }
        assert origin(BroadcastState.RUNNING) is BroadcastState.PLANNING


def _by_age(*broadcasts: Broadcast) -> list[Broadcast]:
    return sorted(broadcasts, key=lambda each: (each.created_at, each.id))


async def _driven_to(stores: Stores, state: BroadcastState) -> Broadcast:
    broadcast = await made(stores, a_broadcast(a_draft(f"to {state}")))
    if state is not BroadcastState.DRAFT:
        await started(stores, broadcast)
    if state in {BroadcastState.RUNNING, BroadcastState.COMPLETED}:
        job = await _take_job_of(stores, broadcast)
        await stores.jobs.finalise(job, a_plan(job), FRAME)
    if state is BroadcastState.COMPLETED:
        await stores.broadcasts.complete(stores.tenant, broadcast.id, LATER)
    if state is BroadcastState.FAILED:
        await stores.jobs.fail(await _take_job_of(stores, broadcast), "NO_LUCK", LATER)
    now = await found(stores, broadcast)
    assert now is not None
    assert now.state is state
    return now


async def _take_job_of(stores: Stores, broadcast: Broadcast) -> PlanJob:
    while True:
        job = await take(stores)
        if job.broadcast_id == broadcast.id:
            return job


async def _moved(stores: Stores, broadcast: Broadcast, to: BroadcastState) -> bool:
    """Whether the broadcast reaches that state by any call made in its present one."""
    before = await found(stores, broadcast)
    job = PlanJob(stores.tenant, broadcast.id, "0-1", "a", 1)
    attempts: dict[BroadcastState, Callable[[], Awaitable[object]]] = {
        BroadcastState.PLANNING: lambda: started(stores, broadcast),
        BroadcastState.RUNNING: lambda: stores.jobs.finalise(job, Plan(9, 7, 5), FRAME),
        BroadcastState.FAILED: lambda: stores.jobs.fail(job, "NO_LUCK", LATER),
        BroadcastState.COMPLETED: lambda: stores.broadcasts.complete(
            stores.tenant, broadcast.id, LATER
        ),
    }
    if to not in attempts:
        return False
    with suppress(BroadcastAlreadyStarted, LeaseLost):
        await attempts[to]()
    return await found(stores, broadcast) != before
