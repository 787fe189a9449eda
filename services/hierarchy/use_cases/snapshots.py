"""The tree as one answer: what the caller sees of it, or what changed since they last asked."""

from dataclasses import dataclass

from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.ports import Caller, OrgGraph, UnitChanges
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.trees import Trees

# More are cheaper as a whole tree, and would not go into one message.
MAX_DELTA_UNITS = 5_000


@dataclass(frozen=True, slots=True)
class TreeSummary:
    """Which tree it is that the caller holds already, or holds once they have applied a delta."""

    tree_version: int
    unit_count: int
    level_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TreeDelta:
    """What became of the units since the version that the caller holds."""

    summary: TreeSummary
    changes: UnitChanges


class TreeReader:
    """Reads the tree of the caller's tenant; needs `view` over something."""

    def __init__(self, graph: OrgGraph, trees: Trees, access: Access) -> None:
        self._graph = graph
        self._trees = trees
        self._access = access

    async def read(
        self, caller: Caller, known: int, *, accepts_deltas: bool
    ) -> TreeSummary | TreeDelta | Scope:
        """What the caller needs to hold the present tree.

        Who does not see all of the tree gets their part, whatever version they hold: it changes
        also with what they may see.

        Args:
            caller: who is asking.
            known: the version of the whole tree that they hold; 0 for none.
            accepts_deltas: whether they can apply one.
        """
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        if viewer.roots("view") is None and known:
            if known == viewer.header.tree_version:
                return _summary(viewer)
            if accepts_deltas and (delta := await self._delta(viewer, known)):
                return delta
        return Scope.of(viewer, "view", await self._trees.seen(viewer.header))

    async def _delta(self, viewer: Viewer, known: int) -> TreeDelta | None:
        header = viewer.header
        # Who holds an older list of levels holds other indexes into it.
        if not header.levels_version <= known < header.tree_version:
            return None
        changes = await self._graph.unit_changes(viewer.tenant, since=known, limit=MAX_DELTA_UNITS)
        # Of a version that is newer than the header neither levels nor count are known.
        if changes is None or changes.tree_version != header.tree_version:
            return None
        return TreeDelta(_summary(viewer), changes)


def _summary(viewer: Viewer) -> TreeSummary:
    header = viewer.header
    level_keys = header.blueprint.level_keys if header.blueprint else ()
    return TreeSummary(header.tree_version, header.counts.units, level_keys)
