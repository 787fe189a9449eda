"""Redis or Valkey: opening a client, its errors as kinds, server-side Functions, durability."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from kit.errors import Unavailable

RedisClient = Redis | RedisCluster
Argument = str | bytes | int | float

CLUSTER_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
SCHEMES = frozenset({"redis", "rediss", "unix", *CLUSTER_SCHEMES})
# Of one client to one server; who finds all of them busy waits.
MAX_CONNECTIONS = 64
WAIT_FOR_CONNECTION_SECONDS = 10.0
# The cluster's client cannot wait; more than a server admits calls at once.
MAX_CLUSTER_CONNECTIONS = 2_000

# What a store must have so that an answered write is on disk (design: acknowledged means durable).
_DURABLE: Mapping[str, str] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    # Otherwise nothing is synced while a rewrite runs, `always` or not.
    "no-appendfsync-on-rewrite": "no",
}
_TRANSIENT = (
    exceptions.ConnectionError,  # also authentication, loading, too many connections
    exceptions.TimeoutError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.TryAgainError,
    exceptions.ReadOnlyError,  # a failover in progress
    exceptions.SlotNotCoveredError,
)
# Errors that have no class of their own; the first word of the server's message.
_TRANSIENT_CODES = ("NOREPLICAS", "MISCONF", "LOADING", "BUSY ")
# Of the driver's one class for everything about clusters, what says that nodes cannot be reached.
_TRANSIENT_CLUSTER = (
    "Redis Cluster cannot be connected",
    "All slots are not covered",
    "startup_nodes could not agree",
    "No targets were found",
)


class StoreUnavailable(Unavailable):
    """The store cannot be reached, is starting, or is failing over."""

    reason = "STORE_UNAVAILABLE"


class StoreFull(Unavailable):
    """The store has no memory left for writes."""

    reason = "STORE_FULL"


class StoreFault(Exception):
    """The store refused a command that we should not have sent: a fault of ours, so masked."""


class _Cluster(RedisCluster):
    """Learns of the nodes before its first commands are on their way.

    Commands that meet there are sent over connections which the driver closes under them: with
    twenty at once it was so each time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._first = asyncio.Lock()

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        if self._initialize:
            async with self._first:
                await self.initialize()
        return await super().execute_command(*args, **kwargs)


def open_redis(url: str) -> RedisClient:
    """A client that connects when it is first used; `await client.aclose()` at the end.

    Replies are bytes. Nothing is retried here: a command whose answer was lost may have run, and
    only its caller knows whether it may run twice.

    Args:
        url: `redis://`, `rediss://` (TLS), `unix:///path?db=0`, or `redis+cluster://` and
            `rediss+cluster://` with any node of a cluster.

    Raises:
        ValueError: for another kind of address.
    """
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        raise ValueError(f"not a Redis address (one of {', '.join(sorted(SCHEMES))}): {scheme}://")
    if plain := CLUSTER_SCHEMES.get(scheme):
        cluster: RedisCluster = _Cluster.from_url(
            plain + url.removeprefix(scheme),
            protocol=3,
            retry=Retry(NoBackoff(), 0),
            max_connections=MAX_CLUSTER_CONNECTIONS,
        )
        return cluster
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url,
        protocol=3,
        retry=Retry(NoBackoff(), 0),
        max_connections=MAX_CONNECTIONS,
        timeout=WAIT_FOR_CONNECTION_SECONDS,
    )
    return Redis.from_pool(pool)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn the driver's errors into kinds; stands around every command of an adapter.

    An adapter that expects an error reply of its own Function catches `redis.exceptions.
    ResponseError` inside the block.
    """
    try:
        yield
    except exceptions.OutOfMemoryError as error:
        raise StoreFull from error
    except _TRANSIENT as error:
        raise StoreUnavailable from error
    # The latter is no RedisError.
    except (exceptions.RedisError, exceptions.RedisClusterException) as error:
        if str(error).startswith((*_TRANSIENT_CODES, *_TRANSIENT_CLUSTER)):
            raise StoreUnavailable from error
        raise StoreFault(str(error)) from error


_DIGEST_LENGTH = 12
_PRELUDE = """\
#!lua name={library}
local function register(name, body)
  redis.register_function('{library}_' .. name, body)
end
local function register_read(name, body)
  redis.register_function{{
    function_name = '{library}_' .. name, callback = body, flags = {{'no-writes'}}
  }}
end
"""


class FunctionLibrary:
    """A loaded library of server-side Functions (redis.io/docs/latest/develop/programmability)."""

    def __init__(self, client: RedisClient, name: str, code: str) -> None:
        self._client = client
        self._code = code
        self.name = name

    def function(self, name: str) -> str:
        """The name under which the store knows one of the library's functions."""
        return f"{self.name}_{name}"

    async def call(
        self,
        function: str,
        *,
        keys: Sequence[str | bytes],
        args: Sequence[Argument] = (),
        read_only: bool = False,
    ) -> Any:
        """Call a function; all keys must be in one slot.

        Loads the library again when the store lost it (a flush, or a failover to a replica that
        had not got it): a function that does not exist has not run, so it may be sent again.

        Raises:
            redis.exceptions.ResponseError: what the function answered by `redis.error_reply`.
            StoreUnavailable, StoreFull: see there.
        """
        command = "FCALL_RO" if read_only else "FCALL"
        request = (command, self.function(function), len(keys), *keys, *args)
        try:
            return await self._send(*request)
        except exceptions.ResponseError as error:
            if "Function not found" not in str(error):
                raise
        with redis_errors():
            await _load(self._client, self.name, self._code)
        return await self._send(*request)

    async def _send(self, *request: Argument) -> Any:
        try:
            return await self._client.execute_command(*request)
        except exceptions.ResponseError as error:
            if _is_own_reply(error):
                raise
            with redis_errors():
                raise
        except (exceptions.RedisError, exceptions.RedisClusterException):
            with redis_errors():
                raise


def _is_own_reply(error: exceptions.ResponseError) -> bool:
    """Whether a reply may be the function's own: none of those that have a class or a code."""
    return type(error) is exceptions.ResponseError and not str(error).startswith(_TRANSIENT_CODES)


async def function_library(client: RedisClient, name: str, source: str) -> FunctionLibrary:
    """Load a library of Functions, on every primary of a cluster; harmless when it is there.

    The digest of the source is part of the name, so that versions stand side by side and during a
    rolling deploy each process calls its own. Libraries of earlier versions stay in the store.

    Args:
        client: where to load it.
        name: the library's name; letters, digits and underscores.
        source: Lua without the `#!lua` line. It registers its functions by
            `register('name', function(keys, args) … end)`, or `register_read` for those that
            write nothing; both put the library's full name before it, as the names of functions
            are one space for the whole store.

    Raises:
        StoreUnavailable: when the store is.
    """
    library = f"{name}_{hashlib.sha256(source.encode()).hexdigest()[:_DIGEST_LENGTH]}"
    code = _PRELUDE.format(library=library) + source
    with redis_errors():
        await _load(client, library, code)
    return FunctionLibrary(client, library, code)


async def _load(client: RedisClient, library: str, code: str) -> None:
    try:
        await client.function_load(code)
    except exceptions.ResponseError as error:
        # The name has the digest of the source: what is there under it is the same.
        if f"Library '{library}' already exists" not in str(error):
            raise


async def check_durability(client: RedisClient) -> list[str]:
    """What about the store's configuration could lose an acknowledged write; empty when nothing.

    A store that hides its configuration, as managed ones do, is named as such.

    Raises:
        StoreUnavailable: when the store cannot be asked.
    """
    with redis_errors():
        try:
            found: Any = await client.config_get(*_DURABLE)
        except exceptions.ResponseError as error:
            return [f"the store does not show its configuration: {error}"]
    problems: dict[str, None] = {}
    for config in _configs(client, found):
        for name, wanted in _DURABLE.items():
            value = _text(config.get(name, config.get(name.encode(), "")))
            if value != wanted:
                problems[f"{name} is {value or 'unknown'}, must be {wanted}"] = None
    return list(problems)


def _configs(client: RedisClient, found: Any) -> Sequence[Mapping[Any, Any]]:
    if isinstance(client, RedisCluster) and all(
        isinstance(each, Mapping) for each in found.values()
    ):
        return list(found.values())
    return [found]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
