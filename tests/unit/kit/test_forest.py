"""Forest against a naive model: dictionaries and recursion."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.forest import Forest


@st.composite
def shuffled_forests(draw: st.DrawFn) -> tuple[list[str], list[int]]:
    """Ids and parent places in any order."""
    size = draw(st.integers(0, 24))
    above = [draw(st.integers(-1, node - 1)) for node in range(size)]
    order = draw(st.permutations(range(size)))
    place = {node: index for index, node in enumerate(order)}
    parents = [place[above[node]] if above[node] >= 0 else -1 for node in order]
    return [f"n{node}" for node in order], parents


class Naive:
    def __init__(self, ids: list[str], parents: list[int]) -> None:
        self.parent = {
            node: ids[up] if up >= 0 else None for node, up in zip(ids, parents, strict=True)
        }
        self.children: dict[str | None, list[str]] = {node: [] for node in [*ids, None]}
        for node in ids:
            self.children[self.parent[node]].append(node)

    def subtree(self, node: str) -> list[str]:
        return [node, *(below for child in self.children[node] for below in self.subtree(child))]

    def preorder(self) -> list[str]:
        return [node for root in self.children[None] for node in self.subtree(root)]

    def ancestors(self, node: str) -> list[str]:
        up = self.parent[node]
        return [] if up is None else [up, *self.ancestors(up)]


@given(shuffled_forests())
def test_a_forest_answers_as_the_naive_model_does(given_: tuple[list[str], list[int]]) -> None:
    naive = Naive(*given_)
    forest = Forest.from_parents(*given_)
    assert list(forest.ids) == naive.preorder()
    assert forest.size == len(forest) == len(given_[0])
    assert forest.roots() == naive.children[None]
    for node in forest.ids:
        start, end = forest.subtree(node)
        assert list(forest.ids[start:end]) == naive.subtree(node)
        assert forest.ancestors(node) == naive.ancestors(node)
        assert forest.children(node) == naive.children[node]
        assert forest.depths[forest.position(node)] == len(naive.ancestors(node))
        for other in forest.ids:
            assert forest.is_within(other, node) == (other in naive.subtree(node))


@given(shuffled_forests())
def test_all_three_ways_to_build_agree(given_: tuple[list[str], list[int]]) -> None:
    forest = Forest.from_parents(*given_)
    by_depths = Forest.from_depths(forest.ids, forest.depths.tolist())
    again = Forest(forest.ids, forest.parents)
    for other in (by_depths, again):
        assert other.ids == forest.ids
        for name in ("parents", "ends", "depths"):
            assert np.array_equal(getattr(other, name), getattr(forest, name))


def test_arrays_are_typed_and_read_only() -> None:
    forest = Forest.from_parents(["b", "a"], [1, -1])
    arrays = (forest.parents, forest.ends, forest.depths)
    assert [str(array.dtype) for array in arrays] == ["int32", "int32", "int16"]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_caller_s_array_stays_his() -> None:
    parents = np.array([-1, 0], dtype=np.int32)
    forest = Forest(["a", "b"], parents)
    parents[1] = -1
    assert forest.ancestors("b") == ["a"]


def test_a_stranger_is_found_nowhere() -> None:
    forest = Forest.from_parents(["a"], [-1])
    assert forest.find("a") == 0
    assert forest.find("x") is None
    assert "x" not in forest
    for ask in (forest.position, forest.subtree, forest.ancestors, forest.children):
        with pytest.raises(KeyError):
            ask("x")


@pytest.mark.parametrize(
    ("ids", "parents"),
    [
        (["a", "b", "c"], [1, 0, -1]),  # a circle beside a root
        (["a"], [0]),  # its own parent
        (["a", "b"], [-1, 2]),  # no such place
        (["a", "b"], [-1, -2]),
        (["a", "a"], [-1, -1]),  # a repeated id
    ],
)
def test_what_is_no_forest_is_refused(ids: list[str], parents: list[int]) -> None:
    with pytest.raises(ValueError, match=r"circle|place|distinct"):
        Forest.from_parents(ids, parents)


@pytest.mark.parametrize("parents", [[1, -1], [-1, 0, -1, 1], [0]])
def test_what_is_no_preorder_is_refused(parents: list[int]) -> None:
    with pytest.raises(ValueError, match="pre-order"):
        Forest([str(place) for place in range(len(parents))], parents)


@pytest.mark.parametrize("depths", [[1], [0, 2], [0, -1]])
def test_depths_without_a_parent_are_refused(depths: list[int]) -> None:
    with pytest.raises(ValueError, match="no parent"):
        Forest.from_depths([str(place) for place in range(len(depths))], depths)


def test_sixty_thousand_nodes_are_numbered_at_once() -> None:
    """The design counts on some tens of milliseconds; a quadratic slip would take minutes."""
    size = 60_000
    parents = [-1, *((place - 1) // 8 for place in range(1, size))]
    started = time.perf_counter()
    forest = Forest.from_parents([str(place) for place in range(size)], parents)
    assert time.perf_counter() - started < 5
    assert forest.subtree("0") == (0, size)


def test_a_chain_is_no_deeper_problem() -> None:
    size = 3_000
    forest = Forest.from_parents([str(n) for n in range(size)], list(range(-1, size - 1)))
    assert len(forest.ancestors(str(size - 1))) == size - 1
