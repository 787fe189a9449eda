"""Put and get the tenant's blueprint."""

import contextlib
from functools import partial

from kit.clock import Clock
from kit.ids import Ids
from services.hierarchy.domain.blueprints import BlueprintPut, decide_blueprint
from services.hierarchy.domain.errors import BlueprintNotFound, HoldersChanged
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import Blueprint, RequestId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.holders import look_up_holders

# An import of appointments is some hundred writes; a blueprint gets in between two of them.
_ATTEMPTS = 5


class Blueprints:
    """The blueprint of the caller's tenant."""

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock, ids: Ids) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock
        self._ids = ids

    async def put(self, caller: Caller, draft: Blueprint, *, validate_only: bool) -> BlueprintPut:
        """Replace the blueprint; needs `administer` over the whole tenant.

        Raises:
            BlueprintInUse: see `decide_blueprint`.
            HoldersChanged: people are appointed all the time.
        """
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(HoldersChanged):
                return await self._try(caller, draft, validate_only=validate_only)
        return await self._try(caller, draft, validate_only=validate_only)

    async def _try(self, caller: Caller, draft: Blueprint, *, validate_only: bool) -> BlueprintPut:
        viewer = await self._access.enter(caller)
        viewer.require_everywhere("administer")
        tenant = viewer.tenant
        holders = await look_up_holders(self._graph, tenant, draft, self._clock.now())
        operation = Operation(
            name="put blueprint",
            # To put it again changes nothing, so a caller needs no id of theirs.
            request_id=RequestId(self._ids.new()),
            asked_by=viewer.subject,
            fingerprint=fingerprint(draft),
            answer_type=BlueprintPut,
            decide=partial(decide_blueprint, draft, holders=holders),
            validate_only=validate_only,
        )
        return await self._graph.write(tenant, operation)

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
