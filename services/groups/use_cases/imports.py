"""Importing groups from rows, all or none."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from kit.clock import Clock
from kit.errors import InvalidInput, LimitExceeded
from kit.ids import Ids
from services.groups.domain.imports import (
    MAX_ROWS,
    CheckedRows,
    GroupRow,
    ImportReport,
    Plan,
    check_rows,
    plan_import,
)
from services.groups.domain.model import Group, GroupContent, GroupId, Identity, TenantId
from services.groups.ports import Change, RequestKey
from services.groups.use_cases.call import Call
from services.groups.use_cases.register import whole_milliseconds
from services.groups.use_cases.views import Standing
from services.groups.use_cases.writer import Writer, request_key

# A full import holds some 300 MB while it runs.
MOST_IMPORTS = 6
MOST_IMPORTS_OF_A_TENANT = 2


class TooManyImports(LimitExceeded):
    """This process runs as many imports as it has memory for."""

    reason = "TOO_MANY_IMPORTS"


class _Slots:
    """Bounds how many imports run at once, in all and of one tenant."""

    def __init__(self) -> None:
        self._running: Counter[TenantId] = Counter()
        self._working: set[asyncio.Task[ImportReport]] = set()

    @contextmanager
    def taken(self, tenant: TenantId) -> Iterator["_Slot"]:
        """A slot, held until the block has ended and the work in it as well."""
        if (
            self._running.total() >= MOST_IMPORTS
            or self._running[tenant] >= MOST_IMPORTS_OF_A_TENANT
        ):
            raise TooManyImports(retry_after=timedelta(seconds=5))
        self._running[tenant] += 1
        slot = _Slot(self._working)
        try:
            yield slot
        finally:
            slot.when_done(lambda: self._give_back(tenant))

    def _give_back(self, tenant: TenantId) -> None:
        self._running[tenant] -= 1
        self._running += Counter()  # drops tenants that have none

    async def aclose(self) -> None:
        """Cancel the work that nobody waits for any more, and wait for its end."""
        working = list(self._working)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


class _Slot:
    """The place of one import; its work is a task among the owner's."""

    def __init__(self, working: set[asyncio.Task[ImportReport]]) -> None:
        self._working = working
        self._work: asyncio.Task[ImportReport] | None = None

    async def run(self, work: Coroutine[Any, Any, ImportReport]) -> ImportReport:
        """The outcome of the work, which goes on when the caller goes away.

        A thread cannot be stopped, and holds the rows until it ends.
        """
        task = self._work = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    def when_done(self, give_back: Callable[[], None]) -> None:
        if self._work is None or self._work.done():
            give_back()
        else:
            self._work.add_done_callback(lambda _: give_back())


@dataclass(frozen=True, slots=True)
class ImportGroups:
    """Registers and updates groups from rows."""

    writer: Writer
    clock: Clock
    ids: Ids
    slots: _Slots = field(default_factory=_Slots)

    async def __call__(
        self,
        call: Call,
        request_id: str,
        pages: AsyncIterator[Sequence[GroupRow]],
        *,
        validate_only: bool,
    ) -> ImportReport:
        """Apply all rows, or none when any of them is wrong; then the report names what is.

        An import that was applied is not applied again under the same id; one that was refused
        changed nothing, and is looked at afresh.

        Raises:
            InvalidInput: there are too many rows.
            TooManyImports: come back later.
            RequestIdReused, RegisterBusy: see `Writer`.
        """
        tenant = call.may_write()
        with self.slots.taken(tenant) as slot:
            rows = await _all_rows(pages)
            return await slot.run(self._import(call, request_id, rows, validate_only))

    async def aclose(self) -> None:
        """End the imports whose callers went away, before the store closes."""
        await self.slots.aclose()

    async def _import(
        self, call: Call, request_id: str, rows: Sequence[GroupRow], validate_only: bool
    ) -> ImportReport:
        # Some microseconds a row, so not in the loop that serves everybody else.
        request = await asyncio.to_thread(_key, request_id, rows)
        if not validate_only:
            told = await self.writer.first_answer(call.tenant, request)
            if told is not None:
                return _from_answer(told)
        standing, checked = await self._check(call, rows)
        if checked.error_count:
            return checked.refused()
        if validate_only:
            plan = await asyncio.to_thread(plan_import, checked.contents, standing.register)
            return plan.report(applied=False)
        return await self._apply(call, request, checked.contents)

    async def _check(self, call: Call, rows: Sequence[GroupRow]) -> tuple[Standing, CheckedRows]:
        views = self.writer.views
        standing = await views.standing(call.tenant, call.deadline)
        checked = await _checked(standing, rows)
        if checked.has_unknowns:
            standing = await views.standing(call.tenant, call.deadline, ask=True)
            checked = await _checked(standing, rows)
        return standing, checked

    async def _apply(
        self, call: Call, request: RequestKey, contents: Sequence[GroupContent]
    ) -> ImportReport:
        async def work_out(standing: Standing) -> Change:
            return await asyncio.to_thread(self._change, standing, request, contents)

        return _from_answer(await self.writer.commit(call, request, work_out))

    def _change(
        self, standing: Standing, request: RequestKey, contents: Sequence[GroupContent]
    ) -> Change:
        plan = plan_import(contents, standing.register)
        return Change(
            base=standing.register,
            created=self._registered(plan.created),
            updated=_updated(standing, plan),
            tree_version=standing.organisation.tree.version,
            request=request,
            answer=json.dumps(asdict(plan.report(applied=True))),
        )

    def _registered(self, contents: Sequence[GroupContent]) -> list[Group]:
        now = whole_milliseconds(self.clock.now())
        return [Group(Identity(GroupId(self.ids.new()), now), content) for content in contents]


def _updated(standing: Standing, plan: Plan) -> list[tuple[int, Group]]:
    ordinals = [ordinal for ordinal, _ in plan.updated]
    identities = standing.register.identities(ordinals)
    return [
        (ordinal, Group(identity, content))
        for (ordinal, content), identity in zip(plan.updated, identities, strict=True)
    ]


async def _all_rows(pages: AsyncIterator[Sequence[GroupRow]]) -> list[GroupRow]:
    rows: list[GroupRow] = []
    async for page in pages:
        rows += page
        if len(rows) > MAX_ROWS:
            raise InvalidInput.of("page.rows", "TOO_MANY", f"at most {MAX_ROWS:,} rows in all")
    return rows


def _key(request_id: str, rows: Sequence[GroupRow]) -> RequestKey:
    said = ((row.row, row.unit_level, row.unit_code, row.draft.said()) for row in rows)
    return request_key(request_id, "ImportGroups", said)


async def _checked(standing: Standing, rows: Sequence[GroupRow]) -> CheckedRows:
    organisation = standing.organisation
    return await asyncio.to_thread(
        check_rows, rows, organisation.blueprint, organisation.tree.unit_at
    )


def _from_answer(answer: str) -> ImportReport:
    said = json.loads(answer)
    return ImportReport(**{**said, "errors": ()})
