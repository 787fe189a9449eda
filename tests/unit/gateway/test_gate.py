"""What may run at once: weighed by cost, refused or in turn, and given back whatever happens."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.http.gate import CostGate, TooCostlyNow
from tests.timing import wait_until

from .fakes.servers import Client, services, settings, token
from .fakes.world import World
from .live import live, open_socket
from .test_websocket import FIRST, WATCH, look

BLUEPRINT = "{ blueprint { version } }"  # costs two


def test_so_much_runs_at_once_and_its_room_is_given_back() -> None:
    gate = CostGate(10)
    with gate.hold(6):
        with gate.hold(4):
            assert gate.running == 10
            with pytest.raises(TooCostlyNow), gate.hold(1):
                pytest.fail("was let in")
        with pytest.raises(ZeroDivisionError), gate.hold(4):
            raise ZeroDivisionError
        assert gate.running == 6
    assert gate.running == 0


def test_what_costs_more_than_all_may_runs_alone() -> None:
    gate = CostGate(10)
    with gate.hold(11), pytest.raises(TooCostlyNow), gate.hold(1):
        pytest.fail("was let in")
    with gate.hold(1), pytest.raises(TooCostlyNow), gate.hold(11):
        pytest.fail("was let in")


class Line:
    """Some that wait for their turn, in the order in which they got it."""

    def __init__(self, gate: CostGate) -> None:
        self.gate = gate
        self.entered: list[str] = []
        self.leaves: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def join(self, name: str, cost: int) -> None:
        self.leaves[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._stand(name, cost))
        await self.settle()

    async def _stand(self, name: str, cost: int) -> None:
        async with self.gate.hold_in_turn(cost):
            self.entered.append(name)
            await self.leaves[name].wait()

    async def leave(self, name: str) -> None:
        self.leaves[name].set()
        await self.tasks[name]
        await self.settle()

    async def cancel(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks[name], return_exceptions=True)
        await self.settle()

    @staticmethod
    async def settle() -> None:
        for _ in range(5):  # what can run has run: nothing here waits for the world
            await asyncio.sleep(0)


async def test_those_who_wait_come_in_their_order() -> None:
    line = Line(CostGate(10))
    await line.join("a", 8)
    await line.join("large", 9)
    await line.join("small", 1)
    assert (line.entered, line.gate.waiting) == (["a"], 2)
    # Who is not served in turn does not pass those who are.
    with pytest.raises(TooCostlyNow), line.gate.hold(1):
        pytest.fail("was let in")
    await line.leave("a")
    assert (line.entered, line.gate.running) == (["a", "large", "small"], 10)
    await line.leave("large")
    await line.leave("small")
    assert (line.gate.running, line.gate.waiting) == (0, 0)


async def test_who_gives_up_waiting_lets_the_next_one_in() -> None:
    line = Line(CostGate(10))
    await line.join("a", 8)
    await line.join("large", 9)
    await line.join("small", 1)
    await line.cancel("large")
    assert (line.entered, line.gate.running) == (["a", "small"], 9)
    await line.cancel("a")
    await line.leave("small")
    assert (line.gate.running, line.gate.waiting) == (0, 0)


async def test_who_gives_up_as_the_turn_comes_gives_it_back() -> None:
    line = Line(CostGate(10))
    with line.gate.hold(8):
        await line.join("b", 8)
        await line.join("c", 8)
    # b has its turn and did not run yet.
    assert (line.entered, line.gate.running, line.gate.waiting) == ([], 8, 1)
    await line.cancel("b")
    assert (line.entered, line.gate.running) == (["c"], 8)
    await line.leave("c")
    assert line.gate.running == 0


@pytest.fixture
def configured(tmp_path: Path) -> Settings:
    return settings(tmp_path, max_running_cost=5)


async def test_an_operation_beyond_what_may_run_at_once_is_sent_away(asking: Client) -> None:
    released = asking.world.held = asyncio.Event()
    running = [asyncio.create_task(asking.data(BLUEPRINT)) for _ in range(2)]
    try:
        await wait_until(lambda: len(asking.world.calls.log) == 2, 20)
        response = await asking.post(BLUEPRINT)
        fitting = await asking.data("{ __typename }")
    finally:
        released.set()
    assert await asyncio.gather(*running) == [{"blueprint": {"version": 3}}] * 2
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["reason"] == "TOO_COSTLY_NOW"
    assert error["extensions"]["retryAfterMs"] == 1000
    assert fitting == {"__typename": "Query"}
    assert asking.world.calls.counts() == {"GetBlueprint": 2}
    # There is room again.
    assert await asking.data(BLUEPRINT) == {"blueprint": {"version": 3}}


async def test_over_a_socket_a_query_is_refused_and_a_look_waits(
    world: World, configured: Settings
) -> None:
    world.held = asyncio.Event()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(services(world, configured))
        address = await stack.enter_async_context(live(configured))
        ws = await stack.enter_async_context(open_socket(address, token=token()))
        await ws.subscribe("held", BLUEPRINT)
        await ws.subscribe("held too", BLUEPRINT)
        await wait_until(lambda: world.calls.counts().get("GetBlueprint") == 2, 20)

        await ws.subscribe("refused", BLUEPRINT)
        refused = await ws.receive()
        assert (refused["id"], refused["type"]) == ("refused", "error")
        assert refused["payload"][0]["extensions"]["reason"] == "TOO_COSTLY_NOW"
        assert refused["payload"][0]["extensions"]["retryAfterMs"] == 1000

        world.looks.put_nowait(look(world, 4))
        world.looks.put_nowait(None)
        await ws.subscribe("watched", WATCH, id=FIRST)
        await wait_until(lambda: world.watches == 1 and world.watchers == 0, 20)
        await ws.send(type="ping")
        assert await ws.receive() == {"type": "pong"}  # the look is not told before its turn
        world.held.set()
        told = [await ws.receive() for _ in range(6)]
        types = {name: [each["type"] for each in told if each["id"] == name] for name in _IDS}
        assert types == {name: ["next", "complete"] for name in _IDS}


_IDS = ("held", "held too", "watched")
