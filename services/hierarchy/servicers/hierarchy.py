"""`HierarchyService`: its parts, joined."""

from dataclasses import dataclass

from services.hierarchy.servicers.blueprints import BlueprintCalls
from services.hierarchy.servicers.imports import ImportCalls
from services.hierarchy.servicers.snapshots import SnapshotCalls
from services.hierarchy.servicers.units import UnitCalls
from services.hierarchy.use_cases.blueprints import Blueprints
from services.hierarchy.use_cases.imports import ImportRoom, UnitImports
from services.hierarchy.use_cases.snapshots import TreeReader
from services.hierarchy.use_cases.units import UnitReader

SERVICE_NAME = "chaupal.hierarchy.v1.HierarchyService"


@dataclass(frozen=True, slots=True)
class HierarchyUseCases:
    """What the calls of the service come to."""

    blueprints: Blueprints
    imports: UnitImports
    room: ImportRoom
    trees: TreeReader
    units: UnitReader


class HierarchyServicer(BlueprintCalls, ImportCalls, SnapshotCalls, UnitCalls):
    """Serves `chaupal.hierarchy.v1.HierarchyService`; the contract's comments are the promise."""

    def __init__(self, use_cases: HierarchyUseCases) -> None:
        self._blueprints = use_cases.blueprints
        self._imports = use_cases.imports
        self._room = use_cases.room
        self._trees = use_cases.trees
        self._units = use_cases.units
