"""Putting a blueprint in the place of the one that stands."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.hierarchy.domain.blueprints.differences import Difference, differences
from services.hierarchy.domain.blueprints.uses import (
    Holders,
    Holding,
    distinct,
    narrowings,
    obstacles,
    team_counts,
)
from services.hierarchy.domain.errors import BlueprintInUse, HoldersChanged
from services.hierarchy.domain.events import AccessChanged, BlueprintChanged, Change, TreeChanged
from services.hierarchy.domain.model import Blueprint
from services.hierarchy.domain.operations import Decision, Moment, Steps
from services.hierarchy.domain.tenants import TenantHeader

_NOBODY: Mapping[str, Holding] = {}


@dataclass(frozen=True, slots=True)
class BlueprintPut:
    """The blueprint as it stands, and in what it differs from the one before."""

    blueprint: Blueprint
    differences: tuple[Difference, ...] = ()


def decide_blueprint(
    draft: Blueprint, moment: Moment, holders: Holders | None = None
) -> Steps[BlueprintPut]:
    """Replace the blueprint by one that leaves room for all that stands.

    Levels, positions and kinds of team may be added anywhere. Levels without units may go, others
    stay in their order. Positions that nobody holds and kinds without a team may go; others keep
    the levels on which they are used, and seats for all who hold them. A position makes monitors as
    long as somebody watches, or is to watch, who would be none without it. Otherwise an appointment
    that is only to begin counts for nothing: it gives nothing unless its position is there by then.

    Args:
        draft: valid by itself (`blueprint_violations`).
        moment: of the write.
        holders: of the positions from which the draft takes something (`narrowings`). Appointments
            and watches end by themselves, so nobody could keep count of them: they are asked for
            beforehand, and what was answered is true for a while. None when it was not asked.

    Raises:
        BlueprintInUse: see above.
        HoldersChanged: the holders matter, and they are not true any more, or None.
    """
    yield from ()  # all that is to be known is in the header and in the holders
    header, old = moment.header, moment.header.blueprint
    held = holders.by_position if holders else _NOBODY
    if old:
        if old.says_the_same_as(draft):
            return Decision(BlueprintPut(old))
        _require_room(header, old, draft, holders)
    found = differences(old, draft, _standing(header, held))
    return _replaced(header, replace(draft, version=old.version + 1 if old else 1), found)


def _require_room(
    header: TenantHeader, old: Blueprint, draft: Blueprint, holders: Holders | None
) -> None:
    is_current = holders is not None and holders.fit(header)
    if not is_current and narrowings(old, draft):
        raise HoldersChanged
    found = tuple(obstacles(header, old, draft, holders.by_position if holders else _NOBODY))
    if found:
        raise BlueprintInUse(
            levels=distinct(found, "levels"),
            positions=distinct(found, "positions"),
            team_kinds=distinct(found, "team_kinds"),
            _said=tuple(each.said for each in found),
        )


def _standing(header: TenantHeader, held: Mapping[str, Holding]) -> Mapping[str, Mapping[str, int]]:
    return {
        "levels": header.used_levels,
        "positions": {key: holding.appointment_count for key, holding in held.items()},
        "team_kinds": team_counts(header.used_team_kinds),
    }


def _replaced(
    header: TenantHeader, new: Blueprint, found: tuple[Difference, ...]
) -> Decision[BlueprintPut]:
    """Units that stand on a list of levels that differs have changed with it.

    Whoever holds the tree holds indexes into that list.
    """
    old = header.blueprint
    levels_differ = old is not None and old.level_keys != new.level_keys
    changes_tree = levels_differ and bool(header.used_levels)
    tree_version = header.tree_version + changes_tree
    after = replace(
        header,
        blueprint=new,
        tree_version=tree_version,
        levels_version=tree_version if changes_tree else header.levels_version,
        access_version=header.access_version + 1,
    )
    changes: list[Change] = [TreeChanged(tree_version)] if changes_tree else []
    changes += BlueprintChanged(new.version), AccessChanged(after.access_version)
    return Decision(BlueprintPut(new, found), header=after, changes=changes)
