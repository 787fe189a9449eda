"""One step on its way: the units that it names, what it changes, and what is wrong with it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from services.hierarchy.domain.errors import UnitChangedMeanwhile
from services.hierarchy.domain.model import Unit, UnitId, UnitKey
from services.hierarchy.domain.reorganisation.doubts import Doubts
from services.hierarchy.domain.reorganisation.overlay import Asking, Overlay
from services.hierarchy.domain.reorganisation.request import NewUnit, Rights, UnitRef
from services.hierarchy.domain.reorganisation.rules import Levels, named, said_faults
from services.hierarchy.domain.text import Fault


@dataclass(slots=True)
class Attempt:
    """One step, tried on the overlay; where there are faults it has to be undone.

    Attributes:
        overlay: the units before and after it.
        levels: of the blueprint.
        rights: of whoever asks.
        doubts: what steps that failed leave unclear.
        new_id: gives a fresh UUID.
        faults: what is wrong, by fields of the step.
    """

    overlay: Overlay
    levels: Levels
    rights: Rights
    doubts: Doubts
    new_id: Callable[[], str]
    faults: list[Fault] = field(default_factory=list)
    # Where the step says the code of each unit whose code it sets.
    _codes_at: dict[UnitId, str] = field(default_factory=dict)

    def fault(self, path: str, reason: str, description: str) -> None:
        """Note what is wrong with a field."""
        self.faults.append(Fault(path, reason, description))

    def fault_all(self, path: str, faults: Iterable[Fault]) -> bool:
        """Note what is wrong with a value at a path, if anything; whether it is right."""
        found = list(faults)
        for each in found:
            here = ".".join(filter(None, (path, each.field)))
            self.fault(here, each.reason, each.description)
        return not found

    def named(self, ref: UnitRef, path: str) -> Asking[Unit | None]:
        """The unit that a field names; a fault where there is none that the asker may see.

        Raises:
            InDoubt: a step that failed was to change it.
            NotAllowed: the asker may see it but not administer it.
        """
        self.doubts.check(ref)
        unit = yield from self.overlay.find(ref)
        if unit and not self.overlay.is_new(unit.id) and not self.rights.sees(unit.id):
            unit = None
        if unit is None:
            told = f"{ref.level} {ref.code}" if isinstance(ref, UnitKey) else ref
            self.fault(path, "UNKNOWN_UNIT", f"there is no unit {told}")
            return None
        self.doubts.check(unit.id)
        self.require(unit.id)
        return unit

    def children(self, unit: Unit) -> Asking[Sequence[Unit]]:
        """The children of a unit. Raises `InDoubt` where failed steps were to change them."""
        self.doubts.check_children(unit.id)
        return (yield from self.overlay.children(unit.id))

    def require(self, unit_id: UnitId | None) -> None:
        """Raise `NotAllowed` unless the asker may administer a unit, or everything for None."""
        if unit_id is None or not self.overlay.is_new(unit_id):
            self.rights.require(unit_id)

    def check_etag(self, unit: Unit, etag: str) -> None:
        """Raise `UnitChangedMeanwhile` unless the etag, if any, is the unit's."""
        if etag and etag != unit.etag:
            raise UnitChangedMeanwhile(unit.id, current_etag=unit.etag)

    def begin_unit(self, new: NewUnit, parent: Unit | None, path: str) -> Asking[Unit | None]:
        """A new unit under a parent, or as a root; None when something is wrong with it."""
        right = self.fault_all(path, said_faults(new))
        if not self.fault_all(path, self.levels.new_faults(new.level)):
            return None
        if parent:
            at = f"{path}.parent"
            right &= self.fault_all(at, self.levels.order_faults(new.level, parent))
        else:
            roots = self.levels.root_faults(new.level, self.overlay.level_counts)
            right &= self.fault_all(path, roots)
        if not right:
            return None
        unit_id, key = UnitId(self.new_id()), UnitKey(new.level, new.code)
        yield from self.set_code(unit_id, key, f"{path}.code")
        parent_id = parent.id if parent else None
        return self.overlay.begin_unit(unit_id, key, new.names, parent_id, new.place)

    def set_code(self, unit_id: UnitId, key: UnitKey, path: str) -> Asking[None]:
        """Note where the step gives a unit its code; `check_codes` looks at the outcome."""
        yield from self.overlay.load(keys=[key])
        self._codes_at[unit_id] = path

    def put_under(self, unit: Unit, parent: Unit, path: str) -> None:
        """Give a unit another parent. Raises `NotAllowed` as `require` does for the old one."""
        if unit.parent_id != parent.id:
            self.require(unit.parent_id)
            if self.fault_all(path, self.levels.order_faults(unit.level, parent)):
                self.overlay.put(replace(unit, parent_id=parent.id))

    def check_codes(self) -> None:
        """What holds at the end of a step: no code twice on a level, one centre at most."""
        for unit_id, path in self._codes_at.items():
            unit = self.overlay.known(unit_id)
            if unit is None or self.doubts.about(unit.key):
                continue
            if len(self.overlay.holders(unit.key)) > 1:
                self.fault(path, "DUPLICATE_CODE", f"there is a {named(unit)} already")
            elif unit.level == self.levels.centre and self.overlay.level_counts[unit.level] > 1:
                self.fault(path, "CENTRE_EXISTS", f"there is one {unit.level} only, and it stands")
