"""Removes a tenant for ever: its keys first, then all that it has, and then it is counted anew."""

from collections.abc import Callable
from dataclasses import dataclass

from kit.clock import Clock
from kit.deadline import Deadline
from kit.ids import Ids
from services.hierarchy.domain.model import RequestId, TenantId
from services.hierarchy.domain.operations import Moment, Operation, Steps
from services.hierarchy.domain.records import RECORD_TYPES
from services.hierarchy.domain.tenant_changes import (
    DeletionProof,
    Removed,
    decide_delete,
    decide_deleted,
    require_removable,
)
from services.hierarchy.domain.tenant_errors import PeersNotTold
from services.hierarchy.domain.tenants import TenantStatus
from services.hierarchy.ports import Caller, OrgGraph, Outbox
from services.hierarchy.use_cases.tenants import require_operator

# One write each; others of the same store wait for it.
FORGOTTEN_PER_WRITE = 5_000
# What is left of the time when no other write is begun.
_SPARE_SECONDS = 2.0
# The worker looks for events five times a second.
_LOOK_AGAIN_SECONDS = 0.1
_MAX_BACKLOGS = 1_000


@dataclass(frozen=True, slots=True)
class Removal:
    """How many things a call removed, and the proof once nothing is left."""

    removed_count: int
    proof: DeletionProof | None


class TenantRemoval:
    """Removes tenants, over the graph that knows also those that may not work."""

    def __init__(
        self,
        graph: OrgGraph,
        outbox: Outbox,
        clock: Clock,
        ids: Ids,
        per_write: int = FORGOTTEN_PER_WRITE,
    ) -> None:
        self._graph = graph
        self._outbox = outbox
        self._clock = clock
        self._ids = ids
        self._per_write = per_write

    async def run(self, caller: Caller, tenant: TenantId, deadline: Deadline) -> Removal:
        """Remove as much of a suspended tenant as fits in the time; repeat it until it is proven.

        The first write takes the secrets, so that numbers can be read no more, and tells peers.
        The outbox holds what they are told and goes with the rest: so first that it was relayed is
        waited for. A proof is made anew by each repeat.

        Raises:
            TenantNotFound, TenantNotSuspended: see `decide_delete`.
            PeersNotTold: time ran out before the worker had relayed the tenant's events.
        """
        require_operator(caller)
        header = await self._graph.header(tenant)
        require_removable(header)
        if header.status is TenantStatus.SUSPENDED:
            await self._write(tenant, "delete tenant", decide_delete)
        if header.status is not TenantStatus.DELETED:
            await self._wait_until_told(tenant, deadline)
        removed_count, is_all = await self._forget(tenant, deadline)
        if not is_all:
            return Removal(removed_count, None)
        if header.status is not TenantStatus.DELETED:
            await self._write(tenant, "end tenant", decide_deleted)
            # The answer that the store has kept of this.
            await self._forget(tenant, deadline)
        return Removal(removed_count, await self._proof(tenant))

    async def _wait_until_told(self, tenant: TenantId, deadline: Deadline) -> None:
        while await self._is_waiting(tenant):
            if deadline.remaining() < _SPARE_SECONDS:
                raise PeersNotTold(tenant)
            await deadline.clock.sleep(_LOOK_AGAIN_SECONDS)

    async def _is_waiting(self, tenant: TenantId) -> bool:
        """Whether some of the tenant's events were not relayed, or that cannot be told."""
        backlogs = await self._outbox.backlogs(limit=_MAX_BACKLOGS)
        named = {each.tenant for each in backlogs}
        # They come by tenant: beyond a full answer there may be more.
        is_beyond = len(backlogs) == _MAX_BACKLOGS and backlogs[-1].tenant < tenant
        return tenant in named or is_beyond

    async def _forget(self, tenant: TenantId, deadline: Deadline) -> tuple[int, bool]:
        """Forget as much as fits in the time, but something; how much, and whether it was all."""
        count = 0
        while gone := await self._graph.forget_tenant(tenant, limit=self._per_write):
            count += gone
            if deadline.remaining() < _SPARE_SECONDS:
                return count, False
        return count, True

    async def _proof(self, tenant: TenantId) -> DeletionProof | None:
        """Look for everything once more; None when something was found."""
        found = len(await self._outbox.events(tenant, after=0, limit=1))
        for of in RECORD_TYPES:
            found += len(await self._graph.page(tenant, of, limit=1))
        return None if found else DeletionProof(tenant, self._clock.now(), found)

    async def _write(
        self, tenant: TenantId, name: str, decide: Callable[[Moment], Steps[Removed]]
    ) -> None:
        request_id = RequestId(self._ids.new())
        await self._graph.write(tenant, Operation(name, request_id, "", "", Removed, decide))
