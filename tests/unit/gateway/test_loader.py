"""The loader: one batch for a level, one answer for a key, and nobody's cancelling spreads."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from gateway.context import Context
from gateway.graph.loader import Loader, found_or_none
from kit.deadline import Deadline
from kit.errors import ChaupalError, NotFound
from kit.tokens import Caller


def a_context() -> Context:
    caller = Caller("user-1", "neem", "user", frozenset(), datetime(2027, 1, 1, tzinfo=UTC), "t")
    return Context(caller, Deadline.after(15), "request-1", {}, {})


class Fetches:
    """A batch call that notes its keys."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.called = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, keys: Sequence[int]) -> list[str | ChaupalError]:
        self.batches.append(list(keys))
        self.called.set()
        await self.hold.wait()
        return [NotFound() if key < 0 else f"value {key}" for key in keys]


async def test_keys_of_one_level_are_one_batch_and_repeats_one_key() -> None:
    fetches = Fetches()
    async with a_context() as context:
        loader = Loader(context, "numbers", fetches, 100)
        found = await asyncio.gather(*(loader.load(key) for key in (1, 2, 1, 3)))
        again = await loader.load(2)
    assert found == ["value 1", "value 2", "value 1", "value 3"]
    assert again == "value 2"
    assert fetches.batches == [[1, 2, 3]]


async def test_keys_that_come_some_turns_later_are_still_in_the_batch() -> None:
    fetches = Fetches()

    async def late(loader: Loader[int, str], key: int) -> str:
        for _ in range(key):  # each key one turn after the one before
            await asyncio.sleep(0)
        return await loader.load(key)

    async with a_context() as context:
        loader = Loader(context, "numbers", fetches, 100)
        await asyncio.gather(*(late(loader, key) for key in range(8)))
    assert fetches.batches == [list(range(8))]


async def test_a_key_that_is_on_its_way_is_not_asked_for_twice() -> None:
    fetches = Fetches()
    fetches.hold.clear()
    async with a_context() as context:
        loader = Loader(context, "numbers", fetches, 100)
        first = loader.load(1)
        await fetches.called.wait()
        second = loader.load(1)
        fetches.hold.set()
        assert (await first, await second) == ("value 1", "value 1")
    assert fetches.batches == [[1]]


async def test_more_keys_than_a_call_may_have_go_in_several() -> None:
    fetches = Fetches()
    async with a_context() as context:
        loader = Loader(context, "numbers", fetches, 2)
        found = await asyncio.gather(*(loader.load(key) for key in range(5)))
    assert found == [f"value {key}" for key in range(5)]
    assert fetches.batches == [[0, 1], [2, 3], [4]]


async def test_each_key_has_its_own_error() -> None:
    fetches = Fetches()
    async with a_context() as context:
        loader = Loader(context, "numbers", fetches, 100)
        good, bad = loader.load(1), loader.load(-1)
        assert await good == "value 1"
        with pytest.raises(NotFound):
            await bad
        assert await found_or_none(loader.load(-1)) is None
    assert fetches.batches == [[1, -1]]


async def test_what_the_call_raises_is_every_key_s_answer() -> None:
    async def broken(_: Sequence[int]) -> list[str | ChaupalError]:
        raise RuntimeError("broken")

    async with a_context() as context:
        loader = Loader(context, "numbers", broken, 100)
        answers = await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True)
    assert [str(each) for each in answers] == ["broken", "broken"]


async def test_an_answer_of_another_length_is_refused() -> None:
    async def short(_: Sequence[int]) -> list[str | ChaupalError]:
        return ["only one"]

    async with a_context() as context:
        loader = Loader(context, "numbers", short, 100)
        answers = await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True)
    assert [str(each) for each in answers] == ["numbers: 1 results for 2 keys"] * 2


async def test_cancelling_one_resolver_leaves_its_siblings_their_value() -> None:
    fetches = Fetches()
    fetches.hold.clear()
    async with a_context() as context:
        loader = Loader(context, "numbers", fetches, 100)

        async def resolve() -> str:
            return await loader.load(1)

        first, second = asyncio.create_task(resolve()), asyncio.create_task(resolve())
        await fetches.called.wait()
        first.cancel()
        fetches.hold.set()
        assert await second == "value 1"
        assert await loader.load(1) == "value 1"
    assert first.cancelled()


async def test_the_end_of_the_operation_ends_its_calls() -> None:
    ended = asyncio.Event()

    async def endless(_: Sequence[int]) -> list[str | ChaupalError]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return []

    async with a_context() as context:
        loader = Loader(context, "numbers", endless, 100)
        loader.load(1)
        for _ in range(10):
            await asyncio.sleep(0)
    assert ended.is_set()
