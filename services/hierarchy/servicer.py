"""The gRPC edge of hierarchy: message to value, one use case, value to message."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2_grpc as stubs
from grpc.aio import ServicerContext

from kit.context import current
from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.model import UnitId
from services.hierarchy.ports import OrgGraph
from services.hierarchy.translate import answers, requests
from services.hierarchy.translate.imports import ImportAssembler, report_to_proto
from services.hierarchy.translate.values import blueprint_to_proto, draft_from_proto, unit_to_proto
from services.hierarchy.use_cases.blueprints import get_blueprint, put_blueprint
from services.hierarchy.use_cases.imports import ImportRoom, import_units, may_import
from services.hierarchy.use_cases.trees import Trees, read_tree
from services.hierarchy.use_cases.units import UnitReader

SERVICE_NAME = "chaupal.hierarchy.v1.HierarchyService"

Context = ServicerContext[Any, Any]
T = TypeVar("T")


class HierarchyServicer(stubs.HierarchyServiceServicer):
    """Serves `chaupal.hierarchy.v1.HierarchyService`; the contract's comments are the promise."""

    def __init__(self, graph: OrgGraph, room: ImportRoom) -> None:
        self._graph = graph
        self._trees = Trees(graph)
        self._units = UnitReader(graph, self._trees)
        self._room = room

    async def PutBlueprint(
        self, request: pb.PutBlueprintRequest, context: Context
    ) -> pb.PutBlueprintResponse:
        """Replace the tenant's blueprint."""
        draft = draft_from_proto(request.blueprint, "blueprint")
        stands = await put_blueprint(
            self._graph, current().caller, draft, validate_only=request.validate_only
        )
        return pb.PutBlueprintResponse(blueprint=blueprint_to_proto(stands))

    async def GetBlueprint(
        self, request: pb.GetBlueprintRequest, context: Context
    ) -> pb.GetBlueprintResponse:
        """The tenant's blueprint."""
        blueprint = await get_blueprint(self._graph, current().caller)
        return pb.GetBlueprintResponse(blueprint=blueprint_to_proto(blueprint))

    async def GetUnit(self, request: pb.GetUnitRequest, context: Context) -> pb.GetUnitResponse:
        """One unit."""
        caller = current().caller
        match request.WhichOneof("by"):
            case "id":
                unit_id = requests.unit_id_from_text(request.id, "id")
                found = await self._units.get_unit(caller, unit_id)
            case "key":
                key = requests.unit_key_from_proto(request.key)
                found = await self._units.get_unit_by_key(caller, key)
            case None:
                raise InvalidInput.of("by", "MISSING", "an id or a key is needed")
        return pb.GetUnitResponse(unit=unit_to_proto(found))

    async def BatchGetUnits(
        self, request: pb.BatchGetUnitsRequest, context: Context
    ) -> pb.BatchGetUnitsResponse:
        """Many units."""
        asked = requests.batch_ids(request.ids, "ids", requests.MAX_BATCH_IDS)
        found = await self._units.get_units(current().caller, _valid(asked))
        # A thousand units take some 10 ms: not in the loop that serves everybody else.
        return await asyncio.to_thread(answers.units_to_proto, _in_order(asked, found))

    async def ListChildren(
        self, request: pb.ListChildrenRequest, context: Context
    ) -> pb.ListChildrenResponse:
        """A page of the children of one unit."""
        caller = current().caller
        page = requests.children_page_from_proto(request, caller.tenant_id)
        found = await self._units.list_children(
            caller, [page.parent], limit=page.limit, after=page.after
        )
        if page.parent not in found:
            raise UnitNotFound(page.parent or "")
        token_of = partial(requests.children_page_token, caller.tenant_id)
        children = found[page.parent]
        return await asyncio.to_thread(answers.children_page, children, page.limit, token_of)

    async def BatchListChildren(
        self, request: pb.BatchListChildrenRequest, context: Context
    ) -> pb.BatchListChildrenResponse:
        """The first page of the children of many units."""
        caller = current().caller
        asked = requests.batch_ids(request.parent_ids, "parent_ids", requests.MAX_BATCH_PARENTS)
        limit = requests.batch_page_size(request)
        found = await self._units.list_children(caller, _valid(asked), limit=limit)
        token_of = partial(requests.children_page_token, caller.tenant_id)
        pages = _in_order(asked, found)
        # Up to 50,000 units, for half a second.
        return await asyncio.to_thread(answers.children_pages, pages, limit, token_of)

    async def ListAncestors(
        self, request: pb.ListAncestorsRequest, context: Context
    ) -> pb.ListAncestorsResponse:
        """The ancestors of one unit."""
        unit_id = requests.unit_id_from_text(request.unit_id, "unit_id")
        found = await self._units.list_ancestors(current().caller, [unit_id])
        if unit_id not in found:
            raise UnitNotFound(unit_id)
        return pb.ListAncestorsResponse(units=map(unit_to_proto, found[unit_id]))

    async def BatchListAncestors(
        self, request: pb.BatchListAncestorsRequest, context: Context
    ) -> pb.BatchListAncestorsResponse:
        """The ancestors of many units."""
        asked = requests.batch_ids(request.unit_ids, "unit_ids", requests.MAX_BATCH_IDS)
        found = await self._units.list_ancestors(current().caller, _valid(asked))
        return await asyncio.to_thread(answers.ancestors_to_proto, _in_order(asked, found))

    async def StreamTree(
        self, request: pb.StreamTreeRequest, context: Context
    ) -> AsyncIterator[pb.StreamTreeResponse]:
        """The whole tree."""
        known = requests.known_version(request)
        tree = await read_tree(self._trees, current().caller)
        for part in answers.tree_to_proto(tree, known):
            yield part

    async def ImportUnits(
        self, request_iterator: AsyncIterator[pb.ImportUnitsRequest], context: Context
    ) -> pb.ImportUnitsResponse:
        """Units from rows, all or none."""
        caller = current().caller
        assembler = ImportAssembler()
        async with self._room.enter(may_import(caller)) as place:
            async for message in request_iterator:
                place.take(len(message.page.rows))
                # Some 20 ms for 5,000 rows.
                await place.run(asyncio.to_thread(assembler.add, message))
            work = import_units(self._graph, caller, assembler.finish())
            report = await place.run(work)
        return pb.ImportUnitsResponse(report=report_to_proto(report))


def _valid(asked: Sequence[UnitId | InvalidInput]) -> list[UnitId]:
    return [each for each in asked if not isinstance(each, InvalidInput)]


def _in_order(
    asked: Sequence[UnitId | InvalidInput], found: Mapping[UnitId, T] | Mapping[UnitId | None, T]
) -> Iterator[T | ChaupalError]:
    """One answer for each item of a batch: what was found, or why there is nothing."""
    for each in asked:
        if isinstance(each, InvalidInput):
            yield each
        else:
            yield found[each] if each in found else UnitNotFound(each)
