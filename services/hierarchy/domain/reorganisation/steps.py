"""What each kind of step does, and what it needs."""

from collections.abc import Sequence
from dataclasses import replace

from services.hierarchy.domain.model import Unit, UnitId, UnitKey
from services.hierarchy.domain.reorganisation.attempt import Attempt
from services.hierarchy.domain.reorganisation.overlay import Asking
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
from services.hierarchy.domain.reorganisation.rules import (
    named,
    said_faults,
    some_of,
    update_faults,
)


def try_step(attempt: Attempt, step: Step) -> Asking[None]:
    """Do on the overlay what the step says, noting all that is wrong with it.

    Raises:
        InDoubt: it speaks of what a step that failed was to change.
        NotAllowed: whoever asks may not administer a unit that it names.
        UnitChangedMeanwhile: an etag does not fit.
    """
    match step:
        case CreateStep():
            yield from _create(attempt, step)
        case UpdateStep():
            yield from _update(attempt, step)
        case MoveStep():
            yield from _move(attempt, step)
        case MergeStep():
            yield from _merge(attempt, step)
        case SplitStep():
            yield from _split(attempt, step)
        case CloseStep():
            yield from _close(attempt, step)
    attempt.check_codes()


def _create(attempt: Attempt, step: CreateStep) -> Asking[None]:
    parent: Unit | None = None
    made: Unit | None = None
    if step.unit.parent is None:
        attempt.require(None)
    else:
        parent = yield from attempt.named(step.unit.parent, "unit.parent")
    if parent or step.unit.parent is None:
        made = yield from attempt.begin_unit(step.unit, parent, "unit")
    else:
        attempt.fault_all("unit", said_faults(step.unit))
    for index, ref in enumerate(step.take):
        yield from _take(attempt, ref, made, f"take[{index}]")


def _take(attempt: Attempt, ref: UnitRef, into: Unit | None, path: str) -> Asking[None]:
    unit = yield from attempt.named(ref, path)
    if unit and into:
        attempt.put_under(unit, into, path)


def _update(attempt: Attempt, step: UpdateStep) -> Asking[None]:
    right = attempt.fault_all("", update_faults(step))
    unit = yield from attempt.named(step.unit, "unit")
    if unit is None:
        return
    attempt.check_etag(unit, step.etag)
    if right:
        code, names = step.code or unit.code, step.names or unit.names
        place = None if step.clear_place else step.place or unit.place
        if code != unit.code:
            yield from attempt.set_code(unit.id, UnitKey(unit.level, code), "code")
        attempt.overlay.put(replace(unit, code=code, names=names, place=place))


def _move(attempt: Attempt, step: MoveStep) -> Asking[None]:
    unit = yield from attempt.named(step.unit, "unit")
    parent = yield from attempt.named(step.parent, "parent")
    if unit:
        attempt.check_etag(unit, step.etag)
    if unit and parent:
        attempt.put_under(unit, parent, "parent")


def _merge(attempt: Attempt, step: MergeStep) -> Asking[None]:
    into = yield from attempt.named(step.into, "into")
    ending: dict[UnitId, str] = {}
    for index, ref in enumerate(step.units):
        path = f"units[{index}]"
        unit = yield from attempt.named(ref, path)
        if unit is None or into is None:
            continue
        if unit.id in ending:
            attempt.fault(path, "DUPLICATE_UNIT", f"{named(unit)} stands at {ending[unit.id]} too")
        elif unit.id == into.id:
            attempt.fault(path, "SAME_UNIT", "a unit is not merged into itself: leave it out")
        elif unit.level != into.level:
            said = f"a {unit.level} is merged into a {unit.level} only, and not into {named(into)}"
            attempt.fault(path, "LEVEL_MISMATCH", said)
        else:
            ending[unit.id] = path
            for child in (yield from attempt.children(unit)):
                attempt.put_under(child, into, path)
    for unit_id in ending:
        attempt.overlay.end(unit_id, [into.id] if into else [])


def _split(attempt: Attempt, step: SplitStep) -> Asking[None]:
    unit = yield from attempt.named(step.unit, "unit")
    if unit is None:
        return
    yield from attempt.children(unit)
    made: list[UnitId] = []
    for index, part in enumerate(step.parts):
        unit_made = yield from _split_off(attempt, part, unit, f"parts[{index}]")
        made += [unit_made.id] if unit_made else []
    if step.keeps:
        return
    left = yield from attempt.children(unit)
    if left and len(made) == len(step.parts):
        said = f"nobody takes {some_of(left)}: let a part take each, or let the unit stay"
        attempt.fault("parts", "NOT_ALL_TAKEN", said)
    attempt.overlay.end(unit.id, made)


def _split_off(attempt: Attempt, part: CreateStep, unit: Unit, path: str) -> Asking[Unit | None]:
    new = replace(part.unit, level=part.unit.level or unit.level)
    parent_id: UnitRef | None = part.unit.parent or unit.parent_id
    parent: Unit | None = None
    made: Unit | None = None
    if new.level != unit.level:
        said = f"the parts of a {unit.level} are of that level: leave it out"
        attempt.fault(f"{path}.unit.level", "LEVEL_MISMATCH", said)
    elif part.unit.parent:
        parent = yield from attempt.named(part.unit.parent, f"{path}.unit.parent")
    else:
        attempt.require(unit.parent_id)
        parent = (yield from attempt.overlay.find(parent_id)) if parent_id else None
    if new.level == unit.level and (parent or parent_id is None):
        made = yield from attempt.begin_unit(new, parent, f"{path}.unit")
    for index, ref in enumerate(part.take):
        yield from _take_child(attempt, ref, unit, made, f"{path}.take[{index}]")
    return made


def _take_child(
    attempt: Attempt, ref: UnitRef, parent: Unit, into: Unit | None, path: str
) -> Asking[None]:
    child = yield from attempt.named(ref, path)
    if child and child.parent_id != parent.id:
        said = f"{named(child)} is not, or no more, a child of {named(parent)}: leave it out"
        attempt.fault(path, "NOT_A_CHILD", said)
    elif child and into:
        attempt.put_under(child, into, path)


def _close(attempt: Attempt, step: CloseStep) -> Asking[None]:
    unit = yield from attempt.named(step.unit, "unit")
    if unit is None:
        return
    attempt.check_etag(unit, step.etag)
    left: Sequence[Unit] = yield from attempt.children(unit)
    if left:
        said = f"{some_of(left)} still stand under it: move or close them first"
        attempt.fault("unit", "HAS_CHILDREN", said)
    attempt.overlay.end(unit.id)
