"""What every test of messaging may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.messaging.platform import Platform, open_platform


@pytest.fixture
async def platform(valkey_url: str, unique: str, tmp_path: Path) -> AsyncIterator[Platform]:
    """The server, without a worker, for a tenant of its own."""
    async with open_platform(valkey_url, unique, tmp_path) as opened:
        yield opened
