"""What the hierarchy adds to Mutation: units, areas and the blueprint."""

from typing import Annotated

import strawberry
from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.context import Info
from gateway.graph.fields import mutation
from gateway.graph.ids import decode_id
from gateway.graph.scalars import optional_moment, optional_stamp
from gateway.subgraphs.hierarchy import unit_inputs as inputs
from gateway.subgraphs.hierarchy import unit_results as results
from gateway.subgraphs.hierarchy.areas import Area
from gateway.subgraphs.hierarchy.blueprint import Blueprint
from gateway.subgraphs.hierarchy.blueprint_input import BlueprintInput, blueprint_to_proto
from gateway.subgraphs.hierarchy.client import HierarchyChanges
from gateway.subgraphs.hierarchy.loaders import HierarchyRoom
from gateway.subgraphs.hierarchy.refusals import unless_refused
from gateway.subgraphs.hierarchy.requests import request_id
from gateway.subgraphs.hierarchy.texts import optional_names, optional_place
from gateway.subgraphs.hierarchy.units import Unit

field, argument = strawberry.field, strawberry.argument
Timed = (
    inputs.CreateUnitInput
    | inputs.UpdateUnitInput
    | inputs.MoveUnitInput
    | inputs.CloseUnitInput
    | inputs.ReorganiseInput
    | inputs.PutAreasInput
)


@strawberry.input(description="A blueprint to replace the tenant's.")
class PutBlueprintInput:
    """The blueprint as it shall be."""

    blueprint: BlueprintInput = field(description="The whole new blueprint.")
    validate_only: bool = field(default=False, description="Says what it would mean, only.")


@strawberry.type
class UnitMutations:
    """Changing the tree and what it is made by."""

    @mutation("Create a unit. Needs `administer` over its parent.")
    async def create_unit(
        self,
        info: Info,
        input: Annotated[inputs.CreateUnitInput, argument(description="The unit.")],  # noqa: A002
    ) -> results.CreateUnitResult:
        """The new unit, or why there is none."""
        return await unless_refused(_create(_changes(info), input), results.UNIT_REFUSALS)

    @mutation("Change a unit's names, code or place. Needs `administer` over it.")
    async def update_unit(
        self,
        info: Info,
        input: Annotated[inputs.UpdateUnitInput, argument(description="The changes.")],  # noqa: A002
    ) -> results.UpdateUnitResult:
        """The changed unit, or why it was not changed."""
        return await unless_refused(_update(_changes(info), input), results.UNIT_REFUSALS)

    @mutation("Put a unit, with its subtree, under another parent; or preview that.")
    async def move_unit(
        self,
        info: Info,
        input: Annotated[inputs.MoveUnitInput, argument(description="The move.")],  # noqa: A002
    ) -> results.MoveUnitResult:
        """The moved unit, or why it was not moved."""
        return await unless_refused(_move(_changes(info), input), results.UNIT_REFUSALS)

    @mutation("End a unit that has no children; or preview that.")
    async def close_unit(
        self,
        info: Info,
        input: Annotated[inputs.CloseUnitInput, argument(description="Which unit.")],  # noqa: A002
    ) -> results.CloseUnitResult:
        """What the end of the unit did, or why it was not ended."""
        return await unless_refused(_close(_changes(info), input), results.UNIT_REFUSALS)

    @mutation("Create, change, move, merge, split and close units in one; or preview that.")
    async def reorganise(
        self,
        info: Info,
        input: Annotated[inputs.ReorganiseInput, argument(description="The steps.")],  # noqa: A002
    ) -> results.ReorganiseResult:
        """What all steps did, or why none was done."""
        return await unless_refused(_reorganise(_changes(info), input), results.UNIT_REFUSALS)

    @mutation("Create and change areas, and say which units lie in them.")
    async def put_areas(
        self,
        info: Info,
        input: Annotated[inputs.PutAreasInput, argument(description="The areas.")],  # noqa: A002
    ) -> results.PutAreasResult:
        """The areas, or why none was put."""
        return await unless_refused(_put_areas(_changes(info), input), results.AREAS_REFUSALS)

    @mutation("Replace the blueprint, or preview what that means.")
    async def put_blueprint(
        self,
        info: Info,
        input: Annotated[PutBlueprintInput, argument(description="The blueprint.")],  # noqa: A002
    ) -> results.PutBlueprintResult:
        """The blueprint, or why it was not replaced."""
        return await unless_refused(
            _put_blueprint(_changes(info), input), results.BLUEPRINT_REFUSALS
        )


def _changes(info: Info) -> HierarchyChanges:
    return info.context.room(HierarchyRoom).changes()


async def _create(
    changes: HierarchyChanges, given: inputs.CreateUnitInput
) -> results.CreateUnitSuccess:
    reply = await changes.create_unit(
        pb.CreateUnitRequest(
            unit=inputs.new_unit_to_proto(given.unit, "unit"),
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
            effective_at=_effective_at(given),
        )
    )
    return results.CreateUnitSuccess(unit=_standing(reply.unit, given.validate_only))


async def _update(
    changes: HierarchyChanges, given: inputs.UpdateUnitInput
) -> results.UpdateUnitSuccess:
    reply = await changes.update_unit(
        pb.UpdateUnitRequest(
            id=decode_id(given.unit_id, "Unit", "unitId"),
            names=optional_names(given.names, "names"),
            code=given.code or "",
            place=optional_place(given.place),
            clear_place=given.clear_place,
            etag=given.etag or "",
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
            effective_at=_effective_at(given),
        )
    )
    return results.UpdateUnitSuccess(unit=_standing(reply.unit, given.validate_only))


async def _move(changes: HierarchyChanges, given: inputs.MoveUnitInput) -> results.MoveUnitSuccess:
    reply = await changes.move_unit(
        pb.MoveUnitRequest(
            id=decode_id(given.unit_id, "Unit", "unitId"),
            parent_id=decode_id(given.parent_id, "Unit", "parentId"),
            etag=given.etag or "",
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
            effective_at=_effective_at(given),
        )
    )
    return results.MoveUnitSuccess(
        unit=_standing(reply.unit, given.validate_only),
        report=results.ReorganisationReport.from_proto(reply.report),
    )


async def _close(
    changes: HierarchyChanges, given: inputs.CloseUnitInput
) -> results.CloseUnitSuccess:
    reply = await changes.close_unit(
        pb.CloseUnitRequest(
            id=decode_id(given.unit_id, "Unit", "unitId"),
            etag=given.etag or "",
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
            effective_at=_effective_at(given),
        )
    )
    return results.CloseUnitSuccess(report=results.ReorganisationReport.from_proto(reply.report))


async def _reorganise(
    changes: HierarchyChanges, given: inputs.ReorganiseInput
) -> results.ReorganiseSuccess:
    steps = enumerate(given.steps)
    reply = await changes.reorganise(
        pb.ReorganiseRequest(
            steps=[inputs.step_to_proto(each, f"steps[{at}]") for at, each in steps],
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
            effective_at=_effective_at(given),
            tree_version=given.tree_version or 0,
        )
    )
    return results.ReorganiseSuccess(report=results.ReorganisationReport.from_proto(reply.report))


async def _put_areas(
    changes: HierarchyChanges, given: inputs.PutAreasInput
) -> results.PutAreasSuccess:
    entries = enumerate(given.areas)
    reply = await changes.put_areas(
        pb.PutAreasRequest(
            areas=[inputs.entry_to_proto(each, f"areas[{at}]") for at, each in entries],
            request_id=request_id(given.request_id),
            validate_only=given.validate_only,
            effective_at=_effective_at(given),
        )
    )
    areas = () if given.validate_only else reply.areas
    return results.PutAreasSuccess(areas=[Area.from_proto(each) for each in areas])


async def _put_blueprint(
    changes: HierarchyChanges, given: PutBlueprintInput
) -> results.PutBlueprintSuccess:
    reply = await changes.put_blueprint(
        pb.PutBlueprintRequest(
            blueprint=blueprint_to_proto(given.blueprint, "blueprint"),
            validate_only=given.validate_only,
        )
    )
    differences = [results.BlueprintDifference.from_proto(each) for each in reply.differences]
    return results.PutBlueprintSuccess(
        blueprint=Blueprint.from_proto(reply.blueprint), differences=differences
    )


def _effective_at(given: Timed) -> Timestamp | None:
    return optional_stamp(optional_moment(given.effective_at, "effectiveAt"))


def _standing(message: pb.Unit, checked_only: bool) -> Unit | None:
    return None if checked_only else Unit.from_proto(message)
