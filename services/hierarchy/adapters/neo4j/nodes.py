"""Records as the properties of nodes: their rows, but for the parent of a root."""

from collections.abc import Callable, Mapping
from typing import Any

from services.hierarchy.adapters.records import SHAPES, Row, Scalar
from services.hierarchy.domain.model import Unit
from services.hierarchy.domain.records import R

# No index holds what is absent, and the roots are to be found as children are.
NO_PARENT = ""


def to_node(of: type[R]) -> Callable[[R], dict[str, Scalar]]:
    """Makes the properties of a record's node; null takes a property away."""
    return _unit_to_node if of is Unit else SHAPES[of].to_row  # type: ignore[return-value]  # told


def from_node(of: type[R]) -> Callable[[Row], R]:
    """Makes the record of a node's properties."""
    return _unit_from_node if of is Unit else SHAPES[of].from_row  # type: ignore[return-value]


def _unit_to_node(unit: Unit) -> dict[str, Scalar]:
    row = SHAPES[Unit].to_row(unit)
    row["parent_id"] = row["parent_id"] or NO_PARENT
    return row


def _unit_from_node(properties: Mapping[str, Any]) -> Unit:
    unit: Unit = SHAPES[Unit].from_row({**properties, "parent_id": properties["parent_id"] or None})
    return unit
