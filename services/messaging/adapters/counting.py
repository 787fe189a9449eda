"""The `Counting` port with numpy: one `bincount` over the ledger gives the counts of all units.

Every delivery has a label, the unit of the split that it lies in, which depends on the frame
alone and is kept; the state of each is added and the sums are counted in one pass. Measured: a
lakh of deliveries by 44 districts in 0.3 ms, by 7,000 shakti kendras in 0.4 ms (before the rows
are made into values).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kit.errors import InvalidInput
from kit.ids import uuid_bytes, uuid_text
from services.messaging.domain.deliveries import SETTLED, DeliveryState
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import UnitId
from services.messaging.domain.progress import (
    MAX_ROWS,
    Counts,
    Ledger,
    Split,
    Tally,
    UnitCounts,
)
from services.messaging.domain.recent import Recent

_STATES = len(DeliveryState)
_KEPT_LABELS = 64
_IS_SETTLED = np.array([state in SETTLED for state in DeliveryState])

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Labels:
    """The units of one split, and for each delivery its unit's place times the number of states."""

    frame: Frame
    unit_ids: tuple[UnitId, ...]
    by_delivery: npt.NDArray[np.intp]


class NumpyCounting:
    """Keeps the labels of the splits that were asked last."""

    def __init__(self) -> None:
        self._kept: Recent[tuple[int, Split], _Labels] = Recent(_KEPT_LABELS)

    def tally(self, ledger: Ledger, frame: Frame, split: Split) -> Tally:
        states = np.frombuffer(ledger.states, np.uint8)
        counts = _counts(np.bincount(states, minlength=_STATES))
        if not split.level or not frame.size:
            return Tally(counts)
        labels = self._labels(frame, split, len(states))
        table = np.bincount(
            labels.by_delivery + states, minlength=(len(labels.unit_ids) + 1) * _STATES
        ).reshape(-1, _STATES)
        return Tally(
            counts,
            tuple(
                UnitCounts(unit_id, split.level, Counts(tuple(numbers)))
                for unit_id, numbers in zip(labels.unit_ids, table.tolist(), strict=False)
            ),
        )

    def select(
        self,
        ledger: Ledger,
        states: Collection[DeliveryState],
        within: tuple[int, int],
        limit: int,
    ) -> list[int]:
        start, end = within
        wanted = np.zeros(_STATES, bool)
        wanted[list(states)] = True
        part = np.frombuffer(ledger.states, np.uint8)[start:end]
        found: list[int] = (np.flatnonzero(wanted[part])[:limit] + start).tolist()
        return found

    def all_settled(self, ledger: Ledger) -> bool:
        return bool(_IS_SETTLED[np.frombuffer(ledger.states, np.uint8)].all())

    def _labels(self, frame: Frame, split: Split, deliveries: int) -> _Labels:
        # The frame is kept with its labels, so its identity cannot be another's meanwhile.
        key = (id(frame), split)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        rows = _rows(frame, split)
        unit_ids = tuple(UnitId(uuid_text(frame.unit_at(row))) for row in rows.tolist())
        by_delivery = _label(frame, rows, deliveries)
        return self._kept.put(key, _Labels(frame, unit_ids, by_delivery))


def _counts(numbers: npt.NDArray[np.intp]) -> Counts:
    return Counts(tuple(numbers.tolist()))


def _rows(frame: Frame, split: Split) -> Positions:
    """The units of the level within the unit, in pre-order."""
    if split.level not in frame.levels:
        known = ", ".join(frame.levels)
        raise InvalidInput.of("split.level", "UNKNOWN_LEVEL", f"must be one of: {known}")
    levels = np.frombuffer(frame.unit_levels, np.intc)
    first, last = _subtree(frame, split.within)
    rows = np.flatnonzero(levels[first:last] == frame.levels.index(split.level)) + first
    if len(rows) > MAX_ROWS:
        raise InvalidInput.of(
            "split.level",
            "SPLIT_TOO_LARGE",
            f"{len(rows)} units of the level, at most {MAX_ROWS}; narrow with within_unit_id",
        )
    return rows


def _subtree(frame: Frame, within: UnitId | None) -> tuple[int, int]:
    if within is None:
        return 0, frame.size
    first = frame.find(uuid_bytes(within))
    if first is None:
        return 0, 0
    # In pre-order a subtree ends before the first later unit whose parent comes before it.
    after = np.frombuffer(frame.parents, np.intc)[first + 1 :] < first
    return first, first + 1 + int(after.argmax() if after.any() else len(after))


def _label(frame: Frame, rows: Positions, deliveries: int) -> npt.NDArray[np.intp]:
    # One row more, for deliveries that lie in none. Units of one level never overlap.
    labels = np.full(deliveries, len(rows), np.intp)
    starts = np.frombuffer(frame.starts, np.intc)[rows]
    ends = np.frombuffer(frame.ends, np.intc)[rows]
    lengths = ends - starts
    inside = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    labels[inside] = np.repeat(np.arange(len(rows)), lengths)
    return labels * _STATES
