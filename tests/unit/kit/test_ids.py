"""Many ids checked at once are checked as each alone."""

import pytest

from kit.ids import are_uuids

GOOD = "0190f3c2-0000-7000-8000-000000000001"


@pytest.mark.parametrize("texts", [[], [GOOD], [GOOD, GOOD[:-1] + "2"]])
def test_all_are_uuids(texts: list[str]) -> None:
    assert are_uuids(texts)


@pytest.mark.parametrize(
    "texts",
    [
        [""],
        [GOOD, ""],
        [GOOD.upper()],
        [GOOD, GOOD[:-1]],
        [f"{GOOD}\n"],
        [f"{GOOD}\n{GOOD}"],
        [f"{GOOD}\n{GOOD}", ""],
        [f"{GOOD[:-1]}\n", f"{GOOD}a"],
    ],
)
def test_not_all_are_uuids(texts: list[str]) -> None:
    assert not are_uuids(texts)
