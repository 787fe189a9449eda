"""Areas, and which units lie in them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from kit.clock import Clock
from services.hierarchy.domain.access import Viewer
from services.hierarchy.domain.area_changes import AreasPut, PutAreas, decide_areas
from services.hierarchy.domain.areas import Area
from services.hierarchy.domain.fingerprints import fingerprint_of_all
from services.hierarchy.domain.model import TenantId, UnitId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.records import AREA_LINKS_BY_UNIT, AREAS_BY_ID
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access

_PAGE = 5_000


class Areas:
    """Areas of the caller's tenant. Whoever sees anything of the tree sees all of them."""

    def __init__(self, graph: OrgGraph, access: Access, clock: Clock) -> None:
        self._graph = graph
        self._access = access
        self._clock = clock

    async def put(self, caller: Caller, request: PutAreas) -> Sequence[Area]:
        """Create, change and end areas, all or none; those that stand then, in request order.

        Raises:
            NotAllowed: the caller lacks `administer` over the whole tenant.
            InvalidInput: with everything that is wrong.
            TooManyAreas, RequestIdReused: see there.
        """
        viewer = await self._access.enter(caller)
        viewer.require_everywhere("administer")
        operation = Operation(
            name="put areas",
            request_id=request.request_id,
            asked_by=viewer.subject,
            fingerprint=await asyncio.to_thread(_fingerprint, request),
            answer_type=AreasPut,
            decide=partial(decide_areas, request),
            validate_only=request.validate_only,
        )
        return (await self._graph.write(viewer.tenant, operation)).areas

    async def list_areas(
        self, caller: Caller, kind: str, *, limit: int, after: tuple[str, str] | None = None
    ) -> tuple[Sequence[Area], bool]:
        """A run of the areas that stand, by kind and code, and whether more follow.

        Args:
            caller: who is asking; needs `view` over something.
            kind: of this kind only; empty for all.
            limit: at most so many.
            after: begin behind this kind and code.
        """
        viewer = await self._enter(caller)
        now = self._clock.now()
        areas = [
            each
            for each in await self._all(viewer.tenant)
            if _stands(each, now) and kind in ("", each.kind) and (not after or each.key > after)
        ]
        areas.sort(key=_key)
        return areas[:limit], len(areas) > limit

    async def of_units(
        self, caller: Caller, unit_ids: Collection[UnitId], at: datetime | None = None
    ) -> Mapping[UnitId, Sequence[Area]]:
        """The areas in which units and their ancestors lie, or lay at an instant, by kind and code.

        Units that the caller does not see are left out.
        """
        viewer = await self._enter(caller)
        scope = await self._access.scope(viewer, "view", at)
        lines = {
            each: [each, *map(UnitId, scope.tree.forest.ancestors(each))]
            for each in unit_ids
            if each in scope
        }
        instant = at or self._clock.now()
        everyone = {unit for line in lines.values() for unit in line}
        links = await self._graph.find(viewer.tenant, AREA_LINKS_BY_UNIT, everyone, at=instant)
        by_unit = {unit: {link.area_id for link in found} for unit, found in links.value.items()}
        wanted = {area for areas in by_unit.values() for area in areas}
        found = await self._graph.find(viewer.tenant, AREAS_BY_ID, wanted, at=instant)
        areas = {area_id: each[0] for area_id, each in found.value.items()}
        return {
            unit: _in_order(
                areas[area] for above in line for area in by_unit.get(above, ()) if area in areas
            )
            for unit, line in lines.items()
        }

    async def _enter(self, caller: Caller) -> Viewer:
        viewer = await self._access.enter(caller)
        viewer.require_somewhere("view")
        return viewer

    async def _all(self, tenant: TenantId) -> list[Area]:
        areas: list[Area] = []
        last = ""
        while page := await self._graph.page(tenant, Area, after=last, limit=_PAGE):
            areas += page
            last = page[-1].id
        return areas


def _fingerprint(request: PutAreas) -> str:
    return fingerprint_of_all((request.effective_at, *request.entries))


def _stands(area: Area, at: datetime) -> bool:
    return area.valid_from <= at and (area.valid_to is None or area.valid_to > at)


def _key(area: Area) -> tuple[str, str]:
    return area.key


def _in_order(areas: Iterable[Area]) -> Sequence[Area]:
    return sorted({each.id: each for each in areas}.values(), key=_key)
