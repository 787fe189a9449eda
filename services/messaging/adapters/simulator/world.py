"""What would happen: the fate of every delivery of a batch, drawn from a seed, all at once.

The same world, broadcast, place and attempt always give the same fates, so that nothing but the
parameters need be kept to tell a batch's receipts after a restart.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kit.ids import uuid_bytes

# Reasons as a real provider's codes would be translated; the first for refusals at once.
REFUSALS = ("GROUP_UNKNOWN", "GROUP_SUSPENDED", "SENDER_REMOVED")
LATE_FAILURES = ("UNDELIVERABLE", "EXPIRED")

# Delays are log-normal: many quick, a long tail, as delivery times of messages are.
_DELAY_SIGMA = 0.6
_READ_RATE = 0.7
_READ_FACTOR = 3.0
# Receipts of a batch are told together in steps, as a provider's webhooks bundle them: each
# telling costs the store's disk the same, however few it tells.
STEP_MS = 100


@dataclass(frozen=True, slots=True)
class World:
    """How the simulated provider behaves.

    Attributes:
        seed: Every other draw follows from it.
        median_delay_seconds: Half of all receipts come sooner. 0: all come at once.
        failure_rate: Of all deliveries; half of those are refused at once, half fail later.
    """

    seed: int = 0
    median_delay_seconds: float = 2.0
    failure_rate: float = 0.02


@dataclass(frozen=True, slots=True)
class Batch:
    """One call to the provider: a run of deliveries, and when and in which world it was posted."""

    world: World
    broadcast_id: str
    partition: int
    start: int
    size: int
    attempt: int
    posted_at_ms: int
    told_until_ms: int = -1  # receipts up to this instant were told


@dataclass(frozen=True)
class Fates:
    """What becomes of each delivery of a batch, as arrays.

    Attributes:
        refused: Whether the provider refuses it at once.
        fails: Whether it fails later; the others are delivered.
        settled_ms: When that is, in milliseconds after the post.
        read_ms: When it is read; -1 for never.
        reason: Which reason it would be refused or fail for.
    """

    refused: npt.NDArray[np.bool_]
    fails: npt.NDArray[np.bool_]
    settled_ms: npt.NDArray[np.int64]
    read_ms: npt.NDArray[np.int64]
    reason: npt.NDArray[np.int64]

    @cached_property
    def last_ms(self) -> int:
        """When the last receipt is told."""
        return int(max(self.settled_ms.max(), self.read_ms.max()))

    def next_after(self, elapsed_ms: int) -> int | None:
        """When the next receipts after that are told, in whole steps; None when no more come."""
        times = np.concatenate((self.settled_ms[~self.refused], self.read_ms))
        later = times[times > elapsed_ms]
        return -(-int(later.min()) // STEP_MS) * STEP_MS if len(later) else None


def fates(batch: Batch) -> Fates:
    """What becomes of the batch's deliveries."""
    world = batch.world
    words = np.frombuffer(uuid_bytes(batch.broadcast_id), np.uint32).tolist()
    place = (batch.partition, batch.start, batch.attempt)
    chance = np.random.default_rng([world.seed, *words, *place])
    luck, reading = chance.random((2, batch.size))
    delays = chance.lognormal(0.0, _DELAY_SIGMA, (2, batch.size))
    reason = chance.integers(0, 1 << 30, batch.size)
    refused = luck < world.failure_rate / 2
    fails = ~refused & (luck < world.failure_rate)
    unit_ms = world.median_delay_seconds * 1000
    settled_ms = (delays[0] * unit_ms).astype(np.int64)
    read_ms = settled_ms + (delays[1] * unit_ms * _READ_FACTOR).astype(np.int64)
    never_read = refused | fails | (reading >= _READ_RATE)
    return Fates(refused, fails, settled_ms, np.where(never_read, -1, read_ms), reason)
