"""Reading groups: by id, in lists, and in counts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kit.ids import is_uuid
from services.groups.domain.answers import GroupCounts, GroupFilter, Page, Place
from services.groups.domain.errors import GroupNotFound, RecordsGone, UnitNotFound
from services.groups.domain.model import Group, GroupId, UnitId
from services.groups.ports import GroupRegistry
from services.groups.use_cases.access import Access, Sight
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import View

T = TypeVar("T")

# A record can only go while somebody changes the very groups that are being read.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some groups in tree order, then by code."""

    groups: Sequence[Group]
    has_more: bool
    total_count: int


@dataclass(frozen=True, slots=True)
class ReadGroups:
    """Reads the register. Every answer is of one state of it, as far as the caller sees it."""

    access: Access
    registry: GroupRegistry

    async def by_id(self, call: Call, group_id: GroupId) -> Group:
        """One group.

        Raises:
            GroupNotFound: there is none with that id.
        """
        [group] = await self.by_ids(call, [group_id])
        if group is None:
            raise GroupNotFound(group_id)
        return group

    async def by_ids(self, call: Call, ids: Sequence[GroupId]) -> Sequence[Group | None]:
        """One group for each id, in order; None where there is none with that id."""
        canonical = [each for each in ids if is_uuid(each)]
        sight = await self.access.sight(call)
        found = await self._found(call, sight, canonical)
        if sight.scope is not None and len(found) < len(set(canonical)):
            found = await self._found(call, await self.access.sight(call, ask=True), canonical)
        return [found.get(group_id) for group_id in ids]

    async def _found(
        self, call: Call, sight: Sight, ids: Sequence[GroupId]
    ) -> Mapping[GroupId, Group]:
        async def read(sight: Sight) -> Mapping[GroupId, Group]:
            register = sight.view.register
            there = [each for each in register.ordinals_of_ids(ids) if each >= 0]
            groups = await self.registry.groups(register, there)
            return {each.id: each for each in groups if sight.has_group(each.content)}

        return await self._reading(call, sight, read)

    async def page(
        self,
        call: Call,
        narrow: GroupFilter,
        unit_id: UnitId | None,
        after: Place | None,
        size: int,
    ) -> GroupPage:
        """A page of the groups that a filter selects.

        Raises:
            UnitNotFound: the tree has no such unit.
        """
        [page] = await self._pages(call, narrow, [unit_id], after, size)
        if page is None:
            raise UnitNotFound(unit_id or "")
        return page

    async def first_pages(
        self, call: Call, narrow: GroupFilter, unit_ids: Sequence[UnitId], size: int
    ) -> Sequence[GroupPage | None]:
        """The first page of each unit's groups, in order; None where there is no such unit."""
        return await self._pages(call, narrow, unit_ids, None, size)

    async def counts(self, call: Call, unit_ids: Sequence[UnitId]) -> Sequence[GroupCounts | None]:
        """The counts of each unit's subtree, in order; None where there is no such unit."""
        sight = await self._sight_with(call, unit_ids)
        if sight.scope is None:
            return sight.index.counts(unit_ids)
        # What a scope's counts are made of may have to be made first.
        return await asyncio.to_thread(sight.index.counts, unit_ids)

    async def _pages(
        self,
        call: Call,
        narrow: GroupFilter,
        unit_ids: Sequence[UnitId | None],
        after: Place | None,
        size: int,
    ) -> Sequence[GroupPage | None]:
        sight = await self._sight_with(call, [each for each in unit_ids if each is not None])

        async def read(sight: Sight) -> Sequence[GroupPage | None]:
            pages = sight.index.pages(narrow, unit_ids, after, size)
            return await self._filled(sight.view, pages)

        return await self._reading(call, sight, read)

    async def _filled(self, view: View, pages: Sequence[Page | None]) -> Sequence[GroupPage | None]:
        ordinals = [each for page in pages if page is not None for each in page.ordinals]
        groups = iter(await self.registry.groups(view.register, ordinals))
        return [
            None
            if page is None
            else GroupPage([next(groups) for _ in page.ordinals], page.has_more, page.total_count)
            for page in pages
        ]

    async def _sight_with(self, call: Call, unit_ids: Sequence[UnitId]) -> Sight:
        """The present sight; asks the organisation's owner first when a unit is not there."""
        sight = await self.access.sight(call)
        if any(is_uuid(each) and not sight.has_unit(each) for each in unit_ids):
            sight = await self.access.sight(call, ask=True)
        return sight

    async def _reading(self, call: Call, sight: Sight, read: Callable[[Sight], Awaitable[T]]) -> T:
        """Read of this sight, and of newer ones while its records go under our hands."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await read(sight)
            except RecordsGone:
                sight = await self.access.sight(call)
        return await read(sight)
