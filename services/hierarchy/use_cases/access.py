"""Who is asking, and what they may do: asked first by every use case."""

from collections import OrderedDict
from datetime import datetime

from kit.clock import Clock
from services.hierarchy.domain.access import Scope, ScopedGrant, Viewer, grants_of
from services.hierarchy.domain.model import CAPABILITIES, Grant, TenantId
from services.hierarchy.domain.people import Appointment, Person
from services.hierarchy.domain.records import APPOINTMENTS_BY_PERSON, PERSONS_BY_SUBJECT
from services.hierarchy.domain.tenant_changes import require_working
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.trees import Trees

# Some kilobytes each.
MAX_VIEWERS_KEPT = 10_000


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
        """Who the caller is.

        Raises:
            Unauthenticated: the credential names no tenant.
            TenantSuspended, TenantUnknown: the tenant may not work (`require_working`).
        """
        header = await self._graph.header(TenantId(caller.tenant_id))
        require_working(header, implicit=self._implicit_tenants)
        own = CAPABILITIES if caller.is_service else sorted(caller.capabilities)
        everywhere = tuple(ScopedGrant(Grant(each), None) for each in own)
        if caller.is_service:
            return Viewer(header, caller.subject, None, (), everywhere, None)
        held = await self.holder(header, caller.subject)
        return Viewer(
            header,
            caller.subject,
            held.person,
            held.appointments,
            (*everywhere, *held.grants),
            held.valid_until,
        )

    async def holder(self, header: TenantHeader, subject: str) -> Viewer:
        """What a subject's appointments alone come to."""
        key = (header.tenant, subject)
        now = self._clock.now()
        kept = self._kept.get(key)
        if kept is None or not _still_true(kept, header, now):
            kept = self._kept[key] = await self._look(header, subject, now)
            if len(self._kept) > MAX_VIEWERS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept

    async def scope(self, viewer: Viewer, capability: str, at: datetime | None = None) -> Scope:
        """Where the viewer has a capability, on the tree as it stands or as it stood then."""
        tree = await self._trees.seen(viewer.header, at)
        return Scope.of(viewer, capability, tree)

    async def _look(self, header: TenantHeader, subject: str, now: datetime) -> Viewer:
        persons = await self._graph.find(header.tenant, PERSONS_BY_SUBJECT, [subject])
        person = next(iter(persons.value.get(subject, ())), None)
        held = await self._appointments(header.tenant, person) if person else ()
        current = tuple(each for each in held if each.holds(now))
        edges = [
            edge
            for each in held
            for edge in (each.valid_from, each.valid_to)
            if edge is not None and edge > now
        ]
        grants = grants_of(header.blueprint, current)
        return Viewer(header, subject, person, current, grants, min(edges, default=None))

    async def _appointments(self, tenant: TenantId, person: Person) -> tuple[Appointment, ...]:
        found = await self._graph.find(tenant, APPOINTMENTS_BY_PERSON, [person.id])
        return tuple(found.value.get(person.id, ()))


def _still_true(kept: Viewer, header: TenantHeader, now: datetime) -> bool:
    same = kept.header.access_version == header.access_version
    return same and (kept.valid_until is None or now < kept.valid_until)
