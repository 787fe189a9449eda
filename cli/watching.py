"""Watches a broadcast, which goes on whether anybody watches or not."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from cli.clients.broadcasts import BroadcastProgress, Broadcasts, Outcomes
from cli.errors import Refusal, Unreachable, Unwatched
from cli.output import Bar

# The launcher starts a process that died again within 10 s; it is ready some 5 s later.
PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 3.0
_CURE = (
    "It is sent as long as the platform runs (`chaupal status`); its progress is in the consoles.\n"
    "Do not send it again."
)

_Answer = TypeVar("_Answer")


def watch(
    broadcasts: Broadcasts, broadcast_id: str, show: Bar, patience_seconds: float = PATIENCE_SECONDS
) -> tuple[BroadcastProgress, Outcomes | None]:
    """Stay until a started broadcast is over; a platform that restarts is waited for.

    Args:
        broadcasts: Of its tenant.
        broadcast_id: The broadcast.
        show: Told how far it is.
        patience_seconds: How long the platform may be out of reach at a time.

    Returns:
        Where it stands at the end, and why deliveries failed; None when that could not be asked.

    Raises:
        Refusal: The platform stayed out of reach, or refused to tell.
    """
    while True:
        progress = patiently(lambda: broadcasts.progress(broadcast_id), patience_seconds)
        total = progress.counts["total"] or None
        show(progress.state.lower(), progress.settled_count, total)
        if progress.over:
            return progress, _outcomes(broadcasts, broadcast_id, progress)
        time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def going_on(broadcast_id: str) -> Iterator[None]:
    """Stand around everything that follows a start: whatever ends it, the broadcast goes on.

    Raises:
        Unwatched: The block was refused something, or a person pressed Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise _unwatched(broadcast_id, "watching was stopped") from error
    except Refusal as error:
        raise _unwatched(broadcast_id, error.message) from error


def _outcomes(
    broadcasts: Broadcasts, broadcast_id: str, progress: BroadcastProgress
) -> Outcomes | None:
    if not progress.counts["failed"] + progress.counts["skipped"]:
        return Outcomes({}, {}, complete=True)
    try:
        return broadcasts.outcomes(broadcast_id)
    except Refusal:
        # It is over all the same, and the counts are known.
        return None


def patiently(ask: Callable[[], _Answer], patience_seconds: float = PATIENCE_SECONDS) -> _Answer:
    """Ask again, with growing pauses, while the platform cannot be reached.

    Raises:
        Unreachable: It stayed out of reach.
    """
    deadline = time.monotonic() + patience_seconds
    pause = _POLL_SECONDS
    while True:
        try:
            return ask()
        except Unreachable:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def maybe_started(broadcast_id: str, why: str) -> Unwatched:
    """Return what is said when the answer to a start was lost, and lost again."""
    return Unwatched(
        "START_UNKNOWN",
        f"{broadcast_id} may have started, its answer was lost: {why}",
        "See in a console whether it did, before you send it again.",
        broadcastId=broadcast_id,
    )


def _unwatched(broadcast_id: str, why: str) -> Unwatched:
    return Unwatched(
        "UNWATCHED",
        f"started as {broadcast_id}; it goes on without you: {why}",
        _CURE,
        broadcastId=broadcast_id,
    )
