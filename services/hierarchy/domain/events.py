"""What peers are told: numbered per tenant, written in the transaction of the change itself."""

from dataclasses import dataclass
from datetime import datetime

from services.hierarchy.domain.model import TenantId


@dataclass(frozen=True, slots=True)
class TreeChanged:
    """Units were created, changed or moved, or the levels they stand on were."""

    tree_version: int


@dataclass(frozen=True, slots=True)
class BlueprintChanged:
    """The blueprint was replaced."""

    blueprint_version: int


Change = TreeChanged | BlueprintChanged


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one tenant; `sequence` counts from 1 without gaps."""

    tenant: TenantId
    sequence: int
    occurred_at: datetime
    change: Change
