"""Registering one group."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.clock import Clock
from kit.errors import FieldViolation, raise_violations
from kit.ids import Ids
from services.groups.domain.checks import (
    NOT_ALLOWED,
    Draft,
    Problem,
    content_of,
    may_be_outdated,
    problems_of,
)
from services.groups.domain.errors import GroupCodeTaken, NotAllowed
from services.groups.domain.model import Group, GroupContent, GroupId, Identity, UnitId
from services.groups.ports import Change, RequestKey
from services.groups.use_cases.access import ADMINISTER, Access, Authority
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import Standing
from services.groups.use_cases.writer import Writer, request_key


def whole_milliseconds(at: datetime) -> datetime:
    """The instant without what the register does not keep."""
    return at - timedelta(microseconds=at.microsecond % 1000)


@dataclass(frozen=True, slots=True)
class RegisterGroup:
    """Registers a group under a new id."""

    access: Access
    writer: Writer
    clock: Clock
    ids: Ids

    async def __call__(
        self, call: Call, draft: Draft, unit_id: UnitId, request_id: str, *, validate_only: bool
    ) -> Group:
        """Register the group that the draft describes.

        Returns:
            The group; with an empty id when it was only validated.

        Raises:
            InvalidInput: naming everything that is wrong with the draft.
            NotAllowed: the caller may not change such groups of that unit.
            GroupCodeTaken: the tenant has a group with that code.
            RequestIdReused, RegisterBusy: see `Writer`.
        """
        await self.access.require_authority(call)
        request = request_key(request_id, "RegisterGroup", (draft.said(), unit_id))
        if not validate_only:
            told = await self.writer.first_answer(call.tenant, request)
            if told is not None:
                return _from_answer(told, content_of(draft, unit_id))
        authority = await self._valid_authority(call, draft, unit_id)
        content = content_of(draft, unit_id)
        registered_at = whole_milliseconds(self.clock.now())
        if validate_only:
            _require_free(authority, authority.standing, content.code)
            return Group(Identity(GroupId(""), registered_at), content)
        group = Group(Identity(GroupId(self.ids.new()), registered_at), content)

        async def work_out(present: Standing) -> Change:
            _require_free(authority, present, content.code)
            return _change(present, group, request)

        return _from_answer(await self.writer.commit(call, request, work_out), content)

    async def _valid_authority(self, call: Call, draft: Draft, unit_id: UnitId) -> Authority:
        """An authority under which the draft holds, the peer having been asked if need be."""
        authority = await self.access.authority(call)
        found = _problems(authority, draft, unit_id)
        if any(map(may_be_outdated, found)):
            authority = await self.access.authority(call, ask=True)
            found = _problems(authority, draft, unit_id)
        if found and all(problem.reason == NOT_ALLOWED for problem in found):
            raise NotAllowed(ADMINISTER, unit_id)
        if found:
            raise_violations(
                [
                    FieldViolation(f"group.{each.field}", each.reason, each.description)
                    for each in found
                    if each.reason != NOT_ALLOWED
                ]
            )
        return authority


def _problems(authority: Authority, draft: Draft, unit_id: UnitId) -> list[Problem]:
    found = problems_of(draft, authority.standing.organisation.blueprint)
    if not unit_id:
        found.append(Problem("unit_id", "MISSING", "say the unit that the group belongs to"))
    elif not authority.has_unit(unit_id):
        found.append(Problem("unit_id", "UNKNOWN_UNIT", "the organisation has no such unit"))
    elif not authority.may_change(unit_id, draft.kind, draft.category):
        found.append(Problem("unit_id", NOT_ALLOWED, "you may not change such groups of it"))
    return found


def _require_free(authority: Authority, present: Standing, code: str) -> None:
    register = present.register
    [ordinal] = register.ordinals([code])
    if ordinal >= 0:
        [holder] = register.identities([ordinal])
        is_seen = authority.seen_of(register)(ordinal)
        raise GroupCodeTaken(code, holder.id if is_seen else None)


def _change(standing: Standing, group: Group, request: RequestKey) -> Change:
    answer = json.dumps({"id": group.id, "registered_at": group.identity.registered_at.isoformat()})
    return Change(
        base=standing.register,
        created=[group],
        updated=[],
        tree_version=standing.organisation.tree.version,
        request=request,
        answer=answer,
    )


def _from_answer(answer: str, content: GroupContent) -> Group:
    """The group as it was told first: the request that repeats it has the same content."""
    said = json.loads(answer)
    identity = Identity(GroupId(said["id"]), datetime.fromisoformat(said["registered_at"]))
    return Group(identity, content)
