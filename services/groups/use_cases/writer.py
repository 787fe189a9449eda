"""Changing the register while others change it too: work out, commit, and again when it moved."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from weakref import WeakValueDictionary

from kit.clock import Clock
from kit.errors import RequestIdReused
from kit.retry import delays
from services.groups.domain.errors import RegisterBusy, RegisterMoved
from services.groups.domain.model import TenantId
from services.groups.ports import Change, GroupRegistry, RequestKey
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import Standing, Views

# Each lost attempt means that another process committed.
ATTEMPTS = 10


class Writer:
    """Commits changes of a register, one at a time for each tenant and process."""

    def __init__(self, views: Views, registry: GroupRegistry, clock: Clock) -> None:
        self.views = views
        self._registry = registry
        self._clock = clock
        self._locks: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    async def first_answer(self, tenant: TenantId, request: RequestKey) -> str | None:
        """What this request was told when it was applied before; None when it was not.

        Raises:
            RequestIdReused: it asked for something else then.
        """
        stored = await self._registry.answer(tenant, request.request_id)
        if stored is None:
            return None
        if stored.content_hash != request.content_hash:
            raise RequestIdReused(request.request_id)
        return stored.text

    async def commit(
        self,
        call: Call,
        request: RequestKey,
        work_out: Callable[[Standing], Awaitable[Change]],
    ) -> str:
        """Commit what `work_out` makes of the present standing, as often as others come first.

        Returns:
            What the request is told: the change's answer, or that of the same request when it was
            applied meanwhile.

        Raises:
            RequestIdReused: the id was used meanwhile for something else.
            RegisterBusy: others came first every time.
        """
        tenant = call.tenant
        lock = self._locks.setdefault(tenant, asyncio.Lock())
        async with lock:
            for delay in (*delays(ATTEMPTS), 0.0):
                standing = await self.views.standing(tenant, call.deadline)
                # After the standing: who sees the effect of this very request sees its answer too.
                told = await self.first_answer(tenant, request)
                if told is not None:
                    return told
                change = await work_out(standing)
                try:
                    stored = await self._registry.commit(change)
                except RegisterMoved:
                    await self._clock.sleep(delay)
                    continue
                if stored is None:
                    return change.answer
                if stored.content_hash != request.content_hash:
                    raise RequestIdReused(request.request_id)
                return stored.text
        raise RegisterBusy(ATTEMPTS)


def request_key(request_id: str, rpc: str, parts: Iterable[object]) -> RequestKey:
    """The key of a request, from the caller's id and everything it says."""
    digest = hashlib.blake2b(rpc.encode(), digest_size=16)
    for part in parts:
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return RequestKey(request_id, digest.hexdigest())
