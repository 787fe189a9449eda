"""Persons: put, read, found by their number, erased."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from kit.clock import Clock
from kit.ids import Ids
from services.hierarchy.domain.access import Viewer, require_both
from services.hierarchy.domain.fingerprints import fingerprint
from services.hierarchy.domain.model import RequestId
from services.hierarchy.domain.operations import Operation
from services.hierarchy.domain.people import Person, PersonId
from services.hierarchy.domain.people_errors import (
    PersonNotFound,
    PhoneNotFound,
    SecretsChanged,
)
from services.hierarchy.domain.persons import (
    PersonErasure,
    PersonPut,
    PutPerson,
    decide_erase_person,
    decide_put_person,
    secret_versions,
)
from services.hierarchy.domain.phones import PhoneNumber
from services.hierarchy.domain.records import PERSONS_BY_ID, PERSONS_BY_PHONE
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import Caller, OrgGraph
from services.hierarchy.use_cases.access import Access
from services.hierarchy.use_cases.holdings import NOTHING, Holdings, holdings, look
from services.hierarchy.use_cases.secrets import Secrets

# A rotation changes a tenant's secrets twice; a write that meets both succeeds with the third.
_TRIES = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A person as a caller sees them.

    Attributes:
        person: whom.
        phone: the whole number, where it is to be shown.
        may_see_whole: whether the caller has `administer` over them, and so may see it.
    """

    person: Person
    phone: PhoneNumber | None
    may_see_whole: bool


class People:
    """Persons of the caller's tenant; of those whom the caller may not see there are none."""

    def __init__(
        self, graph: OrgGraph, access: Access, secrets: Secrets, clock: Clock, ids: Ids
    ) -> None:
        self._graph = graph
        self._access = access
        self._secrets = secrets
        self._clock = clock
        self._ids = ids

    async def put(self, caller: Caller, request: PutPerson) -> ShownPerson:
        """Create or change a person.

        Needs `administer` over something, over every unit in which the person holds something, and
        over the whole tenant where the login is concerned.

        Raises:
            PersonNotFound, PersonErased, PersonChanged, PhoneInUse, SubjectInUse, QuotaExceeded,
                RequestIdReused: see there.
        """
        viewer = await self._access.enter(caller)
        await self._require_may_put(viewer, request)
        answer = await self._put(viewer, request)
        if answer.preview:
            return ShownPerson(answer.preview, None, may_see_whole=True)
        person = await self._person(viewer, answer.person_id)
        return ShownPerson(person, None, may_see_whole=True)

    async def get(
        self, caller: Caller, ids: Collection[PersonId], *, unmask: bool = False
    ) -> Mapping[PersonId, ShownPerson]:
        """Those of these persons whom the caller may see."""
        viewer = await self._access.enter(caller)
        read = await self._graph.find(viewer.tenant, PERSONS_BY_ID, ids)
        persons = [each for run in read.value.values() for each in run]
        return await self._shown(viewer, persons, unmask=unmask)

    async def find_by_phone(self, caller: Caller, phone: PhoneNumber) -> ShownPerson:
        """The person with this number. Raises `PhoneNotFound`, also for one out of sight."""
        viewer = await self._access.enter(caller)
        found = await self._with_phone(viewer.header, phone)
        for shown in (await self._shown(viewer, found, unmask=False)).values():
            return shown
        raise PhoneNotFound

    async def erase(
        self, caller: Caller, person_id: PersonId, request_id: RequestId
    ) -> PersonErasure:
        """Forget a person's data for ever. Needs `administer` over the whole tenant.

        Raises:
            PersonNotFound, RequestIdReused: see there.
        """
        viewer = await self._access.enter(caller)
        viewer.require_everywhere("administer")
        operation = Operation(
            name="erase person",
            request_id=request_id,
            asked_by=viewer.subject,
            fingerprint=fingerprint(person_id),
            answer_type=PersonErasure,
            decide=partial(decide_erase_person, person_id),
        )
        return await self._graph.write(viewer.tenant, operation)

    async def _require_may_put(self, viewer: Viewer, request: PutPerson) -> None:
        viewer.require_somewhere("administer")
        if request.changes_subject:
            viewer.require_everywhere("administer")
        if request.id is None or viewer.roots("administer") is None:
            return
        now = self._clock.now()
        found = await holdings(self._graph, viewer.tenant, [request.id], now)
        held = found.get(request.id, NOTHING)
        view = await self._access.scope(viewer, "view")
        # Who never held anything is nobody's yet, and may be set right by whoever knows the id.
        if held != NOTHING and not any(unit in view for unit in held.ever):
            raise PersonNotFound(request.id)
        await self._require_over(viewer, held)

    async def _require_over(self, viewer: Viewer, held: Holdings) -> None:
        view = await self._access.scope(viewer, "view")
        needed = await self._access.scope(viewer, "administer")
        seen = [unit for unit in held.still if unit in view]
        require_both(view, needed, seen)
        if len(seen) < len(held.still):
            viewer.require_everywhere("administer")

    async def _put(self, viewer: Viewer, request: PutPerson) -> PersonPut:
        header, person_id = viewer.header, request.id or PersonId(self._ids.new())
        for attempt in range(_TRIES):
            try:
                return await self._try_put(header, viewer.subject, request, person_id)
            except SecretsChanged:
                if attempt == _TRIES - 1:
                    raise
                header = await self._graph.header(header.tenant)
        raise SecretsChanged

    async def _try_put(
        self, header: TenantHeader, asked_by: str, request: PutPerson, person_id: PersonId
    ) -> PersonPut:
        sealed = told = None
        if request.phone:
            keep = not request.validate_only
            sealed = await self._secrets.seal(header, person_id, request.phone, keep=keep)
            # Kept with the answer, so not the number itself. The oldest pepper stays the same
            # until a rotation ends; a request that is repeated after that is refused.
            told = sealed.hashes[min(sealed.hashes)]
        operation = Operation(
            name="put person",
            request_id=request.request_id,
            asked_by=asked_by,
            fingerprint=fingerprint(request, told),
            answer_type=PersonPut,
            decide=partial(decide_put_person, request, person_id, sealed),
            validate_only=request.validate_only,
        )
        return await self._graph.write(header.tenant, operation)

    async def _person(self, viewer: Viewer, person_id: PersonId) -> Person:
        read = await self._graph.find(viewer.tenant, PERSONS_BY_ID, [person_id])
        for person in read.value.get(person_id, ()):
            return person
        raise PersonNotFound(person_id)

    async def _with_phone(self, header: TenantHeader, phone: PhoneNumber) -> Sequence[Person]:
        """Who has the number; looked up again when the peppers change meanwhile."""
        for _ in range(_TRIES):
            hashes = (await self._secrets.keys(header)).hashes(phone)
            read = await self._graph.find(header.tenant, PERSONS_BY_PHONE, hashes.values())
            if read.value:
                return [each for run in read.value.values() for each in run]
            newer = await self._graph.header(header.tenant)
            if secret_versions(newer) == secret_versions(header):
                break
            header = newer
        return ()

    async def _shown(
        self, viewer: Viewer, persons: Collection[Person], *, unmask: bool
    ) -> Mapping[PersonId, ShownPerson]:
        ids = [each.id for each in persons]
        sight = await look(self._graph, self._access, viewer, ids, self._clock.now())
        seen = [each for each in persons if each.id in sight.seen]
        phones: Mapping[PersonId, PhoneNumber] = {}
        if unmask:
            shown = [each for each in seen if each.id in sight.whole and each.phone]
            phones = await self._secrets.open(viewer.header, shown)
            _note(viewer, phones)
        return {
            each.id: ShownPerson(each, phones.get(each.id), each.id in sight.whole) for each in seen
        }


def _note(viewer: Viewer, shown: Collection[PersonId]) -> None:
    if shown:
        _log.info(
            "phone numbers shown",
            extra={"tenant": viewer.tenant, "subject": viewer.subject, "person_ids": [*shown]},
        )
