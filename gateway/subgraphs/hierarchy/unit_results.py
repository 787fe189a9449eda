"""What comes of changing units, areas and the blueprint."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Self, TypeAlias, get_args

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from gateway.graph.fields import list_of
from gateway.graph.scalars import instant
from gateway.subgraphs.hierarchy.areas import Area
from gateway.subgraphs.hierarchy.blueprint import Blueprint
from gateway.subgraphs.hierarchy.history import UnitVersion
from gateway.subgraphs.hierarchy.refusals import (
    BlueprintInUse,
    Conflict,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotPossible,
    UnitNotFound,
)
from gateway.subgraphs.hierarchy.units import Unit

field, value, union = strawberry.field, strawberry.enum_value, strawberry.union
_UNIT = "The unit as it now stands; null when it was only checked."


@strawberry.enum(description="What happened to a unit.")
class UnitChangeKind(Enum):
    """The contract's words."""

    CREATED = value("created", description="It is new.")
    UPDATED = value("updated", description="Its names, code or place changed.")
    MOVED = value("moved", description="It got another parent.")
    CLOSED = value("closed", description="It ended.")


@strawberry.type(description="How one unit changed, or would.")
class UnitChange:
    """A unit before and after."""

    step: int = field(description="Index of the step.")
    what: UnitChangeKind = field(description="What happened to it.")
    before: UnitVersion | None = field(description="As it was; null for a new one.")
    after: UnitVersion | None = field(description="As it is; null for a closed one.")

    @classmethod
    def from_proto(cls, message: pb.UnitChange) -> Self:
        """The change on the wire as the graph shows it."""
        has = message.HasField
        return cls(
            step=message.step,
            what=UnitChangeKind(message.what),
            before=UnitVersion.from_proto(message.before) if has("before") else None,
            after=UnitVersion.from_proto(message.after) if has("after") else None,
        )


@strawberry.type(description="What a change of units did, or would do.")
class ReorganisationReport:
    """The report of a re-organisation."""

    applied: bool = field(description="Whether anything was written.")
    tree_version: int = field(
        description="The tree's version afterwards; of a preview, the one that it looked at."
    )
    effective_at: datetime = field(description="From when it is so.")
    created_count: int = field(description="Units that were created.")
    updated_count: int = field(description="Units whose names, code or place changed.")
    moved_count: int = field(description="Units that got another parent.")
    closed_count: int = field(description="Units that were closed.")
    carried_count: int = field(description="Units that were carried along under those.")
    appointment_ended_count: int = field(description="Appointments that ended with closed units.")
    team_ended_count: int = field(description="Teams that ended with closed units.")
    watch_ended_count: int = field(description="Watches that ended with closed units.")
    appointment_carried_count: int = field(
        description="Appointments in units that were moved or carried along, which stand."
    )
    watch_carried_count: int = field(
        description="Watches of units that were moved or carried along, which stand."
    )
    changes: list[UnitChange] = field(
        description="The first 1,000 changes, in the order of the steps.",
        directives=list_of(1_000),
    )

    @classmethod
    def from_proto(cls, message: pb.ReorganisationReport) -> Self:
        """The report on the wire as the graph shows it."""
        return cls(
            applied=message.applied,
            tree_version=message.tree_version,
            effective_at=instant(message.effective_at),
            created_count=message.created_count,
            updated_count=message.updated_count,
            moved_count=message.moved_count,
            closed_count=message.closed_count,
            carried_count=message.carried_count,
            appointment_ended_count=message.appointment_ended_count,
            team_ended_count=message.team_ended_count,
            watch_ended_count=message.watch_ended_count,
            appointment_carried_count=message.appointment_carried_count,
            watch_carried_count=message.watch_carried_count,
            changes=[UnitChange.from_proto(each) for each in message.changes],
        )


@strawberry.type(description="One thing in which two blueprints differ.")
class BlueprintDifference:
    """Before and after, in words."""

    path: str = field(description='What differs, such as "positions[booth_president].seats".')
    before: str | None = field(description="As it was; null when it was not there.")
    after: str | None = field(description="As it is; null when it is gone.")
    affected_count: int = field(description="How many units, appointments or teams stand on it.")

    @classmethod
    def from_proto(cls, message: pb.BlueprintDifference) -> Self:
        """The difference on the wire as the graph shows it."""
        return cls(
            path=message.path,
            before=message.before or None,
            after=message.after or None,
            affected_count=message.affected_count,
        )


@strawberry.type(description="The unit was created, or could be.")
class CreateUnitSuccess:
    """The new unit."""

    unit: Unit | None = field(description=_UNIT)


@strawberry.type(description="The unit was changed, or could be.")
class UpdateUnitSuccess:
    """The changed unit."""

    unit: Unit | None = field(description=_UNIT)


@strawberry.type(description="The unit was moved, or could be.")
class MoveUnitSuccess:
    """The moved unit."""

    unit: Unit | None = field(description=_UNIT)
    report: ReorganisationReport = field(description="What the move did or would do.")


@strawberry.type(description="The unit was closed, or could be.")
class CloseUnitSuccess:
    """The end of a unit."""

    report: ReorganisationReport = field(description="What it did or would do.")


@strawberry.type(description="All steps were done, or could be.")
class ReorganiseSuccess:
    """A re-organisation."""

    report: ReorganisationReport = field(description="What it did or would do.")


@strawberry.type(description="The areas were put, or could be.")
class PutAreasSuccess:
    """The areas as they now stand."""

    areas: list[Area] = field(
        description="In the order of the input, closed ones left out; none when only checked.",
        directives=list_of(1_000),
    )


@strawberry.type(description="The blueprint was replaced, or could be.")
class PutBlueprintSuccess:
    """The blueprint, and what the change means."""

    blueprint: Blueprint = field(description="As it now stands, or would.")
    differences: list[BlueprintDifference] = field(
        description="What the change means, or would mean: one for each thing that was added,"
        " changed or taken away.",
        directives=list_of(1_000),
    )


UnitRefusal: TypeAlias = (
    InvalidInput | NotAllowed | UnitNotFound | Conflict | LimitReached | NotPossible
)
AreasRefusal: TypeAlias = InvalidInput | NotAllowed | Conflict | LimitReached
BlueprintRefusal: TypeAlias = InvalidInput | NotAllowed | Conflict | BlueprintInUse
UNIT_REFUSALS: tuple[type[UnitRefusal], ...] = get_args(UnitRefusal)
AREAS_REFUSALS: tuple[type[AreasRefusal], ...] = get_args(AreasRefusal)
BLUEPRINT_REFUSALS: tuple[type[BlueprintRefusal], ...] = get_args(BlueprintRefusal)

CreateUnitResult = Annotated[
    CreateUnitSuccess | UnitRefusal,
    union("CreateUnitResult", description="What came of creating a unit."),
]
UpdateUnitResult = Annotated[
    UpdateUnitSuccess | UnitRefusal,
    union("UpdateUnitResult", description="What came of changing a unit."),
]
MoveUnitResult = Annotated[
    MoveUnitSuccess | UnitRefusal,
    union("MoveUnitResult", description="What came of moving a unit."),
]
CloseUnitResult = Annotated[
    CloseUnitSuccess | UnitRefusal,
    union("CloseUnitResult", description="What came of closing a unit."),
]
ReorganiseResult = Annotated[
    ReorganiseSuccess | UnitRefusal,
    union("ReorganiseResult", description="What came of a re-organisation."),
]
PutAreasResult = Annotated[
    PutAreasSuccess | AreasRefusal,
    union("PutAreasResult", description="What came of putting areas."),
]
PutBlueprintResult = Annotated[
    PutBlueprintSuccess | BlueprintRefusal,
    union("PutBlueprintResult", description="What came of replacing the blueprint."),
]
