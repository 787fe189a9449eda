"""Put and get the tenant's blueprint."""

from functools import partial

from kit.ids import Ids
from services.hierarchy.domain.blueprints import decide_blueprint
from services.hierarchy.domain.errors import BlueprintNotFound
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import Blueprint, RequestId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access


class Blueprints:
    """The blueprint of the caller's tenant."""

    def __init__(self, graph: OrgGraph, access: Access, ids: Ids) -> None:
        self._graph = graph
        self._access = access
        self._ids = ids

    async def put(self, caller: Caller, draft: Blueprint, *, validate_only: bool) -> Blueprint:
        """Replace the blueprint; needs `administer` over the whole tenant.

        Raises:
            BlueprintInUse: levels with units would go or change their order.
        """
        viewer = await self._access.enter(caller)
        viewer.require_everywhere("administer")
        operation = Operation(
            name="put blueprint",
            # To put it again changes nothing, so a caller needs no id of theirs.
            request_id=RequestId(self._ids.new()),
            fingerprint=fingerprint(draft),
            answer_type=Blueprint,
            decide=partial(decide_blueprint, draft),
            validate_only=validate_only,
        )
        return await self._graph.write(viewer.tenant, operation)

    async def get(self, caller: Caller) -> Blueprint:
        """The blueprint; needs `view` over something.

        Raises:
            BlueprintNotFound: none was put yet.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        if viewer.header.blueprint is None:
            raise BlueprintNotFound
        return viewer.header.blueprint
