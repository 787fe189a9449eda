"""How often a process that serves hierarchy lets Python look for garbage."""

import asyncio
import gc
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.hierarchy.bootstrap import run_server
from services.hierarchy.config import Settings
from tests.hierarchy_server import ISSUER, KEY


@pytest.fixture
def default_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("default_thresholds")
async def test_a_server_seldom_walks_all_that_lives(tmp_path: Path) -> None:
    """Each walk over the rows of a large import is a pause for everybody."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(KEY.jwks()))
    settings = Settings(
        oidc_issuer=ISSUER,
        oidc_jwks_file=keys,
        database_file=tmp_path / "hierarchy.sqlite3",
        implicit_tenants=True,
        host="127.0.0.1",
        port=0,
        drain=timedelta(0),
    )
    stop = asyncio.Event()
    thresholds: list[tuple[int, int, int]] = []

    def ready(_port: int) -> None:
        thresholds.append(gc.get_threshold())
        stop.set()

    async with asyncio.timeout(30):
        await run_server(settings, ready=ready, stop=stop)

    assert thresholds == [(5_000, 10, 100)]
