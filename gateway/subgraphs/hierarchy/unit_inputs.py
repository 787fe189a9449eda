"""What changes of units and areas are asked with. Shaped as the contract is, so paths agree."""

from collections.abc import Sequence
from datetime import datetime

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.graph.ids import decode_id
from gateway.subgraphs.hierarchy.texts import (
    NameInput,
    PlaceInput,
    names_to_proto,
    optional_names,
    optional_place,
)
from kit.errors import InvalidInput

field, UNSET = strawberry.field, strawberry.UNSET
REQUEST_ID = (
    "A UUID chosen by you; the first answer to it is given again for 7 days."
    " Made for you when you give none."
)
VALIDATE_ONLY = "Checks only, changes nothing."
_EFFECTIVE_AT = (
    "From when it is so; null for now. Not before the last change of units, not in the future."
)
_ETAG = "The unit's etag as last seen; a `Conflict` when it has changed since. None to not check."


@strawberry.input(description="A unit's level and code.")
class UnitKeyInput:
    """What files call a unit."""

    level: str = field(description="Key of the level.")
    code: str = field(description="Code within the level.")


@strawberry.input(one_of=True, description="Names a unit: by its id, or by level and code.")
class UnitRefInput:
    """One unit."""

    id: strawberry.ID | None = field(default=UNSET, description="By its id.")
    key: UnitKeyInput | None = field(
        default=UNSET,
        description="By level and code; in a step also a unit that an earlier step creates.",
    )


@strawberry.input(description="A unit to be created.")
class NewUnitInput:
    """What a unit is made of."""

    level: str | None = field(
        default=UNSET,
        description="Key of its level; none only in a part of a split, which has that of the unit.",
    )
    code: str = field(description="Code within the level: 1 to 64 of A-Z a-z 0-9 . _ -")
    names: list[NameInput] = field(description="Its names.")
    parent: UnitRefInput | None = field(
        default=UNSET, description="The unit above; none for a root."
    )
    place: PlaceInput | None = field(default=UNSET, description="Where it lies, if known.")


@strawberry.input(description="A new unit.")
class CreateUnitInput:
    """A unit to create."""

    unit: NewUnitInput = field(description="What to create.")
    effective_at: datetime | None = field(default=UNSET, description=_EFFECTIVE_AT)
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="Other names, another code or place of a unit.")
class UpdateUnitInput:
    """A unit's changes."""

    unit_id: strawberry.ID = field(description="Which unit.")
    names: list[NameInput] | None = field(
        default=UNSET, description="All its new names; none to keep them."
    )
    code: str | None = field(default=UNSET, description="Its new code; none to keep it.")
    place: PlaceInput | None = field(default=UNSET, description="Where it lies; none to keep that.")
    clear_place: bool = field(default=False, description="Takes the place away.")
    etag: str | None = field(default=UNSET, description=_ETAG)
    effective_at: datetime | None = field(default=UNSET, description=_EFFECTIVE_AT)
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="Another parent for a unit, which takes its subtree along.")
class MoveUnitInput:
    """A unit's move."""

    unit_id: strawberry.ID = field(description="Which unit.")
    parent_id: strawberry.ID = field(description="Its new parent.")
    etag: str | None = field(default=UNSET, description=_ETAG)
    effective_at: datetime | None = field(default=UNSET, description=_EFFECTIVE_AT)
    validate_only: bool = field(default=False, description="Says what would change, only.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="The end of a unit that has no children.")
class CloseUnitInput:
    """A unit's end."""

    unit_id: strawberry.ID = field(description="Which unit.")
    etag: str | None = field(default=UNSET, description=_ETAG)
    effective_at: datetime | None = field(default=UNSET, description=_EFFECTIVE_AT)
    validate_only: bool = field(default=False, description="Says what would change, only.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="A new unit, taking others with all that lies under them.")
class CreateStepInput:
    """Creates a unit and puts others under it."""

    unit: NewUnitInput = field(description="What to create.")
    take: list[UnitRefInput] | None = field(
        default=UNSET, description="Units that go under it; up to 10,000."
    )


@strawberry.input(description="Other names, another code or place.")
class UpdateStepInput:
    """Changes a unit."""

    unit: UnitRefInput = field(description="Which unit.")
    names: list[NameInput] | None = field(
        default=UNSET, description="All its new names; none to keep them."
    )
    code: str | None = field(default=UNSET, description="Its new code; none to keep it.")
    place: PlaceInput | None = field(default=UNSET, description="Where it lies; none to keep that.")
    clear_place: bool = field(default=False, description="Takes the place away.")


@strawberry.input(description="Another parent.")
class MoveStepInput:
    """Moves a unit with its subtree."""

    unit: UnitRefInput = field(description="Which unit.")
    parent: UnitRefInput = field(description="Its new parent.")


@strawberry.input(description="Several units become one.")
class MergeStepInput:
    """Closes units, whose children go to another of the same level."""

    units: list[UnitRefInput] = field(description="The units that end; 1 to 1,000.")
    into: UnitRefInput = field(description="The one that takes their children.")


@strawberry.input(description="One unit becomes several.")
class SplitStepInput:
    """Creates several units out of one."""

    unit: UnitRefInput = field(description="The unit that is split.")
    parts: list[CreateStepInput] = field(
        description="The new ones, of the same level, and under the same parent unless they name"
        " another; 1 to 1,000."
    )
    keeps: bool = field(
        default=False,
        description="Whether the unit itself stays with the children that nobody took; otherwise"
        " all must be taken and it is closed.",
    )


@strawberry.input(description="The end of a unit without children.")
class CloseStepInput:
    """Closes a unit."""

    unit: UnitRefInput = field(description="Which unit.")


@strawberry.input(one_of=True, description="One step of a re-organisation: one of these.")
class ReorganisationStepInput:
    """One step."""

    create: CreateStepInput | None = field(default=UNSET, description="A new unit.")
    update: UpdateStepInput | None = field(
        default=UNSET, description="Other names, another code or place."
    )
    move: MoveStepInput | None = field(default=UNSET, description="Another parent.")
    merge: MergeStepInput | None = field(default=UNSET, description="Several units become one.")
    split: SplitStepInput | None = field(default=UNSET, description="One unit becomes several.")
    close: CloseStepInput | None = field(default=UNSET, description="The end of a unit.")


@strawberry.input(description="Several changes of units in one, all or none.")
class ReorganiseInput:
    """A re-organisation."""

    steps: list[ReorganisationStepInput] = field(
        description="In order, each seeing what those before it did; 1 to 10,000."
    )
    tree_version: int | None = field(
        default=UNSET,
        description="The tree's version that you have seen, as a preview's report tells it; a"
        " `Conflict` when it has changed since. None to not check.",
    )
    effective_at: datetime | None = field(default=UNSET, description=_EFFECTIVE_AT)
    validate_only: bool = field(default=False, description="Says what would change, only.")
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


@strawberry.input(description="An administrative territory, found by kind and code.")
class AreaInput:
    """An area as it shall be."""

    kind: str = field(description='What sort of territory, such as "assembly_constituency".')
    code: str = field(description="Code within the kind: 1 to 64 of A-Z a-z 0-9 . _ -")
    names: list[NameInput] = field(description="Its names.")


@strawberry.input(description="One area and the units in it.")
class AreaEntryInput:
    """What is put of one area."""

    area: AreaInput = field(description="The area.")
    units: list[UnitRefInput] | None = field(
        default=UNSET,
        description="The units that lie in it, wholly or partly: others no longer do. None leaves"
        " that as it is.",
    )
    closed: bool = field(default=False, description="Ends the area, with its units.")


@strawberry.input(description="Areas to create and change, all or none.")
class PutAreasInput:
    """Areas as they shall be."""

    areas: list[AreaEntryInput] = field(description="Found by kind and code; up to 1,000.")
    effective_at: datetime | None = field(
        default=UNSET, description="From when it is so; null for now."
    )
    validate_only: bool = field(default=False, description=VALIDATE_ONLY)
    request_id: strawberry.ID | None = field(default=UNSET, description=REQUEST_ID)


def ref_to_proto(given: UnitRefInput, path: str) -> pb.UnitRef:
    """The unit on the wire. Raises `InvalidInput` (BAD_ID)."""
    if given.id:
        return pb.UnitRef(id=decode_id(given.id, "Unit", f"{path}.id"))
    if given.key:
        return pb.UnitRef(key=pb.UnitKey(level=given.key.level, code=given.key.code))
    raise InvalidInput.of(f"{path}.id", "BAD_ID", "must be the id of a Unit")


def new_unit_to_proto(given: NewUnitInput, path: str) -> pb.NewUnit:
    """The unit on the wire. Raises `InvalidInput` (BAD_ID, DUPLICATE_LANGUAGE)."""
    return pb.NewUnit(
        level=given.level or "",
        code=given.code,
        names=names_to_proto(given.names, f"{path}.names"),
        parent=ref_to_proto(given.parent, f"{path}.parent") if given.parent else None,
        place=optional_place(given.place),
    )


def step_to_proto(given: ReorganisationStepInput, path: str) -> pb.ReorganisationStep:
    """The step on the wire. Raises `InvalidInput` (BAD_ID, DUPLICATE_LANGUAGE)."""
    step = pb.ReorganisationStep
    if given.create:
        return step(create=_create(given.create, f"{path}.create"))
    if given.update:
        return step(update=_update(given.update, f"{path}.update"))
    if given.move:
        move, at = given.move, f"{path}.move"
        unit, parent = (
            ref_to_proto(move.unit, f"{at}.unit"),
            ref_to_proto(move.parent, f"{at}.parent"),
        )
        return step(move=pb.MoveStep(unit=unit, parent=parent))
    if given.merge:
        merge, at = given.merge, f"{path}.merge"
        into = ref_to_proto(merge.into, f"{at}.into")
        return step(merge=pb.MergeStep(units=_refs(merge.units, f"{at}.units"), into=into))
    if given.split:
        return step(split=_split(given.split, f"{path}.split"))
    if given.close:
        return step(close=pb.CloseStep(unit=ref_to_proto(given.close.unit, f"{path}.close.unit")))
    return step()


def entry_to_proto(given: AreaEntryInput, path: str) -> pb.AreaEntry:
    """The entry on the wire. Raises `InvalidInput` (BAD_ID, DUPLICATE_LANGUAGE)."""
    area = given.area
    return pb.AreaEntry(
        area=pb.Area(
            kind=area.kind,
            code=area.code,
            names=names_to_proto(area.names, f"{path}.area.names"),
        ),
        sets_units=isinstance(given.units, list),
        units=_refs(given.units or (), f"{path}.units"),
        closed=given.closed,
    )


def _create(given: CreateStepInput, path: str) -> pb.CreateStep:
    return pb.CreateStep(
        unit=new_unit_to_proto(given.unit, f"{path}.unit"),
        take=_refs(given.take or (), f"{path}.take"),
    )


def _update(given: UpdateStepInput, path: str) -> pb.UpdateStep:
    return pb.UpdateStep(
        unit=ref_to_proto(given.unit, f"{path}.unit"),
        names=optional_names(given.names, f"{path}.names"),
        code=given.code or "",
        place=optional_place(given.place),
        clear_place=given.clear_place,
    )


def _split(given: SplitStepInput, path: str) -> pb.SplitStep:
    return pb.SplitStep(
        unit=ref_to_proto(given.unit, f"{path}.unit"),
        parts=[_create(each, f"{path}.parts[{at}]") for at, each in enumerate(given.parts)],
        keeps=given.keeps,
    )


def _refs(given: Sequence[UnitRefInput], path: str) -> list[pb.UnitRef]:
    return [ref_to_proto(each, f"{path}[{at}]") for at, each in enumerate(given)]
