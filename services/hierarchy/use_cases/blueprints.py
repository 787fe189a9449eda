"""Put and get the tenant's blueprint."""

from services.hierarchy.domain.errors import BlueprintNotFound
from services.hierarchy.domain.model import Blueprint, TenantId
from services.hierarchy.ports import Caller, OrgGraph


async def put_blueprint(
    graph: OrgGraph, caller: Caller, draft: Blueprint, *, validate_only: bool
) -> Blueprint:
    """Replace the blueprint of the caller's tenant; needs `administer`.

    Raises:
        BlueprintInUse: levels with units would go or change their order.
    """
    caller.require("administer")
    tenant = TenantId(caller.tenant_id)
    return await graph.put_blueprint(tenant, draft, validate_only=validate_only)


async def get_blueprint(graph: OrgGraph, caller: Caller) -> Blueprint:
    """The blueprint of the caller's tenant; needs `view`.

    Raises:
        BlueprintNotFound: none was put yet.
    """
    caller.require("view")
    blueprint = await graph.blueprint(TenantId(caller.tenant_id))
    if blueprint is None:
        raise BlueprintNotFound
    return blueprint
