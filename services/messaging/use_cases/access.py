"""Who may: the one question that every use case of a caller asks first."""

from services.messaging.domain.ids import TenantId
from services.messaging.ports import Caller

VIEW = "view"
COMPOSE = "compose"


def tenant_of(caller: Caller, capability: str) -> TenantId:
    """The tenant in which the caller has the capability; services have every one.

    Raises:
        Forbidden: CAPABILITY_MISSING.
        Unauthenticated: TENANT_REQUIRED when a service did not say for whom it works.
    """
    caller.require(capability)
    return TenantId(caller.tenant_id)
