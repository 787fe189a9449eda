"""What `OrgGraph` promises, as plain dictionaries: slow, obvious, and sharing no code with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.hierarchy.domain.events import BlueprintChanged, Change, TreeChanged
from services.hierarchy.domain.model import Blueprint, LocalizedText, Place, UnitRow

Key = tuple[str, str]


class ModelUnit(NamedTuple):
    names: LocalizedText
    parent: Key | None
    place: Place | None
    revision: int


@dataclass
class Model:
    """One tenant."""

    blueprint: Blueprint | None = None
    blueprint_version: int = 0
    tree_version: int = 0
    units: dict[Key, ModelUnit] = field(default_factory=dict)
    events: list[Change] = field(default_factory=list)
    relayed: int = 0

    @property
    def levels(self) -> list[str]:
        return [level.key for level in self.blueprint.levels] if self.blueprint else []

    @property
    def used(self) -> set[str]:
        return {level for level, _ in self.units}

    def may_put(self, draft: Blueprint) -> bool:
        new = [level.key for level in draft.levels]
        return [key for key in self.levels if key in self.used] == [
            key for key in new if key in self.used
        ]

    def put(self, draft: Blueprint) -> None:
        """Put a draft that differs and may be put."""
        new = [level.key for level in draft.levels]
        if self.units and new != self.levels:
            self.tree_version += 1
            self.events.append(TreeChanged(self.tree_version))
        self.blueprint = draft
        self.blueprint_version += 1
        self.events.append(BlueprintChanged(self.blueprint_version))

    def wrong_rows(self, rows: Sequence[UnitRow]) -> set[int]:
        """The numbers of the rows that cannot be right."""
        order = {key: place for place, key in enumerate(self.levels)}
        keys = [row.key for row in rows]
        known = set(keys) | set(self.units)
        places = [order[level] for level, _ in known if level in order]
        wrong = set()
        for place, row in enumerate(rows):
            parent = row.parent
            right = (
                row.key.level in order and row.key.code != "" and keys.index(keys[place]) == place
            )
            if parent == ("", ""):
                right = right and order[row.key.level] == min(places)
            else:
                right = right and parent in known and parent[0] in order
                right = right and order[parent[0]] < order[row.key.level]
            if not right:
                wrong.add(row.row)
        return wrong

    def take(self, rows: Sequence[UnitRow]) -> tuple[int, int, int]:
        """Apply rows that are right; how many were created, updated, left as they were."""
        changed: dict[Key, ModelUnit] = {}
        created = 0
        for row in rows:
            key = row.key
            parent = row.parent if row.parent.code else None
            unit = ModelUnit(row.names, parent, row.place, self.tree_version + 1)
            before = self.units.get(key)
            created += before is None
            if before is None or before[:3] != unit[:3]:
                changed[key] = unit
        if changed:
            self.tree_version += 1
            self.events.append(TreeChanged(self.tree_version))
            self.units.update(changed)
        return created, len(changed) - created, len(rows) - len(changed)

    def children(self, parent: Key | None) -> list[Key]:
        found = [key for key, unit in self.units.items() if unit.parent == parent]
        return sorted(found, key=lambda key: (key[1], key[0]))

    def ancestors(self, key: Key) -> list[Key]:
        above = []
        parent = self.units[key].parent
        while parent is not None:
            above.append(parent)
            parent = self.units[parent].parent
        return above
