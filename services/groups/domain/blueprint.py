"""The part of a tenant's blueprint that the register needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The tenant's kinds and categories. A tenant without a blueprint has none of either.

    Attributes:
        version: counts its changes; 0 when there is no blueprint.
        kinds: each kind's key, and whether its groups carry a category.
        categories: the keys of the categories.
    """

    version: int = 0
    kinds: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    categories: frozenset[str] = frozenset()
