"""The units that a broadcast's deliveries lie in, as flat arrays: what roll-ups are cut by."""

from array import array
from dataclasses import dataclass, field
from typing import Self

UNIT_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Frame:
    """Units with deliveries in their subtree, in pre-order, as parallel arrays.

    Attributes:
        levels: Keys of the levels from the top down.
        unit_ids: 16 bytes each, one after the other.
        parents: Position of the parent in the frame; -1 at a root.
        unit_levels: Index of the unit's level in `levels`.
        starts: First delivery of the unit's subtree, counted in the broadcast.
        ends: One past its last.
    """

    levels: tuple[str, ...] = ()
    unit_ids: bytes = b""
    parents: "array[int]" = field(default_factory=lambda: array("i"))
    unit_levels: "array[int]" = field(default_factory=lambda: array("i"))
    starts: "array[int]" = field(default_factory=lambda: array("i"))
    ends: "array[int]" = field(default_factory=lambda: array("i"))

    @classmethod
    def empty(cls) -> Self:
        """The frame of no units."""
        return cls()

    @property
    def size(self) -> int:
        """How many units it has."""
        return len(self.starts)

    def unit_at(self, position: int) -> bytes:
        """The id of the unit at that position, as 16 bytes."""
        return self.unit_ids[position * UNIT_ID_BYTES : (position + 1) * UNIT_ID_BYTES]

    def find(self, unit_id: bytes) -> int | None:
        """The position of a unit by its 16 bytes; None when nothing lies in its subtree."""
        at = self.unit_ids.find(unit_id)
        while at >= 0 and at % UNIT_ID_BYTES:
            at = self.unit_ids.find(unit_id, at + 1)
        return None if at < 0 else at // UNIT_ID_BYTES
