"""Units that are created, changed, moved, closed; one at a time or in one go."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.domain.model import UnitWithCounts
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import reorganisation as requests
from services.hierarchy.translate.reorganisation_answers import report_to_proto
from services.hierarchy.translate.values import unit_to_proto
from services.hierarchy.use_cases.reorganise import Reorganiser


class ReorganisationCalls(stubs.HierarchyServiceServicer):
    """The calls that change units."""

    _reorganiser: Reorganiser

    async def CreateUnit(
        self, request: pb.CreateUnitRequest, context: Context
    ) -> pb.CreateUnitResponse:
        """Create one."""
        asked = requests.create_from_proto(request)
        changed = await self._reorganiser.change_unit(current().caller, asked)
        return pb.CreateUnitResponse(unit=_shown(changed.unit))

    async def UpdateUnit(
        self, request: pb.UpdateUnitRequest, context: Context
    ) -> pb.UpdateUnitResponse:
        """Change one."""
        asked = requests.update_from_proto(request)
        changed = await self._reorganiser.change_unit(current().caller, asked)
        return pb.UpdateUnitResponse(unit=_shown(changed.unit))

    async def MoveUnit(self, request: pb.MoveUnitRequest, context: Context) -> pb.MoveUnitResponse:
        """Move one with all below it."""
        asked = requests.move_from_proto(request)
        changed = await self._reorganiser.change_unit(current().caller, asked)
        report = report_to_proto(changed.report)
        return pb.MoveUnitResponse(unit=_shown(changed.unit), report=report)

    async def CloseUnit(
        self, request: pb.CloseUnitRequest, context: Context
    ) -> pb.CloseUnitResponse:
        """Close one."""
        asked = requests.close_from_proto(request)
        changed = await self._reorganiser.change_unit(current().caller, asked)
        return pb.CloseUnitResponse(report=report_to_proto(changed.report))

    async def Reorganise(
        self, request: pb.ReorganiseRequest, context: Context
    ) -> pb.ReorganiseResponse:
        """Change many, all or none."""
        # Ten thousand steps take some 0.1 s, and so do the changes of a report.
        asked = await asyncio.to_thread(requests.reorganisation_from_proto, request)
        report = await self._reorganiser.reorganise(current().caller, asked)
        return pb.ReorganiseResponse(report=await asyncio.to_thread(report_to_proto, report))


def _shown(unit: UnitWithCounts | None) -> pb.Unit | None:
    return unit_to_proto(unit) if unit else None
