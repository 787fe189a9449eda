"""One call of a use case: who, for which tenant, until when."""

from dataclasses import dataclass

from kit.deadline import Deadline
from services.groups.domain.model import TenantId
from services.groups.ports import Caller


@dataclass(frozen=True, slots=True)
class Call:
    """Handed down from the edge to everything that waits."""

    caller: Caller
    deadline: Deadline

    @property
    def tenant(self) -> TenantId:
        """The tenant of the verified credential; there is no other way to name one."""
        return TenantId(self.caller.tenant_id)

    def may_everywhere(self, capability: str) -> bool:
        """Whether the credential alone gives a capability, over the whole tenant."""
        return self.caller.is_service or capability in self.caller.capabilities
