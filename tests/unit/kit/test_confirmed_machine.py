"""Whatever the interleaving: no value after the bound, none older than a version it heard of."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kit.clock import FakeClock
from kit.confirmed import ConfirmedValues, Dated, Unconfirmed
from kit.deadline import Deadline
from kit.errors import Unavailable

TENANTS = st.sampled_from(("neem", "peepal"))
SUBJECTS = st.sampled_from(("asha", "ravi"))
BOUND = timedelta(seconds=1)
# Times are exact so, also as floats.
TICK = BOUND / 64
TICKS = st.sampled_from((1, 16, 32, 63, 64, 200))
PLACES = st.integers(min_value=0, max_value=20)


class Value(NamedTuple):
    """What the peer says of a subject; tells whose it is, so that no other's can pass for it."""

    tenant: str
    subject: str
    version: int
    ends_at: datetime | None


@dataclass
class Call:
    """A question on its way: the peer looks at some moment, and the answer arrives at another."""

    tenant: str
    subject: str | None
    arrives: asyncio.Future[Dated[Value] | int]
    answer: Dated[Value] | int | None = None


class Peer:
    """A peer that is honest, and as slow and as unreliable as a test wants."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        # For each tenant when its versions were superseded; the last one stands.
        self.superseded_at: dict[str, list[float]] = {"neem": [], "peepal": []}
        self.lasts: dict[str, timedelta | None] = {"neem": None, "peepal": None}

    def current(self, tenant: str) -> int:
        return len(self.superseded_at[tenant])

    async def load(self, tenant: str, subject: str, *, deadline: Deadline) -> Dated[Value]:
        answer = await self._called(tenant, subject, deadline)
        assert isinstance(answer, Dated)
        return answer

    async def version(self, tenant: str, *, deadline: Deadline) -> int:
        answer = await self._called(tenant, None, deadline)
        assert isinstance(answer, int)
        return answer

    async def _called(
        self, tenant: str, subject: str | None, deadline: Deadline
    ) -> Dated[Value] | int:
        assert deadline.remaining() == BOUND.total_seconds()
        call = Call(tenant, subject, asyncio.get_running_loop().create_future())
        self.calls.append(call)
        try:
            return await call.arrives
        finally:
            self.calls.remove(call)

    def look(self, call: Call) -> Dated[Value] | int:
        version = self.current(call.tenant)
        lasts = self.lasts[call.tenant]
        ends_at = self.clock.now() + lasts if lasts else None
        if call.subject is None:
            call.answer = version
        else:
            value = Value(call.tenant, call.subject, version, ends_at)
            call.answer = Dated(version, value, ends_at)
        return call.answer


class Confirmed(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.peer = Peer(self.clock)
        self.values = ConfirmedValues(self.peer, self.clock, bound=BOUND, max_values=3)
        self.heard = {"neem": 0, "peepal": 0}
        self.gets: list[asyncio.Task[Value | None]] = []

    @rule(tenant=TENANTS, subject=SUBJECTS, count=st.integers(1, 3))
    def ask(self, tenant: str, subject: str, count: int) -> None:
        async def start() -> None:
            for _ in range(count):
                self.gets.append(asyncio.ensure_future(self._get(tenant, subject)))

        self._run(start())

    @rule(ticks=TICKS)
    def wait(self, ticks: int) -> None:
        self.clock.advance(ticks * TICK)

    @rule(tenant=TENANTS)
    def change(self, tenant: str) -> None:
        self.peer.superseded_at[tenant].append(self.clock.monotonic())

    @rule(tenant=TENANTS, behind=st.integers(0, 2))
    def tell(self, tenant: str, behind: int) -> None:
        """An event arrives, at once or late."""
        version = max(0, self.peer.current(tenant) - behind)
        self.heard[tenant] = max(self.heard[tenant], version)
        self.values.at_least(tenant, version)

    @rule(tenant=TENANTS, lasts=st.none() | st.sampled_from((1, 20, 100)))
    def end_by_itself(self, tenant: str, lasts: int | None) -> None:
        self.peer.lasts[tenant] = lasts * TICK if lasts else None

    @precondition(lambda self: self.peer.calls)
    @rule(place=PLACES)
    def look(self, place: int) -> None:
        self.peer.look(self.peer.calls[place % len(self.peer.calls)])

    @precondition(lambda self: self.peer.calls)
    @rule(place=PLACES)
    def answer(self, place: int) -> None:
        call = self.peer.calls[place % len(self.peer.calls)]
        answer = call.answer or self.peer.look(call)
        version = answer.version if isinstance(answer, Dated) else answer
        self.heard[call.tenant] = max(self.heard[call.tenant], version)
        self._run(self._arrive(call, answer))

    @precondition(lambda self: self.peer.calls)
    @rule(place=PLACES, ticks=TICKS)
    def answer_with_what_was_then(self, place: int, ticks: int) -> None:
        """The answer is outdated when it arrives."""
        self.look(place)
        self.change(self.peer.calls[place % len(self.peer.calls)].tenant)
        self.wait(ticks)
        self.answer(place)

    @precondition(lambda self: self.peer.calls)
    @rule(place=PLACES)
    def fail(self, place: int) -> None:
        self._run(self._arrive(self.peer.calls[place % len(self.peer.calls)], Unavailable()))

    @precondition(lambda self: self.gets)
    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        self.gets[place % len(self.gets)].cancel()
        self._run(_nothing())

    @rule(tenant=TENANTS, subject=SUBJECTS)
    def settle(self, tenant: str, subject: str) -> None:
        """A peer that answers at once is never refused, and what was told is never missed."""
        self._answer_all()
        self.tell(tenant, 0)
        self.ask(tenant, subject, 1)
        self._answer_all()
        assert self.gets[-1].result() is not None

    @invariant()
    def asks_once(self) -> None:
        questions = [(call.tenant, call.subject) for call in self.peer.calls]
        assert len(questions) == len(set(questions))

    @invariant()
    def is_bounded(self) -> None:
        assert len(self.values) <= 3

    @invariant()
    def keeps_the_promise(self) -> None:
        for task in self.gets:
            if task.done() and not task.cancelled():
                task.result()

    def teardown(self) -> None:
        try:
            for task in self.gets:
                task.cancel()
            self._run(_nothing())
            assert self.peer.calls == []
        finally:
            self.runner.close()

    async def _get(self, tenant: str, subject: str) -> Value | None:
        try:
            value = await self.values.get(tenant, subject)
        except Unconfirmed:
            return None
        now = self.clock.monotonic()
        assert (value.tenant, value.subject) == (tenant, subject)
        assert value.version >= self.heard[tenant]
        superseded = self.peer.superseded_at[tenant][value.version :]
        # It was true within the bound.
        assert not superseded or now - superseded[0] < BOUND.total_seconds()
        assert value.ends_at is None or self.clock.now() < value.ends_at + BOUND
        return value

    async def _arrive(self, call: Call, answer: Dated[Value] | int | Unavailable) -> None:
        if isinstance(answer, Unavailable):
            call.arrives.set_exception(answer)
        else:
            call.arrives.set_result(answer)

    def _answer_all(self) -> None:
        while self.peer.calls:
            self.answer(0)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and go on until nobody can."""

        async def until_quiet() -> None:
            await work
            for _ in range(20):
                await asyncio.sleep(0)

        self.runner.run(until_quiet())


async def _nothing() -> None:
    pass


TestConfirmed = Confirmed.TestCase
