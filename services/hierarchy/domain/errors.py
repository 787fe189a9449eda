"""The errors that are hierarchy's own, each under the kind that says what it becomes on a wire."""

from kit.errors import (
    Conflict,
    Forbidden,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
    Unavailable,
)

# Of what stands in the way of a change, a message names so many.
_TOLD_MOST = 10


class NotAllowed(Forbidden):
    """The caller lacks a capability over a unit, or over the whole tenant (`unit_id` empty)."""

    reason = "CAPABILITY_MISSING"
    capability: str
    unit_id: str = ""

    @property
    def message(self) -> str:
        """Names both."""
        where = f"over unit {self.unit_id}" if self.unit_id else "over the whole tenant"
        return f"this needs the capability {self.capability} {where}"


class TenantSuspended(Forbidden):
    """Whoever operates the platform has suspended the tenant."""

    reason = "TENANT_SUSPENDED"

    @property
    def message(self) -> str:
        """Says whom to ask."""
        return "the organisation is suspended: ask those who operate the platform"


class OthersSubject(Forbidden):
    """A user has asked what somebody else may do."""

    reason = "OTHERS_SUBJECT"
    sentence = "only the platform's own services may ask about others: leave the subject empty"


class AccessBehind(Unavailable):
    """The asker has seen newer access rights than the store shows."""

    reason = "ACCESS_BEHIND"
    sentence = "access rights are known here up to version {access_version} only: try again"
    access_version: int


class BlueprintNotFound(NotFound):
    """The tenant has put no blueprint yet."""

    reason = "BLUEPRINT_NOT_FOUND"

    @property
    def message(self) -> str:
        """Says what to do first."""
        return "the tenant has no blueprint yet: put one first"


class UnitNotFound(NotFound):
    """The tenant has no unit with this id."""

    reason = "UNIT_NOT_FOUND"
    unit_id: str

    @property
    def message(self) -> str:
        """Names the id."""
        return f"there is no unit {self.unit_id}"


class UnitKeyNotFound(NotFound):
    """The tenant has no unit with this level and code."""

    reason = "UNIT_NOT_FOUND"
    level: str
    code: str

    @property
    def message(self) -> str:
        """Names the level and the code."""
        return f"there is no unit {self.level} {self.code}"


class BlueprintInUse(PreconditionFailed):
    """Units, appointments, teams or watches stand on what would go or change under them."""

    reason = "BLUEPRINT_IN_USE"
    levels: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    team_kinds: tuple[str, ...] = ()
    _said: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Names what stands in the way; of many things, the first few."""
        more = len(self._said) - _TOLD_MOST
        others = f"; and {more} more" if more > 0 else ""
        return f"the blueprint is in use: {'; '.join(self._said[:_TOLD_MOST])}{others}"


class HoldersChanged(Conflict):
    """Somebody was appointed, left or was given a watch while it was looked up who holds what."""

    reason = "HOLDERS_CHANGED"
    sentence = "appointments changed while the blueprint was being checked: try again"


class RequestIdReused(Conflict):
    """The request id was used for other content within the last seven days."""

    reason = "REQUEST_ID_REUSED"
    request_id: str

    @property
    def message(self) -> str:
        """Names the id and the way out."""
        return f"request id {self.request_id} was used with other content: choose a new one"


class ImportsBusy(LimitExceeded):
    """This process holds as many rows of imports as it has room for."""

    reason = "IMPORTS_BUSY"


class QuotaExceeded(LimitExceeded):
    """There would be more of something than the tenant may have; waiting does not help."""

    reason = "QUOTA_EXCEEDED"
    sentence = "the organisation may have at most {limit} {quota}"
    quota: str
    limit: int


class UnitChangedMeanwhile(Conflict):
    """The unit is not any more what the caller saw."""

    reason = "UNIT_CHANGED"
    sentence = "unit {unit_id} has changed: read it again"
    unit_id: str


class TreeChangedMeanwhile(Conflict):
    """The tree is not any more what the caller saw."""

    reason = "TREE_CHANGED"
    sentence = "the tree has changed to version {tree_version}: look at it again"
    tree_version: int
