"""Broadcasts and ledgers in Redis 7.2+ or Valkey 8+, standalone, Sentinel or cluster.

Whatever is written together is one server-side Function over keys of one slot (`ledger.lua`,
`broadcasts.lua`): https://valkey.io/topics/functions-intro/.
"""

from services.messaging.adapters.redis.broadcasts import RedisBroadcasts
from services.messaging.adapters.redis.jobs import RedisPlanJobs
from services.messaging.adapters.redis.ledger import RedisDeliveryLog
from services.messaging.adapters.redis.libraries import Libraries

__all__ = [
    "Libraries",
    "RedisBroadcasts",
    "RedisDeliveryLog",
    "RedisPlanJobs",
]
