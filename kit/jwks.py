"""The issuer's public keys: fetched off the loop, cached, refreshed when an unknown key appears."""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.clock import Clock, SystemClock
from kit.errors import Unavailable

MAX_JWKS_BYTES = 256 * 1024
FETCH_TIMEOUT_SECONDS = 5.0

Jwk = Mapping[str, Any]
Fetch = Callable[[], Awaitable[bytes]]


class JwksUnavailable(Unavailable):
    """The issuer's keys cannot be read and none are cached that are fresh enough."""

    reason = "JWKS_UNAVAILABLE"


def http_source(url: str) -> Fetch:
    """Read the key set from a URL. Raises ValueError when it is neither http nor https."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"not an http(s) address: {url}")

    def fetch() -> bytes:
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=FETCH_TIMEOUT_SECONDS) as reply:  # noqa: S310
            body: bytes = reply.read(MAX_JWKS_BYTES + 1)
            return body

    return lambda: asyncio.to_thread(fetch)


def file_source(path: Path) -> Fetch:
    """Read the key set from a file."""

    def fetch() -> bytes:
        with path.open("rb") as stream:
            return stream.read(MAX_JWKS_BYTES + 1)

    return lambda: asyncio.to_thread(fetch)


class KeySet:
    """Keys by their id (`kid`), as RFC 7517 tells them.

    A known key is answered from memory; an unknown one makes one fetch, shared by all who wait,
    and at most one in `min_interval_seconds`, so that made-up key ids cannot be turned into load
    on the issuer. After `max_age_seconds` the set is fetched again, so that a withdrawn key stops
    working; while the issuer is down the old set serves until `max_stale_seconds`.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        clock: Clock | None = None,
        min_interval_seconds: float = 5.0,
        max_age_seconds: float = 300.0,
        max_stale_seconds: float = 3600.0,
    ) -> None:
        self._fetch = fetch
        self._clock = clock or SystemClock()
        self._min_interval = min_interval_seconds
        self._max_age = max_age_seconds
        self._max_stale = max_stale_seconds
        self._lock = asyncio.Lock()
        self._keys: dict[str, Jwk] = {}
        self._fetched_at: float | None = None
        self._attempted_at: float | None = None
        self._failed = False
        self.generation = 0  # grows when the keys change, so that others can drop what they cached

    async def get(self, kid: str) -> Jwk | None:
        """The key with this id, or None when the issuer has none.

        Raises:
            JwksUnavailable: when the issuer cannot be asked and the answer is not known.
        """
        age = self._age()
        if kid in self._keys and (age < self._max_age or self._refreshing_or_waiting(age)):
            return self._keys[kid]
        async with self._lock:
            if self._may_fetch(kid):
                await self._refresh()
        if self._age() >= self._max_stale or (self._failed and kid not in self._keys):
            raise JwksUnavailable
        return self._keys.get(kid)

    def _refreshing_or_waiting(self, age: float) -> bool:
        """Whether an ageing key should be used as it is: somebody else asks, or it is too soon."""
        return age < self._max_stale and (self._lock.locked() or not self._interval_passed())

    def _may_fetch(self, kid: str) -> bool:
        if kid in self._keys and self._age() < self._max_age:
            return False  # somebody fetched it while we waited for the lock
        return self._interval_passed()

    def _interval_passed(self) -> bool:
        if self._attempted_at is None:
            return True
        # After a failure soon again: at start the issuer may only be a moment behind.
        interval = min(self._min_interval, 1.0) if self._failed else self._min_interval
        return self._clock.monotonic() - self._attempted_at >= interval

    def _age(self) -> float:
        if self._fetched_at is None:
            return float("inf")
        return self._clock.monotonic() - self._fetched_at

    async def _refresh(self) -> None:
        self._attempted_at = self._clock.monotonic()
        try:
            keys = _parsed(await self._fetch())
        except (OSError, ValueError):  # URLError and HTTPError are OSErrors
            self._failed = True
            return
        self._failed = False
        self._fetched_at = self._clock.monotonic()
        if keys != self._keys:
            self._keys = keys
            self.generation += 1


def _parsed(raw: bytes) -> dict[str, Jwk]:
    if len(raw) > MAX_JWKS_BYTES:
        raise ValueError("the key set is too large")
    match json.loads(raw):
        case {"keys": list(keys)}:
            # A repeated id would make the answer depend on order; the first stands.
            return {
                key["kid"]: key
                for key in reversed(keys)
                if isinstance(key, dict) and isinstance(key.get("kid"), str)
            }
        case _:
            raise ValueError("not a JWK set")
