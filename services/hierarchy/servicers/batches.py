"""Batches whose items are found by id: one answer for each, in the order of the request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from kit.errors import ChaupalError, InvalidInput

Id = TypeVar("Id", bound=str)
T = TypeVar("T")


def ids_of(asked: Sequence[Id | InvalidInput]) -> list[Id]:
    """The ids of a batch that are ids."""
    return [each for each in asked if not isinstance(each, InvalidInput)]


def one_each(
    asked: Sequence[Id | InvalidInput],
    found: Mapping[Id, T],
    missing: Callable[[Id], ChaupalError],
) -> Iterator[T | ChaupalError]:
    """What was found for each item, or why there is nothing."""
    for each in asked:
        if isinstance(each, InvalidInput):
            yield each
        else:
            yield found[each] if each in found else missing(each)
