"""Waiting for what other processes do, of which no event tells."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], pause_seconds: float) -> None:
    """Ask again and again until the answer is true; the caller sets the deadline."""
    while not await condition():  # noqa: ASYNC110 - the state is another process's
        await asyncio.sleep(pause_seconds)
