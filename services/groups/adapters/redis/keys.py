"""The names of a tenant's keys; all lie in one slot by the hash tag."""

from services.groups.domain.model import TenantId


class Keys:
    """Where the register of one tenant is kept."""

    def __init__(self, tenant: TenantId) -> None:
        self._prefix = f"groups:{{{tenant}}}"
        self.meta = f"{self._prefix}:meta"
        self.rows = f"{self._prefix}:rows"
        self.record = f"{self._prefix}:record"
        self.changes = f"{self._prefix}:changes"

    def request(self, request_id: str) -> str:
        """Where the answer of one request is kept."""
        return f"{self._prefix}:request:{request_id}"
