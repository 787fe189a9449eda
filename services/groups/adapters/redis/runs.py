"""Which ranges of rows a change writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.groups.adapters.redis.rows import Rows

# Neighbours that are this near are written in one range, with the unchanged rows between them:
# a command costs the store about as much as four kilobytes.
_NEAR = 32
MOST_RUNS = 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring rows from one ordinal on."""

    start: int
    rows: bytes


def runs_of(rows: Rows, changed: Sequence[int], first_new: int) -> list[Run]:
    """The ranges of `rows` that cover the changed ordinals and everything from `first_new` on.

    At most 1,001: where changes lie so scattered, more unchanged rows go with them.
    """
    ordinals = np.unique(np.array(changed, dtype=np.int64))
    near = _NEAR
    while np.count_nonzero(np.diff(ordinals) > near) >= MOST_RUNS:
        near *= 2
    bounds = [*_bounds(ordinals, near)]
    if first_new < len(rows):
        bounds.append((first_new, len(rows)))
    return [Run(start, rows[start:end].tobytes()) for start, end in bounds]


def _bounds(ordinals: np.ndarray, near: int) -> Iterator[tuple[int, int]]:
    if not len(ordinals):
        return
    breaks = np.flatnonzero(np.diff(ordinals) > near)
    starts = ordinals[np.concatenate(([0], breaks + 1))]
    ends = ordinals[np.concatenate((breaks, [-1]))] + 1
    yield from zip(starts.tolist(), ends.tolist(), strict=True)
