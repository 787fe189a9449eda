"""What every test of messaging may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.valkey.server import ValkeyServer
from tests.unit.messaging.platform import Platform, open_platform


@pytest.fixture
async def platform(
    own_valkey: ValkeyServer, unique: str, tmp_path: Path
) -> AsyncIterator[Platform]:
    """The server, without a worker, over a store of its own: workers serve every tenant."""
    async with open_platform(own_valkey.url, unique, tmp_path) as opened:
        yield opened
