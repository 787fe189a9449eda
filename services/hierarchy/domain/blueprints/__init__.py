"""A tenant's blueprint: its rules, what stands in the way of a change, and what a change means."""

from services.hierarchy.domain.blueprints.decision import BlueprintPut, decide_blueprint
from services.hierarchy.domain.blueprints.differences import Difference, differences
from services.hierarchy.domain.blueprints.rules import blueprint_violations
from services.hierarchy.domain.blueprints.uses import Holders, Holding, Narrowing, narrowings

__all__ = [
    "BlueprintPut",
    "Difference",
    "Holders",
    "Holding",
    "Narrowing",
    "blueprint_violations",
    "decide_blueprint",
    "differences",
    "narrowings",
]
