"""The Function libraries. Two versions live side by side in a rolling deploy."""

from dataclasses import dataclass
from importlib.resources import files

from kit.redis import FunctionLibrary, RedisClient, function_library


@dataclass(frozen=True, slots=True)
class Libraries:
    """The loaded libraries."""

    ledger: FunctionLibrary
    broadcasts: FunctionLibrary


async def load_libraries(client: RedisClient) -> Libraries:
    """Load both; harmless when they are there already."""
    return Libraries(
        ledger=await function_library(client, "messaging_ledger", _source("ledger.lua")),
        broadcasts=await function_library(
            client, "messaging_broadcasts", _source("broadcasts.lua")
        ),
    )


def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text()
