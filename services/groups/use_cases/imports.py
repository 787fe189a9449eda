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
    check_holders,
    check_rows,
    plan_import,
)
from services.groups.domain.model import (
    Group,
    GroupContent,
    GroupId,
    Identity,
    TenantId,
    UnitId,
)
from services.groups.ports import Change, Register, RequestKey
from services.groups.use_cases.access import Access, Authority
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
class _Import:
    """Rows that are right, what they describe, and who may change what."""

    request: RequestKey
    authority: Authority
    rows: Sequence[GroupRow]
    contents: Sequence[GroupContent]


class _HeldByOthersError(Exception):
    """Codes of an import are those of groups that the caller may not change."""

    def __init__(self, checked: CheckedRows) -> None:
        super().__init__()
        self.checked = checked


@dataclass(frozen=True, slots=True)
class ImportGroups:
    """Registers and updates groups from rows."""

    access: Access
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
            NotAllowed: the caller may not change any group.
            TooManyImports: come back later.
            RequestIdReused, RegisterBusy: see `Writer`.
        """
        await self.access.require_authority(call)
        with self.slots.taken(call.tenant) as slot:
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
        authority, checked = await self._check(call, rows)
        if checked.error_count:
            return checked.refused()
        if validate_only:
            register = authority.standing.register
            plan = await asyncio.to_thread(plan_import, checked.contents, register)
            return plan.report(applied=False)
        return await self._apply(call, _Import(request, authority, rows, checked.contents))

    async def _check(self, call: Call, rows: Sequence[GroupRow]) -> tuple[Authority, CheckedRows]:
        authority = await self.access.authority(call)
        checked = await asyncio.to_thread(_checked, authority, rows)
        if checked.may_be_outdated:
            authority = await self.access.authority(call, ask=True)
            checked = await asyncio.to_thread(_checked, authority, rows)
        return authority, checked

    async def _apply(self, call: Call, wanted: "_Import") -> ImportReport:
        async def work_out(standing: Standing) -> Change:
            return await asyncio.to_thread(self._change, standing, wanted)

        try:
            return _from_answer(await self.writer.commit(call, wanted.request, work_out))
        except _HeldByOthersError as held:
            return held.checked.refused()

    def _change(self, standing: Standing, wanted: "_Import") -> Change:
        register = standing.register
        # Somebody may have registered a group under one of the codes since the rows were checked.
        checked = _checked_holders(wanted.authority, wanted.rows, wanted.contents, register)
        if checked.error_count:
            raise _HeldByOthersError(checked)
        plan = plan_import(wanted.contents, register)
        return Change(
            base=register,
            created=self._registered(plan.created),
            updated=_updated(standing, plan),
            tree_version=standing.organisation.tree.version,
            request=wanted.request,
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


def _checked(authority: Authority, rows: Sequence[GroupRow]) -> CheckedRows:
    organisation = authority.standing.organisation
    unit_at = organisation.tree.unit_at

    def seen_unit_at(level: str, code: str) -> UnitId | None:
        unit_id = unit_at(level, code)
        return unit_id if unit_id is not None and authority.has_unit(unit_id) else None

    find_unit = unit_at if authority.seen is None else seen_unit_at
    checked = check_rows(rows, organisation.blueprint, find_unit, authority.may_change)
    if checked.error_count:
        return checked
    return _checked_holders(authority, rows, checked.contents, authority.standing.register)


def _checked_holders(
    authority: Authority,
    rows: Sequence[GroupRow],
    contents: Sequence[GroupContent],
    register: Register,
) -> CheckedRows:
    if authority.is_everywhere:
        return CheckedRows(len(rows), contents, 0, (), may_be_outdated=False)
    return check_holders(rows, contents, register, authority.changeable(register))


def _from_answer(answer: str) -> ImportReport:
    said = json.loads(answer)
    return ImportReport(**{**said, "errors": ()})
