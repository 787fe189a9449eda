"""Spreading a total over parts."""

from hypothesis import given
from hypothesis import strategies as st

from cli.demo.sizes import apportion


@given(
    weights=st.lists(st.floats(0.1, 100), min_size=1, max_size=50),
    spare=st.integers(0, 1_000),
)
def test_the_parts_add_up_and_none_is_empty(weights: list[float], spare: int) -> None:
    counts = apportion(len(weights) + spare, weights)

    assert sum(counts) == len(weights) + spare
    assert min(counts) >= 1


def test_equal_weights_get_equal_parts() -> None:
    assert apportion(12, [1, 1, 1]) == [4, 4, 4]


def test_a_heavier_part_gets_more() -> None:
    assert apportion(13, [1, 2, 7]) == [2, 3, 8]
