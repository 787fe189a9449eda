"""Registering one group."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.clock import Clock
from kit.errors import FieldViolation, raise_violations
from kit.ids import Ids
from services.groups.domain.checks import Draft, Problem, content_of, problems_of
from services.groups.domain.errors import GroupCodeTaken
from services.groups.domain.model import Group, GroupContent, GroupId, Identity, UnitId
from services.groups.ports import Change, Organisation, RequestKey
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import Standing
from services.groups.use_cases.writer import Writer, request_key


def whole_milliseconds(at: datetime) -> datetime:
    """The instant without what the register does not keep."""
    return at - timedelta(microseconds=at.microsecond % 1000)


@dataclass(frozen=True, slots=True)
class RegisterGroup:
    """Registers a group under a new id."""

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
            GroupCodeTaken: the tenant has a group with that code.
            RequestIdReused, RegisterBusy: see `Writer`.
        """
        tenant = call.may_write()
        request = request_key(request_id, "RegisterGroup", (draft.said(), unit_id))
        if not validate_only:
            told = await self.writer.first_answer(tenant, request)
            if told is not None:
                return _from_answer(told, content_of(draft, unit_id))
        standing = await self._valid_standing(call, draft, unit_id)
        content = content_of(draft, unit_id)
        registered_at = whole_milliseconds(self.clock.now())
        if validate_only:
            _require_free(standing, content.code)
            return Group(Identity(GroupId(""), registered_at), content)
        group = Group(Identity(GroupId(self.ids.new()), registered_at), content)

        async def work_out(present: Standing) -> Change:
            _require_free(present, content.code)
            return _change(present, group, request)

        return _from_answer(await self.writer.commit(call, request, work_out), content)

    async def _valid_standing(self, call: Call, draft: Draft, unit_id: UnitId) -> Standing:
        views = self.writer.views
        standing = await views.standing(call.tenant, call.deadline)
        found = _problems(standing.organisation, draft, unit_id)
        if any(problem.reason.startswith("UNKNOWN_") for problem in found):
            standing = await views.standing(call.tenant, call.deadline, ask=True)
            found = _problems(standing.organisation, draft, unit_id)
        if found:
            raise_violations(
                [
                    FieldViolation(f"group.{each.field}", each.reason, each.description)
                    for each in found
                ]
            )
        return standing


def _problems(organisation: Organisation, draft: Draft, unit_id: UnitId) -> list[Problem]:
    found = problems_of(draft, organisation.blueprint)
    if not unit_id:
        found.append(Problem("unit_id", "MISSING", "say the unit that the group belongs to"))
    elif organisation.tree.find(unit_id) is None:
        found.append(Problem("unit_id", "UNKNOWN_UNIT", "the organisation has no such unit"))
    return found


def _require_free(standing: Standing, code: str) -> None:
    [ordinal] = standing.register.ordinals([code])
    if ordinal >= 0:
        [holder] = standing.register.identities([ordinal])
        raise GroupCodeTaken(code, holder.id)


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
