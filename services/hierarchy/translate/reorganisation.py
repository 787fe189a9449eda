"""What is asked for to change units: a re-organisation, or one step of its own."""

from collections.abc import Callable, Sequence

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import Violations, raise_violations
from services.hierarchy.domain.model import RequestId, UnitId
from services.hierarchy.domain.reorganisation import (
    MAX_STEPS,
    CloseStep,
    CreateStep,
    MergeStep,
    MoveStep,
    NewUnit,
    Reorganisation,
    SplitStep,
    Step,
    UnitRef,
    UpdateStep,
    first_violations,
)
from services.hierarchy.translate.people_requests import check_id
from services.hierarchy.translate.unit_refs import ref_from_proto, ref_in
from services.hierarchy.translate.values import (
    instant_or_none,
    names_from_proto,
    place_from_proto,
)

MAX_TAKEN = 10_000
MAX_MERGED = 1_000
MAX_PARTS = 1_000

SingleRequest = (
    pb.CreateUnitRequest | pb.UpdateUnitRequest | pb.MoveUnitRequest | pb.CloseUnitRequest
)


def reorganisation_from_proto(message: pb.ReorganiseRequest) -> Reorganisation:
    """The request. Raises `InvalidInput` with all that is wrong with its shape."""
    faults = Violations()
    check_id(faults, "request_id", message.request_id)
    if message.tree_version < 0:
        faults.add("tree_version", "OUT_OF_RANGE", "must not be negative")
    _check_count(faults, "steps", message.steps, MAX_STEPS)
    steps: list[Step] = []
    # Of too many none is looked at.
    for index, each in enumerate(message.steps[:MAX_STEPS]):
        steps += _step(faults, f"steps[{index}]", each)
    if faults.found:
        raise_violations(first_violations(faults.found))
    return Reorganisation(
        RequestId(message.request_id),
        tuple(steps),
        message.validate_only,
        instant_or_none(message, "effective_at"),
        message.tree_version,
    )


def create_from_proto(message: pb.CreateUnitRequest) -> Reorganisation:
    """The request to create one unit. Raises `InvalidInput`."""
    faults = Violations()
    step = CreateStep(_new_unit(faults, "unit", message.unit))
    return _single(faults, message, step)


def update_from_proto(message: pb.UpdateUnitRequest) -> Reorganisation:
    """The request to change one unit. Raises `InvalidInput`."""
    faults = Violations()
    check_id(faults, "id", message.id)
    return _single(faults, message, _changes(UnitId(message.id), message, message.etag))


def move_from_proto(message: pb.MoveUnitRequest) -> Reorganisation:
    """The request to move one unit. Raises `InvalidInput`."""
    faults = Violations()
    check_id(faults, "id", message.id)
    check_id(faults, "parent_id", message.parent_id)
    step = MoveStep(UnitId(message.id), UnitId(message.parent_id), message.etag)
    return _single(faults, message, step)


def close_from_proto(message: pb.CloseUnitRequest) -> Reorganisation:
    """The request to close one unit. Raises `InvalidInput`."""
    faults = Violations()
    check_id(faults, "id", message.id)
    return _single(faults, message, CloseStep(UnitId(message.id), message.etag))


def _single(faults: Violations, message: SingleRequest, step: Step) -> Reorganisation:
    check_id(faults, "request_id", message.request_id)
    faults.raise_if_any()
    return Reorganisation(
        RequestId(message.request_id),
        (step,),
        message.validate_only,
        instant_or_none(message, "effective_at"),
        is_single=True,
    )


def _step(faults: Violations, path: str, message: pb.ReorganisationStep) -> Sequence[Step]:
    kind = message.WhichOneof("step")
    if kind is None:
        faults.add(path, "MISSING", "one of create, update, move, merge, split, close is needed")
        return ()
    return (_STEPS[kind](faults, f"{path}.{kind}", message),)


def _create(faults: Violations, path: str, message: pb.CreateStep) -> CreateStep:
    taken = _refs(faults, f"{path}.take", message.take, MAX_TAKEN, needed=False)
    return CreateStep(_new_unit(faults, f"{path}.unit", message.unit), taken)


def _new_unit(faults: Violations, path: str, message: pb.NewUnit) -> NewUnit:
    parent = ref_in(faults, path, message, "parent") if message.HasField("parent") else None
    place = place_from_proto(message.place) if message.HasField("place") else None
    return NewUnit(message.level, message.code, names_from_proto(message.names), parent, place)


def _update(faults: Violations, path: str, message: pb.UpdateStep) -> UpdateStep:
    return _changes(ref_in(faults, path, message, "unit"), message)


def _changes(
    unit: UnitRef, message: pb.UpdateStep | pb.UpdateUnitRequest, etag: str = ""
) -> UpdateStep:
    return UpdateStep(
        unit,
        names_from_proto(message.names) if message.HasField("names") else None,
        message.code,
        place_from_proto(message.place) if message.HasField("place") else None,
        message.clear_place,
        etag,
    )


def _move(faults: Violations, path: str, message: pb.MoveStep) -> MoveStep:
    unit = ref_in(faults, path, message, "unit")
    return MoveStep(unit, ref_in(faults, path, message, "parent"))


def _merge(faults: Violations, path: str, message: pb.MergeStep) -> MergeStep:
    units = _refs(faults, f"{path}.units", message.units, MAX_MERGED)
    return MergeStep(units, ref_in(faults, path, message, "into"))


def _split(faults: Violations, path: str, message: pb.SplitStep) -> SplitStep:
    unit = ref_in(faults, path, message, "unit")
    _check_count(faults, f"{path}.parts", message.parts, MAX_PARTS)
    parts = tuple(
        _create(faults, f"{path}.parts[{index}]", each)
        for index, each in enumerate(message.parts[:MAX_PARTS])
    )
    return SplitStep(unit, parts, message.keeps)


def _close(faults: Violations, path: str, message: pb.CloseStep) -> CloseStep:
    return CloseStep(ref_in(faults, path, message, "unit"))


_STEPS: dict[str, Callable[[Violations, str, pb.ReorganisationStep], Step]] = {
    "create": lambda faults, path, message: _create(faults, path, message.create),
    "update": lambda faults, path, message: _update(faults, path, message.update),
    "move": lambda faults, path, message: _move(faults, path, message.move),
    "merge": lambda faults, path, message: _merge(faults, path, message.merge),
    "split": lambda faults, path, message: _split(faults, path, message.split),
    "close": lambda faults, path, message: _close(faults, path, message.close),
}


def _refs(
    faults: Violations, path: str, messages: Sequence[pb.UnitRef], most: int, *, needed: bool = True
) -> tuple[UnitRef, ...]:
    _check_count(faults, path, messages, most, needed=needed)
    return tuple(
        ref_from_proto(faults, f"{path}[{index}]", each)
        for index, each in enumerate(messages[:most])
    )


def _check_count(
    faults: Violations, path: str, items: Sequence[object], most: int, *, needed: bool = True
) -> None:
    if needed and not items:
        faults.add(path, "MISSING", "at least one is needed")
    elif len(items) > most:
        faults.add(path, "TOO_MANY", f"has {len(items)}, at most {most}")
