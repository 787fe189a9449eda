"""Making a draft and starting it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from kit.clock import Clock
from kit.deadline import Deadline
from kit.errors import FieldViolation, InvalidInput
from kit.ids import Ids
from services.messaging.domain.broadcasts import Broadcast, Draft
from services.messaging.domain.drafts import check_draft, nothing_selected
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.ports import Audiences, Broadcasts, Caller
from services.messaging.use_cases.access import COMPOSE, tenant_of
from services.messaging.use_cases.requests import content_of, request_of


@dataclass(frozen=True, slots=True)
class CreateBroadcast:
    """Keeps a draft whose audience means somebody."""

    broadcasts: Broadcasts
    audiences: Audiences
    transports: Collection[str]
    default_transport: str
    clock: Clock
    ids: Ids

    async def __call__(
        self, caller: Caller, draft: Draft, request_id: str, deadline: Deadline
    ) -> Broadcast:
        """The draft; for a repeated request, the one that it made the first time.

        Raises:
            Forbidden: The caller may not compose.
            InvalidInput: With every fault; fields begin with `broadcast`.
            RequestIdReused: The request's id was used for something else.
        """
        tenant = tenant_of(caller, COMPOSE)
        draft = replace(draft, transport=draft.transport or self.default_transport)
        request = request_of(request_id, "create", caller.subject, content_of(draft))
        check_draft(draft, self.transports)
        before = await self.broadcasts.made_by(tenant, request)
        if before is not None:
            return before
        await self._check_audience(tenant, draft, deadline)
        new_id = BroadcastId(self.ids.new())
        broadcast = Broadcast(new_id, draft, caller.subject, self.clock.now())
        return await self.broadcasts.create(tenant, broadcast, request)

    async def _check_audience(self, tenant: TenantId, draft: Draft, deadline: Deadline) -> None:
        try:
            count = await self.audiences.count(tenant, draft.audience, deadline)
        except InvalidInput as error:
            raise _under_broadcast(error) from error
        if not count:
            raise nothing_selected()


def _under_broadcast(error: InvalidInput) -> InvalidInput:
    """The register's error, with fields as our caller named them."""
    return InvalidInput(
        violations=tuple(
            FieldViolation(f"broadcast.{each.field}", each.reason, each.description)
            for each in error.violations
        )
    )


@dataclass(frozen=True, slots=True)
class StartBroadcast:
    """Hands a draft to the planners."""

    broadcasts: Broadcasts
    clock: Clock

    async def __call__(
        self, caller: Caller, broadcast_id: BroadcastId, request_id: str, traceparent: str
    ) -> Broadcast:
        """The broadcast in planning, also when the request is repeated: what it started.

        Raises:
            Forbidden: The caller may not compose.
            BroadcastNotFound: There is none.
            BroadcastAlreadyStarted: It is no draft.
            RequestIdReused: The request's id was used for something else.
        """
        tenant = tenant_of(caller, COMPOSE)
        request = request_of(request_id, "start", broadcast_id)
        return await self.broadcasts.start(
            tenant, broadcast_id, request, self.clock.now(), traceparent
        )
