"""`HierarchyService`: its parts, joined."""

from dataclasses import dataclass

from services.hierarchy.servicers.areas import AreaCalls
from services.hierarchy.servicers.blueprints import BlueprintCalls
from services.hierarchy.servicers.histories import HistoryCalls
from services.hierarchy.servicers.imports import ImportCalls
from services.hierarchy.servicers.reorganisations import ReorganisationCalls
from services.hierarchy.servicers.searches import SearchCalls
from services.hierarchy.servicers.snapshots import SnapshotCalls
from services.hierarchy.servicers.unit_messages import UnitMessages
from services.hierarchy.servicers.units import UnitCalls
from services.hierarchy.use_cases.areas import Areas
from services.hierarchy.use_cases.blueprints import Blueprints
from services.hierarchy.use_cases.history import HistoryReader
from services.hierarchy.use_cases.imports import ImportRoom, UnitImports
from services.hierarchy.use_cases.reorganise import Reorganiser
from services.hierarchy.use_cases.search import UnitSearch
from services.hierarchy.use_cases.snapshots import TreeReader
from services.hierarchy.use_cases.units import UnitReader

SERVICE_NAME = "chaupal.hierarchy.v1.HierarchyService"


@dataclass(frozen=True, slots=True)
class HierarchyUseCases:
    """What the calls of the service come to."""

    areas: Areas
    blueprints: Blueprints
    history: HistoryReader
    imports: UnitImports
    reorganiser: Reorganiser
    room: ImportRoom
    search: UnitSearch
    trees: TreeReader
    units: UnitReader


class HierarchyServicer(
    AreaCalls,
    BlueprintCalls,
    HistoryCalls,
    ImportCalls,
    ReorganisationCalls,
    SearchCalls,
    SnapshotCalls,
    UnitCalls,
):
    """Serves `chaupal.hierarchy.v1.HierarchyService`; the contract's comments are the promise."""

    def __init__(self, use_cases: HierarchyUseCases) -> None:
        self._areas = use_cases.areas
        self._blueprints = use_cases.blueprints
        self._history = use_cases.history
        self._imports = use_cases.imports
        self._reorganiser = use_cases.reorganiser
        self._room = use_cases.room
        self._search = use_cases.search
        self._trees = use_cases.trees
        self._units = use_cases.units
        self._messages = UnitMessages()
