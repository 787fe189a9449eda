"""Create and update units from rows."""

from services.hierarchy.domain.model import ImportReport, TenantId, UnitImport
from services.hierarchy.ports import Caller, OrgGraph


def may_import(caller: Caller) -> TenantId:
    """The tenant whose units the caller may import; asked before any row is read.

    Raises:
        CapabilityMissing: the caller lacks `administer`.
    """
    caller.require("administer")
    return TenantId(caller.tenant_id)


async def import_units(graph: OrgGraph, caller: Caller, request: UnitImport) -> ImportReport:
    """Create and update units of the caller's tenant, all or none; needs `administer`.

    Rows that are wrong are an answer, not an error: the report names every one of them.

    Raises:
        BlueprintNotFound: the tenant has no levels yet.
        RequestIdReused: the request id was used with other rows.
    """
    return await graph.apply_import(may_import(caller), request)
