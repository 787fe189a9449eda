"""Create and update units from rows, without letting uploads fill the memory."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

from services.hierarchy.domain.access import Viewer
from services.hierarchy.domain.errors import ImportsBusy
from services.hierarchy.domain.imports import decide_import, import_fingerprint
from services.hierarchy.domain.model import ImportReport, TenantId, UnitImport
from services.hierarchy.domain.operations import Operation
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access

# More of one tenant wait, and only for each other.
IMPORTS_PER_TENANT = 2
# A row costs about 1.3 KB from its arrival to the answer, and as much again where its unit exists.
MAX_ROWS_HELD = 400_000
_COME_BACK = timedelta(seconds=5)

T = TypeVar("T")


class ImportRoom:
    """The room that one process has for rows that are being uploaded and applied.

    `async with` cancels, at its end, the work that nobody waits for any more.
    """

    def __init__(self, max_rows: int = MAX_ROWS_HELD) -> None:
        self._max_rows = max_rows
        self._held = 0
        self._turns: WeakValueDictionary[TenantId, asyncio.Semaphore] = WeakValueDictionary()
        self._working: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        working = list(self._working)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    @asynccontextmanager
    async def enter(self, tenant: TenantId) -> AsyncIterator["ImportPlace"]:
        """Wait for the tenant's turn, and give a place for one import.

        The turn and the room come back when the block has ended and the work with it.
        """
        turn = self._turns.setdefault(tenant, asyncio.Semaphore(IMPORTS_PER_TENANT))
        await turn.acquire()
        place = ImportPlace(self)
        try:
            yield place
        finally:
            place.leave(turn)

    def take(self, count: int) -> None:
        """Take room for so many rows. Raises `ImportsBusy` when there is none."""
        if self._held + count > self._max_rows:
            raise ImportsBusy(retry_after=_COME_BACK)
        self._held += count

    def give_back(self, count: int) -> None:
        """Give back the room of so many rows."""
        self._held -= count

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start work that the room owns."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task


class ImportPlace:
    """What one import has of the room."""

    def __init__(self, room: ImportRoom) -> None:
        self._room = room
        self._rows = 0
        self._work: asyncio.Task[Any] | None = None

    def take(self, count: int) -> None:
        """Take room for so many rows.

        Raises:
            ImportsBusy: there is none. Waiting for it, with rows in hand, could wait for ever on
                others who do the same.
        """
        self._room.take(count)
        self._rows += count

    def give_back(self, count: int) -> None:
        """Give back the room of so many rows, which are done with."""
        self._room.give_back(count)
        self._rows -= count

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of work on the rows, one at a time.

        The work goes on when the caller goes away: a thread cannot be stopped, and holds the rows
        until it ends.
        """
        task = self._work = self._room.start(work)
        return await asyncio.shield(task)

    def leave(self, turn: asyncio.Semaphore) -> None:
        """Give everything back, at once or when the work that goes on has ended."""

        def give_back(_: object = None) -> None:
            self._room.give_back(self._rows)
            turn.release()

        if self._work is None or self._work.done():
            give_back()
        else:
            self._work.add_done_callback(give_back)


class UnitImports:
    """Imports into the caller's tenant."""

    def __init__(self, graph: OrgGraph, access: Access) -> None:
        self._graph = graph
        self._access = access

    async def enter(self, caller: Caller) -> TenantId:
        """The tenant whose units the caller may import; asked before any row is read.

        Raises:
            NotAllowed: the caller lacks `administer` over the whole tenant.
        """
        return (await self._enter(caller)).tenant

    async def run(self, caller: Caller, request: UnitImport) -> ImportReport:
        """Create and update units, all or none.

        Rows that are wrong are an answer, not an error: the report names every one of them.

        Raises:
            NotAllowed: see `enter`.
            BlueprintNotFound: the tenant has no levels yet.
            InvalidInput: the time from which the rows are true cannot be (`effective_time`).
            QuotaExceeded: there would be more units than the tenant may have.
            RequestIdReused: the request id was used with other rows.
        """
        viewer = await self._enter(caller)
        operation = Operation(
            name="import units",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=await asyncio.to_thread(import_fingerprint, request),
            answer_type=ImportReport,
            decide=partial(decide_import, request),
            validate_only=request.validate_only,
        )
        return await self._graph.write(viewer.tenant, operation)

    async def _enter(self, caller: Caller) -> Viewer:
        viewer = await self._access.enter(caller)
        viewer.require_everywhere("administer")
        return viewer
