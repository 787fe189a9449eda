"""Create and change areas, persons, appointments and teams from pages of rows."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast
from uuid import UUID, uuid5

from services.hierarchy.domain.access import Scope, Viewer
from services.hierarchy.domain.fingerprints import fingerprint_of_all
from services.hierarchy.domain.model import RequestId, TenantId, UnitId
from services.hierarchy.domain.operations import Moment, Operation, Steps
from services.hierarchy.domain.people_errors import SecretsChanged
from services.hierarchy.domain.transfers import (
    AppointmentRow,
    AreaRow,
    Numbers,
    PageReport,
    PersonRow,
    Rights,
    Row,
    RowKind,
    TeamRow,
    decide_appointment_rows,
    decide_area_rows,
    decide_person_rows,
    decide_team_rows,
    person_of,
    phones_of,
)
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.secrets import Secrets

# A rotation changes a tenant's secrets twice; a write that meets both succeeds with the third.
_TRIES = 3
# Where a row is about one unit, the capability is needed there; otherwise everywhere.
_OF_UNITS = frozenset({RowKind.APPOINTMENTS, RowKind.TEAMS})


@dataclass(frozen=True, slots=True)
class PageImport:
    """A request to create and change what the rows of one page say, all or nothing.

    Attributes:
        import_id: the request id of the import.
        number: of the page within it, from 0.
    """

    import_id: RequestId
    number: int
    kind: RowKind
    rows: Sequence[Row]
    validate_only: bool

    @property
    def request_id(self) -> RequestId:
        """The page's own."""
        return RequestId(str(uuid5(UUID(self.import_id), f"page {self.number}")))


class RowImports:
    """Imports into the caller's tenant."""

    def __init__(self, graph: OrgGraph, access: Access, secrets: Secrets) -> None:
        self._graph = graph
        self._access = access
        self._secrets = secrets

    async def enter(self, caller: Caller, kind: RowKind) -> TenantId:
        """The tenant into which the caller may import; asked before any row is read.

        Raises:
            NotAllowed: the caller lacks `administer`, over the whole tenant for what lies in no
                unit, over anything at all for the rest.
        """
        return (await self._enter(caller, kind)).tenant

    async def page(self, caller: Caller, request: PageImport) -> PageReport:
        """Create and change what the rows say, all or nothing.

        What the caller may do is asked again for each page: an import takes minutes. Rows that are
        wrong are an answer, not an error.

        Raises:
            NotAllowed: see `enter`.
            BlueprintNotFound, QuotaExceeded, TooManyAreas, RequestIdReused: see there.
        """
        for attempt in range(_TRIES):
            viewer = await self._enter(caller, request.kind)
            try:
                return await self._try_page(viewer, request)
            except SecretsChanged:
                if attempt == _TRIES - 1:
                    raise
        raise SecretsChanged

    async def _enter(self, caller: Caller, kind: RowKind) -> Viewer:
        viewer = await self._access.enter(caller)
        if kind in _OF_UNITS:
            viewer.require_somewhere("administer")
        else:
            viewer.require_everywhere("administer")
        return viewer

    async def _try_page(self, viewer: Viewer, request: PageImport) -> PageReport:
        numbers = await self._secrets.numbers(
            viewer.header, phones_of(request.rows), keep=not request.validate_only
        )
        operation = Operation(
            name=f"import {request.kind}",
            request_id=request.request_id,
            asked_by=viewer.subject,
            # Some 50 ms for 5,000 rows.
            fingerprint=await asyncio.to_thread(_fingerprint, request, numbers),
            answer_type=PageReport,
            decide=await self._decision(viewer, request, numbers),
            validate_only=request.validate_only,
        )
        return await self._graph.write(viewer.tenant, operation)

    async def _decision(
        self, viewer: Viewer, request: PageImport, numbers: Numbers
    ) -> Callable[[Moment], Steps[PageReport]]:
        # The edge has made rows of this kind, and no others.
        match request.kind:
            case RowKind.AREAS:
                return partial(decide_area_rows, cast(Sequence[AreaRow], request.rows))
            case RowKind.PERSONS:
                persons = cast(Sequence[PersonRow], request.rows)
                return partial(decide_person_rows, persons, numbers)
            case RowKind.TEAMS:
                teams = cast(Sequence[TeamRow], request.rows)
                return partial(decide_team_rows, teams, numbers, await self._rights(viewer))
            case _:
                appointments = cast(Sequence[AppointmentRow], request.rows)
                rights = await self._rights(viewer)
                return partial(decide_appointment_rows, appointments, numbers, rights)

    async def _rights(self, viewer: Viewer) -> Rights:
        return Rights(await self._reach(viewer, "view"), await self._reach(viewer, "administer"))

    async def _reach(self, viewer: Viewer, capability: str) -> Callable[[UnitId], bool]:
        if viewer.roots(capability) is None:
            # Also over a unit that is younger than the tree in hand.
            return _everywhere
        scope = await self._access.scope(viewer, capability)
        return partial(_within, scope)


def _everywhere(_unit_id: UnitId) -> bool:
    return True


def _within(scope: Scope, unit_id: UnitId) -> bool:
    return unit_id in scope


def _fingerprint(request: PageImport, numbers: Numbers) -> str:
    told = ((row, numbers.oldest_hash(person_of(row).phone)) for row in request.rows)
    return fingerprint_of_all((request.kind, *told))
