"""Reading groups: by id, in lists, and in counts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kit.ids import is_uuid
from services.groups.domain.answers import GroupCounts, GroupFilter, Page, Place
from services.groups.domain.errors import GroupNotFound, RecordsGone, UnitNotFound
from services.groups.domain.model import Group, GroupId, UnitId
from services.groups.ports import GroupRegistry
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import View, Views

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
    """Reads the register. Every answer is of one state of it."""

    views: Views
    registry: GroupRegistry

    async def by_id(self, call: Call, group_id: GroupId) -> Group:
        """One group.

        Raises:
            GroupNotFound: the tenant has none with that id.
        """
        [group] = await self.by_ids(call, [group_id])
        if group is None:
            raise GroupNotFound(group_id)
        return group

    async def by_ids(self, call: Call, ids: Sequence[GroupId]) -> Sequence[Group | None]:
        """One group for each id, in order; None where the tenant has none with that id."""
        view = await self.views.current(call.may_read(), call.deadline)
        canonical = [each for each in ids if is_uuid(each)]

        async def read(view: View) -> dict[GroupId, Group]:
            there = [each for each in view.register.ordinals_of_ids(canonical) if each >= 0]
            return {each.id: each for each in await self.registry.groups(view.register, there)}

        found = await self._reading(call, view, read)
        return [found.get(group_id) for group_id in ids]

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
        view = await self._view_with(call, unit_ids)
        return view.index.counts(unit_ids)

    async def _pages(
        self,
        call: Call,
        narrow: GroupFilter,
        unit_ids: Sequence[UnitId | None],
        after: Place | None,
        size: int,
    ) -> Sequence[GroupPage | None]:
        view = await self._view_with(call, [each for each in unit_ids if each is not None])

        async def read(view: View) -> Sequence[GroupPage | None]:
            pages = view.index.pages(narrow, unit_ids, after, size)
            return await self._filled(view, pages)

        return await self._reading(call, view, read)

    async def _filled(self, view: View, pages: Sequence[Page | None]) -> Sequence[GroupPage | None]:
        ordinals = [each for page in pages if page is not None for each in page.ordinals]
        groups = iter(await self.registry.groups(view.register, ordinals))
        return [
            None
            if page is None
            else GroupPage([next(groups) for _ in page.ordinals], page.has_more, page.total_count)
            for page in pages
        ]

    async def _view_with(self, call: Call, unit_ids: Sequence[UnitId]) -> View:
        """The present view; asks the organisation's owner first when a unit is not there."""
        tenant = call.may_read()
        view = await self.views.current(tenant, call.deadline)
        find = view.organisation.tree.find
        if any(is_uuid(each) and find(each) is None for each in unit_ids):
            view = await self.views.asked(tenant, call.deadline)
        return view

    async def _reading(self, call: Call, view: View, read: Callable[[View], Awaitable[T]]) -> T:
        """Read of this view, and of newer ones while its records go under our hands."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await read(view)
            except RecordsGone:
                view = await self.views.current(call.tenant, call.deadline)
        return await read(view)
