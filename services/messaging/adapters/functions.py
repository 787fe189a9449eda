"""Libraries of server-side Functions that are loaded when they are first needed.

A process starts also while its store does not answer: it says so in its readiness, and loads its
libraries when the store is there.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from kit.redis import Argument, FunctionLibrary, RedisClient, function_library, redis_errors


class Functions:
    """One library. Two versions live side by side in a rolling deploy: see `kit.redis`."""

    def __init__(self, client: RedisClient, name: str, source: str) -> None:
        self._client = client
        self._name = name
        self._source = source
        self._loaded: FunctionLibrary | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> FunctionLibrary:
        """Load the library, unless it is.

        Raises:
            StoreUnavailable: The store does not answer; the next call tries again.
        """
        async with self._loading:
            if self._loaded is None:
                with redis_errors():
                    self._loaded = await function_library(self._client, self._name, self._source)
            return self._loaded

    async def call(
        self,
        function: str,
        *,
        keys: Sequence[str],
        args: Sequence[Argument] = (),
        read_only: bool = False,
    ) -> Any:
        """Call a function; all keys must be in one slot. Raises as `FunctionLibrary.call`."""
        library = self._loaded or await self.load()
        return await library.call(function, keys=keys, args=args, read_only=read_only)
