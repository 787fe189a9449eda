"""The tenant's blueprint."""

# ruff: noqa: ARG002  # the signatures are the contract's

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate.blueprints import (
    blueprint_to_proto,
    draft_from_proto,
    put_to_proto,
)
from services.hierarchy.use_cases.blueprints import Blueprints


class BlueprintCalls(stubs.HierarchyServiceServicer):
    """The calls that put and get it."""

    _blueprints: Blueprints

    async def PutBlueprint(
        self, request: pb.PutBlueprintRequest, context: Context
    ) -> pb.PutBlueprintResponse:
        """Replace the blueprint."""
        draft = draft_from_proto(request.blueprint, "blueprint")
        put = await self._blueprints.put(
            current().caller, draft, validate_only=request.validate_only
        )
        return put_to_proto(put)

    async def GetBlueprint(
        self, request: pb.GetBlueprintRequest, context: Context
    ) -> pb.GetBlueprintResponse:
        """The blueprint."""
        blueprint = await self._blueprints.get(current().caller)
        return pb.GetBlueprintResponse(blueprint=blueprint_to_proto(blueprint))
