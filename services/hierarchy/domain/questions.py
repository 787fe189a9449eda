"""Whether somebody may do something in a unit, for many units at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.hierarchy.domain.access import ScopedGrant
from services.hierarchy.domain.model import Grant, UnitId
from services.hierarchy.domain.tree import Tree


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody do this, in this unit, with a group of this category and kind?

    An empty category or kind says that the matter is not about one, and a grant that is narrowed
    to some does not cover it. Only to view the unit itself any grant to view will do, as whoever
    sees some groups of a unit sees the unit. So the answer about units is what `Scope` shows.
    """

    capability: str
    unit_id: UnitId
    category: str = ""
    group_kind: str = ""


def answers(
    grants: Iterable[ScopedGrant], tree: Tree, questions: Iterable[Question]
) -> Iterator[bool]:
    """The answers in order; no for a unit that is not in the tree.

    A question costs as much as the unit is deep, however many grants there are elsewhere.
    """
    by_root: dict[tuple[str, UnitId | None], list[Grant]] = defaultdict(list)
    for each in grants:
        by_root[each.grant.capability, each.unit_id].append(each.grant)
    for question in questions:
        roots = _roots(tree, question.unit_id)
        yield any(
            _covers(grant, question)
            for root in roots
            for grant in by_root.get((question.capability, root), ())
        )


def _roots(tree: Tree, unit_id: UnitId) -> Sequence[UnitId | None]:
    """Where a grant must stand to reach a unit: over it, over what is above it, over everything."""
    if unit_id not in tree.forest:
        return ()
    return (unit_id, *map(UnitId, tree.forest.ancestors(unit_id)), None)


def _covers(grant: Grant, question: Question) -> bool:
    if question.capability == "view" and not question.category and not question.group_kind:
        return True
    in_category = not grant.categories or question.category in grant.categories
    return in_category and (not grant.group_kinds or question.group_kind in grant.group_kinds)
