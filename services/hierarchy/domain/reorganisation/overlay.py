"""The units as they stand after the steps so far, laid over those that are kept."""

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.hierarchy.domain.model import LocalizedText, Place, Unit, UnitId, UnitKey
from services.hierarchy.domain.operations import Found, Want
from services.hierarchy.domain.records import (
    UNITS_BY_ID,
    UNITS_BY_KEY,
    UNITS_BY_PARENT,
    joined_key,
)
from services.hierarchy.domain.reorganisation.request import UnitRef
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.unit_changes import UnitEdit

T = TypeVar("T")
Asking = Generator[Want, Found, T]
# More are asked for in several turns.
_KEYS_AT_ONCE = 20_000


class Overlay:
    """Asks for units when it does not know them, and remembers what was done to them.

    Changes are made in steps: `begin` one, change, and `undo` it or leave it.
    """

    def __init__(self, header: TenantHeader, effective_at: datetime) -> None:
        self._since = effective_at
        self._revision = header.tree_version + 1
        # What is known: as it stood, and as it stands now; None for what does not stand.
        self._before: dict[UnitId, Unit | None] = {}
        self._now: dict[UnitId, Unit | None] = {}
        # Of those that stand now. Dictionaries, as sets have no order.
        self._holders: dict[UnitKey, dict[UnitId, None]] = {}
        self._children: dict[UnitId, dict[UnitId, None]] = {}
        # What was asked for: the indexes above are whole for these.
        self._known_keys: set[UnitKey] = set()
        self._known_parents: set[UnitId] = set()
        self._successors: dict[UnitId, tuple[UnitId, ...]] = {}
        self._step: dict[UnitId, Unit | None] = {}
        self.level_counts = Counter(header.used_levels)

    def load(
        self,
        ids: Collection[UnitId] = (),
        keys: Collection[UnitKey] = (),
        parents: Collection[UnitId] = (),
    ) -> Asking[None]:
        """Get to know units: those with an id or a key, and the children of others."""
        new_ids = {each: None for each in ids if each not in self._now}
        new_keys = {each: None for each in keys if each not in self._known_keys}
        new_parents = {each: None for each in parents if each not in self._known_parents}
        for some in runs(list(new_ids)):
            found = yield Want({UNITS_BY_ID: some})
            for unit_id in some:
                self._meet(found.all(UNITS_BY_ID, unit_id))
                self._before.setdefault(unit_id, None)
                self._now.setdefault(unit_id, None)
        for few in runs(list(new_keys)):
            found = yield Want({UNITS_BY_KEY: [joined_key(*key) for key in few]})
            for key in few:
                self._meet(found.all(UNITS_BY_KEY, joined_key(*key)))
        self._known_keys.update(new_keys)
        for some in runs(list(new_parents)):
            found = yield Want({UNITS_BY_PARENT: some})
            for parent in some:
                self._meet(found.all(UNITS_BY_PARENT, parent))
        self._known_parents.update(new_parents)

    def find(self, ref: UnitRef) -> Asking[Unit | None]:
        """The unit that stands under an id or a key, or None."""
        if isinstance(ref, UnitKey):
            yield from self.load(keys=[ref])
            holders = self.holders(ref)
            return self._now[holders[0]] if holders else None
        yield from self.load(ids=[ref])
        return self._now[ref]

    def known(self, ref: UnitRef) -> Unit | None:
        """The same, of what is known already."""
        if isinstance(ref, UnitKey):
            return next((self._now[each] for each in self.holders(ref)), None)
        return self._now.get(ref)

    def children(self, parent: UnitId) -> Asking[Sequence[Unit]]:
        """The children that stand under a unit, by code and level."""
        if not self.is_new(parent):
            yield from self.load(parents=[parent])
        units = (self._now[each] for each in self._children.get(parent, ()))
        return sorted((unit for unit in units if unit), key=lambda unit: (unit.code, unit.level))

    def holders(self, key: UnitKey) -> Sequence[UnitId]:
        """Who has a key that was loaded: one at most, but within a step."""
        return list(self._holders.get(key, ()))

    def is_new(self, unit_id: UnitId) -> bool:
        """Whether the unit came with these steps."""
        return unit_id in self._now and self._before[unit_id] is None

    def begin(self) -> None:
        """Begin a step."""
        self._step = {}

    def begin_unit(
        self,
        unit_id: UnitId,
        key: UnitKey,
        names: LocalizedText,
        parent_id: UnitId | None,
        place: Place | None,
    ) -> Unit:
        """Let a new unit stand."""
        since = self._since
        unit = Unit(unit_id, *key, names, parent_id, place, since, since, self._revision)
        self._before[unit_id] = None
        self._set(unit_id, unit)
        return unit

    def put(self, unit: Unit) -> None:
        """Let a unit stand as it is here, from now on."""
        if not _same(self._now[unit.id], unit):
            self._set(unit.id, replace(unit, since=self._since, revision=self._revision))

    def end(self, unit_id: UnitId, successors: Iterable[UnitId] = ()) -> None:
        """Let a unit end."""
        self._set(unit_id, None)
        self._successors[unit_id] = tuple(successors)

    def touched(self) -> Sequence[tuple[Unit | None, Unit | None]]:
        """The units that this step changed, before and after it, in the order of the changes."""
        pairs = ((before, self._now[unit_id]) for unit_id, before in self._step.items())
        return [(before, after) for before, after in pairs if not _same(before, after)]

    def undo(self) -> None:
        """Let everything stand as it did before this step."""
        step, self._step = self._step, {}
        for unit_id, before in step.items():
            self._index(unit_id, before)
            self._successors.pop(unit_id, None)

    def edits(self) -> Sequence[UnitEdit]:
        """What all steps come to: one edit for each unit that differs."""
        pairs = ((each, self._before[each], now) for each, now in self._now.items())
        return [
            UnitEdit(before, now, () if now else self._successors[unit_id])
            for unit_id, before, now in pairs
            if not _same(before, now)
        ]

    def _meet(self, units: Iterable[Unit]) -> None:
        for unit in units:
            # One that was changed by now is known better here.
            if unit.id not in self._now:
                self._before[unit.id] = unit
                self._index(unit.id, unit, is_change=False)

    def _set(self, unit_id: UnitId, unit: Unit | None) -> None:
        self._step.setdefault(unit_id, self._now.get(unit_id))
        self._index(unit_id, unit)

    def _index(self, unit_id: UnitId, unit: Unit | None, *, is_change: bool = True) -> None:
        if old := self._now.get(unit_id):
            self._holders[old.key].pop(unit_id)
            if old.parent_id:
                self._children[old.parent_id].pop(unit_id)
            self.level_counts[old.level] -= 1
        self._now[unit_id] = unit
        if unit:
            self._holders.setdefault(unit.key, {})[unit_id] = None
            if unit.parent_id:
                self._children.setdefault(unit.parent_id, {})[unit_id] = None
            self.level_counts[unit.level] += is_change  # what was met is counted already


def _same(before: Unit | None, after: Unit | None) -> bool:
    return (before and _said(before)) == (after and _said(after))


def _said(unit: Unit) -> tuple[object, ...]:
    return unit.level, unit.code, unit.names, unit.parent_id, unit.place


def runs(items: Sequence[T], length: int = _KEYS_AT_ONCE) -> Iterable[Sequence[T]]:
    """The items, in runs of a length."""
    return (items[at : at + length] for at in range(0, len(items), length))
