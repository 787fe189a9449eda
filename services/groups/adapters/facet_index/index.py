"""`WholeIndex`: what all answers need, made at once, and what narrows them, made when asked for."""

from collections import OrderedDict
from collections.abc import Sequence

from services.groups.adapters.facet_index.answers import Answers
from services.groups.adapters.facet_index.counting import Counts
from services.groups.adapters.facet_index.facets import Facets
from services.groups.adapters.facet_index.order import TreeOrder
from services.groups.adapters.facet_index.seen import Seen
from services.groups.domain.access import Scope
from services.groups.domain.answers import (
    GroupCounts,
    GroupFilter,
    Page,
    Place,
    Preview,
    Resolved,
)
from services.groups.domain.audience import Audience
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import UnitId
from services.groups.ports import AudienceIndex, Register, Tree

# Of 100,000 groups a bitmap has up to 13 KB, and counts up to 2 MB where somebody needed them.
_SCOPES_KEPT = 64


class FacetIndex:
    """One register in the order of one tree."""

    order: TreeOrder

    def __init__(
        self, register: Register, tree: Tree, previous: AudienceIndex | None = None
    ) -> None:
        earlier = previous.order if isinstance(previous, FacetIndex) else None
        self.order = TreeOrder(register, tree, earlier)
        self._facets = Facets(self.order)
        self._counts = Counts(self.order)
        self._whole = Answers(self.order, self._facets, self._counts, None)
        self._narrowed: OrderedDict[Scope, Answers] = OrderedDict()

    def preview(self, audience: Audience, blueprint: Blueprint, split_level: str) -> Preview:
        return self._whole.preview(audience, blueprint, split_level)

    def resolve(self, audience: Audience, blueprint: Blueprint) -> Resolved:
        return self._whole.resolve(audience, blueprint)

    def counts(self, unit_ids: Sequence[UnitId]) -> Sequence[GroupCounts | None]:
        return self._whole.counts(unit_ids)

    def pages(
        self, narrow: GroupFilter, unit_ids: Sequence[UnitId | None], after: Place | None, size: int
    ) -> Sequence[Page | None]:
        return self._whole.pages(narrow, unit_ids, after, size)

    def within(self, scope: Scope) -> AudienceIndex:
        kept = self._narrowed.get(scope)
        if kept is None:
            seen = Seen(scope, self.order, self._facets)
            kept = self._narrowed[scope] = Answers(self.order, self._facets, self._counts, seen)
            if len(self._narrowed) > _SCOPES_KEPT:
                self._narrowed.popitem(last=False)
        self._narrowed.move_to_end(scope)
        return kept
