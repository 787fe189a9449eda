"""The `Broadcasts` port over Redis."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kit.errors import RequestIdReused
from kit.redis import RedisClient
from services.messaging.adapters.redis.keys import TENANTS, TenantKeys
from services.messaging.adapters.redis.libraries import Libraries
from services.messaging.adapters.redis.records import (
    as_made,
    as_started,
    broadcast_from,
    fields_of,
    frame_from_bytes,
    microseconds,
)
from services.messaging.adapters.redis.steps import store_step
from services.messaging.domain.broadcasts import Broadcast, BroadcastState, Draft, origin
from services.messaging.domain.errors import (
    BroadcastAlreadyStarted,
    BroadcastNotFound,
    LedgerMissing,
)
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.recent import Recent
from services.messaging.ports import REPLAY_PERIOD, BroadcastsPage, Request

# The frame of a whole state with 60,000 units is 2 MB.
_KEPT_FRAMES = 32
_KEPT_DRAFTS = 256
# Of one answer: reading more would hold up everybody else in the store and in this process.
MAX_DRAFT_BYTES = 4 * 1024 * 1024
_REPLAY_SECONDS = int(REPLAY_PERIOD.total_seconds())


class RedisBroadcasts:
    """A hash for each broadcast, beside a sorted set by time and a set of the open ones."""

    def __init__(self, client: RedisClient, libraries: Libraries) -> None:
        self._client = client
        self._functions = libraries.broadcasts
        self._drafts: Recent[tuple[TenantId, BroadcastId], Draft] = Recent(_KEPT_DRAFTS)
        self._frames: Recent[tuple[TenantId, BroadcastId], Frame] = Recent(_KEPT_FRAMES)

    async def create(self, tenant: TenantId, broadcast: Broadcast, request: Request) -> Broadcast:
        keys = TenantKeys(tenant)
        # First, in a slot of its own: a tenant without broadcasts does no harm, a broadcast whose
        # tenant no worker knows would.
        with store_step("SADD tenants"):
            await self._client.sadd(TENANTS, tenant)
        with store_step("FCALL create"):
            answer = await self._functions.call(
                "create",
                keys=[keys.request(request.id), keys.broadcast(broadcast.id), keys.index],
                args=[
                    request.fingerprint,
                    broadcast.id,
                    _REPLAY_SECONDS,
                    f"{microseconds(broadcast.created_at):016d}:{broadcast.id}",
                    *_flat(fields_of(broadcast)),
                ],
            )
        match answer:
            case [b"created", _]:
                return broadcast
            case [b"replayed", earlier]:
                return as_made(await self._existing(tenant, BroadcastId(earlier.decode())))
            case _:
                raise RequestIdReused(request.id)

    async def made_by(self, tenant: TenantId, request: Request) -> Broadcast | None:
        with store_step("HMGET request"):
            known: Any = await self._client.hmget(
                TenantKeys(tenant).request(request.id), ["fingerprint", "broadcast"]
            )
        fingerprint, broadcast_id = known
        if fingerprint is None or broadcast_id is None:
            return None
        if fingerprint.decode() != request.fingerprint:
            raise RequestIdReused(request.id)
        return as_made(await self._existing(tenant, BroadcastId(broadcast_id.decode())))

    async def get(
        self, tenant: TenantId, broadcast_ids: Sequence[BroadcastId]
    ) -> list[Broadcast | None]:
        found: list[Broadcast | None] = []
        while left := broadcast_ids[len(found) :]:
            found += await self.first_of(tenant, left)
        return found

    async def first_of(
        self, tenant: TenantId, broadcast_ids: Sequence[BroadcastId]
    ) -> list[Broadcast | None]:
        if not broadcast_ids:
            return []
        keys = TenantKeys(tenant)
        with store_step("FCALL records"):
            records = await self._functions.call(
                "records",
                keys=[keys.broadcast(each) for each in broadcast_ids],
                args=[MAX_DRAFT_BYTES],
                read_only=True,
            )
        found = [
            broadcast_from(broadcast_id, record)
            for broadcast_id, record in zip(broadcast_ids, records, strict=False)
        ]
        for each in found:
            if each is not None:
                self._drafts.put((tenant, each.id), each.draft)
        return found

    async def page(self, tenant: TenantId, cursor: str, size: int) -> BroadcastsPage:
        start = f"({cursor}" if cursor else "+"
        with store_step("ZRANGE broadcasts"):
            members: Any = await self._client.zrange(
                TenantKeys(tenant).index, start, "-", desc=True, bylex=True, offset=0, num=size + 1
            )
        cursors = [member.decode() for member in members[:size]]
        ids = [BroadcastId(cursor.partition(":")[2]) for cursor in cursors]
        found = await self.first_of(tenant, ids)
        present = [(each, at) for each, at in zip(found, cursors, strict=False) if each is not None]
        return BroadcastsPage(
            tuple(each for each, _ in present),
            tuple(cursor for _, cursor in present),
            len(members) > len(found),
        )

    async def start(
        self,
        tenant: TenantId,
        broadcast_id: BroadcastId,
        request: Request,
        started_at: datetime,
        traceparent: str,
    ) -> Broadcast:
        keys = TenantKeys(tenant)
        with store_step("FCALL start"):
            answer = await self._functions.call(
                "start",
                keys=[keys.request(request.id), keys.broadcast(broadcast_id), keys.jobs],
                args=[
                    request.fingerprint,
                    broadcast_id,
                    _REPLAY_SECONDS,
                    origin(BroadcastState.PLANNING),
                    BroadcastState.PLANNING,
                    microseconds(started_at),
                    traceparent,
                ],
            )
        match answer:
            case [b"started" | b"replayed", record, revision]:
                return as_started(_present(broadcast_id, record), int(revision))
            case [b"reused"]:
                raise RequestIdReused(request.id)
            case [b"state", state]:
                raise BroadcastAlreadyStarted(broadcast_id, BroadcastState(state.decode()))
            case _:
                raise BroadcastNotFound(broadcast_id)

    async def complete(
        self, tenant: TenantId, broadcast_id: BroadcastId, completed_at: datetime
    ) -> Broadcast:
        state = BroadcastState.COMPLETED
        with store_step("FCALL complete"):
            answer = await self._functions.call(
                "complete",
                keys=[TenantKeys(tenant).broadcast(broadcast_id)],
                args=[origin(state), state, microseconds(completed_at)],
            )
        if answer[0] == b"missing":
            raise BroadcastNotFound(broadcast_id)
        return _present(broadcast_id, answer[1])

    async def frame(self, tenant: TenantId, broadcast: Broadcast) -> Frame:
        if broadcast.plan is None:
            return Frame.empty()
        key = (tenant, broadcast.id)
        return self._frames.get(key) or self._frames.put(key, await self._frame(tenant, broadcast))

    async def _frame(self, tenant: TenantId, broadcast: Broadcast) -> Frame:
        with store_step("GET frame"):
            packed: Any = await self._client.get(TenantKeys(tenant).frame(broadcast.id))
        if packed is None:
            raise LedgerMissing(broadcast.id)
        return frame_from_bytes(packed)

    async def tenants(self) -> list[TenantId]:
        with store_step("SMEMBERS tenants"):
            members: Any = await self._client.smembers(TENANTS)
        return sorted(TenantId(member.decode()) for member in members)

    async def open(self, tenant: TenantId) -> list[Broadcast]:
        with store_step("SMEMBERS open"):
            members: Any = await self._client.smembers(TenantKeys(tenant).open)
        ids = [BroadcastId(member.decode()) for member in members]
        drafts = {each: self._drafts.get((tenant, each)) for each in ids}
        new = [each for each, draft in drafts.items() if draft is None]
        known = {each: draft for each, draft in drafts.items() if draft is not None}
        found = [*await self.get(tenant, new), *await self._standing(tenant, known)]
        present = [each for each in found if each is not None]
        return sorted(present, key=lambda each: (each.created_at, each.id))

    async def _standing(
        self, tenant: TenantId, drafts: Mapping[BroadcastId, Draft]
    ) -> list[Broadcast | None]:
        """Broadcasts whose drafts are known: workers ask for the open ones many times a second."""
        if not drafts:
            return []
        keys = TenantKeys(tenant)
        with store_step("FCALL standings"):
            records = await self._functions.call(
                "standings", keys=[keys.broadcast(each) for each in drafts], read_only=True
            )
        return [
            broadcast_from(broadcast_id, record, draft)
            for (broadcast_id, draft), record in zip(drafts.items(), records, strict=True)
        ]

    async def close(self, tenant: TenantId, broadcast_id: BroadcastId) -> None:
        with store_step("SREM open"):
            await self._client.srem(TenantKeys(tenant).open, broadcast_id)

    async def _existing(self, tenant: TenantId, broadcast_id: BroadcastId) -> Broadcast:
        (found,) = await self.get(tenant, [broadcast_id])
        if found is None:
            raise BroadcastNotFound(broadcast_id)
        return found


def _present(broadcast_id: BroadcastId, record: Sequence[bytes]) -> Broadcast:
    broadcast = broadcast_from(broadcast_id, record)
    if broadcast is None:
        raise BroadcastNotFound(broadcast_id)
    return broadcast


def _flat(fields: dict[str, str | int]) -> list[str | int]:
    return [part for item in fields.items() for part in item]
