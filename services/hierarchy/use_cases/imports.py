"""Create and update units from rows, without letting uploads fill the memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from services.hierarchy.domain.errors import ImportsBusy
from services.hierarchy.domain.model import ImportReport, TenantId, UnitImport
from services.hierarchy.ports import Caller, OrgGraph

# More of one tenant wait, and only for each other.
IMPORTS_PER_TENANT = 2
# A row costs about 1.3 KB from its arrival to the answer, and as much again where its unit exists.
MAX_ROWS_HELD = 400_000
_COME_BACK = timedelta(seconds=5)

TakeRows = Callable[[int], None]


class ImportRoom:
    """The room that one process has for rows that are being uploaded and applied."""

    def __init__(self, max_rows: int = MAX_ROWS_HELD) -> None:
        self._max_rows = max_rows
        self._held = 0
        self._turns: WeakValueDictionary[TenantId, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def enter(self, tenant: TenantId) -> AsyncIterator[TakeRows]:
        """Wait for the tenant's turn, and give back inside the block what takes room for rows.

        What takes room raises `ImportsBusy` when there is none: waiting for it, with rows in
        hand, could wait for ever on others who do the same.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if self._held + count > self._max_rows:
                raise ImportsBusy(retry_after=_COME_BACK)
            self._held += count
            taken += count

        async with self._turns.setdefault(tenant, asyncio.Semaphore(IMPORTS_PER_TENANT)):
            try:
                yield take
            finally:
                self._held -= taken


def may_import(caller: Caller) -> TenantId:
    """The tenant whose units the caller may import; asked before any row is read.

    Raises:
        CapabilityMissing: the caller lacks `administer`.
    """
    caller.require("administer")
    return TenantId(caller.tenant_id)


async def import_units(graph: OrgGraph, caller: Caller, request: UnitImport) -> ImportReport:
    """Create and update units of the caller's tenant, all or none; needs `administer`.

    Rows that are wrong are an answer, not an error: the report names every one of them.

    Raises:
        BlueprintNotFound: the tenant has no levels yet.
        RequestIdReused: the request id was used with other rows.
    """
    return await graph.apply_import(may_import(caller), request)
