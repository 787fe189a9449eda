"""What cannot be judged because an earlier step failed: one mistake is told once."""

from collections.abc import Iterable

from services.hierarchy.domain.model import UnitId, UnitKey
from services.hierarchy.domain.reorganisation.overlay import Overlay
from services.hierarchy.domain.reorganisation.request import (
    CreateStep,
    MergeStep,
    SplitStep,
    Step,
    UnitRef,
    UpdateStep,
)


class InDoubt(Exception):
    """A step speaks of a unit which a step that failed was to make or to change."""


class Doubts:
    """The units and keys that steps which failed were to change, or to make, or to give up."""

    def __init__(self) -> None:
        self._refs: set[UnitRef] = set()
        self._parents: set[UnitId] = set()

    def spread(self, step: Step, overlay: Overlay) -> None:
        """Note what a step which failed, and was undone, would have changed."""
        for ref in _changed_by(step):
            self._refs.add(ref)
            unit = overlay.known(ref)
            if unit is None:
                continue
            self._refs |= {unit.id, unit.key}
            if unit.parent_id:
                self._parents.add(unit.parent_id)
            if isinstance(step, UpdateStep) and step.code:
                self._refs.add(UnitKey(unit.level, step.code))
        self._refs.update(_made_by(step, overlay))

    def about(self, ref: UnitRef) -> bool:
        """Whether the id or the key may stand for something else than it seems."""
        return ref in self._refs

    def check(self, ref: UnitRef) -> None:
        """Raise `InDoubt` for what a failed step was to change."""
        if ref in self._refs:
            raise InDoubt

    def check_children(self, unit_id: UnitId) -> None:
        """Raise `InDoubt` for a unit that a failed step was to take children from."""
        if unit_id in self._parents:
            raise InDoubt


def _changed_by(step: Step) -> Iterable[UnitRef]:
    match step:
        case CreateStep(take=take):
            return take
        case MergeStep(units=units):
            return units
        case SplitStep(unit=unit, parts=parts):
            return [unit, *(ref for part in parts for ref in part.take)]
        case _:
            return [step.unit]


def _made_by(step: Step, overlay: Overlay) -> Iterable[UnitKey]:
    match step:
        case CreateStep(unit=new):
            yield UnitKey(new.level, new.code)
        case SplitStep(unit=ref, parts=parts):
            unit = overlay.known(ref)
            for part in parts:
                level = part.unit.level or (unit.level if unit else "")
                yield UnitKey(level, part.unit.code)
