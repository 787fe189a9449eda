"""Drops records that a writer laid down and died before it committed them."""

import logging
from datetime import datetime, timedelta
from typing import Any, cast

from kit.redis import RedisClient
from services.groups.adapters.redis.rows import ID_BYTES, RedisRegister
from services.groups.adapters.redis.steps import store_step

# No write lives nearly so long: what is older and not in the register will never be in it.
ABANDONED_AFTER = timedelta(hours=1)
_SCAN_COUNT = 1_000

_log = logging.getLogger(__name__)


async def sweep_records(
    client: RedisClient, key: str, register: RedisRegister, now: datetime
) -> int:
    """Drop the records that were laid down over an hour ago and are not in the register.

    Args:
        client: the store.
        key: the hash of the records.
        register: the present one, read at `now` or later.
        now: the present time.

    Returns:
        How many were dropped.
    """
    live = set(register.names_of_records(range(register.count)))
    before = int((now - ABANDONED_AFTER).timestamp())
    dropped = cursor = 0
    while True:
        with store_step("HSCAN groups record"):
            cursor, page = await cast(Any, client.hscan(key, cursor, count=_SCAN_COUNT))
            dead = [name for name in page if name not in live and _laid_down_at(name) < before]
            if dead:
                await cast(Any, client.hdel(key, *dead))
        dropped += len(dead)
        if not cursor:
            break
    _log.info("swept records that nothing pointed to", extra={"count": dropped})
    return dropped


def _laid_down_at(name: bytes) -> int:
    """The first four bytes of a revision are the seconds of its making."""
    return int.from_bytes(name[ID_BYTES : ID_BYTES + 4], "big")
