"""Calls to hierarchy's `TenantsService`, which those who operate the platform may make."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc.aio
from chaupal.hierarchy.v1 import tenants_pb2 as pb
from chaupal.hierarchy.v1.tenants_pb2_grpc import TenantsServiceStub

from kit.channel import CallOptions, open_channel, outgoing
from kit.deadline import Deadline
from kit.ids import SystemIds

TENANTS = "chaupal.hierarchy.v1.TenantsService"
PAGE_SIZE = 500
_CALL_SECONDS = 15.0
# One call of many: the service does as much as fits.
_LONG_CALL_SECONDS = 30.0
_EXPORT_SECONDS = 3_600.0
_STATUS_PREFIX = "TENANT_STATUS_"
_READS = ("GetTenant", "ListTenants")


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of each a tenant may have, or has; None where it is not said."""

    units: int | None = None
    persons: int | None = None
    appointments: int | None = None

    def as_json(self) -> dict[str, int | None]:
        """What `-o json` says."""
        return {
            "units": self.units,
            "persons": self.persons,
            "appointments": self.appointments,
        }


@dataclass(frozen=True, slots=True)
class TenantState:
    """A tenant as a whole; `status` in lower case."""

    id: str
    status: str
    quotas: Amounts
    used: Amounts
    tree_version: int
    changed_at: str | None

    def as_json(self) -> dict[str, object]:
        """What `-o json` says."""
        return {
            "id": self.id,
            "status": self.status,
            "quotas": self.quotas.as_json(),
            "used": self.used.as_json(),
            "treeVersion": self.tree_version,
            "changedAt": self.changed_at,
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """That nothing of a tenant was found any more."""

    tenant: str
    deleted_at: str
    remaining_count: int
    digest: str

    def as_json(self) -> dict[str, object]:
        """What `-o json` says."""
        return {
            "tenantId": self.tenant,
            "deletedAt": self.deleted_at,
            "remainingCount": self.remaining_count,
            "digest": self.digest,
        }


class TenantsClient:
    """All tenants of a platform."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._stub = TenantsServiceStub(channel)
        self._token = token

    async def create(self, tenant: str, quotas: Amounts) -> TenantState:
        """Create a tenant."""
        request = pb.CreateTenantRequest(
            tenant=pb.Tenant(id=tenant, quotas=_quotas(quotas)), request_id=SystemIds().new()
        )
        async with self._call("CreateTenant") as options:
            answer = await self._stub.CreateTenant(request, **options)
        return _state(answer.tenant)

    async def get(self, tenant: str) -> TenantState:
        """Return one tenant."""
        async with self._call("GetTenant") as options:
            answer = await self._stub.GetTenant(pb.GetTenantRequest(id=tenant), **options)
        return _state(answer.tenant)

    async def list(self) -> AsyncIterator[TenantState]:
        """Walk over all tenants by id."""
        token = ""
        while True:
            request = pb.ListTenantsRequest(page_size=PAGE_SIZE, page_token=token)
            async with self._call("ListTenants") as options:
                answer = await self._stub.ListTenants(request, **options)
            for tenant in answer.tenants:
                yield _state(tenant)
            token = answer.next_page_token
            if not token:
                return

    async def set_status(self, tenant: str, status: str) -> TenantState:
        """Make a tenant "active" or "suspended"."""
        value = pb.TenantStatus.Value(f"{_STATUS_PREFIX}{status.upper()}")
        return await self._update(pb.UpdateTenantRequest(id=tenant, status=value))

    async def set_quotas(self, tenant: str, quotas: Amounts) -> TenantState:
        """Change the quotas that are named."""
        return await self._update(pb.UpdateTenantRequest(id=tenant, quotas=_quotas(quotas)))

    async def export(self, tenant: str) -> AsyncIterator[bytes]:
        """Read everything that is kept of a tenant, in parts of whole lines."""
        request = pb.ExportTenantRequest(id=tenant)
        async with self._call("ExportTenant", _EXPORT_SECONDS) as options:
            async for part in self._stub.ExportTenant(request, **options):
                yield part.lines

    async def delete(self, tenant: str, confirmed: str) -> tuple[int, Proof | None]:
        """Remove some of a tenant; return how much, and the proof once nothing is left."""
        request = pb.DeleteTenantRequest(id=tenant, confirm_id=confirmed)
        async with self._call("DeleteTenant", _LONG_CALL_SECONDS) as options:
            answer = await self._stub.DeleteTenant(request, **options)
        return answer.removed_count, _proof(answer.proof) if answer.HasField("proof") else None

    async def rotate_keys(self, tenant: str, *, new_secrets: bool) -> tuple[int, bool]:
        """Carry some persons over to new secrets; return how many, and whether all are."""
        request = pb.RotateTenantKeysRequest(id=tenant, new_secrets=new_secrets)
        async with self._call("RotateTenantKeys", _LONG_CALL_SECONDS) as options:
            answer = await self._stub.RotateTenantKeys(request, **options)
        return answer.carried_count, answer.done

    async def _update(self, request: pb.UpdateTenantRequest) -> TenantState:
        request.request_id = SystemIds().new()
        async with self._call("UpdateTenant") as options:
            answer = await self._stub.UpdateTenant(request, **options)
        return _state(answer.tenant)

    def _call(
        self, method: str, seconds: float = _CALL_SECONDS
    ) -> AbstractAsyncContextManager[CallOptions]:
        deadline = Deadline.after(seconds)
        return outgoing(f"{TENANTS}/{method}", deadline=deadline, token=self._token)


@asynccontextmanager
async def tenants_client(target: str, token: str) -> AsyncIterator[TenantsClient]:
    """Open the tenants of a platform."""
    async with open_channel(target, service=TENANTS, retryable=_READS) as channel:
        yield TenantsClient(channel, token)


def _quotas(amounts: Amounts) -> pb.Quotas:
    return pb.Quotas(
        unit_count=amounts.units or 0,
        person_count=amounts.persons or 0,
        appointment_count=amounts.appointments or 0,
    )


def _amounts(message: pb.Quotas) -> Amounts:
    return Amounts(message.unit_count, message.person_count, message.appointment_count)


def _state(message: pb.Tenant) -> TenantState:
    status = pb.TenantStatus.Name(message.status).removeprefix(_STATUS_PREFIX).lower()
    changed = message.changed_at.ToDatetime(UTC) if message.HasField("changed_at") else None
    return TenantState(
        message.id,
        status,
        _amounts(message.quotas),
        _amounts(message.used),
        message.tree_version,
        _instant(changed) if changed else None,
    )


def _proof(message: pb.DeletionProof) -> Proof:
    deleted_at = _instant(message.deleted_at.ToDatetime(UTC))
    return Proof(message.tenant_id, deleted_at, message.remaining_count, message.digest)


def _instant(at: datetime) -> str:
    # As it goes into the digest of a proof.
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
