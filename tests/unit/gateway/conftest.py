"""Fixtures: a world, its services, and a gateway in front of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import Settings

from .fakes.servers import Client, client, gateway, services, settings, token
from .fakes.world import World, small_world


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def configured(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@pytest.fixture
async def asking(world: World, configured: Settings) -> AsyncIterator[Client]:
    """A client with every capability of a gateway with every service."""
    async with (
        services(world, configured),
        gateway(configured) as app,
        client(app, world, token()) as asking,
    ):
        yield asking
