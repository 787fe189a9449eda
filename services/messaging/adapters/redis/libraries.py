"""The Function libraries of these adapters."""

from dataclasses import dataclass
from importlib.resources import files

from kit.redis import RedisClient
from services.messaging.adapters.functions import Functions


@dataclass(frozen=True, slots=True)
class Libraries:
    """Both libraries; loaded when they are first needed."""

    ledger: Functions
    broadcasts: Functions

    @classmethod
    def over(cls, client: RedisClient) -> "Libraries":
        """The libraries over this store."""
        return cls(
            ledger=Functions(client, "messaging_ledger", _source("ledger.lua")),
            broadcasts=Functions(client, "messaging_broadcasts", _source("broadcasts.lua")),
        )

    async def load(self) -> None:
        """Load what is not loaded yet. Raises StoreUnavailable."""
        await self.ledger.load()
        await self.broadcasts.load()


def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
