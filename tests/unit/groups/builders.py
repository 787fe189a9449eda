"""Small functions that make what the register works on, with good defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kit.forest import Forest
from kit.ids import stable_id
from services.groups.adapters.hierarchy_client import ForestTree
from services.groups.adapters.redis.rows import RedisRegister, empty_register, pack_rows
from services.groups.domain.blueprint import Blueprint
from services.groups.domain.checks import Draft
from services.groups.domain.imports import GroupRow
from services.groups.domain.model import (
    Admin,
    AdminRole,
    Group,
    GroupContent,
    GroupId,
    GroupState,
    Identity,
    TenantId,
    UnitId,
)

TENANT = TenantId("neem")
AT = datetime(2026, 1, 1, tzinfo=UTC)

BLUEPRINT = Blueprint(
    version=1,
    kinds={"internal": False, "booth_voters": False, "category": True},
    categories=frozenset({"farmers", "students", "women"}),
)
OWNER = Admin("p-1", AdminRole.OWNER)
EXECUTIVE = Admin("p-9", AdminRole.STATE_EXECUTIVE)


def unit_id(name: str) -> UnitId:
    """The id of a unit that a test calls by name."""
    return UnitId(stable_id("unit", name))


def group_id(code: str) -> GroupId:
    """An id for a group that a test calls by code."""
    return GroupId(stable_id("group", code))


@dataclass(frozen=True)
class Unit:
    """A unit of a plain tree: its code is its name."""

    name: str
    level: str
    parent: str | None = None


@dataclass
class PlainTree:
    """A tree as a list of units, parents before children; what a test can see through."""

    levels: Sequence[str] = ("state", "division", "district", "booth")
    units: list[Unit] = field(default_factory=list)
    version: int = 1

    def add(self, name: str, level: str, parent: str | None = None) -> "PlainTree":
        self.units.append(Unit(name, level, parent))
        return self

    def in_preorder(self, parent: str | None = None) -> list[Unit]:
        """Parents before children, siblings by code."""
        children = sorted((u for u in self.units if u.parent == parent), key=lambda u: u.name)
        return [each for child in children for each in (child, *self.in_preorder(child.name))]

    def subtree(self, name: str) -> set[str]:
        below = [u.name for u in self.units if u.parent == name]
        return {name}.union(*(self.subtree(each) for each in below))

    def parents(self) -> list[int]:
        """The parent's position for each unit in pre-order."""
        order = self.in_preorder()
        position = {unit.name: index for index, unit in enumerate(order)}
        return [-1 if u.parent is None else position[u.parent] for u in order]

    def snapshot(self) -> ForestTree:
        """What the service makes of it."""
        order = self.in_preorder()
        return ForestTree(
            version=self.version,
            levels=tuple(self.levels),
            forest=Forest([unit_id(u.name) for u in order], self.parents()),
            level_numbers=[self.levels.index(u.level) for u in order],
            codes=[u.name for u in order],
        )


def a_state() -> PlainTree:
    """One state with two divisions; the first has two districts, each with booths."""
    tree = PlainTree()
    tree.add("raj", "state")
    tree.add("jaipur", "division", "raj").add("kota", "division", "raj")
    tree.add("alwar", "district", "jaipur").add("dausa", "district", "jaipur")
    tree.add("b-1", "booth", "alwar").add("b-2", "booth", "alwar").add("b-3", "booth", "dausa")
    return tree


def content(code: str = "g-1", unit: str = "b-1", **changes: object) -> GroupContent:
    """The content of an active group of booth voters that nothing is wrong with."""
    standard = GroupContent(
        code=code,
        names={"en": f"Group {code}", "hi": f"समूह {code}"},
        kind="booth_voters",
        category="",
        unit_id=unit_id(unit),
        admins=(OWNER,),
        language="hi",
        member_count=900,
        capacity=1024,
        state=GroupState.ACTIVE,
    )
    return replace(standard, **changes)  # type: ignore[arg-type]  # a test names its fields


def group(code: str = "g-1", unit: str = "b-1", **changes: object) -> Group:
    """A registered group with such a content."""
    return Group(Identity(group_id(code), AT), content(code, unit, **changes))


def draft(code: str = "g-1", **changes: object) -> Draft:
    """What somebody says about such a group."""
    standard = Draft(
        code=code,
        names={"en": f"Group {code}", "hi": f"समूह {code}"},
        kind="booth_voters",
        category="",
        admins=(("p-1", AdminRole.OWNER),),
        language="hi",
        member_count=900,
        capacity=1024,
        state=GroupState.ACTIVE,
    )
    return replace(standard, **changes)  # type: ignore[arg-type]  # a test names its fields


def row(
    number: int, code: str, unit: str = "b-1", level: str = "booth", **said: object
) -> GroupRow:
    """A row of a file about such a group."""
    return GroupRow(number, draft(code, **said), level, unit)


def register_of(
    groups: Sequence[Group], version: int = 1, tenant: TenantId = TENANT
) -> RedisRegister:
    """A register that holds these groups, without a store."""
    kinds = sorted({each.content.kind for each in groups})
    categories = ["", *sorted({each.content.category for each in groups} - {""})]
    return empty_register(tenant).followed_by(
        version=version,
        revision=version.to_bytes(8, "big"),
        tree_version=1,
        kinds=tuple(kinds),
        categories=tuple(categories),
        rows=pack_rows(groups, b"revision", kinds, categories),
    )


def names(**by_language: str) -> Mapping[str, str]:
    return by_language
