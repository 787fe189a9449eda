"""What the tests of the kit share."""

import pytest

from tests.unit.kit.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
