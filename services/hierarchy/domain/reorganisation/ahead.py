"""Asks in two turns for nearly all that the steps would ask for one by one."""

from collections.abc import Sequence

from services.hierarchy.domain.model import UnitKey
from services.hierarchy.domain.reorganisation.overlay import Asking, Overlay
from services.hierarchy.domain.reorganisation.request import (
    CloseStep,
    CreateStep,
    MergeStep,
    MoveStep,
    SplitStep,
    Step,
    UnitRef,
    UpdateStep,
)
from services.hierarchy.domain.reorganisation.rules import Levels
from services.hierarchy.domain.text import is_code


def look_ahead(steps: Sequence[Step], overlay: Overlay, levels: Levels) -> Asking[None]:
    """Load what the steps name, and then what that has to do with.

    Only where one step names what another has made is there more to ask.
    """
    refs = [ref for step in steps for ref in _named_by(step)]
    ids = [ref for ref in refs if not isinstance(ref, UnitKey)]
    yield from overlay.load(ids, [ref for ref in refs if isinstance(ref, UnitKey)])
    codes = [key for step in steps for key in _codes_of(step, overlay)]
    codes = [key for key in codes if key.level in levels.order and is_code(key.code)]
    ending = [unit for step in steps for ref in _ended_by(step) if (unit := overlay.known(ref))]
    above = [unit.parent_id for unit in ending if unit.parent_id]
    yield from overlay.load(above, codes, [unit.id for unit in ending])


def _named_by(step: Step) -> Sequence[UnitRef]:
    match step:
        case CreateStep(unit=new, take=take):
            return [*take, *([new.parent] if new.parent else [])]
        case MoveStep(unit=unit, parent=parent):
            return [unit, parent]
        case MergeStep(units=units, into=into):
            return [*units, into]
        case SplitStep(unit=unit, parts=parts):
            return [unit, *(ref for part in parts for ref in _named_by(part))]
        case UpdateStep(unit=unit) | CloseStep(unit=unit):
            return [unit]


def _codes_of(step: Step, overlay: Overlay) -> Sequence[UnitKey]:
    """The keys that units get by a step."""
    match step:
        case CreateStep(unit=new):
            return [UnitKey(new.level, new.code)]
        case SplitStep(unit=ref, parts=parts):
            unit = overlay.known(ref)
            return [
                UnitKey(part.unit.level or (unit.level if unit else ""), part.unit.code)
                for part in parts
            ]
        case UpdateStep(unit=ref, code=code):
            unit = overlay.known(ref)
            return [UnitKey(unit.level, code)] if unit and code else []
        case _:
            return []


def _ended_by(step: Step) -> Sequence[UnitRef]:
    match step:
        case MergeStep(units=units):
            return units
        case SplitStep(unit=unit) | CloseStep(unit=unit):
            return [unit]
        case _:
            return []
