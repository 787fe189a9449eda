"""Tenants as wholes, for those who operate the platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import RequestId, TenantId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.tenant_changes import (
    QuotaChange,
    Tenant,
    decide_create,
    decide_update,
    require_readable,
)
from services.hierarchy.domain.tenant_errors import OperatorRequired, TenantNotFound
from services.hierarchy.domain.tenants import TenantStatus
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.secrets import Rotation, Secrets


@dataclass(frozen=True, slots=True)
class TenantPage:
    """Some tenants by id; `next_after` is behind whom the next page begins, if there is one."""

    tenants: Sequence[Tenant]
    next_after: str | None


def require_operator(caller: Caller) -> None:
    """Raise `OperatorRequired` unless the caller is one of those who operate the platform."""
    if not caller.is_operator:
        raise OperatorRequired


class Tenants:
    """Creates, reads and changes tenants; each method raises `OperatorRequired` as it should.

    Args:
        graph: also of tenants that may not work.
        secrets: over the same graph.
    """

    def __init__(self, graph: OrgGraph, secrets: Secrets) -> None:
        self._graph = graph
        self._secrets = secrets

    async def create(
        self, caller: Caller, tenant: TenantId, quotas: QuotaChange, request_id: RequestId
    ) -> Tenant:
        """Create a tenant.

        Raises:
            TenantExists: there is one of that id, or was.
            RequestIdReused: the request id was used for something else.
        """
        require_operator(caller)
        said = fingerprint(quotas)
        decide = partial(decide_create, quotas)
        operation = Operation("create tenant", request_id, caller.subject, said, Tenant, decide)
        return await self._graph.write(tenant, operation)

    async def get(self, caller: Caller, tenant: TenantId) -> Tenant:
        """The tenant. Raises `TenantNotFound`."""
        require_operator(caller)
        header = await self._graph.header(tenant)
        if not header.exists:
            raise TenantNotFound(tenant)
        return Tenant.of(header)

    async def list(self, caller: Caller, *, after: str, limit: int) -> TenantPage:
        """Up to `limit` tenants with ids above `after`; the last page says that it is."""
        require_operator(caller)
        found = await self._graph.tenants(after=after, limit=limit + 1)
        page = found[:limit]
        # One that only asked for what came to nothing may have left an empty header.
        tenants = [Tenant.of(each) for each in page if each.exists]
        return TenantPage(tenants, page[-1].tenant if len(found) > limit else None)

    async def update(
        self,
        caller: Caller,
        tenant: TenantId,
        status: TenantStatus | None,
        quotas: QuotaChange,
        request_id: RequestId,
    ) -> Tenant:
        """Suspend or resume the tenant, and change its quotas.

        Raises:
            TenantNotFound, TenantDeleting: see `decide_update`.
            RequestIdReused: the request id was used for something else.
        """
        require_operator(caller)
        said = fingerprint(status, quotas)
        decide = partial(decide_update, status, quotas)
        operation = Operation("update tenant", request_id, caller.subject, said, Tenant, decide)
        return await self._graph.write(tenant, operation)

    async def rotate_keys(self, caller: Caller, tenant: TenantId, *, new_secrets: bool) -> Rotation:
        """Replace the tenant's secrets, some of it with each call; also of a suspended tenant.

        Raises:
            TenantNotFound: there is none.
            TenantDeleting: it is being removed, and has no secrets any more.
        """
        require_operator(caller)
        require_readable(await self._graph.header(tenant))
        return await self._secrets.rotate(tenant, new_secrets=new_secrets)
