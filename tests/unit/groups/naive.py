"""What an audience means, said in twenty lines and looked up group by group."""

from collections.abc import Sequence

from services.groups.domain.audience import Audience, AudienceTerm
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.model import AdminRole, Group, GroupState, UnitId
from tests.unit.groups.builders import PlainTree, unit_id


def matches(term: AudienceTerm, group: Group, above: set[UnitId]) -> bool:
    """Whether the group has what the term names."""
    return (
        (not term.unit_ids or bool(above & set(term.unit_ids)))
        and (not term.kinds or group.content.kind in term.kinds)
        and (not term.categories or group.content.category in term.categories)
    )


def outcome(audience: Audience, blueprint: Blueprint, tree: PlainTree, group: Group) -> str | None:
    """SEND, why not, or None when the rule does not select the group."""
    content = group.content
    above = {unit_id(u.name) for u in tree.units if content.unit_id in _ids(tree, u.name)}
    include = [term for term in audience.include if matches(term, group, above)]
    if not include or any(matches(term, group, above) for term in audience.exclude):
        return None
    if content.state is GroupState.RETIRED:
        return "RETIRED"
    if content.state is GroupState.PLANNED:
        return "PLANNED"
    if not content.admins:
        return "ORPHANED"
    led = any(admin.role is AdminRole.STATE_EXECUTIVE for admin in content.admins)
    if content.category and not led:
        plainly = any(not term.categories for term in include)
        if not (plainly and blueprint.kinds.get(content.kind) is False):
            return "INCOMPLETE"
    return "SEND"


def in_tree_order(tree: PlainTree, groups: Sequence[Group]) -> list[Group]:
    """By place of the unit, then by code; groups of unknown units last."""
    order = [unit_id(unit.name) for unit in tree.in_preorder()]
    place = {each: index for index, each in enumerate(order)}
    return sorted(groups, key=lambda g: (place.get(g.content.unit_id, len(order)), g.content.code))


def _ids(tree: PlainTree, name: str) -> set[UnitId]:
    return {unit_id(each) for each in tree.subtree(name)}
