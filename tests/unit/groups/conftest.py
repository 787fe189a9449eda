"""What the tests of groups ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.groups.platform import Platform, a_platform


@pytest.fixture
async def platform(tmp_path: Path, valkey_url: str, unique: str) -> AsyncIterator[Platform]:
    async with a_platform(tmp_path, valkey_url, unique) as one:
        yield one


@pytest.fixture
async def siblings(tmp_path: Path, valkey_url: str, unique: str) -> AsyncIterator[Platform]:
    """Two servers over one store."""
    async with a_platform(tmp_path, valkey_url, unique, siblings=2) as two:
        yield two
