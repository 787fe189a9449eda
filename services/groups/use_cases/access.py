"""Who is asking, and over which groups they may do what: the first question of every use case.

A credential that gives a capability gives it over the whole tenant, and nobody is asked. Everybody
else has what their appointments give, as the organisation's peer confirms it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from services.groups.domain.access import Granted, Scope
from services.groups.domain.errors import NotAllowed
from services.groups.domain.model import GroupContent, UnitId
from services.groups.ports import AudienceIndex, Register, Rights, Tree
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import Standing, View, Views

VIEW = "view"
ADMINISTER = "administer"
_ID_BYTES, _KEY_BYTES = 16, 2


@dataclass(frozen=True, slots=True)
class Sight:
    """What the caller sees of one tenant.

    Attributes:
        view: how the tenant stands.
        scope: what of it they see; None for everything.
    """

    view: View
    scope: Scope | None

    @property
    def index(self) -> AudienceIndex:
        """Answers as if there were nothing else."""
        return self.view.index if self.scope is None else self.view.index.within(self.scope)

    def has_unit(self, unit_id: UnitId) -> bool:
        """Whether there is such a unit for them."""
        return _has_unit(self.scope, self.view.organisation.tree, unit_id)

    def has_group(self, content: GroupContent) -> bool:
        """Whether there is such a group for them."""
        tree = self.view.organisation.tree
        return _has_group(self.scope, tree, content.unit_id, content.kind, content.category)


@dataclass(frozen=True, slots=True)
class Authority:
    """Where the caller may change groups, and what they are told of where they may not.

    Attributes:
        standing: how the tenant stands.
        seen: what they see; None for everything.
        administered: what they may change; None for everything.
    """

    standing: Standing
    seen: Scope | None
    administered: Scope | None

    @property
    def is_everywhere(self) -> bool:
        """Whether there is nothing that they may not change."""
        return self.administered is None

    def has_unit(self, unit_id: UnitId) -> bool:
        """Whether there is such a unit for them."""
        return _has_unit(self.seen, self._tree, unit_id)

    def may_change(self, unit_id: UnitId, kind: str, category: str) -> bool:
        """Whether they may have such a group in that unit."""
        return _has_group(self.administered, self._tree, unit_id, kind, category)

    def changeable(self, register: Register) -> Callable[[int], bool]:
        """Whether they may change the group at a place of a register, as the register has it."""
        return _holds(self.administered, self._tree, register)

    def seen_of(self, register: Register) -> Callable[[int], bool]:
        """Whether the group at a place of a register is there for them."""
        return _holds(self.seen, self._tree, register)

    @property
    def _tree(self) -> Tree:
        return self.standing.organisation.tree


class Access:
    """Says what callers see and may change.

    Rights are never laid over a tree that is older than they are, so that a unit that was moved
    away is gone with the right to it. Before somebody is refused for want of a right, the peer is
    asked whether it has changed a moment ago.
    """

    def __init__(self, views: Views, rights: Rights) -> None:
        self._views = views
        self._rights = rights

    async def sight(self, call: Call, *, ask: bool = False) -> Sight:
        """What the caller sees now.

        Args:
            call: who, and of which tenant.
            ask: ask the organisation's owner for what is new, for somebody who names a thing that
                is not there, or not theirs, as far as we know.

        Raises:
            NotAllowed: they see no group at all.
            Unavailable: the store is away; or the organisation is, and was never read or must be
                asked who may do what.
        """
        if call.may_everywhere(VIEW):
            read = self._views.asked if ask else self._views.current
            return Sight(await read(call.tenant, call.deadline), None)
        standing, granted = await self._granted(call, ask=ask)
        scope = Scope.of(granted.grants, (VIEW,), standing.organisation.tree)
        if scope:
            return Sight(await self._views.over(standing), scope)
        if ask:
            raise NotAllowed(VIEW)
        return await self.sight(call, ask=True)

    async def authority(self, call: Call, *, ask: bool = False) -> Authority:
        """Where the caller may change groups now; raises as `sight`."""
        if call.may_everywhere(ADMINISTER):
            standing = await self._views.standing(call.tenant, call.deadline, ask=ask)
            return Authority(standing, None, None)
        standing, granted = await self._granted(call, ask=ask)
        tree = standing.organisation.tree
        administered = Scope.of(granted.grants, (ADMINISTER,), tree)
        if administered:
            everything = call.may_everywhere(VIEW)
            seen = None if everything else Scope.of(granted.grants, (VIEW, ADMINISTER), tree)
            return Authority(standing, seen, administered)
        if ask:
            raise NotAllowed(ADMINISTER)
        return await self.authority(call, ask=True)

    async def require_authority(self, call: Call) -> None:
        """Raise as `authority`; for whose credential is enough, nothing is read."""
        if not call.may_everywhere(ADMINISTER):
            await self.authority(call)

    async def _granted(self, call: Call, *, ask: bool) -> tuple[Standing, Granted]:
        """What appointments give, and a tree that is no older than that."""
        tenant, deadline = call.tenant, call.deadline
        standing = await self._views.standing(tenant, deadline)
        known = standing.organisation.access_version
        if ask:
            # Whatever changes in an organisation, its access version moves.
            known = max(known, await self._rights.version(tenant))
        granted = await self._rights.granted(tenant, call.caller.subject, at_least=known)
        if standing.organisation.access_version < granted.access_version:
            version = granted.access_version
            standing = await self._views.standing(tenant, deadline, at_least=version)
        return standing, granted


def _has_unit(scope: Scope | None, tree: Tree, unit_id: UnitId) -> bool:
    position = tree.find(unit_id)
    return position is not None and (scope is None or scope.has_unit(position))


def _has_group(scope: Scope | None, tree: Tree, unit_id: UnitId, kind: str, category: str) -> bool:
    if scope is None:
        return True
    position = tree.find(unit_id)
    return scope.has_group(tree.unit_count if position is None else position, kind, category)


def _holds(scope: Scope | None, tree: Tree, register: Register) -> Callable[[int], bool]:
    """Whether the group at a place of the register is in the scope."""
    if scope is None:
        return lambda _: True
    # Each is read once: that may cost a copy.
    units, kinds, categories = (
        register.column(name).cast("B") for name in ("unit", "kind", "category")
    )

    # 200,000 rows are about some ten thousand units, and a few kinds and categories.
    @cache
    def has(unit: bytes, kind: int, category: int) -> bool:
        return _has_group(
            scope, tree, _unit_id(unit), register.kinds[kind], register.categories[category]
        )

    def holds(ordinal: int) -> bool:
        unit = units[ordinal * _ID_BYTES : (ordinal + 1) * _ID_BYTES].tobytes()
        return has(unit, _key(kinds, ordinal), _key(categories, ordinal))

    return holds


def _key(column: memoryview, ordinal: int) -> int:
    return int.from_bytes(column[ordinal * _KEY_BYTES : (ordinal + 1) * _KEY_BYTES], "little")


def _unit_id(packed: bytes) -> UnitId:
    digits = packed.hex()
    return UnitId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")
