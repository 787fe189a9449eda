"""What is kept of a tenant as a whole: its header."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from services.hierarchy.domain.model import Blueprint, TenantId
from services.hierarchy.domain.records import joined_key


class TenantStatus(StrEnum):
    """Whether a tenant may work; of a deleted one nothing is left but its header, for ever."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much of each a tenant may have."""

    units: int = 200_000
    persons: int = 10_000_000
    appointments: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of each stands: open units, persons who were not erased, all appointments kept.

    `areas` are those that did not end, `watches` all that were ever assigned.
    """

    units: int = 0
    persons: int = 0
    appointments: int = 0
    areas: int = 0
    watches: int = 0


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A secret of the tenant, wrapped by the key-encryption key `wrapped_by`, in base64."""

    version: int
    wrapped: str = field(repr=False)
    wrapped_by: str


@dataclass(frozen=True, slots=True)
class TenantSecrets:
    """Data keys and peppers, newest last; older ones are there while records still need them.

    `carried_through` is the id up to which persons are under the newest, while there are others.
    """

    data_keys: tuple[SecretVersion, ...] = ()
    peppers: tuple[SecretVersion, ...] = ()
    carried_through: str = ""


@dataclass(frozen=True, slots=True)
class TenantHeader:
    """All of a tenant but its records.

    Attributes:
        tree_version: 0 before the first unit; grows by one with each write that changes units or,
            when there are units, the list of levels.
        levels_version: the tree version that last changed the list of levels.
        access_version: grows with each write that can change who may do what.
        changed_until: when the last change of units took effect; none takes effect earlier.
        used_levels: how many open units each level has.
        used_team_kinds: how many open teams there are, by kind and level (`joined_key`).
    """

    tenant: TenantId
    blueprint: Blueprint | None = None
    tree_version: int = 0
    levels_version: int = 0
    access_version: int = 0
    changed_until: datetime | None = None
    status: TenantStatus = TenantStatus.ACTIVE
    quotas: Quotas = Quotas()
    counts: Counts = Counts()
    used_levels: Mapping[str, int] = field(default_factory=dict)
    used_team_kinds: Mapping[str, int] = field(default_factory=dict)
    secrets: TenantSecrets = TenantSecrets()

    @property
    def exists(self) -> bool:
        """Whether the tenant was created, or written before it was."""
        return self != TenantHeader(self.tenant)


def with_teams(
    header: TenantHeader,
    *,
    began: Iterable[tuple[str, str]] = (),
    ended: Iterable[tuple[str, str]] = (),
) -> TenantHeader:
    """The header once teams began and ended; every write that does either keeps count with it.

    Args:
        header: before that.
        began: the kind of each new team, and the level of its unit.
        ended: the same of those that end.
    """
    counts = Counter(header.used_team_kinds)
    counts.update(joined_key(*each) for each in began)
    counts.subtract(joined_key(*each) for each in ended)
    used = {key: count for key, count in sorted(counts.items()) if count}
    return replace(header, used_team_kinds=used)
