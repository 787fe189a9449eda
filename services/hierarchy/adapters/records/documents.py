"""Values that stores keep as JSON text and never look into."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from services.hierarchy.domain.events import (
    AccessChanged,
    AppointmentsChanged,
    BlueprintChanged,
    Change,
    PersonsErased,
    TenantChanged,
    TreeChanged,
    WatchesChanged,
)
from services.hierarchy.domain.tenants import TenantHeader

T = TypeVar("T")

# Some 10 KB each.
_HEADERS_KEPT = 1_000

# Each takes some milliseconds to build; there are as many as the code has types of answers.
_adapters: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)

_KINDS: Mapping[type[Change], str] = {
    TreeChanged: "tree_changed",
    BlueprintChanged: "blueprint_changed",
    AppointmentsChanged: "appointments_changed",
    WatchesChanged: "watches_changed",
    PersonsErased: "persons_erased",
    AccessChanged: "access_changed",
    TenantChanged: "tenant_changed",
}
_CHANGES: Mapping[str, type[Change]] = {kind: of for of, kind in _KINDS.items()}


def header_to_json(header: TenantHeader) -> str:
    """The whole header."""
    return _to_json(TenantHeader, header)


@lru_cache(maxsize=_HEADERS_KEPT)  # each call reads it, and it seldom changes
def header_from_json(text: str) -> TenantHeader:
    """The value of `header_to_json`; what a text of an older version lacks is as by default."""
    return _adapter(TenantHeader).validate_json(text)


def change_to_record(change: Change) -> tuple[str, str]:
    """The kind of a change and its content."""
    of = type(change)
    return _KINDS[of], _adapters(of).dump_json(change).decode()


def change_from_record(kind: str, content: str) -> Change:
    """The value of `change_to_record`."""
    change: Change = _adapters(_CHANGES[kind]).validate_json(content)
    return change


def answer_to_json(of: type[T], answer: T) -> str:
    """An answer to an operation, as a text that only `answer_from_json` reads."""
    return _to_json(of, answer)


def answer_from_json(of: type[T], text: str) -> T:
    """The value of `answer_to_json`, given the same type."""
    return _adapter(of).validate_json(text)


def _to_json(of: type[T], value: T) -> str:
    return _adapter(of).dump_json(value).decode()


def _adapter(of: type[T]) -> TypeAdapter[T]:
    return _adapters(of)
