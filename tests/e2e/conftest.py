"""One running platform for all scenarios."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform import Platform, running


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder: Path = tmp_path_factory.mktemp("platform")
    with running(folder, "--scale", "small") as platform:
        yield platform
