"""Re-organisations: several changes of units in one step, all or none, with one set of rules."""

from services.hierarchy.domain.reorganisation.decision import decide_reorganisation
from services.hierarchy.domain.reorganisation.request import (
    MAX_STEPS,
    CloseStep,
    CreateStep,
    MergeStep,
    MoveStep,
    NewUnit,
    Reorganisation,
    ReorganisationReport,
    Rights,
    SplitStep,
    Step,
    UnitChange,
    UnitRef,
    UpdateStep,
    What,
    first_violations,
)

__all__ = [
    "MAX_STEPS",
    "CloseStep",
    "CreateStep",
    "MergeStep",
    "MoveStep",
    "NewUnit",
    "Reorganisation",
    "ReorganisationReport",
    "Rights",
    "SplitStep",
    "Step",
    "UnitChange",
    "UnitRef",
    "UpdateStep",
    "What",
    "decide_reorganisation",
    "first_violations",
]
