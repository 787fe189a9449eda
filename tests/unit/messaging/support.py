"""Builders and open stores for the tests of messaging."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from kit.redis import RedisClient, open_redis
from services.messaging.adapters.redis import (
    Libraries,
    RedisBroadcasts,
    RedisDeliveryLog,
    RedisPlanJobs,
)
from services.messaging.domain.broadcasts import Audience, AudienceTerm, Broadcast, Draft
from services.messaging.domain.ids import BroadcastId, TenantId, UnitId
from services.messaging.domain.partitions import Partition
from services.messaging.ports import Request

NO_LEASE = timedelta(0)
LONG_LEASE = timedelta(minutes=5)
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Stores:
    """The messaging adapters over one server, and a tenant that nobody else uses."""

    tenant: TenantId
    client: RedisClient
    libraries: Libraries
    broadcasts: RedisBroadcasts
    jobs: RedisPlanJobs
    log: RedisDeliveryLog


@asynccontextmanager
async def open_stores(url: str, tenant: str) -> AsyncIterator[Stores]:
    client = open_redis(url)
    try:
        libraries = Libraries.over(client)
        yield Stores(
            TenantId(tenant),
            client,
            libraries,
            RedisBroadcasts(client, libraries),
            RedisPlanJobs(libraries),
            RedisDeliveryLog(client, libraries),
        )
    finally:
        await client.aclose()


def new_broadcast_id() -> BroadcastId:
    return BroadcastId(str(uuid.uuid4()))


def new_unit_id() -> UnitId:
    return UnitId(str(uuid.uuid4()))


def group_ids(count: int, seed: int = 0) -> bytes:
    """Distinct ids, 16 bytes each."""
    return b"".join(uuid.UUID(int=(seed << 64) + n + 1).bytes for n in range(count))


def a_partition(
    tenant: TenantId,
    size: int,
    *,
    broadcast_id: BroadcastId | None = None,
    generation: int = 1,
    number: int = 0,
    start: int = 0,
) -> Partition:
    return Partition(tenant, broadcast_id or new_broadcast_id(), generation, number, start, size)


def a_draft(title: str = "Meeting on Sunday") -> Draft:
    include = (AudienceTerm(unit_ids=(UnitId("0190a3c0-0000-7000-8000-000000000001"),)),)
    return Draft(title, {"en": "Come at ten.", "hi": "दस बजे आइए।"}, Audience(include), "simulator")


def a_broadcast(draft: Draft | None = None, created_at: datetime = NOON) -> Broadcast:
    return Broadcast(new_broadcast_id(), draft or a_draft(), "composer-1", created_at)


def a_request(fingerprint: str = "content-1") -> Request:
    return Request(str(uuid.uuid4()), fingerprint)


def same_request(request: Request, fingerprint: str) -> Request:
    return replace(request, fingerprint=fingerprint)
