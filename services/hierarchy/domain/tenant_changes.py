"""Decides how tenants begin, stop, go on and end, as those who operate the platform ask.

None of it needs a record: a tenant as a whole is its header.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from services.hierarchy.domain.errors import TenantSuspended
from services.hierarchy.domain.events import AccessChanged, TenantChanged
from services.hierarchy.domain.model import TenantId
from services.hierarchy.domain.operations import Decision, Moment, Steps, Want
from services.hierarchy.domain.tenant_errors import (
    TenantDeleting,
    TenantExists,
    TenantNotFound,
    TenantNotSuspended,
    TenantUnknown,
)
from services.hierarchy.domain.tenants import Counts, Quotas, TenantHeader, TenantStatus

MAX_QUOTA = 1_000_000_000
_REMOVED = (TenantStatus.DELETING, TenantStatus.DELETED)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What those who operate the platform see of a tenant: nothing that is in it.

    Attributes:
        changed_at: when its units last changed; None before the first.
    """

    id: TenantId
    status: TenantStatus
    quotas: Quotas
    used: Counts
    tree_version: int
    changed_at: datetime | None

    @classmethod
    def of(cls, header: TenantHeader) -> Self:
        """The tenant with this header."""
        return cls(
            header.tenant,
            header.status,
            header.quotas,
            header.counts,
            header.tree_version,
            header.changed_until,
        )


@dataclass(frozen=True, slots=True)
class QuotaChange:
    """How much of each a tenant is to have; None leaves it as it is."""

    units: int | None = None
    persons: int | None = None
    appointments: int | None = None

    def over(self, quotas: Quotas) -> Quotas:
        """The quotas after the change."""
        return replace(
            quotas,
            units=quotas.units if self.units is None else self.units,
            persons=quotas.persons if self.persons is None else self.persons,
            appointments=quotas.appointments if self.appointments is None else self.appointments,
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """The answer to a step of a removal."""


@dataclass(frozen=True, slots=True)
class DeletionProof:
    """That at an instant nothing of a tenant was found in the store but its header."""

    tenant: TenantId
    deleted_at: datetime
    remaining_count: int

    @property
    def digest(self) -> str:
        """SHA-256 over the three, a line each, in hexadecimal."""
        at = self.deleted_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lines = f"{self.tenant}\n{at}\n{self.remaining_count}\n"
        return hashlib.sha256(lines.encode()).hexdigest()


def require_working(header: TenantHeader, *, implicit: bool) -> None:
    """Raise unless those who belong to the tenant may work in it.

    Args:
        header: of the tenant.
        implicit: whether a tenant that nobody created may begin with its first write.

    Raises:
        TenantSuspended: see there.
        TenantUnknown: it was never created, or is being removed, or was.
    """
    if header.status is TenantStatus.SUSPENDED:
        raise TenantSuspended
    if header.status in _REMOVED or not (header.exists or implicit):
        raise TenantUnknown(header.tenant)


def require_readable(header: TenantHeader) -> None:
    """Raise `TenantNotFound`, or `TenantDeleting` for one that is being removed."""
    if not header.exists:
        raise TenantNotFound(header.tenant)
    if header.status in _REMOVED:
        raise TenantDeleting(header.tenant, header.status.value)


def require_removable(header: TenantHeader) -> None:
    """Raise `TenantNotFound`, or `TenantNotSuspended` for one that is at work."""
    if not header.exists:
        raise TenantNotFound(header.tenant)
    if header.status is TenantStatus.ACTIVE:
        raise TenantNotSuspended(header.tenant)


def decide_create(quotas: QuotaChange, moment: Moment) -> Steps[Tenant]:
    """Create the tenant.

    Raises:
        TenantExists: there is one, or was.
    """
    yield Want({})
    header = moment.header
    if header.exists:
        raise TenantExists(header.tenant, header.status.value)
    created = replace(
        header, quotas=quotas.over(header.quotas), access_version=header.access_version + 1
    )
    told = (TenantChanged(created.status), AccessChanged(created.access_version))
    return Decision(Tenant.of(created), header=created, changes=told)


def decide_update(
    status: TenantStatus | None, quotas: QuotaChange, moment: Moment
) -> Steps[Tenant]:
    """Suspend or resume the tenant, and change its quotas.

    A quota may be less than what there is: that stays, and nothing can be added.

    Args:
        status: active or suspended; None to keep.
        quotas: the change.
        moment: of the write.

    Raises:
        TenantNotFound: there is none.
        TenantDeleting: it is being removed.
    """
    yield Want({})
    header = moment.header
    require_readable(header)
    changed = replace(header, quotas=quotas.over(header.quotas))
    if status is not None and status is not header.status:
        changed = _with_status(changed, status)
        told = (TenantChanged(status), AccessChanged(changed.access_version))
        return Decision(Tenant.of(changed), header=changed, changes=told)
    return Decision(Tenant.of(changed), header=changed if changed != header else None)


def decide_delete(moment: Moment) -> Steps[Removed]:
    """Begin to remove a suspended tenant: all that its header holds goes, its secrets with it.

    Raises:
        TenantNotFound: there is none.
        TenantNotSuspended: it is at work.
    """
    yield Want({})
    header = moment.header
    require_removable(header)
    if header.status is not TenantStatus.SUSPENDED:
        return Decision(Removed())
    # Versions never go back, whoever keeps one.
    bare = TenantHeader(
        header.tenant, tree_version=header.tree_version, access_version=header.access_version
    )
    deleting = _with_status(bare, TenantStatus.DELETING)
    told = (TenantChanged(deleting.status), AccessChanged(deleting.access_version))
    return Decision(Removed(), header=deleting, changes=told)


def decide_deleted(moment: Moment) -> Steps[Removed]:
    """Note that nothing is left of a tenant that was being removed."""
    yield Want({})
    header = moment.header
    if header.status is not TenantStatus.DELETING:
        return Decision(Removed())
    return Decision(Removed(), header=replace(header, status=TenantStatus.DELETED))


def _with_status(header: TenantHeader, status: TenantStatus) -> TenantHeader:
    return replace(header, status=status, access_version=header.access_version + 1)
