"""Time, identity, deadlines, pages, back-off: the small injectable values."""

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import FakeClock, SystemClock
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, InvalidInput
from kit.ids import SeededIds, SystemIds, is_uuid, stable_id, uuid_bytes, uuid_text
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from kit.retry import Backoff, delays
from tests.timing import wait_until

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


class TestClock:
    def test_the_system_clock_is_aware_and_forward(self) -> None:
        clock = SystemClock()
        before = clock.monotonic()
        assert clock.now().tzinfo is UTC
        assert clock.monotonic() >= before

    async def test_a_fake_clock_wakes_only_those_whose_time_has_come_in_order(self) -> None:
        clock = FakeClock()
        woken: list[str] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(name)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sleeper("late", 10))
            tasks.create_task(sleeper("second", 5))
            tasks.create_task(sleeper("first", 2))
            await wait_until(lambda: clock.sleeping == 3, 5)
            clock.advance(timedelta(seconds=5))
            await wait_until(lambda: len(woken) == 2, 5)
            assert (woken, clock.sleeping) == (["first", "second"], 1)
            clock.advance(5)
        assert woken == ["first", "second", "late"]
        assert clock.now() == datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
        assert clock.monotonic() == 10

    async def test_a_cancelled_sleeper_is_forgotten(self) -> None:
        clock = FakeClock()
        task = asyncio.create_task(clock.sleep(1))
        await wait_until(lambda: clock.sleeping == 1, 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert clock.sleeping == 0
        clock.advance(2)


class TestIds:
    @pytest.mark.parametrize("ids", [SystemIds(), SeededIds(1)])
    def test_ids_are_version_7_canonical_distinct_and_growing(
        self, ids: SystemIds | SeededIds
    ) -> None:
        made = [ids.new() for _ in range(1000)]
        assert all(is_uuid(each) for each in made)
        assert {uuid.UUID(each).version for each in made} == {7}
        assert {uuid.UUID(each).variant for each in made} == {uuid.RFC_4122}
        assert made == sorted(set(made))

    def test_a_seed_repeats_itself_and_no_other(self) -> None:
        def three(seed: int) -> list[str]:
            ids = SeededIds(seed)
            return [ids.new() for _ in range(3)]

        assert three(7) == three(7)
        assert not set(three(7)) & set(three(8))

    @given(st.uuids())
    def test_bytes_and_text_are_a_round_trip(self, value: uuid.UUID) -> None:
        assert uuid_text(uuid_bytes(str(value))) == str(value)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            "0190C7B0-0000-7000-8000-000000000000",
            "{0190c7b0-0000-7000-8000-000000000000}",
            "0190c7b0000070008000000000000000",
            "0190c7b0-0000-7000-8000-000000000000\n",
        ],
    )
    def test_other_spellings_are_no_ids(self, text: str) -> None:
        assert not is_uuid(text)

    def test_stable_ids_tell_parts_apart(self) -> None:
        same = stable_id("unit", "booth", "12")
        assert same == stable_id("unit", "booth", "12")
        assert is_uuid(same)
        others = {
            stable_id("unit", "booth1", "2"),
            stable_id("unit", "boot", "h12"),
            stable_id("unitbooth", "12"),
            stable_id("unit", "12", "booth"),
        }
        assert len(others | {same}) == 5


class TestDeadline:
    def test_remaining_falls_to_zero_and_stays(self) -> None:
        clock = FakeClock()
        deadline = Deadline.after(2, clock)
        clock.advance(1.5)
        assert (deadline.remaining(), deadline.expired) == (0.5, False)
        deadline.check()
        clock.advance(5)
        assert (deadline.remaining(), deadline.expired) == (0.0, True)
        with pytest.raises(DeadlineExceeded):
            deadline.check()

    def test_at_most_is_the_earlier(self) -> None:
        clock = FakeClock()
        deadline = Deadline.after(10, clock)
        assert deadline.at_most(3).remaining() == 3
        assert deadline.at_most(30) == deadline

    async def test_bound_cancels_the_block_and_says_deadline(self) -> None:
        ended_by: list[BaseException] = []

        async def hang() -> None:
            async with Deadline.after(0.01).bound():
                try:
                    await asyncio.Event().wait()
                except BaseException as error:
                    ended_by.append(error)
                    raise

        with pytest.raises(DeadlineExceeded):
            await hang()
        assert [type(error) for error in ended_by] == [asyncio.CancelledError]

    async def test_another_timeout_inside_is_not_ours(self) -> None:
        with pytest.raises(TimeoutError):
            async with Deadline.after(60).bound():
                raise TimeoutError


class TestPages:
    @given(st.dictionaries(st.text(max_size=8), SCALARS, max_size=4))
    def test_a_token_comes_back_for_the_same_query(
        self, state: dict[str, str | int | None]
    ) -> None:
        query = fingerprint("tenant", "filter", 3)
        assert decode_page_token(encode_page_token(state, query), query) == state

    def test_the_first_page_has_no_state(self) -> None:
        assert decode_page_token("", fingerprint("x")) is None

    def test_parts_of_a_query_are_told_apart(self) -> None:
        assert fingerprint("ab", "c") != fingerprint("a", "bc")

    @given(st.text(max_size=60))
    def test_a_foreign_text_is_refused_whatever_it_is(self, text: str) -> None:
        if text:
            with pytest.raises(InvalidInput) as refused:
                decode_page_token(text, fingerprint("x"))
            assert refused.value.reason == "PAGE_TOKEN_INVALID"
            assert [each.field for each in refused.value.violations] == ["page_token"]

    def test_a_damaged_token_is_refused(self) -> None:
        token = encode_page_token({"after": "x"}, fingerprint("q"))
        for damaged in (token[:-3], "A" + token, token * 999):
            with pytest.raises(InvalidInput):
                decode_page_token(damaged, fingerprint("q"))

    def test_a_token_with_half_of_a_pair_of_utf16_is_refused(self) -> None:
        """JSON can spell it, and no store takes such a text."""
        for state in ({"after": "\ud800"}, {"\udfff": 1}):
            with pytest.raises(InvalidInput) as refused:
                decode_page_token(encode_page_token(state, "q"), "q")
            assert refused.value.reason == "PAGE_TOKEN_INVALID"
        whole = {"after": "\U0001f600"}
        assert decode_page_token(encode_page_token(whole, "q"), "q") == whole

    def test_a_token_of_another_query_is_refused(self) -> None:
        token = encode_page_token({"after": "x"}, fingerprint("tenant-a"))
        with pytest.raises(InvalidInput):
            decode_page_token(token, fingerprint("tenant-b"))

    @pytest.mark.parametrize(("asked", "given_"), [(0, 50), (1, 1), (200, 200), (9999, 200)])
    def test_page_sizes_are_clamped(self, asked: int, given_: int) -> None:
        assert clamp_page_size(asked, 50, 200) == given_

    def test_a_negative_page_size_is_refused(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            clamp_page_size(-1, 50, 200)
        assert refused.value.reason == "PAGE_SIZE_INVALID"


class TestRetry:
    def test_delays_are_one_fewer_than_attempts_under_a_doubling_ceiling(self) -> None:
        rng = random.Random(1)
        waits = list(delays(8, first=timedelta(seconds=1), maximum=timedelta(seconds=10), rng=rng))
        ceilings = [1, 2, 4, 8, 10, 10, 10]
        assert len(waits) == 7
        assert all(0 <= wait <= top for wait, top in zip(waits, ceilings, strict=True))
        assert len(set(waits)) == 7

    def test_one_attempt_never_waits(self) -> None:
        assert list(delays(1)) == []

    async def test_a_backoff_grows_is_bounded_and_resets(self) -> None:
        clock = FakeClock()
        backoff = Backoff(
            first=timedelta(seconds=1),
            maximum=timedelta(seconds=4),
            clock=clock,
            rng=random.Random(2),
        )
        waits = [backoff.next() for _ in range(5)]
        for wait, ceiling in zip(waits, [1, 2, 4, 4, 4], strict=True):
            assert ceiling / 2 <= wait <= ceiling
        assert backoff.failures == 5
        backoff.reset()
        waiting = asyncio.create_task(backoff.wait())
        await wait_until(lambda: clock.sleeping == 1, 5)
        clock.advance(1)
        await waiting
        assert backoff.failures == 1

    def test_a_year_of_failures_does_not_overflow(self) -> None:
        backoff = Backoff(maximum=timedelta(seconds=3))
        assert max(backoff.next() for _ in range(5000)) <= 3
