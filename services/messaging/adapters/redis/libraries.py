"""The Function libraries and their versions. Two versions live side by side in a rolling deploy."""

from dataclasses import dataclass
from importlib.resources import files

from kit.redis import FunctionLibrary, RedisClient, function_library

# Raise a version with every change of its file: a name and version once loaded stays as it is.
_LEDGER_VERSION = 1
_BROADCASTS_VERSION = 1


@dataclass(frozen=True, slots=True)
class Libraries:
    """The loaded libraries."""

    ledger: FunctionLibrary
    broadcasts: FunctionLibrary


async def load_libraries(client: RedisClient) -> Libraries:
    """Load both; harmless when they are there already."""
    here = files(__package__)
    return Libraries(
        ledger=await function_library(
            client, "messaging_ledger", _LEDGER_VERSION, here.joinpath("ledger.lua").read_text()
        ),
        broadcasts=await function_library(
            client,
            "messaging_broadcasts",
            _BROADCASTS_VERSION,
            here.joinpath("broadcasts.lua").read_text(),
        ),
    )
