"""Waits for a condition with a deadline: what tests use where others would sleep."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

# The first looks follow quickly, because most conditions hold at once; later ones leave the CPU
# to the thing that is being waited for.
_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05


class DeadlinePassed(AssertionError):
    """The condition did not come true in time; says which, and what was last seen."""


@overload
async def wait_until(
    condition: Callable[[], Awaitable[T]], deadline_seconds: float, what: str = ""
) -> T: ...
@overload
async def wait_until(condition: Callable[[], T], deadline_seconds: float, what: str = "") -> T: ...
async def wait_until(
    condition: Callable[[], T | Awaitable[T]], deadline_seconds: float, what: str = ""
) -> T:
    """Return the first true value of `condition`, which may be a plain or an async callable.

    Args:
        condition: Asked again and again; what it raises ends the wait.
        deadline_seconds: Also bounds a single call that hangs.
        what: Named in the failure; the condition's own name by default.

    Raises:
        DeadlinePassed: The condition was not true within `deadline_seconds`.
    """
    seen: object = None
    pause = _FIRST_PAUSE_SECONDS
    try:
        async with asyncio.timeout(deadline_seconds):
            while True:
                value = condition()
                answer = await value if inspect.isawaitable(value) else value
                if answer:
                    return answer
                seen = answer
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    except TimeoutError as error:
        raise _passed(condition, deadline_seconds, what, seen) from error


def wait_until_sync(condition: Callable[[], T], deadline_seconds: float, what: str = "") -> T:
    """`wait_until` for code without a loop; a call that hangs is not cut short.

    Raises:
        DeadlinePassed: The condition was not true within `deadline_seconds`.
    """
    end = time.monotonic() + deadline_seconds
    pause = _FIRST_PAUSE_SECONDS
    while not (answer := condition()):
        if time.monotonic() >= end:
            raise _passed(condition, deadline_seconds, what, answer)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    return answer


def _passed(
    condition: Callable[[], object], deadline_seconds: float, what: str, seen: object
) -> DeadlinePassed:
    name = what or getattr(condition, "__qualname__", repr(condition))
    return DeadlinePassed(f"not within {deadline_seconds} s: {name} (last seen: {seen!r})")
