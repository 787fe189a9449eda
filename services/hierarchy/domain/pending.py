"""What was found, as a write that goes on is about to leave it."""

from collections.abc import Sequence
from typing import Any

from services.hierarchy.domain.operations import Found
from services.hierarchy.domain.people import Person
from services.hierarchy.domain.records import INDEXES, Index, R, Record, joined_key


class Pending(Found):
    """Answers as the store would after all that was put here: the next change is decided on it.

    Of what was not found, only what was put is known.
    """

    __slots__ = ("_by_key", "_put")

    def __init__(self) -> None:
        super().__init__({})
        self._put: dict[type[Any], dict[str, Any]] = {}
        self._by_key: dict[tuple[Index[Any], str], dict[str, Record]] = {}

    def learn(self, found: Found) -> None:
        """Take what was found besides."""
        new = found._by_index  # noqa: SLF001  # of its own kind
        known = self._by_index
        self._by_index = {
            index: {**known.get(index, {}), **new.get(index, {})} for index in {**known, **new}
        }

    def put(self, record: Record) -> None:
        """Let the record stand, in the place of one with its type and id."""
        records = self._put.setdefault(type(record), {})
        before = records.get(record.id)
        records[record.id] = record
        for index in _INDEXES_OF[type(record)]:
            old = before and _key_of(before, index)
            if old:
                del self._by_key[index, old][record.id]
            if key := _key_of(record, index):
                self._by_key.setdefault((index, key), {})[record.id] = record

    def puts(self, of: type[R]) -> Sequence[R]:
        """The records of a type that were put, as they now stand."""
        return list(self._put.get(of, {}).values())

    def all(self, index: Index[R], key: str) -> Sequence[R]:
        """The records under one key, those that were put among them."""
        found: Sequence[R] = self._by_index.get(index, {}).get(key, ())  # type: ignore[assignment]
        put = self._put.get(index.of)
        if not put:
            return found
        ahead: list[R] = list(self._by_key.get((index, key), {}).values())  # type: ignore[arg-type]
        return [*(each for each in found if each.id not in put), *ahead]


_INDEXES_OF = {of: tuple(x for x in INDEXES if x.of is of) for of in {x.of for x in INDEXES}}


def _key_of(record: Record, index: Index[Any]) -> str | None:
    match index.by:
        case "phone_hash":
            return record.phone.hash if isinstance(record, Person) and record.phone else None
        case "key":
            return joined_key(*getattr(record, index.by))
        case _:
            key: str | None = getattr(record, index.by)
            return key
