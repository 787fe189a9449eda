"""Who is asking, and what they may do: asked first by every use case."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kit.clock import Clock
from services.hierarchy.domain.access import Scope, ScopedGrant, Viewer
from services.hierarchy.domain.model import CAPABILITIES, Grant, TenantId
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import APPOINTMENTS_BY_PERSON, PERSONS_BY_SUBJECT
from services.hierarchy.domain.tenant_changes import require_working
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.trees import Trees

# Some kilobytes each.
MAX_VIEWERS_KEPT = 10_000
# When the version moves at each look, the last one is as good as any, and is not kept.
_LOOKS = 3


class Access:
    """Answers from the graph's present state: a right that was revoked is gone with the next call.

    What a subject's appointments come to is kept for as long as the tenant's access version, which
    each call reads, stays the same and none of them begins or ends by itself.
    """

    def __init__(
        self, graph: OrgGraph, trees: Trees, clock: Clock, *, implicit_tenants: bool = False
    ) -> None:
        self._graph = graph
        self._implicit_tenants = implicit_tenants
        self._trees = trees
        self._clock = clock
        self._kept: OrderedDict[tuple[TenantId, str], Viewer] = OrderedDict()

    async def enter(self, caller: Caller) -> Viewer:
        """Who the caller is. Raises what `header` does."""
        header = await self.header(caller)
        if caller.is_service:
            return Viewer(header, caller.subject, None, (), own_grants(caller), None)
        held = await self.holder(header, caller.subject)
        return replace(held, grants=(*own_grants(caller), *held.grants))

    async def header(self, caller: Caller) -> TenantHeader:
        """The header of the caller's tenant.

        Raises:
            Unauthenticated: the credential names no tenant.
            TenantSuspended, TenantUnknown: the tenant may not work (`require_working`).
        """
        header = await self._graph.header(TenantId(caller.tenant_id))
        require_working(header, implicit=self._implicit_tenants)
        return header

    async def holder(self, header: TenantHeader, subject: str) -> Viewer:
        """What a subject's appointments alone come to, at the header's version or a newer one."""
        key = (header.tenant, subject)
        kept = self._kept.get(key)
        if kept is None or not _still_true(kept, header, self._clock.now()):
            return await self.look_up(header, subject)
        self._kept.move_to_end(key)
        return replace(kept, header=header)

    async def look_up(self, header: TenantHeader, subject: str) -> Viewer:
        """The same, with the person and the appointments as they stand.

        The version says nothing of names, or of when appointments were verified.
        """
        tenant = header.tenant
        for _ in range(_LOOKS):
            looked = await self._look(await self._graph.settled_header(tenant), subject)
            header = await self._graph.header(tenant)
            if header.access_version == looked.header.access_version:
                self._keep((tenant, subject), looked)
                break
        return looked

    async def scope(self, viewer: Viewer, capability: str, at: datetime | None = None) -> Scope:
        """Where the viewer has a capability, on the tree as it stands or as it stood then."""
        tree = await self._trees.seen(viewer.header, at)
        return Scope.of(viewer, capability, tree)

    async def _look(self, header: TenantHeader, subject: str) -> Viewer:
        """What is read one after the other: of one moment only if the version stood meanwhile."""
        now = self._clock.now()
        persons = await self._graph.find(header.tenant, PERSONS_BY_SUBJECT, [subject])
        person = next(iter(persons.value.get(subject, ())), None)
        held = await self._appointments(header.tenant, person) if person else ()
        return Viewer.holding(header, subject, person, held, now)

    async def _appointments(self, tenant: TenantId, person: Person) -> Sequence[Appointment]:
        found = await self._graph.find(tenant, APPOINTMENTS_BY_PERSON, [person.id])
        return found.value.get(person.id, ())

    def _keep(self, key: tuple[TenantId, str], viewer: Viewer) -> None:
        self._kept[key] = viewer
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_VIEWERS_KEPT:
            self._kept.popitem(last=False)


def own_grants(caller: Caller) -> tuple[ScopedGrant, ...]:
    """What the caller's credential gives by itself, over the whole tenant."""
    own = CAPABILITIES if caller.is_service else sorted(caller.capabilities)
    return tuple(ScopedGrant(Grant(each), None) for each in own)


def _still_true(kept: Viewer, header: TenantHeader, now: datetime) -> bool:
    same = kept.header.access_version == header.access_version
    return same and (kept.valid_until is None or now < kept.valid_until)
