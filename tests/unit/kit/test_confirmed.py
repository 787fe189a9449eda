"""Values of a peer are used while it confirms them, and not a moment longer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from kit.clock import FakeClock
from kit.confirmed import ConfirmedValues, Dated, Unconfirmed
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, Forbidden, Unavailable
from tests.timing import wait_until

BOUND = timedelta(seconds=1)
ALMOST = timedelta(milliseconds=999)


async def nothing() -> None:
    pass


@dataclass
class Peer:
    """A source of which a test decides what it knows, when it answers and whether."""

    clock: FakeClock
    versions: Counter[str] = field(default_factory=Counter)
    ends_at: datetime | None = None
    error: Exception | None = None
    takes: timedelta = timedelta(0)
    after_reading: Callable[[], Awaitable[None]] = nothing
    gate: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    waiting: int = 0

    async def load(self, tenant: str, subject: str, *, deadline: Deadline) -> Dated[str]:
        version = await self._answer(f"load {tenant} {subject}", deadline)
        return Dated(version, f"{subject}@{version}", self.ends_at)

    async def version(self, tenant: str, *, deadline: Deadline) -> int:
        return await self._answer(f"version {tenant}", deadline)

    async def _answer(self, question: str, deadline: Deadline) -> int:
        self.asked.append(question)
        if self.gate:
            self.waiting += 1
            try:
                await self.gate.wait()
            finally:
                self.waiting -= 1
        late = self.takes.total_seconds() > deadline.remaining()
        self.clock.advance(deadline.remaining() if late else self.takes)
        if late:
            raise DeadlineExceeded
        if self.error:
            raise self.error
        version = self.versions[question.split()[1]]
        await self.after_reading()
        return version

    def take_asked(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked

    @asynccontextmanager
    async def held_up(self) -> AsyncIterator[None]:
        """Inside, nothing is answered; afterwards everything."""
        self.gate = asyncio.Event()
        try:
            yield
        finally:
            self.gate.set()
            self.gate = None


@dataclass
class World:
    clock: FakeClock
    peer: Peer
    values: ConfirmedValues[str]

    async def get(self, subject: str = "asha", tenant: str = "neem") -> str:
        return await self.values.get(tenant, subject)


@pytest.fixture
def world() -> World:
    clock = FakeClock()
    peer = Peer(clock, Counter(neem=7))
    return World(clock, peer, ConfirmedValues(peer, clock, bound=BOUND, max_values=100))


async def everybody(*gets: Awaitable[str]) -> list[str | BaseException]:
    return await asyncio.gather(*gets, return_exceptions=True)


async def at_once(world: World, subjects: Sequence[str]) -> list[str | BaseException]:
    """What each is told when the peer answers nobody before all have asked."""
    async with world.peer.held_up():
        asking = asyncio.ensure_future(everybody(*(world.get(subject) for subject in subjects)))
        await wait_until(lambda: world.peer.waiting == 1, 5)
    return await asking


class TestWhileItIsConfirmed:
    async def test_it_is_asked_for_once(self, world: World) -> None:
        assert await world.get() == "asha@7"
        world.clock.advance(ALMOST)
        assert await world.get() == "asha@7"
        assert world.peer.asked == ["load neem asha"]

    async def test_at_the_bound_the_version_is_asked_for_and_suffices(self, world: World) -> None:
        await world.get()
        world.peer.take_asked()
        for _ in range(3):
            world.clock.advance(BOUND)
            assert await world.get() == "asha@7"
        assert world.peer.asked == ["version neem"] * 3

    async def test_one_confirmation_is_for_all_values_of_the_tenant(self, world: World) -> None:
        subjects = [f"s{number}" for number in range(50)]
        for subject in subjects:
            await world.get(subject)
        world.peer.take_asked()
        world.clock.advance(BOUND)
        for subject in subjects:
            await world.get(subject)
        assert world.peer.asked == ["version neem"]

    async def test_loading_one_value_confirms_the_others(self, world: World) -> None:
        await world.get("asha")
        world.clock.advance(ALMOST)
        await world.get("ravi")
        world.peer.take_asked()
        world.clock.advance(ALMOST)
        assert await world.get("asha") == "asha@7"
        assert world.peer.asked == []

    async def test_the_bound_counts_from_the_question(self, world: World) -> None:
        await world.get()
        world.clock.advance(BOUND)
        world.peer.takes = timedelta(milliseconds=500)
        await world.get()
        world.peer.take_asked()

        world.clock.advance(timedelta(milliseconds=250))
        await world.get()
        assert world.peer.take_asked() == []
        world.clock.advance(timedelta(milliseconds=250))
        await world.get()
        assert world.peer.asked == ["version neem"]

    async def test_tenants_do_not_meet(self, world: World) -> None:
        assert await world.get("asha", "neem") == "asha@7"
        assert await world.get("asha", "peepal") == "asha@0"
        world.peer.take_asked()
        world.values.at_least("peepal", 1)
        assert await world.get("asha", "neem") == "asha@7"
        assert world.peer.asked == []


class TestWhenSomethingChanges:
    async def test_a_moved_version_is_seen_at_the_bound(self, world: World) -> None:
        await world.get()
        world.peer.versions["neem"] = 8
        world.clock.advance(ALMOST)
        assert await world.get() == "asha@7"
        world.clock.advance(timedelta(milliseconds=1))
        assert await world.get() == "asha@8"

    async def test_an_event_makes_what_is_older_useless_at_once(self, world: World) -> None:
        await world.get()
        world.peer.versions["neem"] = 8
        world.values.at_least("neem", 8)
        assert await world.get() == "asha@8"

    @pytest.mark.parametrize("version", [6, 7])
    async def test_an_event_of_what_is_known_changes_nothing(
        self, world: World, version: int
    ) -> None:
        await world.get()
        world.peer.take_asked()
        world.values.at_least("neem", version)
        world.values.at_least("nobody", version)
        assert await world.get() == "asha@7"
        assert world.peer.asked == []

    async def test_what_was_read_before_an_event_is_not_used_after_it(self, world: World) -> None:
        async def happens_while_the_answer_travels() -> None:
            world.peer.after_reading = nothing
            world.peer.versions["neem"] = 8
            world.values.at_least("neem", 8)

        world.peer.after_reading = happens_while_the_answer_travels
        assert await world.get() == "asha@8"
        assert world.peer.asked == ["load neem asha"] * 2

    async def test_an_answer_that_another_one_has_overtaken_is_not_used(self, world: World) -> None:
        async def ravi_is_loaded_while_it_travels() -> None:
            world.peer.after_reading = nothing
            world.peer.versions["neem"] = 8
            assert await world.get("ravi") == "ravi@8"

        world.peer.after_reading = ravi_is_loaded_while_it_travels
        assert await world.get("asha") == "asha@8"
        assert world.peer.asked == ["load neem asha", "load neem ravi", "load neem asha"]

    async def test_a_version_that_never_stands_still_confirms_nothing(self, world: World) -> None:
        async def moves() -> None:
            world.peer.versions["neem"] += 1
            world.values.at_least("neem", world.peer.versions["neem"])

        world.peer.after_reading = moves
        with pytest.raises(Unconfirmed):
            await world.get()

    async def test_another_subject_that_is_loaded_later_drops_what_is_older(
        self, world: World
    ) -> None:
        await world.get("asha")
        world.peer.versions["neem"] = 8
        assert await world.get("ravi") == "ravi@8"
        assert await world.get("asha") == "asha@8"

    async def test_a_value_that_ends_by_itself_is_asked_for_again_then(self, world: World) -> None:
        world.peer.ends_at = world.clock.now() + timedelta(milliseconds=300)
        await world.get()
        world.peer.take_asked()
        world.clock.advance(timedelta(milliseconds=299))
        await world.get()
        assert world.peer.take_asked() == []
        world.clock.advance(timedelta(milliseconds=1))
        world.peer.ends_at = None
        await world.get()
        assert world.peer.asked == ["load neem asha"]

    async def test_a_value_that_has_ended_by_our_clock_serves_only_who_loaded_it(
        self, world: World
    ) -> None:
        world.peer.ends_at = world.clock.now()
        assert await everybody(world.get(), world.get()) == ["asha@7", "asha@7"]
        assert world.peer.asked == ["load neem asha"] * 2


class TestWhenThePeerFails:
    @pytest.mark.parametrize("error", [Unavailable(), DeadlineExceeded()])
    async def test_it_serves_to_the_bound_and_then_no_more(
        self, world: World, error: Exception
    ) -> None:
        await world.get()
        world.peer.error = error
        world.clock.advance(ALMOST)
        assert await world.get() == "asha@7"
        world.clock.advance(timedelta(milliseconds=1))
        with pytest.raises(Unavailable) as refused:
            await world.get()
        assert refused.value.reason == "ACCESS_UNCONFIRMED"
        assert refused.value.__cause__ is error

    async def test_nothing_held_is_nothing_served(self, world: World) -> None:
        world.peer.error = Unavailable()
        with pytest.raises(Unconfirmed):
            await world.get()

    async def test_afterwards_what_is_held_is_confirmed_and_not_loaded(self, world: World) -> None:
        await world.get()
        world.clock.advance(BOUND)
        world.peer.error = Unavailable()
        with pytest.raises(Unconfirmed):
            await world.get()
        world.peer.error = None
        world.peer.take_asked()
        assert await world.get() == "asha@7"
        assert world.peer.asked == ["version neem"]

    @pytest.mark.parametrize("takes", [BOUND, 5 * BOUND])
    async def test_an_answer_as_late_as_the_bound_confirms_nothing(
        self, world: World, takes: timedelta
    ) -> None:
        await world.get()
        world.clock.advance(BOUND)
        world.peer.takes = takes
        with pytest.raises(Unconfirmed):
            await world.get()

    @pytest.mark.parametrize("takes", [BOUND, 5 * BOUND])
    async def test_a_value_that_comes_so_late_is_not_used(
        self, world: World, takes: timedelta
    ) -> None:
        world.peer.takes = takes
        with pytest.raises(Unconfirmed):
            await world.get()

    async def test_what_else_it_says_is_told(self, world: World) -> None:
        await world.get()
        world.clock.advance(BOUND)
        world.peer.error = Forbidden()
        with pytest.raises(Forbidden):
            await world.get()

    async def test_versions_that_went_back_are_not_believed(self, world: World) -> None:
        """A restored peer gives the old numbers to other changes."""
        await world.get()
        world.peer.versions["neem"] = 6
        world.clock.advance(BOUND)
        with pytest.raises(Unconfirmed):
            await world.get()
        world.peer.versions["neem"] = 7
        world.peer.take_asked()
        assert await world.get() == "asha@7"
        assert world.peer.asked == ["load neem asha"]


class TestTogether:
    async def test_a_hundred_tasks_share_one_confirmation(self, world: World) -> None:
        for number in range(50):
            await world.get(f"s{number}")
        world.clock.advance(BOUND)
        world.peer.take_asked()

        answers = await at_once(world, [f"s{number % 50}" for number in range(100)])

        assert answers == [f"s{number % 50}@7" for number in range(100)]
        assert world.peer.asked == ["version neem"]

    async def test_a_hundred_tasks_share_one_load(self, world: World) -> None:
        assert await at_once(world, ["asha"] * 100) == ["asha@7"] * 100
        assert world.peer.asked == ["load neem asha"]

    async def test_loads_of_different_subjects_run_together(self, world: World) -> None:
        async with asyncio.TaskGroup() as tasks, world.peer.held_up():
            for number in range(5):
                tasks.create_task(world.get(f"s{number}"))
            await wait_until(lambda: world.peer.waiting == 5, 5)

    async def test_a_hundred_tasks_share_one_failure(self, world: World) -> None:
        await world.get()
        world.clock.advance(BOUND)
        world.peer.error = Unavailable()
        world.peer.take_asked()

        answers = await at_once(world, ["asha"] * 100)

        assert [type(answer) for answer in answers] == [Unconfirmed] * 100
        assert world.peer.take_asked() == ["version neem"]
        with pytest.raises(Unconfirmed):
            await world.get()  # came afterwards, so it makes an attempt of its own
        assert world.peer.asked == ["version neem"]

    async def test_a_cancelled_attempt_is_made_by_the_next(self, world: World) -> None:
        await world.get()
        world.clock.advance(BOUND)
        async with asyncio.TaskGroup() as tasks:
            async with world.peer.held_up():
                first, second, third = (tasks.create_task(world.get()) for _ in range(3))
                await wait_until(lambda: world.peer.waiting == 1, 5)
                third.cancel()
                first.cancel()
                await wait_until(lambda: first.done() and world.peer.waiting == 1, 5)
            assert await second == "asha@7"
        assert (first.cancelled(), third.cancelled()) == (True, True)
        assert world.peer.asked == ["load neem asha", "version neem", "version neem"]


class TestRoom:
    async def test_what_was_used_longest_ago_is_forgotten(self, world: World) -> None:
        for number in range(100):
            await world.get(f"s{number}")
        await world.get("s0")
        await world.get("one more")
        assert len(world.values) == 100
        world.peer.take_asked()

        await world.get("s0")
        assert world.peer.asked == []
        await world.get("s1")
        assert world.peer.asked == ["load neem s1"]
        assert len(world.values) == 100
