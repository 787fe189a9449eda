"""What can go wrong in the register, by name."""

from kit.errors import AlreadyExists, AtLimit, Conflict, Forbidden, NotFound, Unavailable


class NotAllowed(Forbidden):
    """The caller lacks a capability: over groups like that of a unit they see, or everywhere."""

    reason = "CAPABILITY_MISSING"
    capability: str
    unit_id: str | None = None

    @property
    def message(self) -> str:
        """Names both."""
        where = f"over such groups of unit {self.unit_id}" if self.unit_id else "over some groups"
        return f"this needs the capability {self.capability} {where}"


class GroupNotFound(NotFound):
    """No group of this tenant has that id, or none that the caller may see."""

    reason = "GROUP_NOT_FOUND"
    group_id: str


class UnitNotFound(NotFound):
    """No unit of this tenant has that id, or none that the caller may see."""

    reason = "UNIT_NOT_FOUND"
    unit_id: str


class GroupCodeTaken(AlreadyExists):
    """Another group of the tenant has that code; not said which where the caller cannot see it."""

    reason = "GROUP_CODE_TAKEN"
    code: str
    group_id: str | None


class RegisterMoved(Conflict):
    """The register is no longer at the version that a change was made for. Nothing was written."""

    reason = "REGISTER_MOVED"
    expected_version: int
    version: int


class RegisterBusy(Conflict):
    """Others kept changing the register first, as often as was tried. Nothing was written."""

    reason = "REGISTER_BUSY"
    attempt_count: int


class RecordsGone(Conflict):
    """Records that a snapshot points to have been replaced since: take a new snapshot."""

    reason = "RECORDS_GONE"
    version: int


class RegisterFull(AtLimit):
    """A tenant's register cannot hold more of these."""

    reason = "REGISTER_FULL"
    sentence = "a register holds at most {limit} {what}"
    what: str


class RegisterUnreadable(Unavailable):
    """The stored register is of a layout that this process does not know."""

    reason = "REGISTER_UNREADABLE"
    layout: str
