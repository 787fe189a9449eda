"""`TenantsService`: for those who operate the platform."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio
import logging
from collections.abc import AsyncIterator

from chaupal.hierarchy.v1 import tenants_pb2 as pb
from chaupal.hierarchy.v1 import tenants_pb2_grpc as stubs

from kit.clock import Clock
from kit.context import current
from services.hierarchy.domain.model import TenantId
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import tenants as translate
from services.hierarchy.translate.tenant_export import ExportLines
from services.hierarchy.use_cases.tenant_export import TenantExport
from services.hierarchy.use_cases.tenant_removal import TenantRemoval
from services.hierarchy.use_cases.tenants import Tenants

SERVICE_NAME = "chaupal.hierarchy.v1.TenantsService"
_log = logging.getLogger(__name__)


class TenantsServicer(stubs.TenantsServiceServicer):
    """Serves `chaupal.hierarchy.v1.TenantsService`; the contract's comments are the promise.

    What was done to which tenant, and by whom, is a line in the log.
    """

    def __init__(
        self, tenants: Tenants, export: TenantExport, removal: TenantRemoval, clock: Clock
    ) -> None:
        self._tenants = tenants
        self._export = export
        self._removal = removal
        self._clock = clock

    async def CreateTenant(
        self, request: pb.CreateTenantRequest, context: Context
    ) -> pb.CreateTenantResponse:
        """Create a tenant."""
        tenant, quotas, request_id = translate.creation(request)
        created = await self._tenants.create(current().caller, tenant, quotas, request_id)
        _note("tenant created", tenant)
        return pb.CreateTenantResponse(tenant=translate.tenant_to_proto(created))

    async def GetTenant(
        self, request: pb.GetTenantRequest, context: Context
    ) -> pb.GetTenantResponse:
        """One tenant."""
        tenant = translate.tenant_id(request.id, "id")
        found = await self._tenants.get(current().caller, tenant)
        return pb.GetTenantResponse(tenant=translate.tenant_to_proto(found))

    async def ListTenants(
        self, request: pb.ListTenantsRequest, context: Context
    ) -> pb.ListTenantsResponse:
        """A page of tenants."""
        after, limit = translate.page(request)
        found = await self._tenants.list(current().caller, after=after, limit=limit)
        return translate.page_to_proto(found)

    async def UpdateTenant(
        self, request: pb.UpdateTenantRequest, context: Context
    ) -> pb.UpdateTenantResponse:
        """Suspend, resume, change quotas."""
        tenant, status, quotas, request_id = translate.update(request)
        caller = current().caller
        changed = await self._tenants.update(caller, tenant, status, quotas, request_id)
        _note("tenant changed", tenant)
        return pb.UpdateTenantResponse(tenant=translate.tenant_to_proto(changed))

    async def ExportTenant(
        self, request: pb.ExportTenantRequest, context: Context
    ) -> AsyncIterator[pb.ExportTenantResponse]:
        """Everything that is kept of a tenant."""
        tenant = translate.tenant_id(request.id, "id")
        header = await self._export.header(current().caller, tenant)
        _note("tenant exported", tenant)
        lines = ExportLines()
        yield pb.ExportTenantResponse(lines=lines.begin(header, self._clock.now()))
        async for page in self._export.pages(header):
            # A page takes some 20 ms.
            for part in await asyncio.to_thread(lines.page, page):
                yield pb.ExportTenantResponse(lines=part)
        yield pb.ExportTenantResponse(lines=lines.end())

    async def DeleteTenant(
        self, request: pb.DeleteTenantRequest, context: Context
    ) -> pb.DeleteTenantResponse:
        """Remove some of a tenant, or prove that nothing is left."""
        tenant = translate.confirmed(request)
        call = current()
        removal = await self._removal.run(call.caller, tenant, call.deadline)
        _note("tenant deleted" if removal.proof else "tenant half deleted", tenant)
        return translate.removal_to_proto(removal)

    async def RotateTenantKeys(
        self, request: pb.RotateTenantKeysRequest, context: Context
    ) -> pb.RotateTenantKeysResponse:
        """New secrets for a tenant."""
        tenant = translate.tenant_id(request.id, "id")
        caller = current().caller
        rotation = await self._tenants.rotate_keys(caller, tenant, new_secrets=request.new_secrets)
        _note("tenant's keys rotated", tenant)
        return pb.RotateTenantKeysResponse(carried_count=rotation.carried_count, done=rotation.done)


def _note(what: str, tenant: TenantId) -> None:
    _log.info(what, extra={"tenant": tenant, "operator": current().caller.subject})
