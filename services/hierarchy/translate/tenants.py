"""Tenants as wholes."""

from chaupal.hierarchy.v1 import tenants_pb2 as pb

from kit.errors import InvalidInput, Violations
from kit.ids import is_uuid
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from kit.tokens import is_tenant
from services.hierarchy.domain.model import RequestId, TenantId
from services.hierarchy.domain.tenant_changes import MAX_QUOTA, DeletionProof, QuotaChange, Tenant
from services.hierarchy.domain.tenants import Counts, Quotas, TenantStatus
from services.hierarchy.domain.text import quoted
from services.hierarchy.translate.values import timestamp
from services.hierarchy.use_cases.tenant_removal import Removal
from services.hierarchy.use_cases.tenants import TenantPage

MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 100
_QUERY = fingerprint("tenants")
_STATUS = {
    TenantStatus.ACTIVE: pb.TENANT_STATUS_ACTIVE,
    TenantStatus.SUSPENDED: pb.TENANT_STATUS_SUSPENDED,
    TenantStatus.DELETING: pb.TENANT_STATUS_DELETING,
    TenantStatus.DELETED: pb.TENANT_STATUS_DELETED,
}
_ASKED = {
    pb.TENANT_STATUS_UNSPECIFIED: None,
    pb.TENANT_STATUS_ACTIVE: TenantStatus.ACTIVE,
    pb.TENANT_STATUS_SUSPENDED: TenantStatus.SUSPENDED,
}


def tenant_id(text: str, path: str) -> TenantId:
    """The id. Raises `InvalidInput` (MISSING, BAD_TENANT) on `path`."""
    faults = Violations()
    _check_tenant(faults, text, path)
    faults.raise_if_any()
    return TenantId(text)


def creation(message: pb.CreateTenantRequest) -> tuple[TenantId, QuotaChange, RequestId]:
    """Which tenant to create. Raises `InvalidInput`."""
    faults = Violations()
    _check_tenant(faults, message.tenant.id, "tenant.id")
    quotas = _quotas(faults, message.tenant.quotas, "tenant.quotas")
    _check_request_id(faults, message.request_id)
    faults.raise_if_any()
    return TenantId(message.tenant.id), quotas, RequestId(message.request_id)


def update(
    message: pb.UpdateTenantRequest,
) -> tuple[TenantId, TenantStatus | None, QuotaChange, RequestId]:
    """Which tenant to change, and how. Raises `InvalidInput`."""
    faults = Violations()
    _check_tenant(faults, message.id, "id")
    if message.status not in _ASKED:
        faults.add("status", "BAD_STATUS", "must be active or suspended, or not be said")
    quotas = _quotas(faults, message.quotas, "quotas")
    _check_request_id(faults, message.request_id)
    faults.raise_if_any()
    status = _ASKED[message.status]
    return TenantId(message.id), status, quotas, RequestId(message.request_id)


def confirmed(message: pb.DeleteTenantRequest) -> TenantId:
    """Which tenant to remove, said twice. Raises `InvalidInput` (also NOT_CONFIRMED)."""
    tenant = tenant_id(message.id, "id")
    if message.confirm_id != message.id:
        said = "must be the same id again: what is deleted does not come back"
        raise InvalidInput.of("confirm_id", "NOT_CONFIRMED", said)
    return tenant


def page(message: pb.ListTenantsRequest) -> tuple[str, int]:
    """Behind which id the page begins, and how many it has. Raises `InvalidInput`."""
    limit = clamp_page_size(message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    state = decode_page_token(message.page_token, _QUERY)
    after = "" if state is None else state.get("after")
    if not isinstance(after, str):
        raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", "not a page token of this query")
    return after, limit


def page_to_proto(found: TenantPage) -> pb.ListTenantsResponse:
    """The page."""
    token = encode_page_token({"after": found.next_after}, _QUERY) if found.next_after else ""
    return pb.ListTenantsResponse(
        tenants=map(tenant_to_proto, found.tenants), next_page_token=token
    )


def tenant_to_proto(tenant: Tenant) -> pb.Tenant:
    """The tenant."""
    return pb.Tenant(
        id=tenant.id,
        status=_STATUS[tenant.status],
        quotas=_amounts(tenant.quotas),
        used=_amounts(tenant.used),
        tree_version=tenant.tree_version,
        changed_at=timestamp(tenant.changed_at) if tenant.changed_at else None,
    )


def removal_to_proto(removal: Removal) -> pb.DeleteTenantResponse:
    """How far the removal is."""
    proof = _proof(removal.proof) if removal.proof else None
    return pb.DeleteTenantResponse(removed_count=removal.removed_count, proof=proof)


def _proof(proof: DeletionProof) -> pb.DeletionProof:
    return pb.DeletionProof(
        tenant_id=proof.tenant,
        deleted_at=timestamp(proof.deleted_at),
        remaining_count=proof.remaining_count,
        digest=proof.digest,
    )


def _amounts(amounts: Quotas | Counts) -> pb.Quotas:
    return pb.Quotas(
        unit_count=amounts.units,
        person_count=amounts.persons,
        appointment_count=amounts.appointments,
    )


def _check_tenant(faults: Violations, text: str, path: str) -> None:
    if not text:
        faults.add(path, "MISSING", "an id is needed")
    elif not is_tenant(text):
        said = f"{quoted(text)} is not 2 to 63 of a-z 0-9 and -, beginning with a letter or digit"
        faults.add(path, "BAD_TENANT", said)


def _check_request_id(faults: Violations, text: str) -> None:
    if not is_uuid(text):
        faults.add("request_id", "BAD_ID", "must be a UUID in lower case with hyphens")


def _quotas(faults: Violations, message: pb.Quotas, path: str) -> QuotaChange:
    amounts = {
        "unit_count": message.unit_count,
        "person_count": message.person_count,
        "appointment_count": message.appointment_count,
    }
    for name, amount in amounts.items():
        if not 0 <= amount <= MAX_QUOTA:
            faults.add(f"{path}.{name}", "OUT_OF_RANGE", f"must be 0 to {MAX_QUOTA:,}")
    # Nothing is what a field says that was not set.
    return QuotaChange(*(amount or None for amount in amounts.values()))
