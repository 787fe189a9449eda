"""What all servicers do alike."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from grpc.aio import ServicerContext

from kit.errors import ChaupalError, InvalidInput
from services.hierarchy.domain.errors import UnitNotFound
from services.hierarchy.domain.model import UnitId

Context = ServicerContext[Any, Any]
T = TypeVar("T")


def valid(asked: Sequence[UnitId | InvalidInput]) -> list[UnitId]:
    """The ids of a batch that are ids."""
    return [each for each in asked if not isinstance(each, InvalidInput)]


def in_order(
    asked: Sequence[UnitId | InvalidInput], found: Mapping[UnitId, T] | Mapping[UnitId | None, T]
) -> Iterator[T | ChaupalError]:
    """One answer for each item of a batch: what was found, or why there is nothing."""
    for each in asked:
        if isinstance(each, InvalidInput):
            yield each
        else:
            yield found[each] if each in found else UnitNotFound(each)
